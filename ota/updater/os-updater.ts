/**
 * The updater of operating systems: fetches what the tour orders, writes it to the partitions that do not run, reboots into
 * it when nothing is in the way, and keeps it only when it has proven itself. It has its turns from the updater of releases.
 */
import { BoxError, messageOf } from '../../runtime/core/errors.js'
import type { OsStatus } from '../os/os-system.js'
import { whyNoAppTrial } from '../os/os-trial.js'
import type { Forced } from './asked.js'
import { type Criterion, unforced, unmet } from './criteria.js'
import { type Candidate, Candidates } from './os-candidate.js'
import { doesRun, isWritten, judgeOs } from './os-criteria.js'
import { OsLack } from './os-lack.js'
import { OsLeftovers } from './os-leftovers.js'
import type { OsReport, OsSight, OsTurns, OsUpdaterOptions, OsUpdaterPorts } from './os-parts.js'
import { OsPlace } from './os-place.js'
import { OsProving } from './os-proving.js'
import { notUpdated, osReportOf } from './os-report.js'
import { type Carrying, carryOut, type OsStep, type OsWork, STEP_WHYS } from './os-work.js'
import { Preparation } from './preparation.js'

/** After a question to the machine, or a reboot, that failed. */
const RETRY_MS = 10_000

export class OsUpdater implements OsTurns {
  readonly #ports: OsUpdaterPorts
  readonly #options: OsUpdaterOptions
  readonly #work: Preparation<OsWork>
  readonly #proving: OsProving
  readonly #place: OsPlace
  readonly #candidates: Candidates
  readonly #leftovers: OsLeftovers
  readonly #lack: OsLack
  /** Null: to be asked. */
  #status: OsStatus | null = null
  /** As it was last known, whatever it is now. */
  #known: OsStatus | null = null
  #machineWhys: readonly string[] = []
  #machineDigest: string | null = null
  #sight: OsSight | null = null
  #step: OsStep | null = null
  #fetched: string | null = null
  #roomBytes: number | null = null
  #trouble: string | null = null
  #askMachineMs = 0
  /** Nothing but the other boxes of the venue is in the way of a reboot. */
  #wants = false
  #isLoaded = false
  /** What a person has asked for is being done: turns wait. */
  #isBusy = false
  #turning: Promise<void> = Promise.resolve()

  constructor(ports: OsUpdaterPorts, options: OsUpdaterOptions) {
    this.#ports = ports
    this.#options = options
    const { clock, log } = ports
    const prepare: Carrying = async (work, tell, isCancelled) => {
      try {
        const isForced = (): boolean => this.#isForced()
        const objection = (): string | null => this.#inTheWay('switch')[0]?.words ?? null
        await carryOut({ ...ports, isForced, objection }, work, tell, isCancelled)
        if (work.step !== 'try') this.#fetched = work.image.digest
      } catch (error) {
        // What comes to nothing is looked at again from the beginning.
        this.#fetched = null
        throw error
      } finally {
        this.#status = null
      }
    }
    this.#work = new Preparation(clock, log, { prepare }, ({ step, image }) => step + image.digest)
    this.#leftovers = new OsLeftovers(clock, ports.objects)
    this.#candidates = new Candidates(ports.keys)
    this.#place = new OsPlace(clock, ports.voice, options.config)
    this.#lack = new OsLack(ports, this.#place, options.config)
    this.#proving = new OsProving(ports, options.config.gate)
  }

