/** What RAUC, the boot and the records say together. */
import type { Clock, MonotonicMs } from '../../runtime/ports/clock.js'
import type { Rauc, RaucStatus } from '../../runtime/ports/rauc.js'
import type { TwoRecords } from '../slots/two-records.js'
import { nothingKnown, type OsFacts, type OsState } from './os-state.js'
import { type RaucView, raucFacts, settleRauc, viewOf } from './rauc-state.js'

/** Somebody may have used RAUC by hand meanwhile. */
const FRESH_MS = 60_000

export interface RaucLook {
  /** As it is in the records. */
  readonly known: OsState
  readonly state: OsState
  readonly facts: OsFacts
  readonly view: RaucView
}

/** A question is answered by what RAUC said a short time ago: asking it starts a program. */
export class RaucSight {
  readonly #rauc: Rauc
  readonly #clock: Pick<Clock, 'monotonicMs'>
  readonly #records: TwoRecords<OsState>
  #said: { readonly status: RaucStatus; readonly atMs: MonotonicMs } | null = null
  /** RAUC answers nothing while it installs. */
  #held: RaucStatus | null = null

  constructor(
    { rauc, clock }: { rauc: Rauc; clock: Pick<Clock, 'monotonicMs'> },
    records: TwoRecords<OsState>,
  ) {
    this.#rauc = rauc
    this.#clock = clock
    this.#records = records
  }

  get isHeld(): boolean {
    return this.#held !== null
  }

  /** From now on this holds, until `release`. */
  hold(status: RaucStatus): void {
    this.#held = status
  }

  release(): void {
    this.#held = null
    this.renew()
  }

  /** Something was done: what was seen is of the past. */
  renew(): void {
    this.#said = null
  }

  async status(): Promise<RaucStatus> {
    if (this.#held !== null) return this.#held
    const now = this.#clock.monotonicMs()
    if (this.#said !== null && now - this.#said.atMs < FRESH_MS) return this.#said.status
    const status = await this.#rauc.status()
    this.#said = { status, atMs: now }
    return status
  }

  async look(): Promise<RaucLook> {
    const view = viewOf(await this.status(), await this.#rauc.bootId())
    const known = (await this.#records.read()) ?? nothingKnown
    const state = settleRauc(known, view)
    return { known, state, facts: raucFacts(state, view), view }
  }
}
