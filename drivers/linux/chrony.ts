/**
 * chrony as a child of the box: chronyd(8) with a configuration, a socket and a pid file of its own, asked through
 * chronyc(1). One that the machine runs already is asked and not touched.
 */
import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { DeviceError, messageOf } from '../../runtime/core/errors.js'
import { Signal } from '../../runtime/core/signal.js'
import { after } from '../../runtime/core/time.js'
import { wait } from '../../runtime/core/wait.js'
import type { Cancel, Clock } from '../../runtime/ports/clock.js'
import type {
  DaemonFound,
  DaemonPlaces,
  DaemonQuestion,
  TimeDaemon,
} from '../../runtime/ports/time-daemon.js'
import { askProgram, endChild } from './child.js'
import { deviceErrorOf } from './errno.js'

const ASK_MS_MAX = 2_000
const START_MS_MAX = 10_000
const STOP_MS_MAX = 3_000
const LOOK_EVERY_MS = 100
/** Of what it says. */
const LINE_MAX = 400
/** Of `struct sockaddr_un`, less what chronyc puts beside it. */
const SOCKET_PATH_MAX = 100
/** CAP_SYS_TIME of capabilities(7). */
const SYS_TIME = 1n << 25n
/** Where distributions put it, whatever the PATH of the box is. */
const SYSTEM_PATH = '/usr/sbin:/sbin:/usr/bin:/bin:/usr/local/sbin:/usr/local/bin'

export interface LinuxChronyOptions {
  /** Kept over reboots, the box's own: chronyd makes a folder in it. */
  readonly folder: string
  /** Whether it may set the system's date where it has the right to. Never where the box is only tried. */
  readonly maySetSystem: boolean
}

export class LinuxChrony implements TimeDaemon {
  readonly #clock: Clock
  readonly #options: LinuxChronyOptions
  readonly #endings = new Signal<string>()
  readonly #sayings = new Signal<string>()
  #child: ChildProcess | null = null
  #isStopping = false
  /** Whether the child has answered: before that, its end is that it could not be started. */
  #isAnswering = false
  #endedWhy = ''
  #isForeign = false
  #setsSystem = false

  constructor(clock: Clock, options: LinuxChronyOptions) {
    this.#clock = clock
    this.#options = options
  }

  async find(): Promise<DaemonFound> {
    const said = await run('chronyd', ['--version'])
    const [, major, minor] = /chrony\) version (\d+)\.(\d+)/.exec(said ?? '') ?? []
    if (said === null || (await run('chronyc', ['--version'])) === null) return { kind: 'absent' }
    // Its usual socket, or its usual port: whoever answers there is not ours, which has neither.
    this.#isForeign = (await run('chronyc', ['-c', 'tracking'])) !== null
    if (this.#isForeign) return { kind: 'foreign' }
    return {
      kind: 'installed',
      version: [Number(major ?? 0), Number(minor ?? 0)],
      hasNts: said.includes('+NTS'),
      maySetSystem: this.#options.maySetSystem && (await mayProcessSetSystem()),
    }
  }

