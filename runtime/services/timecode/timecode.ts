/** Timecode on this box: follows one source, sends as many as box.json names, and says what it knows of both. */
import type { Bus } from '../../core/bus.js'
import { BoxError, messageOf } from '../../core/errors.js'
import type { Service } from '../../core/lifecycle.js'
import { repeat } from '../../core/repeat.js'
import { check, nullable, object } from '../../core/schema.js'
import { moment } from '../../core/shapes.js'
import type { TimecodeConfig } from '../../core/timecode-config.js'
import type { Cancel, Clock } from '../../ports/clock.js'
import type { Files } from '../../ports/files.js'
import type { Log } from '../../ports/log.js'
import type { TimecodeLinks } from '../../ports/timecode-links.js'
import type { Messages } from '../../topics.js'
import { type Followed, Follower } from './follower.js'
import { type Output, outputOf, sourceOf } from './ways.js'

const FILE = 'timecode.json'
const TELL_MS = 500

const savedSchema = object({
  /** When the show was armed; null while it is not. */
  armedShowMs: nullable(moment),
})

export interface TimecodePorts {
  readonly clock: Clock
  readonly log: Log
  readonly bus: Bus<Messages>
  readonly files: Files
  readonly links: TimecodeLinks
}

const nothing: Followed = {
  state: 'none',
  isRunning: false,
  rate: null,
  position: null,
  positionShowMs: null,
  speed: null,
  jitterMs: null,
  lostCount: 0,
  jumpCount: 0,
  trouble: null,
}

export class Timecode implements Service {
  readonly name = 'timecode'
  readonly #ports: TimecodePorts
  readonly #config: TimecodeConfig
  readonly #follower: Follower | null
  readonly #outputs: readonly Output[]
  readonly #cancels: Cancel[] = []
  #armedShowMs: number | null = null
  /** Armed in this life, on the timeline as it was: what was kept is of the one that is found again. */
  #isArmedHere = false
  #lastText = ''

  /** @param positions what triggers of the show wait for */
  constructor(ports: TimecodePorts, config: TimecodeConfig, positions: readonly string[]) {
    const { clock, log, links } = ports
    this.#ports = ports
    this.#config = config
    this.#follower =
      config.in === null
        ? null
        : new Follower(ports, sourceOf(clock, links, config.in), config.in, positions)
    this.#outputs = config.out.map(out => outputOf(clock, log, links, out))
  }

  async start(): Promise<void> {
    const { clock, bus } = this.#ports
    this.#armedShowMs = await this.#readArmed()
    this.#setArmed(this.#armedShowMs)
    for (const output of this.#outputs) output.start()
    this.#follower?.start()
    this.#cancels.push(
      bus.subscribe('show/state', ({ isArmed }) => void this.#noteArmed(isArmed)),
      bus.subscribe('clock/stepped', ({ byMs }) => void this.#noteStepped(byMs)),
      repeat(clock, TELL_MS, async () => this.#tell()),
    )
    this.#tell()
  }

  async stop(): Promise<void> {
    for (const cancel of this.#cancels.splice(0)) cancel()
    for (const output of this.#outputs) await output.stop()
    await this.#follower?.stop()
  }

  #setArmed(showMs: number | null): void {
    for (const output of this.#outputs) output.setArmed(showMs)
  }

  async #noteArmed(isArmed: boolean): Promise<void> {
    if (isArmed === (this.#armedShowMs !== null)) return
    this.#isArmedHere = isArmed
    await this.#keepArmed(isArmed ? this.#ports.clock.showTimeMs() : null)
  }

  /** The show goes on where it stood, and so does the timecode that began with it. */
  async #noteStepped(byMs: number): Promise<void> {
    const armed = this.#armedShowMs
    if (armed !== null && this.#isArmedHere) await this.#keepArmed(armed + byMs)
    else this.#setArmed(armed)
  }

  async #keepArmed(showMs: number | null): Promise<void> {
    const { files, log } = this.#ports
    this.#armedShowMs = showMs
    this.#setArmed(showMs)
    const saved = { armedShowMs: showMs }
    try {
      await files.replace(FILE, new TextEncoder().encode(JSON.stringify(saved)))
    } catch (error) {
      if (!(error instanceof BoxError)) throw error
      log.warn('timecode.not-saved', { error: messageOf(error) })
    }
  }

  /** What was kept is what was so: whoever arms the show says it anew. */
  async #readArmed(): Promise<number | null> {
    const { files, log } = this.#ports
    try {
      const bytes = await files.read(FILE)
      if (bytes === null) return null
      return check(savedSchema, JSON.parse(new TextDecoder().decode(bytes)), FILE).armedShowMs
    } catch (error) {
      log.warn('timecode.unreadable', { error: messageOf(error) })
      return null
    }
  }

  #tell(): void {
    const state = {
      source: this.#config.in?.kind ?? null,
      ...(this.#follower?.read() ?? nothing),
      outputs: this.#outputs.map(output => output.read()),
    }
    const text = JSON.stringify(state)
    if (text === this.#lastText) return
    this.#lastText = text
    this.#ports.bus.publish('timecode/state', state)
  }
}
