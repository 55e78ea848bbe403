/**
 * The updater: looks what the tour orders, brings it into the other slot, waits until nothing is in the way, switches, and
 * keeps the new release only when it has proven itself. One thing at a time, over and over; whatever is interrupted goes
 * on where it was. It decides nothing of its own: the criteria, the slots and the venue do.
 */
import { BoxError, messageOf } from '../../runtime/core/errors.js'
import type { Service } from '../../runtime/core/lifecycle.js'
import { repeat } from '../../runtime/core/repeat.js'
import type { Cancel } from '../../runtime/ports/clock.js'
import { type BoxView, type Criterion, judge, unforced, unmet } from './criteria.js'
import type { Hold, HoldWanted } from './holds.js'
import type { Order, OrderLook, OtaState, SlotView } from './parts.js'
import { Preparation } from './preparation.js'
import { stateOf } from './report.js'
import type { Joint, Together } from './together.js'
import type { UpdaterOptions, UpdaterPorts } from './updater-ports.js'

const TURN_MS = 250
const LOOK_AGAIN_MS = 5_000
const MS_PER_MINUTE = 60_000

/** What a person forces, and why: it is in the log. */
export interface Forced {
  readonly owner: string
  readonly reason: string
}

export class Updater implements Service {
  readonly name = 'updater'
  readonly #ports: UpdaterPorts
  readonly #options: UpdaterOptions
  #cancel: Cancel = () => {}
  #turning: Promise<void> = Promise.resolve()
  #look: OrderLook | null = null
  #lookedWallMs = 0
  #lookedMs = 0
  #nextLookMs: number
  readonly #preparation: Preparation
  #isStopping = false
  #trouble: string | null = null
  #askedDigest: string | null = null
  #forced: Forced | null = null
  #gateUnmet: readonly string[] = []
  #hasPassed = false
  #isSwitching = false
  #joint: Joint = { kind: 'wait', why: null }
  #state: OtaState | null = null
  #freeBytes: number | null = null

  constructor(ports: UpdaterPorts, options: UpdaterOptions) {
    this.#ports = ports
    this.#options = options
    this.#preparation = new Preparation(ports.clock, ports.log, ports.slots)
    this.#nextLookMs = ports.clock.monotonicMs() + options.chance * MS_PER_MINUTE
  }

