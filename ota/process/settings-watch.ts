/** Somebody has written another `ota.json` or `root.json`: the updater ends, and is started anew with it. */
import type { Service } from '../../runtime/core/lifecycle.js'
import { repeat } from '../../runtime/core/repeat.js'
import type { Cancel, Clock } from '../../runtime/ports/clock.js'
import type { Log } from '../../runtime/ports/log.js'
import type { OtaState } from '../updater/parts.js'

const LOOK_MS = 5_000

export interface SettingsWatchParts {
  readonly clock: Clock
  readonly log: Log
  /** The files as they are, in one text. */
  readonly read: () => Promise<string>
  /** What the updater does at the moment; null: nobody knows yet. */
  readonly state: () => Pick<OtaState, 'phase' | 'os'> | null
  readonly end: () => void
}

/** A trial would lose an attempt, and the others of the venue would miss one of them. */
const BUSY: readonly OtaState['phase'][] = ['trial', 'agreed', 'switching']
/** An installation by RAUC goes on without who asked for it, and all others begin anew; a gate would have its time again. */
const SYSTEM_BUSY: readonly OtaState['phase'][] = ['writing', 'switching', 'trial']

export class SettingsWatch implements Service {
  readonly name = 'settings'
  readonly #parts: SettingsWatchParts
  #cancel: Cancel = () => {}
  #known: string | null = null
  #seen: string | null = null

  constructor(parts: SettingsWatchParts) {
    this.#parts = parts
  }

  async start(): Promise<void> {
    this.#known = await this.#parts.read()
    this.#seen = this.#known
    this.#cancel = repeat(this.#parts.clock, LOOK_MS, () => this.#look())
  }

  async stop(): Promise<void> {
    this.#cancel()
  }

  async #look(): Promise<void> {
    const { log, read, state, end } = this.#parts
    const before = this.#seen
    this.#seen = await read()
    // Twice the same: nobody is in the middle of writing it.
    if (this.#seen === this.#known || this.#seen !== before || isBusy(state())) return
    log.info('ota.reconfigured')
    this.#cancel()
    end()
  }
}

function isBusy(state: Pick<OtaState, 'phase' | 'os'> | null): boolean {
  if (state === null || BUSY.includes(state.phase)) return true
  return state.os !== null && SYSTEM_BUSY.includes(state.os.phase)
}
