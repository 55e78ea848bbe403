/** One client of the NUT server: lines in, answers out, within limits. */
import type { Socket } from 'node:net'
import { LineBuffer } from '../../core/line-buffer.js'
import { nutWords } from '../../core/nut-line.js'
import { after } from '../../core/time.js'
import type { Cancel, Clock, MonotonicMs } from '../../ports/clock.js'
import { type NutClient, type NutView, nutAnswer } from './nut-answers.js'

/** Of one request, as upsd's SMALLBUF. */
const LINE_BYTES_MAX = 512
const REQUESTS_PER_SECOND = 50
/** As upsd: whoever says nothing for so long is gone. Only whole requests count. */
const IDLE_MS_MAX = 60_000
/** Answers that a client does not fetch. The longest answer has about a kilobyte. */
const UNREAD_BYTES_MAX = 64 * 1024
const SECOND_MS = 1_000

export interface NutSessionOptions {
  readonly address: string
  readonly view: () => NutView
  /** Hears once that the client was hung up on, and why; not when it went by itself. */
  readonly onRefused: (reason: string) => void
}

export class NutSession implements NutClient {
  hasUsername = false
  hasPassword = false
  isLoggedIn = false
  readonly #socket: Socket
  readonly #clock: Clock
  readonly #options: NutSessionOptions
  readonly #lines = new LineBuffer(LINE_BYTES_MAX)
  /** Requests that came in one piece and must wait: the socket is not read meanwhile, so they are no more than a piece. */
  #waiting: readonly string[] = []
  /** How many of them have been answered. */
  #done = 0
  #answered = 0
  #secondBegan: MonotonicMs
  #heardAt: MonotonicMs
  #cancelWait: Cancel = () => {}
  #isOver = false

  constructor(socket: Socket, clock: Clock, options: NutSessionOptions) {
    this.#socket = socket
    this.#clock = clock
    this.#options = options
    this.#secondBegan = clock.monotonicMs()
    this.#heardAt = clock.monotonicMs()
  }

  get address(): string {
    return this.#options.address
  }

  open(): void {
    // A reset is a close with a reason that nobody needs.
    this.#socket.on('error', () => {})
    this.#socket.on('close', () => this.#finish())
    this.#socket.on('data', bytes => this.#take(bytes))
  }

  /** To be called now and then. */
  checkIdle(): void {
    if (this.#clock.monotonicMs() - this.#heardAt > IDLE_MS_MAX) this.#hangUp('idle')
  }

  close(): void {
    this.#finish()
    this.#socket.destroy()
  }

  #take(bytes: Uint8Array): void {
    if (this.#isOver) return
    const lines = this.#lines.add(bytes)
    if (lines === null) {
      this.#options.onRefused('line too long')
      this.#send(['ERR TOO-LONG'])
      this.#end()
      return
    }
    this.#waiting = [...this.#waiting.slice(this.#done), ...lines]
    this.#done = 0
    this.#answerSome()
  }

  #answerSome(): void {
    const now = this.#clock.monotonicMs()
    if (now - this.#secondBegan >= SECOND_MS) {
      this.#secondBegan = now
      this.#answered = 0
    }
    while (this.#isBehind && this.#answered < REQUESTS_PER_SECOND) {
      this.#answered++
      this.#answer(this.#waiting[this.#done++] ?? '')
    }
    if (this.#isBehind) this.#waitForNextSecond()
  }

  get #isBehind(): boolean {
    return this.#done < this.#waiting.length && !this.#isOver
  }

  #waitForNextSecond(): void {
    this.#socket.pause()
    this.#cancelWait()
    this.#cancelWait = this.#clock.runAt(after(this.#secondBegan, SECOND_MS), () => {
      this.#answerSome()
      if (!this.#isBehind) this.#socket.resume()
    })
  }

  #answer(line: string): void {
    const words = nutWords(line)
    this.#heardAt = this.#clock.monotonicMs()
    if (words?.length === 0) return
    if (words === null) {
      this.#send(['ERR INVALID-ARGUMENT'])
      return
    }
    const { lines, isEnd } = nutAnswer(words, this, this.#options.view())
    this.#send(lines)
    if (isEnd) this.#end()
  }

  #send(lines: readonly string[]): void {
    if (this.#isOver) return
    this.#socket.write(lines.map(line => `${line}\n`).join(''))
    if (this.#socket.writableLength > UNREAD_BYTES_MAX) this.#hangUp('answers not fetched')
  }

  /** The last answer is still delivered; a client that does not fetch it goes with the idle ones. */
  #end(): void {
    this.#finish()
    this.#socket.destroySoon()
  }

  #hangUp(reason: string): void {
    if (!this.#isOver) this.#options.onRefused(reason)
    this.close()
  }

  #finish(): void {
    this.#isOver = true
    this.isLoggedIn = false
    this.#waiting = []
    this.#cancelWait()
  }
}
