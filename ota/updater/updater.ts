/**
 * The updater: looks what the tour orders, brings it into the other slot, waits until nothing is in the way, switches, and
 * keeps the new release only when it has proven itself. One thing at a time, over and over; whatever is interrupted goes
 * on where it was. It decides nothing of its own: the criteria, the slots and the venue do.
 */
import { BoxError, messageOf } from '../../runtime/core/errors.js'
import type { Service } from '../../runtime/core/lifecycle.js'
import { repeat } from '../../runtime/core/repeat.js'
import type { Cancel } from '../../runtime/ports/clock.js'
import type { Forced } from './asked.js'
import { type BoxView, type Criterion, unforced, unmet } from './criteria.js'
import type { Hold, HoldWanted } from './holds.js'
import { judgeOrder } from './judgement.js'
import { Looking } from './looking.js'
import { isOccupied } from './occupied.js'
import type { Order, OrderLook, OtaState, SlotView } from './parts.js'
import { digestOf, Preparation } from './preparation.js'
import { stateOf } from './report.js'
import type { Joint, Together } from './together.js'
import { Trial } from './trial.js'
import type { UpdaterOptions, UpdaterPorts } from './updater-ports.js'

const TURN_MS = 250
const IDLE_TURN_MS = 500

export class Updater implements Service {
  readonly name = 'updater'
  readonly #ports: UpdaterPorts
  readonly #options: UpdaterOptions
  #cancel: Cancel = () => {}
  #turning: Promise<void> = Promise.resolve()
  #turnedMs = Number.NEGATIVE_INFINITY
  readonly #preparation: Preparation
  readonly #looking: Looking
  readonly #trial: Trial
  #isStopping = false
  #trouble: string | null = null
  #isSwitching = false
  #joint: Joint = { kind: 'wait', why: null }
  #state: OtaState | null = null
  #roomBytes: number | null = null

  constructor(ports: UpdaterPorts, options: UpdaterOptions) {
    this.#ports = ports
    this.#options = options
    this.#preparation = new Preparation(ports.clock, ports.log, ports.slots, digestOf)
    const { checkMinutes, gate } = options.config
    this.#looking = new Looking(ports, { everyMinutes: checkMinutes, chance: options.chance })
    this.#trial = new Trial({ ...ports, seesHub: () => this.#seesHub() }, gate)
  }