  async start(
    render: (places: DaemonPlaces) => readonly string[],
    setsSystem: boolean,
  ): Promise<void> {
    await this.stop()
    const { places, config } = await this.#prepare()
    await endEarlier(places.pidFile, config, this.#clock)
    try {
      await writeFile(config, `${render(places).join('\n')}\n`, { mode: 0o600 })
    } catch (cause) {
      throw deviceErrorOf(`writing ${config}`, cause)
    }
    this.#isStopping = false
    this.#isAnswering = false
    this.#setsSystem = setsSystem
    const child = spawn('chronyd', commandLine(config, setsSystem), {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    this.#follow(child)
    await this.#untilAnswered(child)
  }

  async stop(): Promise<void> {
    const child = this.#child
    this.#child = null
    this.#isStopping = true
    if (child !== null) await endChild(this.#clock, child, STOP_MS_MAX)
  }

  onEnded(listener: (why: string) => void): Cancel {
    return this.#endings.listen(listener)
  }

  onSaid(listener: (line: string) => void): Cancel {
    return this.#sayings.listen(listener)
  }

  async ask(question: DaemonQuestion): Promise<readonly (readonly string[])[]> {
    const where = this.#isForeign ? [] : ['-h', this.#places().socket]
    const said = await run('chronyc', ['-c', ...where, question])
    if (said === null)
      throw new DeviceError('device.timeout', `chronyd does not answer to "${question}"`)
    return said
      .split('\n')
      .filter(line => line !== '')
      .map(line => line.split(','))
  }

  async setDate(wallSeconds: number, local: string | null): Promise<void> {
    const text = new Date(wallSeconds * 1e3).toISOString().slice(0, 19).replace('T', ' ')
    await this.#order('settime', text)
    // Without the right to set the system, to step it would only undo what it was told.
    if (this.#setsSystem) await this.#order('makestep')
    if (local !== null) await this.#order(...local.split(' '))
  }

  async #order(...words: readonly string[]): Promise<void> {
    const said = await run('chronyc', ['-h', this.#places().socket, ...words])
    if (said === null || !said.startsWith('200'))
      throw new DeviceError('device.timeout', `chronyd does not take "${words.join(' ')}"`)
  }

  #places(): DaemonPlaces {
    const folder = join(this.#options.folder, 'chrony')
    return {
      socket: join(folder, 'chronyd.sock'),
      pidFile: join(folder, 'chronyd.pid'),
      driftFile: join(folder, 'drift'),
      cookieFolder: folder,
    }
  }

  async #prepare(): Promise<{ places: DaemonPlaces; config: string }> {
    const places = this.#places()
    if (places.socket.length > SOCKET_PATH_MAX)
      throw new DeviceError('device.limit', `${places.socket} is too long for a socket`)
    try {
      await mkdir(places.cookieFolder, { recursive: true })
      // It takes no folder that others could write to.
      await chmod(places.cookieFolder, 0o750)
    } catch (cause) {
      throw new DeviceError('device.io', `${places.cookieFolder} cannot be made`, { cause })
    }
    return { places, config: join(places.cookieFolder, 'chrony.conf') }
  }

  #follow(child: ChildProcessByStdio<null, Readable, Readable>): void {
    let last = ''
    const hear = (line: string): void => {
      last = line.slice(0, LINE_MAX)
      if (this.#child === child) this.#sayings.emit(last)
    }
    for (const input of [child.stdout, child.stderr]) createInterface({ input }).on('line', hear)
    const end = (why: string): void => {
      if (this.#child !== child) return
      this.#child = null
      this.#endedWhy = why
      if (!this.#isStopping && this.#isAnswering) this.#endings.emit(why)
    }
    child.once('error', error => end(messageOf(error)))
    child.once('exit', (code, signal) => end(`${signal ?? `exit code ${code}`}: ${last}`))
  }

  async #untilAnswered(child: ChildProcess): Promise<void> {
    const deadline = after(this.#clock.monotonicMs(), START_MS_MAX)
    while (this.#child === child && this.#clock.monotonicMs() < deadline) {
      const where = ['-c', '-h', this.#places().socket, 'tracking']
      if ((await run('chronyc', where)) !== null) {
        this.#isAnswering = this.#child === child
        break
      }
      await wait(this.#clock, LOOK_EVERY_MS)
    }
    if (this.#isAnswering || this.#isStopping) return
    if (this.#child !== child) throw new DeviceError('device.absent', this.#endedWhy)
    await this.stop()
    throw new DeviceError('device.timeout', 'chronyd was started and does not answer')
  }
}

/** Dates are UTC, for chronyc too. */
const environment = { PATH: SYSTEM_PATH, LC_ALL: 'C', TZ: 'UTC0' }

/** In the foreground, so that it is a child; as whoever the box runs as, whose folder it writes to. */
function commandLine(config: string, setsSystem: boolean): string[] {
  const { uid, username } = userInfo()
  return [
    '-d',
    ...(setsSystem ? [] : ['-x']),
    ...(uid === 0 ? [] : ['-U']),
    '-u',
    username,
    '-f',
    config,
  ]
}

const run = (program: string, words: readonly string[]): Promise<string | null> =>
  askProgram(program, words, { environment, msMax: ASK_MS_MAX })

async function mayProcessSetSystem(): Promise<boolean> {
  const status = await readFile('/proc/self/status', 'utf8')
  const [, effective] = /^CapEff:\s*([0-9a-f]+)$/m.exec(status) ?? []
  return effective !== undefined && (BigInt(`0x${effective}`) & SYS_TIME) !== 0n
}

/** One that outlived a box that was killed has the port and the pid file. Only what has our configuration is ours. */
async function endEarlier(pidFile: string, config: string, clock: Clock): Promise<void> {
  const pid = Number.parseInt((await textOf(pidFile)) ?? '', 10)
  if (!Number.isInteger(pid) || pid < 2) return
  const isOurs = async (): Promise<boolean> => {
    const words = (await textOf(`/proc/${pid}/cmdline`))?.split('\0') ?? []
    return words.includes(config) && words.some(word => word.endsWith('chronyd'))
  }
  const deadline = after(clock.monotonicMs(), STOP_MS_MAX)
  if (await isOurs()) process.kill(pid, 'SIGTERM')
  while ((await isOurs()) && clock.monotonicMs() < deadline) await wait(clock, LOOK_EVERY_MS)
  if (await isOurs()) process.kill(pid, 'SIGKILL')
}

async function textOf(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8')
  } catch {
    // Then nobody has left it.
    return null
  }
}
