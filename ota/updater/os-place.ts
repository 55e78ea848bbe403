/** This box's place among the others of its venue, as far as its operating systems are concerned. */
import type { Clock, MonotonicMs } from '../../runtime/ports/clock.js'
import type { OsStatus } from '../os/os-system.js'
import type { FleetView } from './criteria.js'
import {
  awayMsOf,
  nextOsTurn,
  type OsTurnView,
  objectionOf,
  objectionToLeaving,
} from './os-turn.js'
import { type OsVoice, type OsWord, TOLD_REFUSALS_MAX } from './os-word.js'
import type { UpdaterConfig } from './updater-config.js'

export class OsPlace {
  readonly #clock: Clock
  readonly #voice: OsVoice | null
  readonly #config: UpdaterConfig
  #listensMs: MonotonicMs | null = null
  #stage: OsWord['stage'] = 'stays'
  #why: string | null = null

  /** @param voice null for a box that is not told of others */
  constructor(clock: Clock, voice: OsVoice | null, config: UpdaterConfig) {
    this.#clock = clock
    this.#voice = voice
    this.#config = config
  }

  /** Why it is not this box's turn to reboot, as of the last look; null: it is, or it does not want to. Undefined: it is alone. */
  get why(): string | null | undefined {
    return this.#voice === null ? undefined : this.#why
  }

  fleet(digest: string | null): FleetView | null {
    return this.#voice?.fleet(digest, this.#awayMs) ?? null
  }

  /**
   * Says where this box stands. To be called in every turn.
   * @param isAway it is about to reboot, or what it has started is on trial
   * @param wants nothing but the others is in the way of a reboot
   */
  look({ isAway, wants, digest, status }: OsStanding): void {
    if (this.#voice === null) return
    this.#listensMs ??= this.#voice.isOpen() ? this.#clock.monotonicMs() : null
    if (isAway) {
      this.#stage = 'goes'
      this.#why = objectionOf(this.#view(this.#voice))
    } else if (wants) {
      const deed = nextOsTurn(this.#view(this.#voice))
      this.#stage = deed.stage
      this.#why = deed.why
    } else {
      this.#stage = 'stays'
      this.#why = null
    }
    this.#say(digest, status.refused)
  }

  /**
   * Says where a box stands that cannot judge what runs. To be called often.
   * @param failed the digest of what runs, once it has failed here; null: it may be judged yet
   * @param waitedMs for how long only the others are in its way
   */
  lookInSilence({ isAway, failed, status, digest, waitedMs }: SilentStanding): void {
    if (this.#voice === null) return
    this.#stage = isAway ? 'goes' : 'stays'
    this.#why = objectionToLeaving(this.#view(this.#voice), waitedMs)
    this.#say(digest, status.refused, failed)
  }

  #say(digest: string | null, refused: OsStatus['refused'], failed: string | null = null): void {
    const all = [...refused.map(one => one.digest), ...(failed === null ? [] : [failed])]
    const told = [...new Set(all)].slice(-TOLD_REFUSALS_MAX)
    this.#voice?.say({ digest, stage: this.#stage, refused: told })
  }

  #view(voice: OsVoice): OsTurnView {
    const nowMs = this.#clock.monotonicMs()
    return {
      box: this.#config.box,
      named: this.#config.venue?.boxes ?? [],
      isOpen: voice.isOpen(),
      listenedMs: this.#listensMs === null ? 0 : nowMs - this.#listensMs,
      claimedMs: this.#stage === 'claims' ? voice.saidForMs() : null,
      heard: voice.heard(),
      awayMs: this.#awayMs,
    }
  }

  get #awayMs(): number {
    return awayMsOf(this.#config.gate.deadlineSeconds)
  }
}

export interface SilentStanding extends Pick<OsStanding, 'digest' | 'status'> {
  /** It is on trial, and about to be left. */
  readonly isAway: boolean
  readonly failed: string | null
  readonly waitedMs: number
}

export interface OsStanding {
  readonly isAway: boolean
  readonly wants: boolean
  readonly digest: string | null
  readonly status: OsStatus
}
