/**
 * A printer as the spool sees one, and the paper that hangs out of it: it takes bytes slowly, prints what it has taken,
 * and can be switched off, unplugged, opened or left without paper at any byte. It outlives the boxes that it is plugged
 * into; what a box that died had sent of a ticket stays in the paper.
 */
import { DeviceError } from '../../runtime/core/errors.js'
import { Signal } from '../../runtime/core/signal.js'
import { after } from '../../runtime/core/time.js'
import type { Clock } from '../../runtime/ports/clock.js'
import type {
  Hindrance,
  Printer,
  PrinterStatus,
  PrintOutcome,
  PrintProgress,
} from '../../runtime/ports/printer.js'
import type { Ticket } from '../../runtime/ports/ticket.js'
import { textOf } from '../services/printing/scripted-printer.js'
import { type Copy, copyOf, type Till } from './till.js'

const TICKET_BYTES = 20
const BYTE_MS = 10
const ANSWER_MS = 15

const faults = ['isOn', 'isPlugged', 'hasPaper', 'isCoverOpen', 'shy'] as const

interface PaperCopy extends Copy {
  bytes: number
  isWhole: boolean
}

export class PaperPrinter implements Till {
  readonly name: string
  readonly copies: PaperCopy[] = []
  readonly isSentOnPaper = true
  /** Not every printer can say that it is done. */
  readonly canConfirm: boolean
  isOn = true
  isPlugged = true
  hasPaper = true
  isCoverOpen = false
  /** Of the next tickets so many come to nothing before their first byte, although the printer seemed well. */
  shy = 0
  readonly changed = new Signal<void>()
  readonly reached: (what: string) => void
  readonly #random: () => number

  constructor(
    name: string,
    canConfirm: boolean,
    random: () => number,
    reached: (what: string) => void,
  ) {
    this.name = name
    this.canConfirm = canConfirm
    this.reached = reached
    this.#random = random
  }

  get hindrance(): Hindrance | null {
    if (this.isGone) return 'absent'
    if (this.isCoverOpen) return 'cover-open'
    return this.hasPaper ? null : 'paper-end'
  }

  get isGone(): boolean {
    return !this.isPlugged || !this.isOn
  }

  disturb(): void {
    const fault = faults[Math.floor(this.#random() * faults.length)] ?? 'isOn'
    if (fault === 'shy') this.shy = Math.floor(this.#random() * 4)
    else this[fault] = !this[fault]
    this.changed.emit()
  }

  mend(): void {
    this.isOn = true
    this.isPlugged = true
    this.hasPaper = true
    this.isCoverOpen = false
    this.shy = 0
    this.changed.emit()
  }

  driver(clock: Clock): Printer {
    return new Driver(this, clock)
  }

  /** What it has taken it has printed already. */
  orphan(): void {}
}

class Driver implements Printer {
  readonly name: string
  readonly paper = {
    widthMillimetres: 58,
    dotsPerLine: 384,
    dotsPerMillimetre: 8,
    codePage: 'cp858',
  } as const
  readonly #printer: PaperPrinter
  readonly #clock: Clock
  #isBusy = false

  constructor(printer: PaperPrinter, clock: Clock) {
    this.#printer = printer
    this.#clock = clock
    this.name = printer.name
  }

  async start(): Promise<void> {}
  async stop(): Promise<void> {}
  onFault(): () => void {
    return () => {}
  }

  status(): PrinterStatus {
    const { isGone, hasPaper, isCoverOpen } = this.#printer
    if (isGone)
      return { isOnline: null, paper: null, isCoverOpen: null, error: null, isDrawerOpen: null }
    const paper = hasPaper ? 'enough' : 'end'
    return { isOnline: true, paper, isCoverOpen, error: 'none', isDrawerOpen: null }
  }

  hindrance(): Hindrance | null {
    return this.#isBusy ? 'busy' : this.#printer.hindrance
  }

  onStatus(listener: (status: PrinterStatus) => void): () => void {
    return this.#printer.changed.listen(() => listener(this.status()))
  }

  measure(): number {
    return 100
  }

  async print(ticket: Ticket, progress: (progress: PrintProgress) => void): Promise<PrintOutcome> {
    if (this.#isBusy) throw new Error('one ticket at a time')
    this.#isBusy = true
    try {
      return await this.#print(ticket, progress)
    } finally {
      this.#isBusy = false
    }
  }

  async #print(ticket: Ticket, progress: (progress: PrintProgress) => void): Promise<PrintOutcome> {
    const printer = this.#printer
    await this.#sleep(BYTE_MS)
    if (printer.hindrance !== null || printer.shy > 0) {
      printer.shy = Math.max(0, printer.shy - 1)
      printer.reached('untouched')
      return { kind: 'untouched', why: new DeviceError('device.busy', 'not now') }
    }
    progress({ sentBytes: 0, totalBytes: TICKET_BYTES })
    const copy: PaperCopy = { ...copyOf(textOf(ticket), false), bytes: 0 }
    while (copy.bytes < TICKET_BYTES) {
      if (!(await this.#isMended())) return this.#lost()
      if (copy.bytes === 0) printer.copies.push(copy)
      copy.bytes++
      copy.isWhole = copy.bytes === TICKET_BYTES
      progress({ sentBytes: copy.bytes, totalBytes: TICKET_BYTES })
      await this.#sleep(BYTE_MS)
    }
    await this.#sleep(ANSWER_MS)
    if (printer.isGone) {
      printer.reached('gone before its answer')
      return this.#lost()
    }
    return printer.canConfirm ? { kind: 'confirmed', by: 'process-id' } : { kind: 'sent' }
  }

  /** Waits for a person to bring paper; false when the printer is gone. */
  async #isMended(): Promise<boolean> {
    for (let waitedMs = 0; this.#printer.hindrance !== null; waitedMs += 100) {
      if (this.#printer.isGone || waitedMs > 30_000) return false
      this.#printer.reached('hindered in a ticket')
      await this.#sleep(100)
    }
    return true
  }

  #lost(): PrintOutcome {
    return { kind: 'unknown', why: new DeviceError('device.io', `${this.name} is gone`) }
  }

  #sleep(durationMs: number): Promise<void> {
    return new Promise(resolve => {
      this.#clock.runAt(after(this.#clock.monotonicMs(), durationMs), resolve)
    })
  }
}
