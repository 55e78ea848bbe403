/** Sound by ALSA's own recorder, as a child: it knows every card, and cannot take the box down with it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { DeviceError } from '../../runtime/core/errors.js'
import { Signal } from '../../runtime/core/signal.js'
import type { Cancel, Clock } from '../../runtime/ports/clock.js'
import type { SoundBlock, SoundInput } from '../../runtime/ports/timecode-links.js'
import { lastSaid } from './child.js'
import { deviceErrorOf } from './errno.js'

const PROGRAM = 'arecord'
/** How much is heard at once: what timecode is late by, at most, before the chase evens it out. */
const PERIOD_MICROSECONDS = 10_000
const BUFFER_MICROSECONDS = 200_000
const BYTES_PER_SAMPLE = 2

export interface RecordedSoundOptions {
  readonly device: string
  readonly sampleRate: number
  /** What is run in place of `arecord`, with its arguments. */
  readonly program?: string
}

export class RecordedSound implements SoundInput {
  readonly #clock: Clock
  readonly #options: RecordedSoundOptions
  readonly #blocks = new Signal<SoundBlock>()
  readonly #lost = new Signal<Error>()
  #child: ChildProcess | null = null
  /** Half a sample that came at the end of a piece. */
  #rest: Buffer = Buffer.alloc(0)

  constructor(clock: Clock, options: RecordedSoundOptions) {
    this.#clock = clock
    this.#options = options
  }

  async open(): Promise<void> {
    const { device, sampleRate, program = PROGRAM } = this.#options
    if (this.#child !== null) throw new DeviceError('device.busy', `sound input ${device} is open`)
    const child = spawn(
      program,
      [
        ...['-q', '-D', device, '-t', 'raw', '-f', 'S16_LE', '-c', '1', '-r', String(sampleRate)],
        ...['--period-time', String(PERIOD_MICROSECONDS)],
        ...['--buffer-time', String(BUFFER_MICROSECONDS)],
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    )
    try {
      await once(child, 'spawn')
    } catch (error) {
      throw deviceErrorOf(`starting ${program}`, error)
    }
    this.#child = child
    this.#rest = Buffer.alloc(0)
    const said = lastSaid(child.stderr)
    child.stdout?.on('data', (bytes: Buffer) => this.#hear(bytes))
    child.once('close', () => this.#end(child, said()))
  }

  onBlock(listener: (block: SoundBlock) => void): Cancel {
    return this.#blocks.listen(listener)
  }

  onLost(listener: (why: Error) => void): Cancel {
    return this.#lost.listen(listener)
  }

  async close(): Promise<void> {
    const child = this.#child
    this.#child = null
    if (child === null) return
    if (child.exitCode === null && child.signalCode === null) {
      const hasEnded = once(child, 'exit')
      child.kill('SIGKILL')
      await hasEnded
    }
    // What it had started itself may hold the pipes still.
    child.stdout?.destroy()
    child.stderr?.destroy()
  }

  #hear(bytes: Buffer): void {
    const at = this.#clock.monotonicMs()
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    const samples = new Int16Array(Math.floor(all.length / BYTES_PER_SAMPLE))
    for (let index = 0; index < samples.length; index++)
      samples[index] = all.readInt16LE(index * BYTES_PER_SAMPLE)
    this.#rest = all.subarray(samples.length * BYTES_PER_SAMPLE)
    if (this.#child !== null && samples.length > 0) this.#blocks.emit({ samples, at })
  }

  /** It ended by itself: no such card, unplugged, or another program has it. */
  #end(child: ChildProcess, said: string): void {
    if (this.#child !== child) return
    this.#child = null
    const why = said || `${PROGRAM} ended`
    this.#lost.emit(new DeviceError('device.io', `sound input ${this.#options.device}: ${why}`))
  }
}
