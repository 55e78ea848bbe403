/**
 * Sound by aplay(1) of alsa-utils, which reads samples from a pipe in the file system as fast as the card plays them. The
 * pipe is kept full, and what it holds is known, so what was taken tells what is heard. Samples go out as two channels of
 * 32 bits: the kernel's 64 KiB of a pipe are then no more than a sixth of a second.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { closeSync, constants, openSync, writeSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { DeviceError } from '../../runtime/core/errors.js'
import { Signal } from '../../runtime/core/signal.js'
import { after } from '../../runtime/core/time.js'
import { wait } from '../../runtime/core/wait.js'
import type { Cancel, Clock } from '../../runtime/ports/clock.js'
import type { SoundOut } from '../../runtime/ports/sound.js'
import { endChild, hasEnded, lastSaid } from './child.js'
import { deviceErrorOf, errnoOf } from './errno.js'

const RATE = 48_000
const FRAME_BYTES = 8
/** pipe(7): what a pipe holds. */
const PIPE_BYTES = 65_536
const BUFFER_MICROSECONDS = 80_000
const PERIOD_MICROSECONDS = 20_000
const OPEN_MS_MAX = 3_000
const OPEN_EVERY_MS = 20
const STOP_MS_MAX = 1_000
const LOUDEST = 0x7fff_ffff

const run = promisify(execFile)

interface Player {
  readonly child: ChildProcess
  readonly fd: number
}

export class Aplay implements SoundOut {
  readonly rate = RATE
  readonly heldCount = PIPE_BYTES / FRAME_BYTES + (RATE * BUFFER_MICROSECONDS) / 1e6
  readonly #clock: Clock
  readonly #device: string
  readonly #lost = new Signal<Error>()
  #player: Player | null = null
  /** Of a frame that the pipe took only a part of. */
  #rest = new Uint8Array(0)
  #said: () => string = () => ''

  /** @param device as `aplay -L` lists them: `default`, `plughw:1,0` */
  constructor(clock: Clock, device: string) {
    this.#clock = clock
    this.#device = device
  }

  /** Of the player; null while there is none. */
  get pid(): number | null {
    return this.#player?.child.pid ?? null
  }

  async start(): Promise<void> {
    await this.stop()
    try {
      this.#player = await this.#startPlayer()
    } catch (error) {
      throw deviceErrorOf('starting aplay', error)
    }
    this.#rest = new Uint8Array(0)
    // It ended before anybody could be told.
    if (hasEnded(this.#player.child)) {
      await this.stop()
      throw this.#failure()
    }
  }

  async stop(): Promise<void> {
    const player = this.#player
    this.#player = null
    if (player === null) return
    closeSync(player.fd)
    await endChild(this.#clock, player.child, STOP_MS_MAX)
  }

  write(samples: Float32Array): number {
    const player = this.#player
    if (player === null || !this.#writeRest(player)) return 0
    const bytes = framesOf(samples)
    const written = this.#put(player, bytes)
    const whole = Math.ceil(written / FRAME_BYTES)
    this.#rest = bytes.slice(written, whole * FRAME_BYTES)
    return whole
  }

  onLost(listener: (why: Error) => void): Cancel {
    return this.#lost.listen(listener)
  }

  async #startPlayer(): Promise<Player> {
    const folder = await mkdtemp(join(tmpdir(), 'roadcase-sound-'))
    try {
      const pipe = join(folder, 'samples')
      await makePipe(pipe)
      const child = this.#play(pipe)
      try {
        return { child, fd: await this.#open(pipe, child) }
      } catch (error) {
        // While it waits for the card, or for the pipe, it does not obey a request to end, and would keep the card.
        child.kill('SIGKILL')
        throw error
      }
    } finally {
      // Both have it open by now, and a box that is killed leaves nothing of it.
      await rm(folder, { recursive: true, force: true })
    }
  }

  #play(pipe: string): ChildProcess {
    const form = ['-q', '-t', 'raw', '-f', 'S32_LE', '-c', '2', '-r', `${RATE}`]
    const buffers = [`--buffer-time=${BUFFER_MICROSECONDS}`, `--period-time=${PERIOD_MICROSECONDS}`]
    const child = spawn('aplay', [...form, ...buffers, '-D', this.#device, pipe], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    this.#said = lastSaid(child.stderr)
    child.on('error', () => {})
    child.on('exit', () => {
      if (this.#player?.child === child) this.#lose()
    })
    return child
  }

  /** A pipe can be written to without waiting once it is read (fifo(7)), or never, when aplay has ended. */
  async #open(pipe: string, child: ChildProcess): Promise<number> {
    const limit = after(this.#clock.monotonicMs(), OPEN_MS_MAX)
    for (;;) {
      try {
        return openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK)
      } catch (error) {
        if (errnoOf(error) !== 'ENXIO') throw error
      }
      if (child.pid === undefined)
        throw new DeviceError('device.absent', 'aplay is not installed: apt install alsa-utils')
      if (hasEnded(child) || this.#clock.monotonicMs() >= limit) throw this.#failure()
      await wait(this.#clock, OPEN_EVERY_MS)
    }
  }

  /** Whether it is through. */
  #writeRest(player: Player): boolean {
    if (this.#rest.length > 0) this.#rest = this.#rest.slice(this.#put(player, this.#rest))
    return this.#rest.length === 0
  }

  #put({ fd }: Player, bytes: Uint8Array): number {
    try {
      return writeSync(fd, bytes)
    } catch (error) {
      if (errnoOf(error) === 'EAGAIN') return 0
      this.#lose()
      return 0
    }
  }

  #lose(): void {
    const player = this.#player
    this.#player = null
    if (player === null) return
    closeSync(player.fd)
    player.child.kill('SIGKILL')
    this.#lost.emit(this.#failure())
  }

  #failure(): DeviceError {
    return new DeviceError(
      'device.absent',
      `aplay on ${this.#device}: ${this.#said() || 'it ended'}`,
    )
  }
}

/** The same in both ears. */
function framesOf(samples: Float32Array): Uint8Array {
  const frames = new Int32Array(2 * samples.length)
  for (const [index, sample] of samples.entries()) {
    const value = Math.round(Math.min(1, Math.max(-1, sample)) * LOUDEST)
    frames[2 * index] = value
    frames[2 * index + 1] = value
  }
  return new Uint8Array(frames.buffer)
}

async function makePipe(path: string): Promise<void> {
  try {
    await run('mkfifo', ['-m', '600', path])
  } catch (cause) {
    throw new DeviceError('device.io', `${path} cannot be made`, { cause })
  }
}
