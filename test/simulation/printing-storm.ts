/**
 * A box that prints, and whatever can happen to it, drawn from a seed. What is on the paper is held against what the box
 * says of it: after each step, after each power cut, and at the end, when everything was well again for long enough.
 */
import { SimulatedClock } from '../../drivers/simulated/clock.js'
import { SimulatedKeys } from '../../drivers/simulated/keys.js'
import { SimulatedLog } from '../../drivers/simulated/log.js'
import { SimulatedStore } from '../../drivers/simulated/store.js'
import { Bus } from '../../runtime/core/bus.js'
import { printRequest } from '../../runtime/core/printing-topics.js'
import { randomFrom } from '../../runtime/core/random.js'
import { check } from '../../runtime/core/schema.js'
import { after } from '../../runtime/core/time.js'
import { Devices } from '../../runtime/services/devices.js'
import type { Job } from '../../runtime/services/printing/job.js'
import { Printing } from '../../runtime/services/printing/printing.js'
import type { Messages, Payload } from '../../runtime/topics.js'
import { plainPictures } from '../services/printing/rig.js'
import { LifeClock } from './life-clock.js'
import type { Copy, Till } from './till.js'

const WALL_MS = 1_777_665_600_000
const STEPS = 50
const NEVER = Number.POSITIVE_INFINITY
/** Longer than any pause, and than any expiry. */
const CALM_MS = 150_000

export type Reached = Map<string, number>

interface Asked {
  readonly id: string
  readonly request: Record<string, unknown>
  readonly kind: 'redeemable' | 'receipt'
  serial: string | null
}

/** What the storm is made of. */
export interface StormWorld {
  readonly clock: SimulatedClock
  readonly random: () => number
  readonly reached: (what: string) => void
}

interface Life {
  readonly clock: LifeClock
  readonly stopAll: () => Promise<void>
  readonly bus: Bus<Messages>
  readonly printing: Printing
  isOver: boolean
}

export class PrintingStorm {
  readonly broken: string[] = []
  readonly #seed: number
  readonly #random: () => number
  readonly #reached: (what: string) => void
  readonly #clock = new SimulatedClock({ showStartMs: WALL_MS, driftPpm: 0 })
  readonly #log = new SimulatedLog()
  readonly #disk: SimulatedStore
  readonly #tills: readonly Till[]
  readonly #asked: Asked[] = []
  /** Requests that nobody has answered in this life. */
  readonly #unanswered = new Set<string>()
  /** What was said of a job that is at rest. */
  readonly #told = new Map<string, Payload<'print/changed'>>()
  #life: Life | null = null
  #decisions = 0