  async start(): Promise<void> {
    const { clock, holds, log, together } = this.#ports
    await holds.load().catch((error: unknown) => log.warn('ota.holds-lost', { error }))
    await together?.load()
    this.#cancel = repeat(clock, TURN_MS, () => {
      this.#turning = this.#turn().catch((error: unknown) => this.#fail(error))
      return this.#turning
    })
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    this.#cancel()
    await Promise.all([this.#turning, this.#preparation.cancel()])
  }

  /** As it is now; null before the first turn. */
  state(): OtaState | null {
    return this.#state
  }

  /** Every criterion of what is ordered, met or not. */
  async why(): Promise<readonly Criterion[]> {
    return this.#judge(await this.#ports.slots.view(), await this.#ports.box.view())
  }

  /** Looks at once. Resolves with what was found. */
  async check(): Promise<OrderLook> {
    return this.#lookNow()
  }

  /**
   * Takes what is ordered without waiting to be asked again; `forced` overrules holds and the like, never an armed show.
   * @throws BoxError `ota.refused` when nothing is ordered that could be taken
   */
  async apply(forced: Forced | null): Promise<readonly Criterion[]> {
    const { log } = this.#ports
    if (this.#look?.order == null) await this.#lookNow()
    const order = this.#look?.order
    if (!order) throw refusal(this.#look?.words ?? 'nothing is ordered')
    this.#askedDigest = order.description.manifest.sha256
    this.#forced = forced
    this.#preparation.retryNow()
    if (forced !== null) log.warn('ota.forced', { ...forced, version: order.description.version })
    return this.why()
  }

  /** Back to the other release, which is started at once. @throws BoxError `ota.refused`, `slot.refused` */
  async rollBack(reason: string): Promise<void> {
    if ((await this.#ports.box.view())?.isArmed) throw refusal('a show is armed: disarm it first')
    await this.#preparation.cancel()
    await this.#ports.together?.beforeBack(reason)
    await this.#ports.slots.rollBack(reason)
    this.#restart(`rolled back: ${reason}`)
  }

  /** A release that failed may be tried again. */
  async clear(digest: string): Promise<void> {
    await this.#preparation.cancel()
    await this.#ports.slots.clear(digest)
    this.#ports.log.info('ota.cleared', { digest })
    this.#preparation.retryNow()
  }

  hold(wanted: HoldWanted): Promise<Hold> {
    this.#ports.log.info('ota.held', { ...wanted })
    return this.#ports.holds.add(wanted)
  }

  release(id: string): Promise<Hold | null> {
    return this.#ports.holds.release(id)
  }

  async #turn(): Promise<void> {
    if (this.#isSwitching || this.#isStopping) return
    const { slots, box } = this.#ports
    const [view, seen] = [await slots.view(), await box.view()]
    if (view.isOnTrial) await this.#try(view)
    else if (this.#isLookDue(seen)) void this.#lookNow()
    const criteria = this.#judge(view, seen)
    if (!view.isOnTrial) this.#prepareWhenWanted(view, criteria)
    await this.#switchWhenWanted(view, criteria)
    await this.#tell(view, criteria)
    this.#trouble = null
  }

  /** Also when the box has learned the date meanwhile: then what was ordered can be judged. */
  #isLookDue(seen: BoxView | null): boolean {
    const nowMs = this.#ports.clock.monotonicMs()
    if (seen?.isUtcKnown && this.#look?.order?.isTimeKnown === false)
      this.#nextLookMs = Math.min(this.#nextLookMs, this.#lookedMs + LOOK_AGAIN_MS)
    return nowMs >= this.#nextLookMs
  }

  /** The running release is on trial. */
  async #try(view: SlotView): Promise<void> {
    const { box, launcher, together } = this.#ports
    const { deadlineSeconds } = this.#options.config.gate
    this.#gateUnmet = this.#hasPassed ? [] : await box.gate()
    this.#hasPassed = this.#gateUnmet.length === 0
    const isTogether = together?.isSwitch(view) ?? false
    const waits = isTogether && this.#hasPassed ? ['the other boxes of the venue'] : this.#gateUnmet
    const patienceMs = isTogether ? (together?.deadlineMs ?? 0) + 1000 * deadlineSeconds : 0
    launcher.gate(waits, Math.max(patienceMs, 1000 * deadlineSeconds))
    if (this.#hasPassed && !isTogether) await this.#keep()
  }

  async #keep(): Promise<void> {
    const { slots, launcher, log } = this.#ports
    await slots.markGood()
    launcher.passed()
    this.#hasPassed = false
    this.#askedDigest = null
    this.#forced = null
    log.info('ota.kept')
    // It takes its time, and the old one goes on if it fails.
    void slots.takeLauncher().catch((error: unknown) => log.warn('ota.launcher-kept', { error }))
  }

  #prepareWhenWanted(view: SlotView, criteria: readonly Criterion[]): void {
    const description = this.#look?.order?.description
    if (description === undefined || view.prepared?.digest === description.manifest.sha256) return
    if (this.#inTheWay(criteria, 'fetch').length === 0) this.#preparation.want(description)
  }

  async #switchWhenWanted(view: SlotView, criteria: readonly Criterion[]): Promise<void> {
    const { together } = this.#ports
    const inTheWay = this.#inTheWay(criteria, 'switch')
    const order = this.#look?.order ?? null
    if (together !== null) {
      this.#joint = await this.#joinWith(together, view, order, inTheWay)
      if (together.isSwitch(view) || (order?.isTogether ?? false)) return this.#doJointly(view)
    }
    if (view.isOnTrial || order === null || inTheWay.length > 0) return
    if (view.prepared?.digest !== order.description.manifest.sha256) return
    await this.#activate(order)
  }

  async #joinWith(
    together: Together,
    slots: SlotView,
    order: Order | null,
    inTheWay: readonly Criterion[],
  ): Promise<Joint> {
    const showNowMs = await this.#ports.box.showNowMs()
    if (showNowMs === null) return { kind: 'wait', why: 'the box does not tell the show time' }
    const obstacle = inTheWay.find(({ name }) => name !== 'in-slot')?.words ?? null
    const hasPassed = this.#hasPassed
    return together.turn({ order, slots, obstacle, hasPassed, showNowMs })
  }

  async #doJointly(view: SlotView): Promise<void> {
    const { together, slots } = this.#ports
    const joint = this.#joint
    if (joint.kind === 'switch' && this.#look?.order) {
      await together?.beforeSwitch(this.#look.order.description.manifest.sha256)
      await this.#activate(this.#look.order)
    } else if (joint.kind === 'keep') await this.#keep()
    else if (joint.kind === 'back' && view.isOnTrial) {
      await together?.beforeBack(joint.why)
      await slots.rollBack(joint.why)
      this.#restart(joint.why)
    }
  }

  async #activate({ description }: Order): Promise<void> {
    const { log, slots, box } = this.#ports
    // What was heard a second ago is not good enough to end a show by.
    const inTheWay = this.#inTheWay(this.#judge(await slots.view(), await box.look()), 'switch')
    if (inTheWay.length > 0) return log.warn('ota.stopped-short', { why: inTheWay[0]?.words })
    await box.remember()
    log.info('ota.switching', { version: description.version })
    await slots.activate()
    this.#restart(`${description.version} is to be tried`)
  }

  #restart(why: string): void {
    this.#isSwitching = true
    this.#ports.launcher.restart(why)
  }

  async #lookNow(): Promise<OrderLook> {
    const { clock, orders, log } = this.#ports
    this.#nextLookMs = clock.monotonicMs() + this.#options.config.checkMinutes * MS_PER_MINUTE
    this.#lookedMs = clock.monotonicMs()
    const look = await orders.look()
    const order = look.order ?? (look.isFresh ? null : (this.#look?.order ?? null))
    if (look.words !== this.#look?.words) log.info('ota.looked', { found: look.words })
    this.#look = { ...look, order }
    this.#lookedWallMs = clock.wallTimeMs()
    return this.#look
  }

  #judge(slots: SlotView, box: BoxView | null): readonly Criterion[] {
    const { config, version: updaterVersion, architecture } = this.#options
    const description = this.#look?.order?.description ?? null
    const digest = description?.manifest.sha256
    return judge({
      description,
      orderTrouble: this.#look?.words ?? null,
      isTimeKnown: this.#look?.order?.isTimeKnown ?? false,
      updaterVersion,
      architecture,
      running: slots.running,
      floor: slots.floor,
      refused: slots.refused,
      isOnTrial: slots.isOnTrial,
      isPrepared: digest !== undefined && slots.prepared?.digest === digest,
      freeBytes: this.#freeBytes,
      box,
      fleet: this.#ports.fleet(digest ?? null),
      holds: this.#ports.holds.current(),
      isMetered: config.isMetered,
      policy: config.policy,
      isAskedFor: digest !== undefined && this.#askedDigest === digest,
    })
  }

  #inTheWay(criteria: readonly Criterion[], step: 'fetch' | 'switch'): readonly Criterion[] {
    return this.#forced === null ? unmet(criteria, step) : unforced(criteria, step)
  }

  #fail(error: unknown): void {
    if (!(error instanceof BoxError)) throw error
    const trouble = messageOf(error)
    if (trouble !== this.#trouble) this.#ports.log.warn('ota.failed', { error })
    this.#trouble = trouble
  }

  async #tell(slots: SlotView, criteria: readonly Criterion[]): Promise<void> {
    this.#freeBytes = await this.#ports.slots.freeBytes()
    this.#state = stateOf({
      slots,
      criteria,
      look: this.#look,
      lookedWallMs: this.#lookedWallMs,
      progress: this.#preparation.progress,
      isPreparing: this.#preparation.isRunning,
      isSwitching: this.#isSwitching,
      gateUnmet: this.#gateUnmet,
      holds: this.#ports.holds.current(),
      switchShowMs: this.#ports.together?.switchShowMs ?? null,
      jointWhy: this.#joint.kind === 'wait' ? this.#joint.why : null,
      trouble: this.#trouble ?? this.#preparation.trouble,
    })
    await this.#ports.box.tell(this.#state)
  }
}

const refusal = (why: string): BoxError => new BoxError('ota.refused', why)
