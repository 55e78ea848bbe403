/**
 * What goes on between a box and an ESC/POS printer while the line is open: finding out what the printer is and how it
 * fares, recovering what an earlier life may have torn, sending a ticket, hearing that it was processed.
 */
import { DeviceError } from '../runtime/core/errors.js'
import { Signal } from '../runtime/core/signal.js'
import type { Clock } from '../runtime/ports/clock.js'
import type { ByteStream } from '../runtime/ports/host.js'
import type { Hindrance, PrinterStatus, PrintOutcome } from '../runtime/ports/printer.js'
import {
  ask,
  automaticStatus,
  closing,
  flush,
  initialize,
  joined,
  Question,
  tearOff,
} from './escpos-printer-commands.js'
import { Ladder, type Rung } from './escpos-printer-ladder.js'
import { PrinterLink } from './escpos-printer-link.js'
import { Patience } from './escpos-printer-patience.js'
import {
  type DrawerLevel,
  hindranceOf,
  hindranceWords,
  isSameStatus,
  type PrinterReply,
  silentStatus,
  statusOfAutomatic,
  statusOfReplies,
} from './escpos-status.js'

export interface SessionOptions {
  /** For messages. */
  readonly name: string
  readonly isSerial: boolean
  readonly confirmation: 'auto' | Rung
  readonly cutter: 'none' | 'full' | 'partial'
  readonly drawerOpenAt: DrawerLevel
  /** How long a printer that could print may leave a ticket unconfirmed. */
  readonly confirmMs: number
  /** How long a person may take to mend what keeps it from printing, and a full printer to take the next byte. */
  readonly stallMs: number
  readonly statusEveryMs: number
}

/** Real-time answers take milliseconds; a box may stand still for a moment. */
const REPLY_MS = 1000
/** A printer that takes nothing for so long takes no recovery now. */
const TAKE_MS = 5000
/** Unanswered so many times in a row, a printer that used to answer is off. */
const SILENT_ROUNDS = 3
/** A printer that answered none of the first questions gets so long for the last ones, besides printing. */
const UNPROVEN_MS = 5000
/** Times as fast as the slowest. */
const USUAL_SPEED = 4
const CHUNK_BYTES = 4096

export class PrinterSession {
  readonly #link: PrinterLink
  readonly #clock: Clock
  readonly #options: SessionOptions
  readonly #ladder: Ladder
  readonly statusChanged = new Signal<PrinterStatus>()
  #status = silentStatus
  /** DLE EOT was answered once. */
  #isAnswering = false
  #silentRounds = 0
  /** GS a was answered once. */
  #hasAutomatic = false
  /** By the last automatic status. */
  #toldHindrance: Hindrance | null = null
  /** A command may be open, in which the next bytes would end. */
  #isTorn = true
  /** Part of a ticket may hang from the printer. */
  #isHanging = true
  #isPrinting = false

  constructor(stream: ByteStream, clock: Clock, options: SessionOptions) {
    this.#link = new PrinterLink(stream, clock, options)
    this.#clock = clock
    this.#options = options
    // No two tickets of one printer begin within a tenth of a second, so no process comes upon an earlier one's ids.
    const firstId = Math.floor(clock.wallTimeMs() / 100)
    this.#ladder = new Ladder({ confirmation: options.confirmation, firstId })
  }

  /** The line is over without having been closed. */
  get ended(): Signal<Error> {
    return this.#link.ended
  }

  get status(): PrinterStatus {
    return this.#status
  }

  get hindrance(): Hindrance | null {
    return this.#isSilent ? 'offline' : hindranceOf(this.#status)
  }

  get takenBytes(): number {
    return this.#link.takenBytes
  }

