/** The line to an ESC/POS printer: bytes out with a limit, replies in, questions one at a time. */
import { DeviceError } from '../runtime/core/errors.js'
import { repeat } from '../runtime/core/repeat.js'
import { Signal } from '../runtime/core/signal.js'
import { after } from '../runtime/core/time.js'
import type { Cancel, Clock } from '../runtime/ports/clock.js'
import type { ByteStream } from '../runtime/ports/host.js'
import { ask, Question } from './escpos-printer-commands.js'
import { type PrinterReply, type RealTimeReplies, ReplyReader } from './escpos-status.js'

/** How often a write that waits is looked at. */
const WATCH_MS = 250
/** Of the answer to DLE EOT 2: there is an error. */
const ERROR_BIT = 0x40

/** One life of the line: opened once and closed once. */
export class PrinterLink {
  readonly #stream: ByteStream
  readonly #clock: Clock
  readonly #reader: ReplyReader
  /** Every reply, asked for or not. */
  readonly replies = new Signal<PrinterReply>()
  /** The far side is gone, or `end` was called. Not after `close`. */
  readonly ended = new Signal<Error>()
  readonly #overs = new Signal<Error>()
  #cancels: readonly Cancel[] = []
  #over: Error | null = null
  #queuedBytes = 0

  /** @param options isSerial: the far side may send XON and XOFF */
  constructor(stream: ByteStream, clock: Clock, options: { readonly isSerial: boolean }) {
    this.#stream = stream
    this.#clock = clock
    this.#reader = new ReplyReader(options)
  }

  async open(): Promise<void> {
    this.#cancels = [
      this.#stream.onBytes(bytes => this.#hear(bytes)),
      this.#stream.onLost(why => this.end(why)),
    ]
    await this.#stream.open()
  }

  /** Whoever waits is told. Safe to call twice. */
  async close(): Promise<void> {
    this.#finish(new DeviceError('device.absent', `${this.#stream.name} was stopped`))
    await this.#stream.close()
  }

  /** Nothing good can come of this line any more: whoever waits is told, and the owner. */
  end(why: Error): void {
    if (this.#over) return
    this.#finish(why)
    this.ended.emit(why)
  }

  /** Why nothing more will be written or heard; null while the line is open. */
  get over(): Error | null {
    return this.#over
  }

  get takenBytes(): number {
    return this.#stream.takenBytes()
  }

  /** Resolves when all bytes were taken. @throws DeviceError when none was for `stallMs`, and when the line is over */
  write(bytes: Uint8Array, stallMs: number): Promise<void> {
    if (this.#over) return Promise.reject(this.#over)
    const written = this.#stream.write(bytes)
    this.#queuedBytes += bytes.length
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        stopWatching()
        stopHearing()
        act()
      }
      const stopHearing = this.#overs.listen(why => settle(() => reject(why)))
      const stopWatching = this.#watch(stallMs, why => settle(() => reject(why)))
      written.then(
        () => settle(resolve),
        (why: unknown) => settle(() => reject(why)),
      )
    })
  }

  /** DLE EOT 1, 2 and 4, and 3 where there is an error. Null: the printer does not answer within `limitMs`. */
  async askAll(limitMs: number): Promise<RealTimeReplies | null> {
    const printer = await this.#ask(Question.printer, limitMs)
    if (printer === null) return null
    const offline = await this.#ask(Question.offline, limitMs)
    const paper = await this.#ask(Question.paper, limitMs)
    const isError = offline !== null && (offline & ERROR_BIT) !== 0
    const error = isError ? await this.#ask(Question.error, limitMs) : null
    return { printer, offline, error, paper }
  }

  /** Until `listen` has what it waits for. Null: not within `limitMs`, or the line is over. */
  wait<T>(limitMs: number, listen: (done: (value: T) => void) => Cancel): Promise<T | null> {
    if (this.#over) return Promise.resolve(null)
    return new Promise(resolve => {
      const cancels: Cancel[] = []
      const settle = (value: T | null): void => {
        for (const cancel of cancels) cancel()
        resolve(value)
      }
      const until = after(this.#clock.monotonicMs(), limitMs)
      cancels.push(
        this.#clock.runAt(until, () => settle(null)),
        this.#overs.listen(() => settle(null)),
        listen(settle),
      )
    })
  }

  /** Not asked behind bytes that wait: the answer would come too late to be told from the next. */
  async #ask(question: Question, limitMs: number): Promise<number | null> {
    if (this.#over || this.takenBytes < this.#queuedBytes) return null
    const answer = this.wait<number>(limitMs, done =>
      this.replies.listen(reply => {
        if (reply.kind === 'real-time') done(reply.byte)
      }),
    )
    try {
      await this.write(ask(question), limitMs)
    } catch (error) {
      // A line that is over, or takes nothing, gives no answer either.
      if (!(error instanceof DeviceError)) throw error
    }
    return answer
  }

  #watch(stallMs: number, stalled: (why: Error) => void): Cancel {
    let { takenBytes } = this
    let since = this.#clock.monotonicMs()
    return repeat(this.#clock, WATCH_MS, async () => {
      const now = this.#clock.monotonicMs()
      const isMoving = this.takenBytes !== takenBytes
      if (isMoving) {
        takenBytes = this.takenBytes
        since = now
      } else if (now - since >= stallMs)
        stalled(new DeviceError('device.timeout', `${this.#stream.name} takes no more bytes`))
    })
  }

  #hear(bytes: Uint8Array): void {
    if (this.#over) return
    for (const reply of this.#reader.read(bytes)) this.replies.emit(reply)
  }

  #finish(why: Error): void {
    if (this.#over) return
    this.#over = why
    for (const cancel of this.#cancels) cancel()
    this.#cancels = []
    this.#overs.emit(why)
  }
}
