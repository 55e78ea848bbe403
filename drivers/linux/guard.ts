/**
 * The host's side of the guard: starts it, beats for it, tells it the last words of each output, starts another when it
 * dies. While there is none the box goes on: its lines and PWM outputs are then safe after everything but a kill, its chips
 * after a stop.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync } from 'node:fs'
import { Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { DeviceError, messageOf } from '../../runtime/core/errors.js'
import { Signal } from '../../runtime/core/signal.js'
import { after } from '../../runtime/core/time.js'
import { wait } from '../../runtime/core/wait.js'
import type { Cancel, Clock } from '../../runtime/ports/clock.js'
import type { Log } from '../../runtime/ports/log.js'
import { type GuardOrder, type GuardReport, Lines, lineOf, readReport } from './guard-protocol.js'
import { carryOutAll, carryOutAsOwner, lockPlace } from './last-act.js'
import { type LastWord, type LastWords, type LockedWord, placeOf, WORDS_MAX } from './last-words.js'
import type { Libc } from './libc.js'

export interface GuardOptions {
  /** The guard makes outputs safe when the main thread has been silent for longer. */
  readonly heartbeatMs: number
}

/** Outputs were made safe behind the box's back; that was over at `atMs` on the monotonic scale. */
export type Silence = Pick<Extract<GuardReport, { kind: 'silent' }>, 'atMs' | 'silentMs'>

interface Kept {
  readonly word: LastWord
  /** Gives the place free; safe to call twice. */
  readonly free: Cancel
}

const BEATS_PER_LIMIT = 4
/** The guard of a box that died before us needs some milliseconds for its last words. */
const LOCK_MS_MAX = 1_000
const LOCK_PAUSE_MS = 5
const SPEAK_MS_MAX = 2_000
const RETRY_MS_MIN = 1_000
const RETRY_MS_MAX = 60_000
/** A guard that was there for so long died of something new. */
const WELL_MS = 60_000
/** A guard that reads nothing any more is as good as none. */
const UNREAD_BYTES_MAX = 64 * 1024
/** It sleeps as long as the box lives, and works for a millisecond: room and helpers for more would be wasted. */
const FLAGS = ['--max-semi-space-size=1', '--v8-pool-size=1']

export class Guard implements LastWords {
  readonly silence = new Signal<Silence>()
  readonly #clock: Clock
  readonly #log: Log
  readonly #libc: Libc
  readonly #heartbeatMs: number
  readonly #kept = new Map<number, Kept>()
  #lastId = 0
  #child: ChildProcess | null = null
  #socket: Socket | null = null
  #deaths = 0
  #isStopping = false
  #stopBeating: Cancel = () => {}
  #cancelRetry: Cancel = () => {}
  #cancelWell: Cancel = () => {}

  constructor(clock: Clock, log: Log, libc: Libc, options: GuardOptions) {
    this.#clock = clock
    this.#log = log
    this.#libc = libc
    this.#heartbeatMs = options.heartbeatMs
  }

