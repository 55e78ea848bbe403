/**
 * A machine that does not say which operating system runs: because it is started in another way, or RAUC has not come up yet.
 * Or it never comes, on a system that is on trial: then the box leaves it by itself.
 */
import { BoxError, messageOf } from '../../runtime/core/errors.js'
import type { MonotonicMs } from '../../runtime/ports/clock.js'
import type { OsStatus } from '../os/os-system.js'
import { SILENT_REBOOTS_MAX, silentReboots } from '../os/silent-trial.js'
import type { Criterion } from './criteria.js'
import { LastSeen } from './last-seen.js'
import { judgeLeaving } from './os-leaving.js'
import type { OsReport, OsSight, OsUpdaterPorts } from './os-parts.js'
import type { OsPlace } from './os-place.js'
import { notUpdated, osReportOf } from './os-report.js'
import { quietBox } from './shared-criteria.js'
import type { UpdaterConfig } from './updater-config.js'

/** What runs may be on trial: nobody judges it before it is known. */
const PENDING_RETRY_MS = 10_000
/** The question starts a program. Services of an image come up in any order, and are started again. */
const RAUC_RETRY_MS = 60_000
/** Of a file that somebody has written in another form. */
const TRYBOOT_RETRY_MS = 300_000
/** A record that nobody can make true any more keeps releases back no longer. */
const HOLDS_BACK_MS = 1_800_000
/** After a reboot that was refused. */
const LEAVE_RETRY_MS = 300_000
const MS_PER_SECOND = 1_000

export class OsLack {
  readonly #ports: Pick<OsUpdaterPorts, 'clock' | 'system' | 'box' | 'holds' | 'log'>
  readonly #place: OsPlace
  readonly #config: UpdaterConfig
  readonly #seen: LastSeen
  #words: string | null = null
  #sinceMs: MonotonicMs | null = null
  #isPending = false
  /** Of a system on trial that nobody can judge. */
  #silent: OsStatus | null = null
  #criteria: readonly Criterion[] = []
  /** Since when only the others are in the way. */
  #readySinceMs: MonotonicMs | null = null
  #refusal: { readonly words: string; readonly atMs: MonotonicMs } | null = null
  #isLeaving = false

  constructor(ports: OsUpdaterPorts, place: OsPlace, config: UpdaterConfig) {
    this.#ports = ports
    this.#place = place
    this.#config = config
    this.#seen = new LastSeen(ports.clock)
  }

  get isSilentTrial(): boolean {
    return this.#silent !== null
  }

  /** Why such a system is not left yet, met or not; none where none runs. */
  get criteria(): readonly Criterion[] {
    return this.#criteria
  }

