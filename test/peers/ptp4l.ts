/**
 * Debian's linuxptp, each program in a network namespace and ended by its process id: ptp4l as somebody else's clock, which
 * leaves the machine's clock alone, and pmc, which asks clocks how they do.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { environment, hasProgram, LAN, type Namespaces, whyNoNamespaces } from './namespaces.js'

const WAIT_MS = 45_000

/** Null where ptp4l can be run in a namespace. */
export const whyNoPtp = (): string | null =>
  whyNoNamespaces() ??
  (hasProgram('ptp4l') && hasProgram('pmc') ? null : 'linuxptp is not installed')

/** Of ptp4l.conf(5), by their names since version 2. */
export type Ptp4lSettings = Readonly<Record<string, string | number>>

export interface Follow {
  /** What it has said so far. */
  output(): string
  /** Waits for what must come; fails with what it has said instead. */
  until(isThere: () => boolean | Promise<boolean>, what: string): Promise<void>
  stop(signal?: NodeJS.Signals): Promise<void>
}

export interface Ptp4l extends Follow {
  /** Asks it over its own socket of the file system, until it answers. */
  ask(name: string): Promise<Answer>
  /** Asks sixteen times a second, from the first call on. @returns all offsets from its leader so far, in microseconds */
  offsetsMicroseconds(): readonly number[]
}

/** What one clock answered to pmc. */
export interface Answer {
  /** Sixteen hexadecimal digits. */
  readonly clock: string
  /** `RESPONSE MANAGEMENT DEFAULT_DATA_SET` and the like; an answer that refuses says `MANAGEMENT_ERROR_STATUS`. */
  readonly head: string
  readonly fields: Readonly<Record<string, string>>
}

/** A machine that stands still for a while loses answers: pmc waits for them for a tenth of a second. */
const ASKS_MAX = 50