  constructor(seed: number, reached: Reached, tills: (world: StormWorld) => readonly Till[]) {
    this.#seed = seed
    this.#random = randomFrom(seed)
    this.#reached = what => void reached.set(what, (reached.get(what) ?? 0) + 1)
    this.#disk = new SimulatedStore(this.#random)
    this.#disk.powerCut.listen(({ unsyncedCommits, keptCommits }) => {
      if (keptCommits > 0) this.#reached('a commit kept without its answer')
      if (unsyncedCommits > keptCommits) this.#reached('a commit lost before its answer')
      this.#end()
    })
    this.#tills = tills({ clock: this.#clock, random: this.#random, reached: this.#reached })
  }

  async run(): Promise<readonly string[]> {
    await this.#start()
    for (let step = 0; step < STEPS && this.broken.length === 0; step++) {
      await this.#step()
      this.#checkPaper()
    }
    await this.#calm()
    return this.broken
  }

  async #step(): Promise<void> {
    if (this.#life === null) {
      await this.#clock.advance(this.#upTo(30_000))
      await this.#start()
      return
    }
    const steps: readonly (readonly [weight: number, step: () => void | Promise<void>])[] = [
      [10, () => this.#ask()],
      [3, () => this.#askAgain()],
      [3, () => this.#decide()],
      [3, () => this.#draw(this.#tills)?.disturb()],
      [1, () => this.#full()],
      [2, () => this.#kill()],
      [0.5, () => this.#stop()],
    ]
    let drawn = this.#random() * steps.reduce((sum, [weight]) => sum + weight, 0)
    for (const [weight, step] of steps) {
      drawn -= weight
      if (drawn < 0) {
        await step()
        break
      }
    }
    await this.#clock.advance(this.#chance(0.2) ? this.#upTo(20_000) : this.#upTo(300))
  }

  #ask(): void {
    const id = `r-${this.#asked.length + 1}`
    const kind = this.#chance(0.5) ? 'redeemable' : 'receipt'
    const request = {
      id,
      kind,
      printer: this.#chance(0.7) ? 'counter' : 'door',
      ticket: { blocks: [{ kind: 'text', text: `for ${id}` }, { kind: 'cut' }] },
      ...(this.#chance(0.2) ? { expiresAfterMs: 1_000 + this.#upTo(20_000) } : {}),
      ...(this.#chance(0.1) ? { serial: `GIVEN-${id.toUpperCase()}` } : {}),
    }
    this.#asked.push({ id, request, kind, serial: null })
    this.#publish(request)
  }

  #askAgain(): void {
    const asked = this.#draw(this.#asked)
    if (asked === undefined) return
    this.#reached(asked.serial === null ? 'asked again without an answer' : 'asked again')
    this.#publish(asked.request)
  }

  #publish(request: Record<string, unknown>): void {
    const checked = check(printRequest, request, 'request')
    this.#unanswered.add(checked.id)
    this.#life?.bus.publish('print/requested', { ...checked, origin: 'storm' })
  }

  /** A person decides about something, mostly about what waits for a decision. */
  #decide(): void {
    const unknown = this.#asked.filter(({ id }) => this.#told.get(id)?.state === 'unknown')
    const asked = this.#draw(this.#chance(0.8) ? unknown : this.#asked)
    if (asked === undefined) return
    const decision = this.#draw(['reprint', 'reprint', 'confirm', 'discard'] as const) ?? 'confirm'
    const id = this.#chance(0.2) ? `d-${this.#decisions}` : `d-${++this.#decisions}`
    this.#life?.bus.publish('print/decided', { id, job: asked.id, decision, origin: 'person' })
  }

  /** For a while. */
  #full(): void {
    this.#disk.fault = 'storage.full'
    this.#clock.runAt(after(this.#clock.monotonicMs(), this.#upTo(15_000)), () => {
      this.#disk.fault = null
    })
    this.#reached('the disk is full')
  }

  /** In the middle of anything: between any two steps that the code takes. */
  async #kill(): Promise<void> {
    if (this.#chance(0.5)) this.#ask()
    if (this.#chance(0.3)) this.#decide()
    for (let turns = this.#upTo(40); turns > 0 && this.#life !== null; turns--) await null
    if (this.#unanswered.size > 0) this.#reached('killed before an answer')
    this.#disk.cutPower()
  }

  async #stop(): Promise<void> {
    const life = this.#life
    if (life === null) return
    await this.#until(life.stopAll(), life)
    this.#reached('stopped in order')
    this.#end()
    this.#disk.cutPower()
  }

  /** @param calls to the store until the power goes */
  async #start(calls: number = this.#chance(0.4) ? 1 + this.#upTo(60) : NEVER): Promise<void> {
    const store = this.#disk.boot({ callsUntilPowerCut: calls })
    const clock = new LifeClock(this.#clock)
    const bus = new Bus<Messages>()
    const drivers = this.#tills.map(till => till.driver(clock))
    const keys = new SimulatedKeys(this.#random)
    const printing = new Printing(
      { clock, log: this.#log, bus, store, keys, pictures: plainPictures },
      {
        tour: 'tour-7',
        box: 'box-12',
        printers: new Map(drivers.map(driver => [driver.name, driver])),
        templates: new Map(),
        images: new Map(),
        rollMillimetres: new Map(),
        queuedMax: 1000,
        keptDays: 30,
        keptMax: 1000,
      },
    )
    const fitted = drivers.map(device => ({ device, driver: 'storm', kind: 'printer' as const }))
    const devices = new Devices(clock, this.#log, bus, fitted, {
      retryMsMin: 1_000,
      retryMsMax: 10_000,
      random: this.#random,
    })
    const stopAll = async (): Promise<void> => {
      await printing.stop()
      await devices.stop()
    }
    const life: Life = { clock, bus, printing, stopAll, isOver: false }
    this.#life = life
    this.#unanswered.clear()
    bus.subscribe('print/answered', answer => life.isOver || this.#answered(answer))
    bus.subscribe('print/changed', change => life.isOver || this.#changed(change))
    await this.#until(devices.start(), life)
    await this.#until(printing.start(), life)
    // The power may go in the middle of a look, too: then nobody answers any more.
    await this.#until(this.#checkTold(life), life)
    if (this.#disk.fault !== null) this.#reached('started on a full disk')
  }

  /** The dark: whatever the box was doing is over. */
  #end(): void {
    const life = this.#life
    if (life === null) return
    this.#noteCut()
    life.isOver = true
    life.clock.end()
    for (const till of this.#tills) till.orphan()
    this.#life = null
  }

  #noteCut(): void {
    for (const { id } of this.#asked) {
      if (this.#told.get(id)?.state !== 'sending') continue
      const copy = this.#copiesOf(id).at(-1)
      if (copy === undefined) this.#reached('cut before the first byte')
      else this.#reached(copy.isWhole ? 'cut after the last byte' : 'cut in a ticket')
    }
  }

  /** Moves time until the work is done, or the power goes. */
  async #until(work: Promise<unknown>, life: Life): Promise<void> {
    let isDone = false
    const note = (): void => {
      isDone = true
    }
    work.then(note, note)
    for (let step = 0; step < 10_000 && !isDone && !life.isOver; step++)
      await this.#clock.advance(1)
    if (isDone) await work
    else if (!life.isOver) this.#break('a start or stop did not end')
  }

  #answered({ id, isAccepted, isRepeated, serial, code }: Payload<'print/answered'>): void {
    const asked = this.#asked.find(candidate => candidate.id === id)
    if (asked === undefined) return
    this.#unanswered.delete(id)
    if (!isAccepted) {
      const isDisk = code?.startsWith('storage.') === true
      if (!isDisk || asked.serial !== null) this.#break(`${id} was refused with ${code}`)
      return
    }
    if (asked.serial === null && isRepeated) this.#reached('kept, and answered at the second time')
    if (asked.serial !== null && asked.serial !== serial)
      this.#break(`${id} was ${asked.serial}, and then ${serial}`)
    if (this.#asked.some(other => other !== asked && other.serial === serial))
      this.#break(`${serial} was given twice`)
    asked.serial = serial
  }

  #changed(change: Payload<'print/changed'>): void {
    this.#told.set(change.job, change)
    if (change.state === 'expired') this.#reached('expired')
    if (change.state === 'unknown') this.#reached(`${change.kind} unknown`)
    if (change.state === 'queued' && change.reprint > 0) this.#reached(`${change.kind} reprinted`)
    if (change.code === 'print.interrupted') this.#reached('found interrupted')
  }

  #copiesOf(id: string): readonly Copy[] {
    const title = `for ${id}`
    return this.#tills.flatMap(({ copies }) => copies.filter(copy => copy.title === title))
  }

  /** What holds at any moment, whoever is at fault. */
  #checkPaper(): void {
    for (const { id, kind } of this.#asked) {
      const copies = this.#copiesOf(id)
      const [first] = copies
      if (first === undefined) continue
      const unmarked = copies.filter(({ text }) => !text.includes('REPRINT'))
      if (unmarked.length > 1) this.#break(`${id} is there ${unmarked.length} times unmarked`)
      if (first.text.includes('REPRINT')) this.#reached('a reprint of what never came out')
      if (kind === 'redeemable' && copies.some(({ isWhole }) => !isWhole))
        this.#reached('a torn redeemable')
      this.#checkUntold(id)
    }
  }

  /** Something of it is on paper: the box must not say that there is nothing. */
  #checkUntold(id: string): void {
    const told = this.#told.get(id)
    if (told?.state === 'expired') this.#break(`${id} expired on paper`)
    if (told?.state === 'queued' && told.reprint === 0 && this.#life !== null)
      this.#break(`${id} is on paper, and said to wait`)
  }

  /** After a start: what was said to be settled is so, and what was accepted is there. */
  async #checkTold({ printing }: Life): Promise<void> {
    for (const { id, serial } of this.#asked) {
      const told = this.#told.get(id)
      const job = await printing.job(id)
      if (job === null && serial !== null) this.#break(`${id} was accepted, and is lost`)
      if (job === null || told === undefined) continue
      const isRest = ['sent', 'confirmed', 'failed', 'expired', 'unknown'].includes(told.state)
      if (isRest && job.state !== told.state && job.decisions.length === 0)
        this.#break(`${id} was ${told.state}, and is ${job.state} after a start`)
    }
  }

  /** Everything is mended, and stays so for long. */
  async #calm(): Promise<void> {
    for (const till of this.#tills) till.mend()
    this.#disk.fault = null
    this.#disk.cutPower()
    await this.#start(NEVER)
    for (const { request } of this.#asked) this.#publish(request)
    await this.#clock.advance(CALM_MS)
    if (this.#unanswered.size > 0) this.#break(`${[...this.#unanswered]} were not answered`)
    for (const asked of this.#asked) await this.#checkEnd(asked)
    await this.#stop()
  }

  async #checkEnd({ id, kind, serial }: Asked): Promise<void> {
    const job = (await this.#life?.printing.job(id)) ?? null
    if (job === null || job.serial !== serial) return this.#break(`${id} is not there at the end`)
    const copies = this.#copiesOf(id)
    const whole = copies.filter(({ isWhole }) => isWhole)
    for (const { text } of whole)
      if (!text.includes(job.serial)) this.#break(`${id} lost its serial: ${JSON.stringify(text)}`)
    const reprints = job.decisions.filter(({ decision }) => decision === 'reprint').length
    if (kind === 'redeemable' && copies.length > 1 + reprints)
      this.#break(`${id} is there ${copies.length} times, after ${reprints} decisions`)
    const isByPerson = job.decisions.some(({ decision }) => decision !== 'reprint')
    if (!isByPerson) this.#checkTrue(job, copies, whole)
  }

  /** What the box says of a job that no person has settled is true of the paper. */
  #checkTrue(job: Job, copies: readonly Copy[], whole: readonly Copy[]): void {
    const { id, state, kind, retries } = job
    switch (state) {
      case 'confirmed':
      case 'sent':
        if (copies.at(-1)?.isWhole !== true && this.#mustBeOut(job))
          this.#break(`${id} is ${state}, and not on paper`)
        return
      case 'expired':
        if (copies.length > 0) this.#break(`${id} is expired, and on paper`)
        return
      case 'unknown':
        // A receipt is tried again until it is out, or has failed so often that a person must look.
        if (kind === 'receipt' && retries < 3 && whole.length === 0)
          this.#break(`${id} is given up`)
        return
      default:
        this.#break(`${id} is ${state} at the end`)
    }
  }

  #mustBeOut({ state, printer }: Job): boolean {
    const till = this.#tills.find(({ name }) => name === printer)
    return state === 'confirmed' || till?.isSentOnPaper === true
  }

  #break(problem: string): void {
    const atMs = this.#clock.monotonicMs().toFixed(0)
    if (this.broken.length < 20) this.broken.push(`SEED=${this.#seed} at ${atMs}: ${problem}`)
  }

  #chance(share: number): boolean {
    return this.#random() < share
  }

  #upTo(max: number): number {
    return Math.floor(this.#random() * max)
  }

  #draw<T>(from: readonly T[]): T | undefined {
    return from[this.#upTo(from.length)]
  }
}
