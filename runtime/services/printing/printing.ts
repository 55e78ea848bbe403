/**
 * Prints tickets, honest about exactly-once: what was accepted is on disk, what may be on paper is never printed again in
 * silence, and what nobody can know is called `unknown`.
 *
 * When the power is low (`power/state`) nothing new is accepted and nothing more is begun; the ticket in hand is finished,
 * and what waits stays on disk until there is power again, be it after a restart.
 */
import type { Bus } from '../../core/bus.js'
import { BoxError, messageOf } from '../../core/errors.js'
import { type Service, within } from '../../core/lifecycle.js'
import { repeat } from '../../core/repeat.js'
import { after, publishedMs } from '../../core/time.js'
import type { Cancel, Clock } from '../../ports/clock.js'
import type { Keys } from '../../ports/keys.js'
import type { Log } from '../../ports/log.js'
import type { GrayImage, Pictures } from '../../ports/pictures.js'
import type { Printer } from '../../ports/printer.js'
import type { Store } from '../../ports/store.js'
import type { Messages, Payload } from '../../topics.js'
import { DecisionDesk } from './decision-desk.js'
import { type Answer, Intake, refused } from './intake.js'
import type { Job } from './job.js'
import { findJob, type JobPage, type JobQuery, listJobs } from './job-list.js'
import { ticketsLeft } from './paper-forecast.js'
import { PrinterQueue } from './printer-queue.js'
import { PrinterReport, type PrinterState } from './printer-report.js'
import { openSpool, type Spool } from './spool.js'
import type { TicketTemplate } from './template.js'
import { Upkeep } from './upkeep.js'

const UPKEEP_MS = 1_000
const REOPEN_MS_MIN = 5_000
const REOPEN_MS_MAX = 60_000
/** For the ticket in hand; whoever stops the printer after that ends it. */
const STOP_MS_MAX = 3_000

export interface PrintingPorts {
  readonly clock: Clock
  readonly log: Log
  readonly bus: Bus<Messages>
  readonly store: Store
  readonly keys: Keys
  readonly pictures: Pictures
}

export interface PrintingOptions {
  readonly tour: string
  readonly box: string
  /** In the order of box.json: the first one prints what names none. */
  readonly printers: ReadonlyMap<string, Printer>
  readonly templates: ReadonlyMap<string, TicketTemplate>
  readonly images: ReadonlyMap<string, GrayImage>
  /** Of a new roll, by printer, where somebody said. */
  readonly rollMillimetres: ReadonlyMap<string, number>
  readonly queuedMax: number
  readonly keptDays: number
  readonly keptMax: number
}

interface Desk {
  readonly queue: PrinterQueue
  readonly report: PrinterReport
}

/** What there is once the disk has been read. */
interface Opened {
  readonly spool: Spool
  readonly intake: Intake
  readonly decisions: DecisionDesk
  readonly upkeep: Upkeep
  readonly desks: ReadonlyMap<string, Desk>
}

export class Printing implements Service {
  readonly name = 'printing'
  readonly #ports: PrintingPorts
  readonly #options: PrintingOptions
  #opened: Opened | null = null
  #isStopped = false
  #isPowerLow = false
  #reopenMs = REOPEN_MS_MIN
  readonly #cancels: Cancel[] = []

  constructor(ports: PrintingPorts, options: PrintingOptions) {
    this.#ports = ports
    this.#options = options
  }