  /** Why nothing can be asked of the machine; null: it has answered. */
  get refusal(): string | null {
    if (this.#words === null) return null
    return this.#silent === null
      ? `the operating system is ${notUpdated(this.#words).lacking}`
      : `what runs is on trial, and nobody can judge it: ${this.#words}`
  }

  /** Why no release is tried meanwhile; null: the machine has answered. Undefined: nothing speaks for it that a system is on trial. */
  get whyNoAppTrial(): string | null | undefined {
    if (this.#words === null) return null
    return this.#isPending
      ? `it is not known whether a system is on trial: ${this.#words}`
      : undefined
  }

  /** Null: the machine has answered. */
  report(): OsReport | null {
    if (this.#words === null) return null
    if (this.#silent === null) return notUpdated(this.#words)
    return osReportOf({
      status: { ...this.#silent, isGoingDown: this.#isLeaving },
      ...{ candidate: null, criteria: [], step: null, progress: null, trouble: null },
      gateUnmet: this.#criteria.flatMap(({ isMet, words }) => (isMet ? [] : [words])),
    })
  }

  /** What the machine said in place of an answer. @returns when to ask again, in milliseconds from now; null: soon, it does answer */
  async heard(error: BoxError, sight: OsSight | null): Promise<number | null> {
    // It is at work for somebody else.
    if (error.code === 'os.refused') this.over()
    return error.code === 'os.unsupported' ? this.#found(messageOf(error), sight) : null
  }

  async #found(words: string, sight: OsSight | null): Promise<number> {
    const nowMs = this.#ports.clock.monotonicMs()
    this.#sinceMs ??= nowMs
    this.#words = words
    const { system } = this.#ports
    this.#silent = await system.silentTrial().catch(unreadable(null))
    if (this.#silent === null) this.#criteria = []
    else await this.#leaveWhenDue(this.#silent, words, nowMs - this.#sinceMs, sight?.slots ?? null)
    const isLong = nowMs - this.#sinceMs >= HOLDS_BACK_MS
    this.#isPending =
      this.#canLeave() || (!isLong && (await system.mayBeTrial().catch(unreadable(true))))
    if (this.#isPending || this.#silent !== null) return PENDING_RETRY_MS
    return this.#config.os?.kind === 'rauc' ? RAUC_RETRY_MS : TRYBOOT_RETRY_MS
  }

  over(): void {
    this.#words = null
    this.#sinceMs = null
    this.#isPending = false
    this.#silent = null
    this.#criteria = []
    this.#readySinceMs = null
    this.#refusal = null
  }

  /**
   * A person wants to leave the system on trial now, however often that was done. @returns what happens, for people
   * @throws BoxError `ota.refused`, `os.refused`, `power.refused`
   */
  async leaveNow(reason: string): Promise<string> {
    const { box, system } = this.#ports
    const whyNot = async (): Promise<string | null> =>
      this.#seen.of(await box.look())?.isArmed ? 'a show is armed: disarm it first' : null
    const barred = await whyNot()
    if (barred !== null) throw new BoxError('ota.refused', barred)
    await system.leave(reason, true, whyNot)
    this.#isLeaving = true
    return 'the box reboots now: nothing can tell the boot loader, which goes back when it has counted enough of them'
  }

  async #leaveWhenDue(
    silent: OsStatus,
    words: string,
    waitedMs: number,
    slots: OsSight['slots'] | null,
  ): Promise<void> {
    const { clock, box, holds } = this.#ports
    const nowMs = clock.monotonicMs()
    const reboots = silentReboots(silent.slots[silent.running])
    const deadlineMs = MS_PER_SECOND * this.#config.gate.deadlineSeconds
    this.#takePlace(silent, reboots > 0 || waitedMs >= deadlineMs)
    const judged = judgeLeaving({
      ...{ words, waitedMs, deadlineMs, reboots, refusal: this.#refusal?.words ?? null },
      ...{
        box: this.#seen.of(await box.look()),
        holds: holds.current(),
        turn: this.#place.why ?? null,
        isAppOnTrial: slots !== null && (slots.isOnTrial || slots.isRestartDue),
      },
    })
    this.#criteria = judged
    const inTheWay = judged.filter(({ isMet, name }) => !isMet && name !== 'answer')
    const isReady = inTheWay.every(({ name }) => name === 'turn' || name === 'reboot')
    this.#readySinceMs = isReady ? (this.#readySinceMs ?? nowMs) : null
    const isLate = this.#refusal !== null && nowMs - this.#refusal.atMs >= LEAVE_RETRY_MS
    if (this.#isLeaving || inTheWay.some(({ name }) => name !== 'reboot' || !isLate)) return
    await this.#leave(words)
  }

  async #leave(why: string): Promise<void> {
    const { system, log, clock, box } = this.#ports
    const whyNot = async (): Promise<string | null> => {
      const seen = this.#seen.of(await box.look())
      const occupied = seen && quietBox(seen).find(({ isMet }) => !isMet)
      return occupied ? occupied.words : null
    }
    try {
      await system.leave(why, false, whyNot)
      this.#isLeaving = true
    } catch (error) {
      if (!(error instanceof BoxError)) throw error
      if (this.#refusal?.words !== messageOf(error)) log.warn('os.trouble', { error })
      this.#refusal = { words: messageOf(error), atMs: clock.monotonicMs() }
    }
  }

  /** To the others it goes, as it has said before the reboot; unless it stays as it is. */
  #takePlace(status: OsStatus, hasFailed: boolean): void {
    const slot = status.slots[status.running]
    const digest = slot.kind === 'unknown' ? null : (slot.image?.digest ?? null)
    const since = this.#readySinceMs
    const waitedMs = since === null ? 0 : this.#ports.clock.monotonicMs() - since
    const failed = hasFailed ? digest : null
    this.#place.lookInSilence({ isAway: this.#canLeave(), failed, status, digest, waitedMs })
  }

  #canLeave(): boolean {
    if (this.#silent === null || this.#refusal !== null) return false
    return silentReboots(this.#silent.slots[this.#silent.running]) < SILENT_REBOOTS_MAX
  }
}

/** It is better to wait than to try two things at once. */
const unreadable =
  <T>(otherwise: T) =>
  (error: unknown): T => {
    if (error instanceof BoxError) return otherwise
    throw error
  }
