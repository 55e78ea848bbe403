/** A printer that does what a test says, and remembers what came out of it. */
import { Signal } from '../../../runtime/core/signal.js'
import { after } from '../../../runtime/core/time.js'
import type { Cancel, Clock } from '../../../runtime/ports/clock.js'
import type {
  Hindrance,
  Paper,
  Printer,
  PrinterStatus,
  PrintOutcome,
  PrintProgress,
} from '../../../runtime/ports/printer.js'
import type { Ticket } from '../../../runtime/ports/ticket.js'

type Print = (ticket: Ticket, progress: (progress: PrintProgress) => void) => Promise<PrintOutcome>

export const TOTAL_BYTES = 1000
export const TICKET_MILLIMETRES = 100
const PRINT_MS = 50

export const wellStatus: PrinterStatus = {
  isOnline: true,
  paper: 'enough',
  isCoverOpen: false,
  error: 'none',
  isDrawerOpen: null,
}

/** Everything on a ticket that can be read, codes included. */
export const textOf = ({ blocks }: Ticket): string =>
  blocks
    .flatMap(block => {
      if (block.kind === 'text') return [block.text]
      if (block.kind === 'table') return block.rows.flat()
      return block.kind === 'qr' || block.kind === 'barcode' ? [block.content] : []
    })
    .join('\n')

export class ScriptedPrinter implements Printer {
  readonly name: string
  readonly paper: Paper = {
    widthMillimetres: 58,
    dotsPerLine: 384,
    dotsPerMillimetre: 8,
    codePage: 'cp858',
  }
  /** What each of the next tickets meets; then they are confirmed. */
  readonly script: Print[] = []
  /** The text of every ticket of which the first byte came. */
  readonly printed: string[] = []
  /** How often `print` was called. */
  calls = 0
  readonly #clock: Clock
  readonly #statuses = new Signal<PrinterStatus>()
  #status = wellStatus
  #hindrance: Hindrance | null = null
  #isBusy = false
  #endJob: ((outcome: PrintOutcome) => void) | null = null

  constructor(name: string, clock: Clock) {
    this.name = name
    this.#clock = clock
  }

  async start(): Promise<void> {}

  /** What is being printed ends as nobody knows. */
  async stop(): Promise<void> {
    this.end({ kind: 'unknown', why: new Error('stopped') })
  }

  onFault(): Cancel {
    return () => {}
  }

  status(): PrinterStatus {
    return this.#status
  }

  hindrance(): Hindrance | null {
    return this.#isBusy ? 'busy' : this.#hindrance
  }

  onStatus(listener: (status: PrinterStatus) => void): Cancel {
    return this.#statuses.listen(listener)
  }

  measure(): number {
    return TICKET_MILLIMETRES
  }

  set(hindrance: Hindrance | null, status: Partial<PrinterStatus> = {}): void {
    this.#hindrance = hindrance
    this.#status = { ...this.#status, ...status }
    this.#statuses.emit(this.#status)
  }

  async print(ticket: Ticket, progress: (progress: PrintProgress) => void): Promise<PrintOutcome> {
    if (this.#isBusy) throw new Error('one ticket at a time')
    this.calls++
    this.#isBusy = true
    try {
      return await (this.script.shift() ?? this.confirmed)(ticket, progress)
    } finally {
      this.#isBusy = false
    }
  }

  /** The ticket that hangs in `stuck` ends so. */
  end(outcome: PrintOutcome): void {
    this.#endJob?.(outcome)
    this.#endJob = null
  }

  readonly confirmed: Print = async (ticket, progress) => {
    await this.#feed(ticket, progress, TOTAL_BYTES)
    return { kind: 'confirmed', by: 'process-id' }
  }

  readonly sent: Print = async (ticket, progress) => {
    await this.#feed(ticket, progress, TOTAL_BYTES)
    return { kind: 'sent' }
  }

  readonly untouched: Print = async () => ({ kind: 'untouched', why: new Error('not yet') })

  /** The power goes after half of it. */
  readonly torn: Print = async (ticket, progress) => {
    await this.#feed(ticket, progress, TOTAL_BYTES / 2)
    return { kind: 'unknown', why: new Error('gone in the middle') }
  }

  /** Half of it comes out, and then nothing more is heard until `end`. */
  readonly stuck: Print = async (ticket, progress) => {
    await this.#feed(ticket, progress, TOTAL_BYTES / 2)
    return new Promise(resolve => {
      this.#endJob = resolve
    })
  }

  async #feed(
    ticket: Ticket,
    progress: (progress: PrintProgress) => void,
    sentBytes: number,
  ): Promise<void> {
    progress({ sentBytes: 0, totalBytes: TOTAL_BYTES })
    this.printed.push(textOf(ticket))
    await new Promise<void>(resolve => {
      this.#clock.runAt(after(this.#clock.monotonicMs(), PRINT_MS), resolve)
    })
    progress({ sentBytes, totalBytes: TOTAL_BYTES })
  }
}
