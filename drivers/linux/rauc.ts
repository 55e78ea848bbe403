/** RAUC through its command, rauc(1), which asks the service of the image over D-Bus; and what systemd and /proc say. */
import { execFile, spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { StringDecoder } from 'node:string_decoder'
import { BoxError, messageOf } from '../../runtime/core/errors.js'
import type { Rauc, RaucBundle, RaucMark, RaucStatus } from '../../runtime/ports/rauc.js'
import { hasCode } from './errno.js'
import { askReboot, type RebootCommand, usualReboot } from './firmware.js'
import type { Libc } from './libc.js'
import { LinuxPartition } from './partition.js'
import { parseBundle, parseStatus } from './rauc-answers.js'

const OUTPUT_BYTES_MAX = 1024 * 1024
const LINE_CHARACTERS_MAX = 4_096
const WORDS_MAX = 300
const KERNEL_WORDS_MAX = 512
/**
 * By which RAUC finds the slot that runs (src/context.c, and of barebox src/bootloaders/barebox.c). The first kind that is there
 * counts: the device of a slot that is named may get another number.
 */
const SLOT_WORDS = [
  /^rauc\.slot=./,
  /^(bootstate|bootchooser)\.active=./,
  /^(root|systemd\.verity_root_data)=./,
]
/** Of a stick, or of the network: RAUC takes every slot for one that does not run then. */
const OUTSIDE_WORD = /^(rauc\.external|root=\/dev\/nfs)/

export interface RaucCommands {
  /** Program and first words: `rauc`, and maybe `--conf=…`. */
  readonly rauc: readonly [program: string, ...words: string[]]
  /** Of the child: D-Bus finds its bus by it. */
  readonly environment: NodeJS.ProcessEnv
  readonly reboot: RebootCommand
  readonly bootIdFile: string
  /** The line that the boot loader gave to the kernel. */
  readonly kernelLineFile: string
  /** A question or a mark; RAUC looks at partitions, and waits for nobody. */
  readonly askMsMax: number
  /** An inspection reads a whole bundle in the format `plain`, once. */
  readonly inspectMsMax: number
  /** Of an installation; a card writes a gigabyte in minutes. */
  readonly installMsMax: number
}

export const usualRauc: Omit<RaucCommands, 'environment'> = {
  rauc: ['rauc'],
  reboot: usualReboot,
  bootIdFile: '/proc/sys/kernel/random/boot_id',
  kernelLineFile: '/proc/cmdline',
  askMsMax: 30_000,
  inspectMsMax: 5 * 60_000,
  installMsMax: 60 * 60_000,
}

interface Said {
  readonly said: string
  /** Null: it went well. */
  readonly failure: string | null
}

export class LinuxRauc implements Rauc {
  readonly #commands: RaucCommands
  readonly #calls: Pick<Libc, 'dropCache'>
  #devices = new Map<string, string>()

  constructor(commands: RaucCommands, calls: Pick<Libc, 'dropCache'>) {
    this.#commands = commands
    this.#calls = calls
  }

  async status(): Promise<RaucStatus> {
    const words = ['status', '--detailed', '--output-format=json']
    const { said, failure } = await this.#ask(words, this.#commands.askMsMax)
    if (failure !== null) throw raucError(failure, 'os.unsupported')
    const status = parseStatus(said)
    if (status === null) throw raucError('its status cannot be read', 'os.unsupported')
    this.#devices = new Map(status.slots.map(({ name, device }) => [name, device]))
    const slots = status.slots.map(({ device: _, ...slot }) => slot)
    return { ...status, slots }
  }

  async inspect(path: string): Promise<RaucBundle> {
    const words = ['info', '--output-format=json', path]
    const { said, failure } = await this.#ask(words, this.#commands.inspectMsMax)
    if (failure !== null) throw raucError(failure)
    const bundle = parseBundle(said)
    if (bundle === null) throw raucError('what it says of the bundle cannot be read')
    return bundle
  }

  async install(path: string, progress: (percent: number) => void): Promise<void> {
    const failure = await this.#install(path, progress)
    if (failure !== null) throw raucError(failure)
  }

  async mark(mark: RaucMark, slot: string): Promise<void> {
    const words = ['status', `mark-${mark}`, slot]
    const { failure } = await this.#ask(words, this.#commands.askMsMax)
    if (failure !== null) throw raucError(failure, 'os.unsupported')
  }

  async sha256(slot: string, byteCount: number): Promise<string> {
    if (!this.#devices.has(slot)) await this.status()
    const device = this.#devices.get(slot)
    if (device === undefined) throw new BoxError('os.unsupported', `there is no slot ${slot}`)
    const head = new Uint8Array()
    return new LinuxPartition(device, this.#calls).sha256({ byteCount, head })
  }

  async bootId(): Promise<string> {
    return (await readFile(this.#commands.bootIdFile, 'utf8')).trim()
  }

  async startedFrom(): Promise<string | null> {
    const line = await readFile(this.#commands.kernelLineFile, 'utf8').catch(() => '')
    const words = line.split(/\s+/)
    if (words.some(word => OUTSIDE_WORD.test(word)))
      throw raucError('the machine was started from none of its slots', 'os.unsupported')
    const found = SLOT_WORDS.map(kind => words.filter(word => kind.test(word)).join(' '))
    const said = found.find(some => some !== '') ?? ''
    return said === '' || said.length > KERNEL_WORDS_MAX ? null : said
  }

  reboot(): Promise<void> {
    return askReboot(this.#commands.reboot)
  }

  #ask(words: readonly string[], timeout: number): Promise<Said> {
    const [program, ...first] = this.#commands.rauc
    const limits = { timeout, maxBuffer: OUTPUT_BYTES_MAX, env: this.#environment() }
    return new Promise(resolve => {
      execFile(program, [...first, ...words], limits, (error, said, complaint) => {
        if (error === null) resolve({ said, failure: null })
        else if (error.killed) resolve({ said, failure: `no answer for ${timeout} ms` })
        else resolve({ said, failure: whyFailed(complaint) || absence(program, error) })
      })
    })
  }

  /** Null when it went well. A child that takes too long is killed; the service goes on, and says so when it is asked. */
  #install(path: string, progress: (percent: number) => void): Promise<string | null> {
    const [program, ...first] = this.#commands.rauc
    const timeout = this.#commands.installMsMax
    const child = spawn(program, [...first, 'install', path], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: this.#environment(),
    })
    // Not the option of spawn: its timer goes on where the program is not there.
    const late = setTimeout(() => child.kill('SIGKILL'), timeout)
    let lastError = ''
    let complaint = ''
    eachLine(child.stdout, line => {
      const percent = /^ *(\d{1,3})% /.exec(line)?.[1]
      if (percent !== undefined) progress(Math.min(100, Number(percent)))
      lastError = /LastError: (.+)/.exec(line)?.[1] ?? lastError
    })
    eachLine(child.stderr, line => {
      complaint = `${complaint}\n${line}`.slice(-LINE_CHARACTERS_MAX)
    })
    return new Promise(resolve => {
      child.once('error', error => {
        clearTimeout(late)
        resolve(absence(program, error))
      })
      child.once('close', (code, signal) => {
        clearTimeout(late)
        if (code === 0) resolve(null)
        else if (signal !== null) resolve(`not done after ${timeout} ms`)
        else resolve(lastError || whyFailed(complaint) || `exit code ${code}`)
      })
    })
  }

  #environment(): NodeJS.ProcessEnv {
    return { ...this.#commands.environment, LC_ALL: 'C' }
  }
}

function eachLine(from: NodeJS.ReadableStream, take: (line: string) => void): void {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  from.on('data', (bytes: Buffer) => {
    const lines = (rest + decoder.write(bytes)).split('\n')
    rest = (lines.pop() ?? '').slice(-LINE_CHARACTERS_MAX)
    for (const line of lines) take(line)
  })
  from.on('end', () => take(rest + decoder.end()))
}

/** What RAUC and GLib note beside what went wrong. */
const NEWS = /^(rauc-\w+|\(rauc:\d+\)): |^(Installing|D-Bus error while installing) `/

/** The last line that is no news; empty when there is none. */
const whyFailed = (complaint: string): string =>
  complaint
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '' && !NEWS.test(line))
    .at(-1)
    ?.slice(0, WORDS_MAX) ?? ''

const absence = (program: string, error: Error): string =>
  hasCode(error, 'ENOENT') ? `${program} is not installed` : messageOf(error).slice(0, WORDS_MAX)

/** Busy is for a while, everything else of a status or a mark for good. */
function raucError(why: string, code: 'os.refused' | 'os.unsupported' = 'os.refused'): BoxError {
  const isBusy = /already processing/i.test(why)
  return new BoxError(isBusy ? 'os.refused' : code, `RAUC: ${isBusy ? 'it is at work' : why}`)
}