  /** A disk that cannot be read is tried again: the show goes on without tickets. */
  async start(): Promise<void> {
    this.#isStopped = false
    const { bus } = this.#ports
    this.#cancels.push(
      bus.subscribe('power/state', ({ arePrintsRefused }) => this.#setPowerLow(arePrintsRefused)),
      bus.subscribe('print/requested', request => void this.#request(request)),
      bus.subscribe('print/decided', decision => void this.#decide(decision)),
    )
    await this.#open()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    for (const cancel of this.#cancels.splice(0)) cancel()
    const opened = this.#opened
    this.#opened = null
    if (opened === null) return
    const desks = [...opened.desks.values()]
    for (const { report } of desks) report.stop()
    const ends = Promise.all(desks.map(({ queue }) => queue.stop()))
    await within(this.#ports.clock, STOP_MS_MAX, 'a ticket is still being printed', ends).catch(
      (error: unknown) =>
        this.#ports.log.warn('print.stopped-in-hand', { error: messageOf(error) }),
    )
    await opened.spool.rest()
  }

  /** The newest first. @throws BoxError `storage.*` */
  async jobs(query: JobQuery): Promise<JobPage> {
    const { spool } = this.#requireOpen()
    return listJobs(spool.tables, spool.next, query)
  }

  /** By its id, or by its serial as somebody typed it. @throws BoxError `storage.*` */
  async job(idOrSerial: string): Promise<Job | null> {
    return findJob(this.#requireOpen().spool.tables, idOrSerial)
  }

  async #open(): Promise<void> {
    try {
      const spool = await openSpool(this.#ports, job => this.#changed(job))
      if (!this.#isStopped) this.#begin(spool)
    } catch (error) {
      if (!(error instanceof BoxError)) throw error
      this.#ports.log.error('print.spool-unreadable', { code: error.code, error: messageOf(error) })
      this.#openLater()
    }
  }

  #openLater(): void {
    const { clock } = this.#ports
    const at = after(clock.monotonicMs(), this.#reopenMs)
    this.#reopenMs = Math.min(REOPEN_MS_MAX, this.#reopenMs * 2)
    if (!this.#isStopped) this.#cancels.push(clock.runAt(at, () => void this.#open()))
  }

  #begin(spool: Spool): void {
    const { clock, log, keys } = this.#ports
    const { printers, ...options } = this.#options
    const decisions = new DecisionDesk(log, spool)
    const intake = new Intake(clock, keys, spool, { ...options, printers: [...printers.keys()] })
    const upkeep = new Upkeep(log, spool, decisions, options)
    const desks = [...printers.values()].map(
      printer => [printer.name, this.#desk(spool, printer)] as const,
    )
    this.#opened = { spool, intake, decisions, upkeep, desks: new Map(desks) }
    this.#setPowerLow(this.#isPowerLow)
    for (const [, { queue, report }] of desks) {
      queue.start()
      report.note()
    }
    this.#cancels.push(repeat(clock, UPKEEP_MS, () => this.#upkeep()))
    log.info('print.ready', { printers: printers.size, waiting: spool.waitingCount })
  }

  #desk(spool: Spool, printer: Printer): Desk {
    const { clock, log, bus, pictures } = this.#ports
    const { images } = this.#options
    const stirred = (): void => report.note()
    const art = { images, pictures }
    const queue = new PrinterQueue(clock, log, spool, printer, { art, stirred })
    const look = (): PrinterState => this.#stateOf(spool, queue)
    const report = new PrinterReport(clock, look, state => bus.publish('printer/state', state))
    return { queue, report }
  }

  #requireOpen(): Opened {
    if (this.#opened === null)
      throw new BoxError('storage.io', 'the tickets on the disk cannot be read yet')
    return this.#opened
  }

  #setPowerLow(isLow: boolean): void {
    this.#isPowerLow = isLow
    if (this.#opened === null) return
    this.#opened.intake.isRefusing = isLow
    for (const { queue, report } of this.#opened.desks.values()) {
      queue.hold(isLow)
      report.note()
    }
  }

  #request(request: Payload<'print/requested'>): Promise<void> {
    return this.#answer(request, ({ intake }) => intake.take(request))
  }

  #decide(decision: Payload<'print/decided'>): Promise<void> {
    return this.#answer(decision, ({ decisions }) => decisions.decide(decision))
  }

  async #answer(
    { id, origin }: { readonly id: string; readonly origin: string },
    take: (opened: Opened) => Promise<Answer>,
  ): Promise<void> {
    const answer = await this.#taken(take)
    this.#ports.bus.publish('print/answered', { id, origin, ...answer })
    this.#wake()
  }

  async #taken(take: (opened: Opened) => Promise<Answer>): Promise<Answer> {
    try {
      return await take(this.#requireOpen())
    } catch (error) {
      if (error instanceof BoxError) return refused(error)
      throw error
    }
  }

  async #upkeep(): Promise<void> {
    await this.#opened?.upkeep.run()
    this.#wake()
  }

  /** Whoever has something to print begins it, if he does nothing yet. */
  #wake(): void {
    for (const { queue } of this.#opened?.desks.values() ?? []) queue.wake()
  }

  #changed(job: Job): void {
    const { sequence: _, id, printer, serial, kind, state, reprint, sentBytes, totalBytes } = job
    const { wallMs, code, message } = job
    this.#ports.bus.publish('print/changed', {
      job: id,
      ...{ printer, serial, kind, state, reprint, sentBytes, totalBytes, wallMs, code, message },
    })
    this.#opened?.desks.get(printer)?.report.note()
  }

  #stateOf(spool: Spool, { printer, sending, took }: PrinterQueue): PrinterState {
    const { isCoverOpen, error, paper } = printer.status()
    const {
      sent,
      confirmed,
      unknown,
      failed,
      expired,
      paper: forecast,
    } = spool.numbers(printer.name)
    const hindrance = this.#isPowerLow ? 'power' : printer.hindrance()
    const roll = this.#options.rollMillimetres.get(printer.name) ?? null
    return {
      printer: printer.name,
      isReady: hindrance === null || hindrance === 'busy',
      hindrance,
      ...{ paper, isCoverOpen, error },
      queued: spool.list(printer.name).size,
      sending: sending === null ? 0 : 1,
      ...{ unknown, sent, confirmed, failed, expired },
      usedMillimetres: Math.round(forecast.usedMillimetres),
      ticketsLeft: ticketsLeft(forecast, roll),
      tookMsP50: rounded(took.at(0.5)),
      tookMsP95: rounded(took.at(0.95)),
    }
  }
}

const rounded = (ms: number | null): number | null => (ms === null ? null : publishedMs(ms))