  async start(): Promise<void> {
    const { clock, asked, holds, log, together } = this.#ports
    await asked.load()
    await holds.load().catch((error: unknown) => log.warn('ota.holds-lost', { error }))
    await Promise.all([together?.load(), this.#looking.recall()])
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

  /** Of the last turn; null before the first. */
  state(): OtaState | null {
    return this.#state
  }

  /** Every criterion of what is ordered, met or not, and what follows from them: as of now. */
  async now(): Promise<{ readonly state: OtaState; readonly criteria: readonly Criterion[] }> {
    const slots = await this.#ports.slots.view()
    const criteria = this.#judge(slots, await this.#ports.box.view())
    return { state: this.#compose(slots, criteria), criteria }
  }

  /** Looks at once, by the date that the box has now. Resolves with what was found. */
  async check(): Promise<OrderLook> {
    await this.#ports.box.look()
    return this.#looking.now()
  }

  /**
   * Takes what is ordered without waiting to be asked again; `forced` overrules holds and the like, never an armed show.
   * @throws BoxError `ota.refused` when nothing is ordered that could be taken
   */
  async apply(forced: Forced | null): Promise<void> {
    const { asked, log } = this.#ports
    if (this.#looking.order == null) await this.#looking.now()
    const order = this.#looking.order
    if (!order) throw refusal(this.#looking.last?.words ?? 'nothing is ordered')
    await asked.ask(order.description.manifest.sha256, forced)
    this.#preparation.retryNow()
    if (forced !== null) log.warn('ota.forced', { ...forced, version: order.description.version })
  }

  /** Back to the other release, which is started at once. @throws BoxError `ota.refused`, `slot.refused` */
  async rollBack(reason: string): Promise<void> {
    if ((await this.#ports.box.look())?.isArmed) throw refusal('a show is armed: disarm it first')
    this.#ports.log.warn('ota.rollback', { reason })
    await this.#preparation.cancel()
    await this.#ports.asked.forget()
    await this.#ports.slots.rollBack(reason)
    this.#restart(`rolled back: ${reason}`)
  }

  /** A release that failed may be tried again. */
  async clear(digest: string): Promise<void> {
    await this.#preparation.cancel()
    // That it was forced once, before it failed, says nothing of now.
    if (this.#ports.asked.isFor(digest)) await this.#ports.asked.forget()
    await this.#ports.slots.clear(digest)
    this.#ports.log.info('ota.cleared', { digest })
    this.#preparation.retryNow()
  }

  async hold(wanted: HoldWanted): Promise<Hold> {
    this.#ports.log.info('ota.held', { ...wanted })
    await this.#ports.asked.unforce()
    const isUtcKnown = (await this.#ports.box.view())?.isUtcKnown ?? false
    return this.#ports.holds.add(wanted, isUtcKnown)
  }

  release(id: string): Promise<Hold | null> {
    return this.#ports.holds.release(id)
  }

  async #turn(): Promise<void> {
    if (this.#isSwitching || this.#isStopping || !this.#isTurnDue()) return
    const { slots, box, os } = this.#ports
    const [view, seen] = [await slots.view(), await box.view()]
    await this.#keepHolds(seen)
    if (view.isRestartDue) return this.#catchUp(view, seen)
    if (view.isOnTrial) await this.#try(view, seen)
    else if (this.#looking.isDue(seen)) this.lookBeside()
    const criteria = this.#judge(view, seen)
    if (!view.isOnTrial) this.#prepareWhenWanted(view, criteria)
    await this.#switchWhenWanted(view, criteria, seen)
    if (os && !this.#isSwitching)
      await os.turn({ slots: view, box: seen, look: this.#looking.last })
    await this.#tell(view, criteria)
    this.#trouble = null
  }

  /** A card that takes no more writes is no reason to judge no trial. */
  async #keepHolds(seen: BoxView | null): Promise<void> {
    const { holds } = this.#ports
    await holds.keep(seen?.isUtcKnown ?? false).catch((error: unknown) => this.#fail(error))
  }

  /** Somebody was killed between the word to the slots and the word to the launcher. */
  async #catchUp(view: SlotView, seen: BoxView | null): Promise<void> {
    const isBusy = await isOccupied(this.#ports.box, this.#isForced())
    if (isBusy) return this.#tell(view, this.#judge(view, seen))
    this.#restart('the other slot is to be started')
  }

  /** A moment that was agreed on is not missed; else a card is read no more often than it has to be. */
  #isTurnDue(): boolean {
    const nowMs = this.#ports.clock.monotonicMs()
    const everyMs = this.#state?.phase === 'agreed' ? TURN_MS : IDLE_TURN_MS
    const isDue = nowMs - this.#turnedMs >= everyMs - 1
    if (isDue) this.#turnedMs = nowMs
    return isDue
  }

  /** The running release is on trial. */
  async #try(view: SlotView, seen: BoxView | null): Promise<void> {
    const { together } = this.#ports
    const othersMs = together?.isSwitch(view) ? together.deadlineMs : null
    const judgement = await this.#trial.look({ othersMs, isArmed: seen?.isArmed ?? false })
    if (judgement === 'passed' && othersMs === null) await this.#keep()
    if (judgement !== 'failed') return
    const why = `gate: ${this.#trial.unmet.join('; ')}`
    await this.#ports.slots.rollBack(why).then(() => this.#restart(why))
  }

  #seesHub(): boolean {
    if (this.#looking.last?.isFresh) return true
    this.lookBeside()
    return false
  }

  /** Looks at the repository, if nobody does already; what is found is heard in a later turn. */
  lookBeside(): void {
    this.#looking.now().catch((error: unknown) => this.#fail(error))
  }

  async #keep(): Promise<void> {
    const { slots, log } = this.#ports
    await slots.markGood()
    this.#ports.launcher.passed()
    this.#trial.over()
    await this.#ports.asked.forget()
    log.info('ota.kept')
    // It takes its time, and the old one goes on if it fails.
    void slots.takeLauncher().catch((error: unknown) => log.warn('ota.launcher-kept', { error }))
  }

  #prepareWhenWanted(view: SlotView, criteria: readonly Criterion[]): void {
    const description = this.#looking.order?.description
    if (description === undefined || view.prepared?.digest === description.manifest.sha256) return
    // Over a metered uplink nothing comes, but it may come from a stick, or another box: the fetcher is told.
    const inTheWay = this.#inTheWay(criteria, 'fetch').filter(({ name }) => name !== 'uplink')
    if (inTheWay.length === 0) this.#preparation.want(description)
  }

  async #switchWhenWanted(
    view: SlotView,
    criteria: readonly Criterion[],
    seen: BoxView | null,
  ): Promise<void> {
    const { together } = this.#ports
    const inTheWay = this.#inTheWay(criteria, 'switch')
    const order = this.#looking.order
    if (together !== null) {
      this.#joint = await this.#joinWith(together, view, order, inTheWay)
      if (together.isSwitch(view) || order?.isTogether) return this.#doJointly(view, seen)
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
    const show = await this.#ports.box.showTime()
    if (show === null) return { kind: 'wait', why: 'the box does not tell the show time' }
    const obstacle = inTheWay.find(({ name }) => name !== 'in-slot')?.words ?? null
    const nowMs = this.#ports.clock.monotonicMs()
    return together.turn({ order, slots, obstacle, trial: this.#trial, show, nowMs })
  }

  async #doJointly(view: SlotView, seen: BoxView | null): Promise<void> {
    const { together, slots } = this.#ports
    const joint = this.#joint
    if (joint.kind === 'switch' && this.#looking.order) {
      await together?.beforeSwitch(this.#looking.order.description.manifest.sha256)
      await this.#activate(this.#looking.order)
    } else if (joint.kind === 'keep') await this.#keep()
    else if (joint.kind === 'back' && view.isOnTrial && !seen?.isArmed) {
      await together?.beforeBack(joint.why)
      await slots.rollBack(joint.why)
      this.#restart(joint.why)
    }
  }

  async #activate({ description }: Order): Promise<void> {
    const { log, slots, box } = this.#ports
    await box.remember()
    const inTheWay = this.#inTheWay(this.#judge(await slots.view(), await box.look()), 'switch')
    if (inTheWay.length > 0) {
      log.warn('ota.stopped-short', { why: inTheWay[0]?.words })
      return this.#ports.together?.abandon()
    }
    log.info('ota.switching', { version: description.version })
    await slots.activate()
    if (await isOccupied(box, this.#isForced())) {
      log.warn('ota.stopped-short', { why: 'a show was armed meanwhile, or a cue fired' })
      await slots.withdraw()
      return this.#ports.together?.abandon()
    }
    this.#restart(`${description.version} is to be tried`)
  }

  #restart(why: string): void {
    this.#isSwitching = true
    this.#ports.launcher.restart(why)
  }

  #judge(slots: SlotView, box: BoxView | null): readonly Criterion[] {
    const fleet = this.#ports.fleet(this.#orderedDigest())
    return judgeOrder(this.#looking.known, {
      ...{ ...this.#options, slots, box, fleet, roomBytes: this.#roomBytes },
      stalledSeconds: this.#preparation.stalledSeconds,
      holds: this.#ports.holds.current(),
      isAskedFor: this.isAskedFor(),
      systemTrial: this.#ports.os?.whyNoAppTrial(),
    })
  }

  /** Whether a person has asked for the release that is ordered. */
  isAskedFor(): boolean {
    return this.#ports.asked.isFor(this.#orderedDigest())
  }

  #isForced(): boolean {
    return this.#ports.asked.isForced(this.#orderedDigest())
  }

  #orderedDigest(): string | null {
    return this.#looking.order?.description.manifest.sha256 ?? null
  }

  #inTheWay(criteria: readonly Criterion[], step: 'fetch' | 'switch'): readonly Criterion[] {
    return this.#isForced() ? unforced(criteria, step) : unmet(criteria, step)
  }

  #fail(error: unknown): void {
    if (!(error instanceof BoxError)) throw error
    const trouble = messageOf(error)
    if (trouble !== this.#trouble) this.#ports.log.warn('ota.failed', { error })
    this.#trouble = trouble
  }

  async #tell(slots: SlotView, criteria: readonly Criterion[]): Promise<void> {
    this.#roomBytes = await this.#ports.slots.roomBytes()
    this.#state = this.#compose(slots, criteria)
    await this.#ports.box.tell(this.#state)
  }

  #compose(slots: SlotView, criteria: readonly Criterion[]): OtaState {
    return stateOf({
      ...{ slots, unmet: this.#inTheWay(criteria, 'switch'), isSwitching: this.#isSwitching },
      looked: this.#looking.known,
      ...{ progress: this.#preparation.progress, isPreparing: this.#preparation.isRunning },
      gateUnmet: this.#trial.unmet,
      holds: this.#ports.holds.current(),
      switchShowMs: this.#ports.together?.switchShowMs ?? null,
      jointWhy: this.#joint.kind === 'wait' ? this.#joint.why : null,
      trouble: this.#trouble ?? this.#looking.trouble ?? this.#preparation.trouble,
      silence: this.#ports.box.silence(),
      os: this.#ports.os?.report() ?? null,
    })
  }
}

const refusal = (why: string): BoxError => new BoxError('ota.refused', why)