  /** Resolves also when the printer cannot print, or says nothing. @throws DeviceError when it is not there */
  async open(): Promise<void> {
    this.#link.replies.listen(reply => this.#hear(reply))
    await this.#link.open()
    try {
      await this.#recover()
    } catch (error) {
      if (this.#link.over || !(error instanceof DeviceError)) throw error
      // It takes nothing, or has fallen silent: the next ticket tries again.
    }
    if (this.#link.over) throw this.#link.over
  }

  /** Safe to call twice. Drops what waits to be written. */
  close(): Promise<void> {
    return this.#link.close()
  }

  /** Asks how the printer is. False: it answers such questions, and has not answered this one. */
  async poll(): Promise<boolean> {
    return !this.#isAnswering || (await this.#refresh())
  }

  /** Everything that comes before a ticket. @throws DeviceError when none can be begun */
  async prepare(): Promise<void> {
    if (this.#isTorn) await this.#recover()
    else await this.poll()
    if (this.#silentRounds > 0) throw this.#error('device.timeout', 'does not answer')
    const hindrance = hindranceOf(this.#status)
    if (hindrance !== null) throw this.#error('device.busy', hindranceWords[hindrance])
    const parting = this.#isHanging ? tearOff(this.#options.cutter) : new Uint8Array()
    await this.#link.write(joined(parting, this.#opening), TAKE_MS)
    this.#isHanging = false
  }

  /** @throws DeviceError when not all of it was taken: then `giveUp` must follow */
  async send(bytes: Uint8Array, progress: (sentBytes: number) => void): Promise<void> {
    this.#isPrinting = true
    for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
      const chunk = bytes.subarray(at, at + CHUNK_BYTES)
      await this.#link.write(chunk, this.#options.stallMs)
      progress(at + chunk.length)
    }
  }

  /**
   * Waits until the printer has said that it is done with what was sent, or cannot say so.
   * @param printingMs how long the slowest printer takes for the ticket
   * @throws DeviceError when nobody can say what has become of it: then `giveUp` must follow
   */
  async confirm(printingMs: number): Promise<PrintOutcome> {
    const request = this.#ladder.request(this.#clock.monotonicMs())
    // What a printer does not know it may take for text, which its initialization wipes before it is on paper.
    const wipe = this.#ladder.rung === null ? initialize : new Uint8Array()
    const isAsked = request.length > 0
    if (isAsked) await this.#link.write(joined(request, wipe), this.#options.stallMs)
    const patience = this.#patience(printingMs)
    const outcome = isAsked
      ? await this.#awaitAnswer(patience)
      : await this.#awaitReady(patience, printingMs / USUAL_SPEED)
    this.#isPrinting = false
    return outcome
  }

  /** The end of this line. What still waits must not be printed an hour later, when somebody brings paper. */
  async giveUp(why: Error): Promise<void> {
    this.#link.end(why)
    // A line that is gone cannot be closed either: what it was gone for is reported.
    await this.#link.close().catch(() => {})
  }

  #patience(printingMs: number): Patience {
    const { confirmMs, stallMs } = this.#options
    const answerMs = this.#ladder.rung === null ? Math.min(confirmMs, UNPROVEN_MS) : confirmMs
    const limits = { readyMs: answerMs + printingMs, hinderedMs: stallMs }
    return new Patience(this.#clock.monotonicMs(), limits)
  }

  async #awaitAnswer(patience: Patience): Promise<PrintOutcome> {
    for (;;) {
      const by = await this.#answerWithin(this.#options.statusEveryMs)
      if (by !== null) return this.#confirmedBy(by)
      await this.poll()
      if (this.#isOver(patience)) {
        // A printer that has never confirmed anything has been given everything all the same.
        if (this.#ladder.rung !== null)
          throw this.#error('device.timeout', 'has not confirmed the ticket')
        this.#ladder.giveUp()
        return { kind: 'sent' }
      }
    }
  }

  /**
   * On a serial line nobody notices that a printer was switched off and on, and it prints the rest of a ticket as if it
   * were all of it. But it has forgotten to tell what changes: a cover that was open and was never closed.
   */
  #confirmedBy(by: 'process-id' | 'status-reply'): PrintOutcome {
    if (this.#toldHindrance !== null)
      throw this.#error('device.io', `${hindranceWords[this.#toldHindrance]}, and yet has printed`)
    return { kind: 'confirmed', by }
  }

  /**
   * A printer that cannot confirm is asked whether it could print, where it answers, when it should have done so. One
   * that says nothing has that time too: a connection takes many tickets ahead of the paper, and those are lost with it.
   */
  async #awaitReady(patience: Patience, usualMs: number): Promise<PrintOutcome> {
    await this.#pause(usualMs)
    for (;;) {
      const isHeard = await this.poll()
      if (this.#isOver(patience) || (isHeard && this.hindrance === null)) return { kind: 'sent' }
      await this.#pause(this.#options.statusEveryMs)
    }
  }

  #pause(durationMs: number): Promise<null> {
    return this.#link.wait<never>(durationMs, () => () => {})
  }

  /** Whether the printer has had its time. @throws DeviceError when the people have had theirs */
  #isOver(patience: Patience): boolean {
    if (this.#link.over) throw this.#link.over
    const end = patience.look(this.#clock.monotonicMs(), this.hindrance !== null)
    if (end === 'not-mended') throw this.#error('device.timeout', 'was not made ready in time')
    return end === 'unanswered'
  }

  #answerWithin(limitMs: number): Promise<'process-id' | 'status-reply' | null> {
    const { answer } = this.#ladder
    if (answer !== null) return Promise.resolve(answer)
    return this.#link.wait<'process-id' | 'status-reply'>(limitMs, done =>
      this.#link.replies.listen(() => {
        if (this.#ladder.answer !== null) done(this.#ladder.answer)
      }),
    )
  }

  /** Resolves early, and still torn, when the printer says that it cannot print now. */
  async #recover(): Promise<void> {
    await this.#link.write(closing, TAKE_MS)
    const hasAnswered = await this.#refresh()
    if (hindranceOf(this.#status) !== null) return
    await this.#link.write(joined(flush, initialize), TAKE_MS)
    // In the middle of a picture a simple printer takes questions for dots.
    if (!hasAnswered && this.#isAnswering) await this.#refresh()
    await this.#probe()
    this.#isTorn = false
  }

  /** Everything that the printer may not know goes out in one line, which is wiped before it could be printed. */
  async #probe(): Promise<void> {
    const wasAnswering = this.#isAnswering
    const parts: Uint8Array[] = wasAnswering ? [] : [ask(Question.printer)]
    if (this.#options.confirmation !== 'none') parts.push(automaticStatus)
    if (this.#ladder.rung === null) parts.push(this.#ladder.request(this.#clock.monotonicMs()))
    if (parts.length === 0) return
    await this.#link.write(joined(...parts, initialize), TAKE_MS)
    // The answers may have come while the last bytes were being taken.
    if (!this.#isProbed(wasAnswering))
      await this.#link.wait<true>(REPLY_MS, done =>
        this.#link.replies.listen(() => {
          if (this.#isProbed(wasAnswering)) done(true)
        }),
      )
    if (this.#isAnswering && !wasAnswering) await this.#refresh()
    // The initialization has switched it off again.
    if (this.#hasAutomatic) await this.#link.write(automaticStatus, TAKE_MS)
  }

  /** Answers come in the order of the questions, but for those in real time, which come first. */
  #isProbed(wasAnswering: boolean): boolean {
    if (!wasAnswering || this.#ladder.rung === null) return false
    return this.#hasAutomatic || this.#ladder.answer !== null
  }

  get #opening(): Uint8Array {
    return this.#hasAutomatic ? joined(initialize, automaticStatus) : initialize
  }

  get #isSilent(): boolean {
    return this.#silentRounds >= SILENT_ROUNDS
  }

  /** @returns whether the printer has answered */
  async #refresh(): Promise<boolean> {
    const replies = await this.#link.askAll(REPLY_MS)
    if (replies !== null) {
      this.#silentRounds = 0
      this.#setStatus(statusOfReplies(replies, this.#options.drawerOpenAt))
      return true
    }
    // In a ticket the question may stand behind bytes that a printer without paper does not take.
    if (this.#isAnswering && !this.#isPrinting) this.#silentRounds++
    if (this.#isSilent) {
      // It may have been switched off, and have forgotten everything.
      this.#isTorn = true
      this.#setStatus(silentStatus)
    }
    return false
  }

  #hear(reply: PrinterReply): void {
    this.#ladder.hear(reply, this.#clock.monotonicMs())
    if (reply.kind === 'real-time') this.#isAnswering = true
    if (reply.kind !== 'automatic') return
    this.#hasAutomatic = true
    const status = statusOfAutomatic(reply.bytes, this.#options.drawerOpenAt)
    this.#toldHindrance = hindranceOf(status)
    this.#setStatus(status)
  }

  #setStatus(status: PrinterStatus): void {
    if (isSameStatus(status, this.#status)) return
    this.#status = status
    this.statusChanged.emit(status)
    // It has to be switched off, and forgets what it was given.
    if (this.#isPrinting && status.error === 'unrecoverable')
      this.#link.end(this.#error('device.io', 'reports an error that only its switch mends'))
  }

  #error(code: 'device.busy' | 'device.io' | 'device.timeout', words: string): DeviceError {
    return new DeviceError(code, `${this.#options.name} ${words}`)
  }
}
