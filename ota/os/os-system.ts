/** What the updater needs of a machine with two operating systems, whoever starts them: the firmware itself, or another program. */
import type { Refusal } from '../slots/slot-state.js'
import type { OsImage, OsName, OsSlot } from './os-state.js'
import type { OsSource, OsWishes } from './os-writer.js'

export interface OsStatus {
  readonly running: OsName
  /** What a plain reboot starts. */
  readonly usual: OsName
  /** What runs is left with the next reboot, whatever happens, unless it is found good. */
  readonly isTrial: boolean
  readonly slots: { readonly a: OsSlot; readonly b: OsSlot }
  readonly floor: string | null
  readonly refused: readonly Refusal[]
  /** Where a rollback would lead; null: nowhere. */
  readonly wayBack: OsName | null
  /** A reboot was asked for, and nothing is to be begun any more. */
  readonly isGoingDown: boolean
}

/** The last word before a reboot. */
export type LastLook = () => Promise<string | null>

/**
 * Every call may be killed at any moment and made again. Calls are made one after the other, by one process: the updater.
 * Once a reboot was asked for, all but questions throw `os.refused`. All but `mayBeTrial`, `silentTrial` and `leave` throw
 * `os.unsupported` on a machine that starts in another way, or does not answer.
 */
export interface OsSystem {
  /** What is known, after what the last boots mean; changes nothing. */
  status(): Promise<OsStatus>
  /** Whether the records speak for a trial, on a machine that does not answer. @throws BoxError `storage.io` */
  mayBeTrial(): Promise<boolean>
  /**
   * On a machine that does not answer: the system on trial that runs, as far as the records and the kernel tell; null: none.
   * @throws BoxError `storage.io`
   */
  silentTrial(): Promise<OsStatus | null>
  /**
   * Out of such a trial, by a plain reboot: the boot loader counts it, or goes back at once. What comes back is refused then.
   * Each is counted on the disk first, and there is an end to them, unless a person asks.
   * @param whyNot asked when all that takes time is done: what has come up meanwhile, for people; null: nothing
   * @throws BoxError `os.refused`, `power.refused`, `storage.io`, `storage.full`, `storage.rotten`
   */
  leave(why: string, isAsked: boolean, whyNot: LastLook): Promise<void>
  /** Every reason why this system is not written now; none: it may be. */
  whyNot(image: OsImage): Promise<readonly string[]>
  /**
   * Brings a system to where nothing runs from, and verifies it from the medium. Done before is done; begun before begins anew.
   * @throws BoxError `os.refused`, `os.rotten`, `ota.refused` when cancelled; whatever the source throws
   */
  write(image: OsImage, source: OsSource, wishes: OsWishes): Promise<OsName>
  /** Every reason why what is written is not tried now; none: it may be. */
  whyNoTrial(): Promise<readonly string[]>
  /**
   * Reboots into the written system, for one boot. Resolves when the machine goes down.
   * @param lastWord asked when all that takes long is done, and nothing is changed yet: a reason not to, or null
   * @throws BoxError `os.refused`, `os.rotten` when it is not any more what was written, `power.refused`
   */
  tryBoot(lastWord: () => Promise<string | null>): Promise<void>
  /** Null: what runs is on trial, and may be found good. */
  whyNotGood(): Promise<string | null>
  /**
   * The gate of the running trial is passed: a plain reboot starts it from now on.
   * @throws BoxError `os.refused` when what runs is not on trial
   */
  markGood(): Promise<void>
  /**
   * What is on trial, or waits for one, is refused from now on. Out of a trial this reboots, into the system before.
   * @throws BoxError `os.refused` when nothing is on trial, or written; `power.refused`
   */
  giveUp(reason: string): Promise<void>
  /** Back from a good system to the one before it, with a reboot. @throws BoxError `os.refused`, `power.refused` */
  rollBack(reason: string): Promise<void>
  /** A person says that a system that failed may be tried again. Unknown digests change nothing. */
  clear(digest: string): Promise<void>
}