  async stop(): Promise<void> {
    this.#isBusy = true
    await Promise.all([this.#turning, this.#work.cancel()])
  }

  async turn(sight: OsSight): Promise<void> {
    this.#sight = sight
    if (this.#isBusy) return
    this.#wants = false
    this.#turning = this.#turn(sight).catch((error: unknown) => this.#fail(error))
    await this.#turning
    if (!this.#wants) this.#takePlace()
  }

  whyNoAppTrial(): string | null | undefined {
    const whyLacking = this.#lack.whyNoAppTrial
    if (whyLacking !== null) return whyLacking
    if (this.#known === null) return 'nobody knows yet whether an operating system is on trial'
    return (this.#step && STEP_WHYS[this.#step]) ?? whyNoAppTrial(this.#known)
  }

  report(): OsReport {
    const lack = this.#lack.report()
    if (lack !== null) return lack
    if (this.#known === null) return notUpdated(this.#trouble ?? 'it has not been looked at yet')
    const candidate = this.#candidate()
    const isNews = candidate !== null && !doesRun(this.#known, candidate.image)
    return osReportOf({
      status: this.#known,
      candidate: isNews ? { ordered: candidate.ordered, digest: candidate.image.digest } : null,
      criteria: this.why(),
      step: this.#work.isRunning ? this.#step : null,
      progress: this.#work.progress,
      gateUnmet: this.#proving.unmet,
      trouble: this.#trouble ?? this.#work.trouble,
    })
  }

  /** Every criterion of what is ordered, met or not; none where no system is updated. */
  why(): readonly Criterion[] {
    if (this.#lack.isSilentTrial) return this.#lack.criteria
    if (this.#known === null || this.#sight === null) return []
    const { slots, box, look } = this.#sight
    const { config, version, architecture } = this.#options
    const candidate = this.#candidate()
    const digest = candidate?.image.digest ?? null
    return judgeOs({
      status: this.#known,
      ordered: candidate && { description: candidate.ordered.description, image: candidate.image },
      orderTrouble: look?.os?.words ?? 'nothing is known of the tour yet',
      isTimeKnown: candidate?.ordered.isTimeKnown ?? false,
      ...{ version, architecture, box, roomBytes: this.#roomBytes },
      machineWhys: this.#machineDigest === digest ? this.#machineWhys : [],
      isAppOnTrial: slots.isOnTrial || slots.isRestartDue,
      isFetched: digest !== null && this.#fetched === digest,
      fleet: this.#place.fleet(digest),
      turn: this.#place.why,
      holds: this.#ports.holds.current(),
      isMetered: config.isMetered,
      takesBundles: config.os?.kind === 'rauc',
      policy: config.policy,
      isAskedFor: this.isAskedFor(),
    })
  }

  /** Whether a person has asked for the system that is ordered. */
  isAskedFor(): boolean {
    return this.#ports.asked.isFor(this.#candidate()?.image.digest ?? null)
  }

  /** What the release that is ordered is made of, by digests: it lies beside the objects of systems. */
  get releaseObjects(): readonly string[] {
    const release = this.#sight?.look?.order?.description
    return release?.objects.map(({ sha256 }) => sha256) ?? []
  }

  /** What is ordered and does not run is taken without waiting to be asked again. False: there is nothing of the kind. */
  async apply(forced: Forced | null): Promise<boolean> {
    const candidate = this.#candidate()
    if (candidate === null || this.#known === null || doesRun(this.#known, candidate.image))
      return false
    await this.#ports.asked.ask(candidate.image.digest, forced)
    this.#work.retryNow()
    const { version } = candidate.ordered.description
    if (forced !== null) this.#ports.log.warn('ota.forced', { ...forced, system: version })
    return true
  }

  /** Whoever holds it back after it was forced has the last word. */
  unforce(): Promise<void> {
    return this.#ports.asked.unforce()
  }

  /** Back to the other system, with a reboot at once: in words. @throws BoxError `ota.refused`, `os.refused`, `power.refused` */
  async rollBack(reason: string): Promise<string> {
    if (this.#lack.isSilentTrial) return this.#lack.leaveNow(reason)
    await this.#alone(async () => {
      const { box, system, asked } = this.#ports
      if ((await box.look())?.isArmed) throw refusal('a show is armed: disarm it first')
      await asked.forget()
      await system.rollBack(reason)
    })
    return 'back to the other operating system: the box reboots now'
  }

  /** A system that failed may be tried again. @throws BoxError `ota.refused`, `os.refused` */
  clear(digest: string): Promise<void> {
    return this.#alone(async () => {
      const { asked, system, log } = this.#ports
      if (asked.isFor(digest)) await asked.forget()
      await system.clear(digest)
      log.info('ota.cleared', { system: digest })
      this.#work.retryNow()
    })
  }

  /** Calls to the machine are made one after the other. */
  async #alone(work: () => Promise<void>): Promise<void> {
    if (this.#lack.refusal !== null) throw refusal(this.#lack.refusal)
    if (this.#isBusy) throw refusal('another piece of work is under way')
    this.#isBusy = true
    try {
      await Promise.all([this.#turning, this.#work.cancel()])
      await work()
    } finally {
      this.#status = null
      this.#isBusy = false
    }
  }

  async #turn(sight: OsSight): Promise<void> {
    await this.#load()
    if (this.#work.isRunning) return this.#mindTheShow(sight)
    this.#step = null
    const nowMs = this.#ports.clock.monotonicMs()
    if (nowMs < this.#askMachineMs) return
    if (this.#status === null) this.#machineDigest = null
    this.#status ??= await this.#ports.system.status()
    this.#known = this.#status
    this.#roomBytes = await this.#ports.objects.roomBytes()
    if (this.#status.isGoingDown) return
    if (this.#status.isTrial) return this.#judge(sight)
    this.#lack.over()
    if (sight.look?.os?.isBoardUnknown && sight.box !== null) this.#ports.lookAgain()
    await this.#beginWhatIsDue()
    this.#trouble = null
  }

  async #load(): Promise<void> {
    if (this.#isLoaded) return
    await this.#ports.asked.load()
    this.#isLoaded = true
  }

  /** What writes a whole card makes every other write wait. */
  #mindTheShow({ box }: OsSight): void {
    if (this.#step !== 'fetch' && box?.isArmed) void this.#work.cancel()
  }

  async #judge(sight: OsSight): Promise<void> {
    const verdict = await this.#proving.look(sight)
    this.#lack.over()
    if (verdict === 'waits') return
    this.#status = null
    if (verdict === 'good') await this.#ports.asked.forget()
  }

  async #beginWhatIsDue(): Promise<void> {
    const candidate = this.#candidate()
    await this.#askTheMachine(candidate)
    const step = candidate && this.#stepOf(candidate)
    if (candidate === null || step === null) return this.#tidyUp(candidate)
    this.#leftovers.keep()
    const { image, ordered } = candidate
    const { description } = ordered
    this.#work.want({ step, description, image, version: description.version })
    if (this.#work.isRunning) this.#step = step
  }

  async #askTheMachine(candidate: Candidate | null): Promise<void> {
    const digest = candidate?.image.digest ?? null
    if (candidate === null || digest === this.#machineDigest) return
    this.#machineWhys = await this.#ports.system.whyNot(candidate.image)
    this.#machineDigest = digest
  }

  #stepOf({ image }: Candidate): OsStep | null {
    if (this.#known === null || doesRun(this.#known, image)) return null
    // Over a metered uplink nothing comes, but it may come from a stick, or another box: the fetcher is told.
    if (this.#inTheWay('fetch').some(({ name }) => name !== 'uplink')) return null
    const isDone = isWritten(this.#known, image)
    if (!isDone && this.#fetched !== image.digest) return 'fetch'
    if (this.#inTheWay('switch').some(({ name }) => !['written', 'turn'].includes(name)))
      return null
    if (!isDone) return 'write'
    return this.#isItsTurn() ? 'try' : null
  }

  /** What failed before lets the others pass for as long as it waits. */
  #isItsTurn(): boolean {
    this.#wants = this.#work.mayBegin
    if (!this.#wants) return false
    this.#takePlace()
    const why = this.#isForced() ? null : (this.#place.why ?? null)
    // From the first moment on it is away for the others.
    this.#wants = why !== null
    return why === null
  }

  /** Before it is known whether this is a trial nothing is said: what was said before the reboot holds. */
  #takePlace(): void {
    const status = this.#known
    if (status === null || this.#lack.isSilentTrial) return
    const isTrying = this.#work.isRunning && this.#step === 'try'
    const isAway = status.isTrial || status.isGoingDown || isTrying
    const digest = this.#candidate()?.image.digest ?? null
    this.#place.look({ isAway, wants: this.#wants, digest, status })
  }

  /** What keeps it from a step, less what a person has overruled. */
  #inTheWay(step: 'fetch' | 'switch'): readonly Criterion[] {
    const criteria = this.why()
    return this.#isForced() ? unforced(criteria, step) : unmet(criteria, step)
  }

  /** @param candidate what is ordered and needs nothing now */
  async #tidyUp(candidate: Candidate | null): Promise<void> {
    const isWanted = candidate !== null && unmet(this.why(), 'take').length === 0
    if (!isWanted && this.#sight?.look != null) await this.#leftovers.tidyUp()
  }

  #candidate(): Candidate | null {
    return this.#candidates.of(this.#sight?.look?.os?.order ?? null)
  }

  #isForced(): boolean {
    return this.#ports.asked.isForced(this.#candidate()?.image.digest ?? null)
  }

  async #fail(error: unknown): Promise<void> {
    if (!(error instanceof BoxError)) throw error
    const { log, clock } = this.#ports
    this.#status = null
    const trouble = messageOf(error)
    const retryMs = (await this.#lack.heard(error, this.#sight)) ?? RETRY_MS
    if (trouble !== this.#trouble) log.warn('os.trouble', { error })
    this.#trouble = trouble
    this.#askMachineMs = clock.monotonicMs() + retryMs
  }
}

const refusal = (why: string): BoxError => new BoxError('ota.refused', why)