/** Follows whoever leads, or leads, by its settings. */
export function startPtp4l(
  namespaces: Namespaces,
  number: number,
  settings: Ptp4lSettings = {},
): Ptp4l {
  const folder = mkdtempSync(join(tmpdir(), 'roadcase-ptp4l-'))
  const socket = join(folder, 'ptp4l')
  const config = join(folder, 'ptp4l.conf')
  writeFileSync(config, configOf({ uds_address: socket, ...settings }, folder))
  const args = ['-f', config, '-i', LAN, '-S', '-m', '-q']
  const program = follow(...namespaces.within(number, 'ptp4l', args))
  let pmcCount = 0
  const local = (): readonly string[] => {
    const own = join(folder, `pmc-${++pmcCount}`)
    const domain = String(settings['domainNumber'] ?? DOMAIN)
    return ['-u', '-b', '0', '-d', domain, '-s', socket, '-i', own]
  }
  let watch: OffsetWatch | null = null
  return {
    ...program,
    ask: name => untilAnswered(() => runPmc('pmc', [...local(), `GET ${name}`])),
    offsetsMicroseconds: () => {
      watch ??= watchOffsets(local())
      return watch.microseconds()
    },
    stop: async signal => {
      await watch?.stop()
      await program.stop(signal)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Of the boxes. */
const DOMAIN = 42

const WATCH_EVERY_MS = 62.5

interface OffsetWatch {
  microseconds(): readonly number[]
  stop(): Promise<void>
}

/** One pmc that is asked again and again: to start one costs more than what is measured. */
function watchOffsets(args: readonly string[]): OffsetWatch {
  const pmc = follow('pmc', args)
  const timer = setInterval(
    () => void pmc.child.stdin?.write('GET CURRENT_DATA_SET\n'),
    WATCH_EVERY_MS,
  )
  // What it is told after its end is lost.
  pmc.child.stdin?.on('error', () => clearInterval(timer))
  return {
    microseconds: () =>
      Array.from(
        pmc.output().matchAll(/offsetFromMaster\s+(-?[\d.]+)\s/g),
        ([, ns]) => Number(ns) / 1e3,
      ),
    stop: async () => {
      clearInterval(timer)
      await pmc.stop()
    },
  }
}

function configOf(settings: Ptp4lSettings, folder: string): string {
  const version = execFileSync('ptp4l', ['-v'], { env: environment, encoding: 'utf8' })
  const isOld = Number.parseInt(version, 10) < 4
  const { clientOnly = 0, ...others } = settings
  const all = {
    domainNumber: DOMAIN,
    time_stamping: 'software',
    free_running: 1,
    logAnnounceInterval: -2,
    logSyncInterval: -3,
    logMinDelayReqInterval: -3,
    ...(isOld
      ? { slaveOnly: clientOnly }
      : { clientOnly, uds_ro_address: join(folder, 'ptp4l-read-only') }),
    ...others,
  }
  const lines = Object.entries(all).map(([name, value]) => `${name} ${value}`)
  return ['[global]', ...lines, ''].join('\n')
}

/** Asks over the network until that one clock has answered; the others answer, too. */
export const askOne = (
  namespaces: Namespaces,
  number: number,
  request: string,
  isIt: (clock: string) => boolean,
): Promise<Answer> => untilAnswered(() => askByNetwork(namespaces, number, request), isIt)

async function untilAnswered(
  ask: () => Promise<readonly Answer[]>,
  isIt: (clock: string) => boolean = () => true,
): Promise<Answer> {
  for (let asks = 0; asks < ASKS_MAX; asks++) {
    const answer = (await ask()).find(({ clock }) => isIt(clock))
    if (answer !== undefined) return answer
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  throw new Error('pmc got no answer')
}

/** Asks every clock of a domain over the network, once; each answers for itself. */
export function askByNetwork(
  namespaces: Namespaces,
  number: number,
  request: string,
  domain = DOMAIN,
): Promise<readonly Answer[]> {
  const args = ['-4', '-i', LAN, '-b', '1', '-d', String(domain), request]
  return runPmc(...namespaces.within(number, 'pmc', args))
}

async function runPmc(program: string, args: readonly string[]): Promise<readonly Answer[]> {
  const pmc = follow(program, args)
  await pmc.ended
  return answersIn(pmc.output())
}

/** `\tb64169.fffe.f75cf9-1 seq 0 RESPONSE MANAGEMENT NULL_MANAGEMENT`, then the fields, a line for each. */
function answersIn(output: string): Answer[] {
  const parts = output.split(/^\t(?=[0-9a-f]{6}\.[0-9a-f]{4}\.[0-9a-f]{6}-)/m).slice(1)
  return parts.map(part => {
    const [first = '', ...rest] = part.split('\n')
    const [, clock = '', head = ''] = /^([0-9a-f.]+)-\d+ seq \d+ (.*)$/.exec(first) ?? []
    const fields = rest.flatMap(line => {
      const [, name, value] = /^\t\t(\S+)\s+(.*?)\s*$/.exec(line) ?? []
      return name === undefined || value === undefined ? [] : [[name, value] as const]
    })
    return { clock: identityOf(clock), head: head.trim(), fields: Object.fromEntries(fields) }
  })
}

/** As a box writes it. */
export const identityOf = (written: string): string => written.replaceAll('.', '')

/** A program whose output is kept, and that does not outlive the test. */
export function follow(
  program: string,
  args: readonly string[],
): Follow & { readonly child: ChildProcess; readonly ended: Promise<void> } {
  const child = spawn(program, args, { env: environment })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', bytes => {
      output += String(bytes)
    })
  const end = (): void => void child.kill('SIGKILL')
  process.once('exit', end)
  const ended = new Promise<void>(resolve => child.once('close', () => resolve()))
  void ended.then(() => process.off('exit', end))
  return {
    child,
    ended,
    output: () => output,
    until: async (isThere, what) => {
      const deadline = Date.now() + WAIT_MS
      while (!(await isThere())) {
        if (Date.now() > deadline)
          throw new Error(`waited in vain for ${what}: ${output.slice(-4_000)}`)
        await new Promise(resolve => setTimeout(resolve, 50))
      }
    },
    stop: async (signal = 'SIGTERM') => {
      const timer = setTimeout(() => child.kill('SIGKILL'), 5_000)
      child.kill(signal)
      await ended
      clearTimeout(timer)
    },
  }
}
