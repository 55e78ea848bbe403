/**
 * Receipt printers that speak ESC/POS. What a finished write says is that the kernel has the bytes, no more; so a ticket
 * counts as printed when the printer says so, and as untouched only when not one of its bytes was taken.
 */
import { BoxError, DeviceError } from '../runtime/core/errors.js'
import { repeat } from '../runtime/core/repeat.js'
import { Signal } from '../runtime/core/signal.js'
import type { Cancel, Clock } from '../runtime/ports/clock.js'
import type { ByteStream } from '../runtime/ports/host.js'
import type {
  Hindrance,
  Paper,
  Printer,
  PrinterStatus,
  PrintOutcome,
  PrintProgress,
} from '../runtime/ports/printer.js'
import type { Ticket } from '../runtime/ports/ticket.js'
import type { EncodedTicket } from './escpos-encode.js'
import { withoutInitialize } from './escpos-printer-commands.js'
import { PrinterSession, type SessionOptions } from './escpos-printer-session.js'
import { isSameStatus, silentStatus } from './escpos-status.js'

export interface EscposPrinterOptions extends SessionOptions {
  readonly paper: Paper
}

/** @throws BoxError `ticket.invalid` */
export type Encode = (ticket: Ticket) => EncodedTicket

/** Slower than any printer prints. */
const MILLIMETRES_PER_SECOND_MIN = 25

export class EscposPrinter implements Printer {
  readonly name: string
  readonly paper: Paper
  readonly #stream: ByteStream
  readonly #clock: Clock
  readonly #encode: Encode
  /** What was measured is printed next: its bytes need not be made twice. */
  readonly #encoded = new WeakMap<Ticket, EncodedTicket>()
  readonly #options: EscposPrinterOptions
  readonly #faults = new Signal<Error>()
  readonly #statuses = new Signal<PrinterStatus>()
  /** Kept until it is closed. */
  #session: PrinterSession | null = null
  #isRunning = false
  #job: Promise<PrintOutcome> | null = null
  #polling: Promise<unknown> = Promise.resolve()
  #cancelPolls: Cancel = () => {}

  constructor(stream: ByteStream, clock: Clock, encode: Encode, options: EscposPrinterOptions) {
    this.#stream = stream
    this.#clock = clock
    this.#encode = encode
    this.name = options.name
    this.paper = options.paper
    this.#options = options
  }

  /** A printer that is there is started, whether it could print now or not. */
  async start(): Promise<void> {
    const session = new PrinterSession(this.#stream, this.#clock, this.#options)
    this.#session = session
    this.#isRunning = true
    session.statusChanged.listen(status => this.#statuses.emit(status))
    try {
      await session.open()
    } catch (error) {
      // The first failure is the one to report; the owner stops the device once more and hears of the others.
      await this.stop().catch(() => {})
      throw error
    }
    session.ended.listen(why => this.#fail(why))
    this.#cancelPolls = repeat(this.#clock, this.#options.statusEveryMs, () => this.#poll())
  }

  /** What is being printed ends as untouched or unknown first. */
  async stop(): Promise<void> {
    const session = this.#session
    this.#halt()
    this.#session = null
    await session?.close()
    await this.#job
    await this.#polling
  }

  onFault(listener: (fault: Error) => void): Cancel {
    return this.#faults.listen(listener)
  }

  status(): PrinterStatus {
    return this.#running?.status ?? silentStatus
  }

  hindrance(): Hindrance | null {
    const session = this.#running
    if (session === null) return 'absent'
    return this.#job !== null ? 'busy' : session.hindrance
  }

  onStatus(listener: (status: PrinterStatus) => void): Cancel {
    return this.#statuses.listen(listener)
  }

  measure(ticket: Ticket): number {
    return this.#encodeOnce(ticket).millimetres
  }

  print(ticket: Ticket, progress: (progress: PrintProgress) => void): Promise<PrintOutcome> {
    const session = this.#running
    if (session === null) return refusal('device.absent', `${this.name} is not there`)
    if (this.#job !== null) return refusal('device.busy', `${this.name} prints another ticket`)
    const job = this.#print(session, ticket, progress).finally(() => {
      this.#job = null
    })
    this.#job = job
    return job
  }

  async #print(
    session: PrinterSession,
    ticket: Ticket,
    progress: (progress: PrintProgress) => void,
  ): Promise<PrintOutcome> {
    await this.#polling
    let firstByte: number | null = null
    try {
      const { bytes: encoded, millimetres } = this.#encodeOnce(ticket)
      const bytes = withoutInitialize(encoded)
      await session.prepare()
      firstByte = session.takenBytes
      progress({ sentBytes: 0, totalBytes: bytes.length })
      await session.send(bytes, sentBytes => progress({ sentBytes, totalBytes: bytes.length }))
      return await session.confirm((millimetres / MILLIMETRES_PER_SECOND_MIN) * 1000)
    } catch (why) {
      // Anything else is a bug, and must stop the process.
      if (!(why instanceof BoxError)) throw why
      if (firstByte !== null) await session.giveUp(why)
      const isTouched = firstByte !== null && session.takenBytes > firstByte
      return { kind: isTouched ? 'unknown' : 'untouched', why }
    }
  }

  #encodeOnce(ticket: Ticket): EncodedTicket {
    const known = this.#encoded.get(ticket)
    if (known !== undefined) return known
    const encoded = this.#encode(ticket)
    this.#encoded.set(ticket, encoded)
    return encoded
  }

  async #poll(): Promise<void> {
    const session = this.#running
    if (session === null || this.#job !== null) return
    this.#polling = session.poll()
    await this.#polling
  }

  get #running(): PrinterSession | null {
    return this.#isRunning ? this.#session : null
  }

  /** Whoever waits for a ticket hears of it before the owner starts the printer anew. */
  #fail(why: Error): void {
    if (!this.#isRunning) return
    this.#halt()
    void Promise.resolve(this.#job).then(() => this.#faults.emit(why))
  }

  #halt(): void {
    const wasSilent = isSameStatus(this.status(), silentStatus)
    this.#isRunning = false
    this.#cancelPolls()
    if (!wasSilent) this.#statuses.emit(silentStatus)
  }
}

const refusal = (code: 'device.absent' | 'device.busy', words: string): Promise<PrintOutcome> =>
  Promise.resolve({ kind: 'untouched', why: new DeviceError(code, words) })
