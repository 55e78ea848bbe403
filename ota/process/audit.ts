/**
 * Reads both slots from the card now and then, slowly, so that one that rots is known before it is needed; and when
 * nobody is disturbed by it, mends it, or writes a copy of the running release where nothing is that could be started.
 */
import { BoxError, messageOf } from '../../runtime/core/errors.js'
import type { Service } from '../../runtime/core/lifecycle.js'
import { repeat } from '../../runtime/core/repeat.js'
import { wait } from '../../runtime/core/wait.js'
import type { Cancel, Clock } from '../../runtime/ports/clock.js'
import type { Log } from '../../runtime/ports/log.js'
import type { MendWishes } from '../slots/mending.js'
import type { SlotAgent } from '../slots/slot-agent.js'
import type { MayReplace } from '../slots/slot-care.js'
import { slotNames } from '../slots/slot-state.js'

const LOOK_MS = 60_000
/** After the start, which needs the card for itself; a box that is on for one evening is audited, too. */
const FIRST_MS = 10 * 60_000
const EVERY_MS = 6 * 3_600_000
/** By then the box has come up, and the repository was asked; until there is a copy, one byte may darken a box. */
const FIRST_COPY_MS = 2 * 60_000
/** A person who went back from a release may think better of it; from the start that this has led to. */
const GIVEN_BACK_MS = 3_600_000
/**
 * After a copy that failed, or was written and lost again, as to a release that cannot be written right: twice as long each
 * time, at most `EVERY_MS`. A card is not worn out by trying.
 */
const RETRY_COPY_MS = 30 * 60_000
/** After so long without one, the next one is a first one. */
const FORGET_COPY_MS = 2 * EVERY_MS
/** After each file, and each megabyte that is written: a box of the evening notices nothing of it. */
const PAUSE_MS = 40
/** While it goes on: whether it still disturbs nobody. */
const ASK_MS = 1_000
/** What the box itself may need meanwhile. */
const LEFT_BYTES = 64 * 1024 * 1024

export interface Surroundings {
  /** Why the card is not to be written now, for people; null: it may be. */
  whyNotNow(): Promise<string | null>
  /** Whether what an update has left in the other slot is nobody's any more. */
  isNobodys(left: 'unfinished' | 'prepared'): boolean
  /** Null where nobody can tell. */
  freeBytes(): Promise<number | null>
}

type Care = Pick<SlotAgent['care'], 'audit' | 'copy' | 'isCopyWanted'>

export class Audit implements Service {
  readonly name = 'audit'
  readonly #clock: Clock
  readonly #log: Log
  readonly #care: Care
  readonly #around: Surroundings
  #cancel: Cancel = () => {}
  #isStopping = false
  #looking: Promise<void> = Promise.resolve()
  #auditAtMs = 0
  #copyAtMs = 0
  #retryCopyMs = RETRY_COPY_MS
  #copiedMs = 0
  #startedMs = 0

  constructor(
    clock: Clock,
    log: Log,
    parts: { readonly care: Care; readonly around: Surroundings },
  ) {
    this.#clock = clock
    this.#log = log
    this.#care = parts.care
    this.#around = parts.around
  }

  async start(): Promise<void> {
    this.#startedMs = this.#clock.monotonicMs()
    this.#auditAtMs = this.#startedMs + FIRST_MS
    this.#copyAtMs = this.#startedMs + FIRST_COPY_MS
    this.#cancel = repeat(this.#clock, LOOK_MS, () => {
      this.#looking = this.#look()
      return this.#looking
    })
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    this.#cancel()
    await this.#looking
  }

  async #look(): Promise<void> {
    const nowMs = this.#clock.monotonicMs()
    if (nowMs < this.#auditAtMs && nowMs < this.#copyAtMs) return
    const isQuiet = (await this.#around.whyNotNow()) === null
    // A show that is armed for a day keeps nobody from looking.
    const isAuditDue = nowMs >= this.#auditAtMs + (isQuiet ? 0 : EVERY_MS)
    if (isAuditDue) await this.#audit(isQuiet)
    if (isQuiet && nowMs >= this.#copyAtMs) await this.#copy()
  }

  async #audit(isQuiet: boolean): Promise<void> {
    this.#auditAtMs = this.#clock.monotonicMs() + EVERY_MS
    const again = (): void => {
      this.#auditAtMs = this.#clock.monotonicMs()
    }
    for (const slot of slotNames)
      await this.#tried(
        'ota.audit-failed',
        async () => {
          const problem = await this.#care.audit(slot, this.#reading, isQuiet ? this.#wishes : null)
          if (problem === null) this.#log.info('ota.audited', { slot })
          // To be mended as soon as that disturbs nobody.
          else if (!isQuiet) again()
        },
        again,
      )
  }

  async #copy(): Promise<void> {
    const begunMs = this.#clock.monotonicMs()
    if (begunMs - this.#copiedMs >= FORGET_COPY_MS) this.#retryCopyMs = RETRY_COPY_MS
    this.#copyAtMs = begunMs + this.#retryCopyMs
    let isNothing = false
    const nothing = (): void => {
      isNothing = true
    }
    await this.#tried(
      'ota.copy-failed',
      async () => {
        if (!(await this.#care.isCopyWanted(this.#mayReplace))) return nothing()
        const place = await this.#care.copy({ ...this.#wishes, mayReplace: this.#mayReplace })
        if (place === null) nothing()
      },
      nothing,
    )
    if (isNothing) {
      this.#copyAtMs = begunMs
      return
    }
    this.#copiedMs = begunMs
    this.#retryCopyMs = Math.min(EVERY_MS, 2 * this.#retryCopyMs)
  }

  readonly #mayReplace: MayReplace = beneath => {
    if (beneath !== 'given-back') return this.#around.isNobodys(beneath)
    return this.#clock.monotonicMs() - this.#startedMs >= GIVEN_BACK_MS
  }

  async #tried(event: string, work: () => Promise<void>, again: () => void): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (!(error instanceof BoxError)) throw error
      // It goes on in the next quiet minute.
      if (error.code === 'fetch.cancelled') again()
      else this.#log.warn(event, { problem: messageOf(error) })
    }
  }

  readonly #reading = async (): Promise<void> => {
    if (this.#isStopping) throw cancelled('the updater ends')
    await wait(this.#clock, PAUSE_MS)
  }

  get #wishes(): MendWishes {
    let askedMs = this.#clock.monotonicMs()
    return {
      pause: async () => {
        await this.#reading()
        const nowMs = this.#clock.monotonicMs()
        if (nowMs - askedMs < ASK_MS) return
        askedMs = nowMs
        const why = await this.#around.whyNotNow()
        if (why !== null) throw cancelled(why)
      },
      makeSure: async byteCount => {
        const free = await this.#around.freeBytes()
        if (free !== null && free < byteCount + LEFT_BYTES)
          throw new BoxError(
            'storage.full',
            `a copy of the running release needs ${mega(byteCount + LEFT_BYTES)} MB, and ${mega(free)} are free`,
          )
      },
    }
  }
}

const cancelled = (why: string): BoxError => new BoxError('fetch.cancelled', why)
const mega = (byteCount: number): number => Math.ceil(byteCount / 1e6)
