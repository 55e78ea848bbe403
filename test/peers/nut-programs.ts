/**
 * Debian's NUT, each part with a folder of its own and ended by its process id: upsd with dummy-ups as somebody else's UPS,
 * and upsmon as somebody who watches ours.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './free-port.js'

const FOLDER = '/lib/nut'
const WAIT_MS = 30_000

/** The programs themselves: what lies in /usr/sbin is a script that asks /etc/nut whether it may. */
export const hasNutServer = existsSync(`${FOLDER}/upsd`) && existsSync(`${FOLDER}/dummy-ups`)
export const hasNutClient = existsSync('/usr/bin/upsc') && existsSync(`${FOLDER}/upsmon`)

export interface NutProgram {
  /** What it has said so far. */
  output(): string
  until(isThere: (output: string) => boolean, what: string): Promise<void>
  stop(): Promise<void>
}

export interface Upsd {
  readonly port: number
  /** Writes what the UPS says of itself. */
  write(variables: Readonly<Record<string, string>>): Promise<void>
  /** As upsrw does it. */
  readonly user: { readonly name: string; readonly password: string }
  /** Who may log in to watch. */
  readonly watcher: { readonly username: string; readonly password: string }
  /** Another UPS of its, whose driver does not run. */
  readonly driverless: string
  /** The driver is gone; upsd goes on without it. */
  stopDriver(): Promise<void>
  stop(): Promise<void>
}

/** @param ups what the UPS is called */
export async function startUpsd(
  ups: string,
  variables: Readonly<Record<string, string>>,
): Promise<Upsd> {
  const place = await nutPlace()
  const port = await freePort()
  const user = { name: 'admin', password: 'secret' }
  const watcher = { username: 'box', password: 'pass word "#1' }
  const driverless = 'shelf'
  await place.config('ups.conf', [
    `[${ups}]`,
    'driver = dummy-ups',
    'port = dummy.dev',
    'mode = dummy-once',
    'pollinterval = 1',
    `[${driverless}]`,
    'driver = dummy-ups',
    'port = other.dev',
  ])
  await place.config('upsd.conf', [`LISTEN 127.0.0.1 ${port}`, 'MAXAGE 10'])
  await place.config('upsd.users', [
    `[${user.name}]`,
    `password = ${user.password}`,
    'actions = SET',
    'instcmds = ALL',
    `[${watcher.username}]`,
    String.raw`password = "pass word \"\#1"`,
    'upsmon secondary',
  ])
  let seconds = 0
  const write = async (said: Readonly<Record<string, string>>): Promise<void> => {
    const lines = Object.entries(said).map(([name, value]) => `${name}: ${value}`)
    await place.config('dummy.dev', lines)
    // dummy-ups reads the file again when it was changed, and looks at whole seconds only: two changes in one of them
    // are one, and the second is never seen. So each is a second later than the last, whenever it happens.
    seconds++
    await utimes(join(place.conf, 'dummy.dev'), seconds, seconds)
  }
  await write(variables)
  const driver = place.run('dummy-ups', ['-a', ups, '-F', '-u', 'root'])
  const server = place.run('upsd', ['-F', '-u', 'root'])
  await listening(port, server)
  return {
    port,
    user,
    watcher,
    driverless,
    write,
    stopDriver: () => driver.stop(),
    stop: async () => {
      await server.stop()
      await driver.stop()
      await place.remove()
    },
  }
}

export interface Upsmon extends NutProgram {
  /** Whether it has run what it runs to shut its machine down. */
  hasShutDown(): boolean
}

/** Watches `ups` at `port` of this machine, as a machine that the UPS feeds and that does not command it. */
export async function startUpsmon(ups: string, port: number): Promise<Upsmon> {
  const place = await nutPlace()
  const mark = join(place.state, 'is-down')
  await place.config('upsmon.conf', [
    'RUN_AS_USER root',
    `MONITOR ${ups}@127.0.0.1:${port} 1 monitor secret secondary`,
    'MINSUPPLIES 1',
    `SHUTDOWNCMD "touch ${mark}"`,
    `POWERDOWNFLAG ${join(place.state, 'flag')}`,
    'POLLFREQ 1',
    'POLLFREQALERT 1',
    'DEADTIME 60',
    'FINALDELAY 0',
  ])
  // One process: a second one, for what needs rights, would have to be found and ended, too.
  const program = place.run('upsmon', ['-F', '-p', '-DD'])
  return {
    ...program,
    hasShutDown: () => existsSync(mark),
    stop: async () => {
      await program.stop()
      await place.remove()
    },
  }
}

interface NutPlace {
  readonly conf: string
  readonly state: string
  config(file: string, lines: readonly string[]): Promise<void>
  run(program: string, args: readonly string[]): NutProgram
  remove(): Promise<void>
}

async function nutPlace(): Promise<NutPlace> {
  const folder = await mkdtemp(join(tmpdir(), 'roadcase-nut-'))
  const [conf, state] = [join(folder, 'conf'), join(folder, 'state')]
  await mkdir(conf)
  await mkdir(state)
  const environment = {
    ...process.env,
    NUT_CONFPATH: conf,
    NUT_STATEPATH: state,
    NUT_ALTPIDPATH: state,
  }
  return {
    conf,
    state,
    config: async (file, lines) => {
      const path = join(conf, file)
      await writeFile(path, `${lines.join('\n')}\n`)
      await chmod(path, 0o640)
    },
    run: (program, args) =>
      follow(spawn(join(FOLDER, program), args, { env: environment, cwd: folder })),
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}

function follow(child: ChildProcess): NutProgram {
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', bytes => {
      output += String(bytes)
    })
  // A test that fails half-way must not leave it running.
  const end = (): void => void child.kill('SIGKILL')
  process.once('exit', end)
  const exited = new Promise<void>(resolve => child.once('exit', () => resolve()))
  void exited.then(() => process.off('exit', end))
  return {
    output: () => output,
    until: (isThere, what) =>
      until(
        () => isThere(output),
        what,
        () => output,
      ),
    stop: async () => {
      const timer = setTimeout(() => child.kill('SIGKILL'), 5_000)
      child.kill('SIGTERM')
      await exited
      clearTimeout(timer)
    },
  }
}

export async function until(
  isThere: () => boolean | Promise<boolean>,
  what: string,
  instead: () => string = () => 'nothing',
): Promise<void> {
  const deadline = Date.now() + WAIT_MS
  while (!(await isThere())) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}: ${instead()}`)
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

async function listening(port: number, server: NutProgram): Promise<void> {
  const isOpen = (): Promise<boolean> =>
    new Promise(resolve => {
      const socket = createConnection({ port, host: '127.0.0.1' })
      socket.once('error', () => resolve(false))
      socket.once('connect', () => {
        socket.destroy()
        resolve(true)
      })
    })
  await until(isOpen, `upsd on ${port}`, () => server.output())
}
