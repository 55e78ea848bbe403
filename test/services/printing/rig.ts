/** The printing service with printers that do what a test says, a disk that can fail, and everything that it said. */
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { SimulatedKeys } from '../../../drivers/simulated/keys.js'
import { SimulatedLog } from '../../../drivers/simulated/log.js'
import { SimulatedStore } from '../../../drivers/simulated/store.js'
import { Bus } from '../../../runtime/core/bus.js'
import { BoxError } from '../../../runtime/core/errors.js'
import { printRequest } from '../../../runtime/core/printing-topics.js'
import { randomFrom } from '../../../runtime/core/random.js'
import { check } from '../../../runtime/core/schema.js'
import type { Pictures } from '../../../runtime/ports/pictures.js'
import type { Store } from '../../../runtime/ports/store.js'
import { Printing, type PrintingOptions } from '../../../runtime/services/printing/printing.js'
import type { Messages, Payload } from '../../../runtime/topics.js'
import { LifeClock } from '../../simulation/life-clock.js'
import { ScriptedPrinter } from './scripted-printer.js'

export const WALL_MS = 1_777_665_600_000

/** A code of one dot: what it looks like is not this room's business. */
const dot = { width: 1, height: 1, rows: Uint8Array.of(0x80) }
export const plainPictures: Pictures = {
  readPng: () => ({ width: 1, height: 1, pixels: Uint8Array.of(0) }),
  qr: () => dot,
  barcode: () => dot,
}

export interface RigOptions {
  readonly printers?: readonly string[]
  readonly options?: Partial<PrintingOptions>
}

export class Rig {
  readonly clock = new SimulatedClock({ showStartMs: WALL_MS, driftPpm: 0 })
  readonly log = new SimulatedLog()
  readonly disk = new SimulatedStore(randomFrom(1))
  readonly printers: ReadonlyMap<string, ScriptedPrinter>
  readonly answers: Payload<'print/answered'>[] = []
  readonly changes: Payload<'print/changed'>[] = []
  readonly states: Payload<'printer/state'>[] = []
  readonly #options: Partial<PrintingOptions>
  areScansBad = false
  #life = new LifeClock(this.clock)
  bus = new Bus<Messages>()
  printing: Printing
  #count = 0

  constructor({ printers = ['counter'], options = {} }: RigOptions = {}) {
    this.printers = new Map(printers.map(name => [name, new ScriptedPrinter(name, this.clock)]))
    this.#options = options
    this.printing = this.#make({})
  }

  get printer(): ScriptedPrinter {
    const [first] = this.printers.values()
    if (first === undefined) throw new Error('there is no printer')
    return first
  }

  async start(): Promise<void> {
    await this.during(this.printing.start())
  }

  /** The box is killed, and starts again: nothing of the old one is ever heard of. */
  async restart({
    offMs = 1_000,
    ...options
  }: Partial<PrintingOptions> & { offMs?: number } = {}): Promise<void> {
    this.disk.cutPower()
    this.#life.end()
    this.bus = new Bus()
    await this.clock.advance(offMs)
    this.printing = this.#make(options)
    await this.start()
  }

  /** Lets time pass until the work is done. */
  async during<T>(work: Promise<T>): Promise<T> {
    let isDone = false
    const note = (): void => {
      isDone = true
    }
    work.then(note, note)
    for (let step = 0; step < 10_000 && !isDone; step++) await this.clock.advance(1)
    if (!isDone) throw new Error('the work did not end')
    return work
  }

  /** Asks for a ticket, and returns the request's id. */
  ask(request: Record<string, unknown> = {}): string {
    const id = `r-${++this.#count}`
    const ticket = { blocks: [{ kind: 'text', text: `ticket of ${id}` }] }
    const content = 'template' in request || 'ticket' in request ? {} : { ticket }
    const checked = check(printRequest, { id, ...content, ...request }, 'request')
    this.bus.publish('print/requested', { ...checked, origin: 'test' })
    return checked.id
  }

  /** Asks for a ticket and waits for the answer, a moment at most. */
  async asked(request: Record<string, unknown> = {}): Promise<Payload<'print/answered'>> {
    const id = this.ask(request)
    await this.clock.advance(0)
    return this.answerTo(id)
  }

  async decided(
    job: string,
    decision: 'reprint' | 'confirm' | 'discard',
    id = `d-${++this.#count}`,
  ): Promise<Payload<'print/answered'>> {
    this.bus.publish('print/decided', { id, job, decision, origin: 'operator' })
    await this.clock.advance(0)
    return this.answerTo(id)
  }

  answerTo(id: string): Payload<'print/answered'> {
    const answer = this.answers.findLast(candidate => candidate.id === id)
    if (answer === undefined) throw new Error(`${id} was not answered`)
    return answer
  }

  /** What has become of a job, in order: `sending`, `unknown`, with the count of its reprint behind it. */
  story(job: string): string {
    return this.changes
      .filter(change => change.job === job)
      .map(({ state, reprint }) => (reprint === 0 ? state : `${state}${reprint}`))
      .join(' ')
  }

  #make(options: Partial<PrintingOptions>): Printing {
    const { bus, log } = this
    bus.subscribe('print/answered', answer => this.answers.push(answer))
    bus.subscribe('print/changed', change => this.changes.push(change))
    bus.subscribe('printer/state', state => this.states.push(state))
    const clock = new LifeClock(this.clock)
    this.#life = clock
    const keys = new SimulatedKeys(randomFrom(2))
    return new Printing(
      { clock, log, bus, store: this.#store(), keys, pictures: plainPictures },
      {
        tour: 'tour-7',
        box: 'box-12',
        printers: this.printers,
        templates: new Map(),
        images: new Map(),
        rollMillimetres: new Map(),
        queuedMax: 100,
        keptDays: 30,
        keptMax: 1000,
        ...this.#options,
        ...options,
      },
    )
  }

  #store(): Store {
    const store = this.disk.boot({ callsUntilPowerCut: Number.POSITIVE_INFINITY })
    return {
      commit: changes => store.commit(changes),
      read: (table, key) => store.read(table, key),
      scan: (table, range) =>
        this.areScansBad
          ? Promise.reject(new BoxError('storage.io', 'a bad sector'))
          : store.scan(table, range),
    }
  }
}