  /** Does not wait for it: what it is told meanwhile, it hears as soon as it runs, also when this process is dead then. */
  start(): void {
    const beats = setInterval(
      () => this.#tell({ kind: 'beat' }),
      this.#heartbeatMs / BEATS_PER_LIMIT,
    ).unref()
    this.#stopBeating = () => clearInterval(beats)
    process.once('exit', this.#onExit)
    this.#spawn()
  }

  async keep(word: LastWord): Promise<Cancel> {
    if (this.#kept.size >= WORDS_MAX)
      throw new DeviceError('device.limit', `${WORDS_MAX} outputs are guarded already`)
    const free = word.kind === 'line' ? () => {} : await this.#lock(word)
    const id = ++this.#lastId
    this.#kept.set(id, { word, free })
    this.#tell({ kind: 'keep', id, word })
    return () => {
      if (!this.#kept.delete(id)) return
      this.#tell({ kind: 'forget', id })
      free()
    }
  }

  /**
   * For the last moments of a process: files get their safe states at once. Chips are left to the guard, which speaks
   * when we are dead: a bus that hangs must not hold up our end. Never throws.
   */
  safeNow(): void {
    const files = [...this.#kept.values()].map(({ word }) => word).filter(isFile)
    const { failures } = carryOutAll(
      files,
      word => carryOutAsOwner(this.#libc, word),
      () => false,
    )
    for (const error of failures) this.#log.error('guard.not-safe', { error })
  }

  /** After `safeNow`. The guard sees to chips that nobody stopped, and is gone afterwards. Safe to call twice. */
  async stop(): Promise<void> {
    this.#isStopping = true
    this.#stopBeating()
    this.#cancelRetry()
    this.#cancelWell()
    process.off('exit', this.#onExit)
    const hasMoreToSay = this.#dropAllButChips()
    const child = this.#child
    // Without a process id it was never started, and will not end.
    if (child?.pid === undefined) return
    child.ref()
    const ended = new Promise<void>(resolve => child.once('exit', () => resolve()))
    const limit = setTimeout(() => child.kill('SIGKILL'), hasMoreToSay ? SPEAK_MS_MAX : 0)
    if (hasMoreToSay) this.#socket?.end()
    await ended
    clearTimeout(limit)
  }

  /** Returns whether there are chips that nobody stopped. Everything is free afterwards. */
  #dropAllButChips(): boolean {
    let hasChips = false
    for (const [id, { word, free }] of this.#kept) {
      if (word.kind === 'i2c') hasChips = true
      else this.#tell({ kind: 'forget', id })
      free()
    }
    this.#kept.clear()
    return hasChips
  }

  readonly #onExit = (): void => this.safeNow()

  #spawn(): void {
    const child = this.#startChild()
    if (child === null) return
    this.#child = child
    const gone = (why: string): void => {
      if (this.#child === child) this.#lose(why)
    }
    child.once('error', error => gone(messageOf(error)))
    child.once('exit', (status, signal) => gone(`it ended with ${signal ?? status}`))
    child.unref()
    // Without room for more descriptors there is no socket, and the error comes afterwards.
    const socket = child.stdio?.[3]
    if (!(socket instanceof Socket)) return
    this.#socket = socket
    const lines = new Lines()
    socket.on('data', (bytes: Buffer) => {
      for (const line of lines.take(bytes)) this.#hear(readReport(line))
    })
    // Whatever becomes of the socket, the guard's end tells.
    socket.on('error', () => {})
    socket.unref()
    for (const [id, { word }] of this.#kept) this.#tell({ kind: 'keep', id, word })
  }

  #startChild(): ChildProcess | null {
    const program = [...loaders(), ...FLAGS, PROGRAM, `${this.#heartbeatMs}`]
    try {
      // A session of its own: what ends a terminal or a group of processes does not end the guard.
      return spawn(process.execPath, program, {
        detached: true,
        env: {},
        stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
      })
    } catch (error) {
      this.#lose(messageOf(error))
      return null
    }
  }

  #hear(report: GuardReport): void {
    if (report.kind === 'ready') {
      this.#log.info('guard.ready', { pid: this.#child?.pid })
      this.#cancelWell = this.#clock.runAt(after(this.#clock.monotonicMs(), WELL_MS), () => {
        this.#deaths = 0
      })
      return
    }
    for (const error of report.failures) this.#log.error('guard.not-safe', { error })
    this.silence.emit(report)
  }

  #lose(why: string): void {
    this.#child = null
    this.#socket = null
    this.#cancelWell()
    if (this.#isStopping) return
    const retryMs = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** Math.min(this.#deaths++, 16))
    this.#log.warn('guard.missing', { why, retryMs })
    const at = after(this.#clock.monotonicMs(), retryMs)
    this.#cancelRetry = this.#clock.runAt(at, () => this.#spawn())
  }

  #tell(order: GuardOrder): void {
    const socket = this.#socket
    if (socket === null || socket.destroyed) return
    if (socket.writableLength > UNREAD_BYTES_MAX) this.#child?.kill('SIGKILL')
    else socket.write(lineOf(order))
  }

  /** Waits a moment for the guard of a box that died. @throws DeviceError `device.busy` */
  async #lock(word: LockedWord): Promise<Cancel> {
    const limit = after(this.#clock.monotonicMs(), LOCK_MS_MAX)
    let fd = lockPlace(this.#libc, word)
    while (fd === null) {
      if (this.#clock.monotonicMs() >= limit)
        throw new DeviceError('device.busy', `${placeOf(word)} belongs to another process`)
      await wait(this.#clock, LOCK_PAUSE_MS)
      fd = lockPlace(this.#libc, word)
    }
    return once(fd)
  }
}

/** Beside this file, as the compiler leaves it; see `worker.ts` for how a test comes to have one. */
const PROGRAM = fileURLToPath(new URL('./guard-process.js', import.meta.url))

/** What a test runner loads TypeScript with; a box has none. */
const loaders = (): readonly string[] =>
  process.execArgv.filter(argument => argument.startsWith('--import='))

function once(fd: number): Cancel {
  let isOpen = true
  return () => {
    if (isOpen) closeSync(fd)
    isOpen = false
  }
}

function isFile(word: LastWord): word is Extract<LastWord, { kind: 'file' }> {
  return word.kind === 'file'
}
