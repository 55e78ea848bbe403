/**
 * How a printer says that it has processed a ticket, from the best way down: it echoes a process id (GS ( H, function
 * 48), it answers a question that waited behind the ticket (GS r 1), or it says nothing. Pure: bytes and replies only.
 */
import type { MonotonicMs } from '../runtime/ports/clock.js'
import { echo, joined, statusInTurn } from './escpos-printer-commands.js'
import type { PrinterReply } from './escpos-status.js'

export type Rung = 'process-id' | 'status-reply' | 'none'

export interface LadderOptions {
  /** For a printer that is known; `auto` asks it. */
  readonly confirmation: 'auto' | Rung
  /** Of the first process id. A number that an earlier process on this printer has not used lately: a moment will do. */
  readonly firstId: number
}

/**
 * Printable, as Epson demands (32..126), and without the bit 4 that marks replies of other kinds: should one come in the
 * middle of an echo, it is still told apart.
 */
const ID_ALPHABET = Array.from({ length: 0x60 }, (_, at) => 0x20 + at).filter(
  code => (code & 0x10) === 0 && code !== 0x20,
)
const ID_COUNT = ID_ALPHABET.length ** 4
/**
 * What may still come from before the stream was opened: the tail of an automatic status, and the answers to a former
 * process. A status reply has no name, so each of them could be taken for another.
 */
const STALE_REPLIES = 5
/** Beyond so many the printer has stopped answering for good. */
const STALE_REPLIES_MAX = 15
/** Answers to questions that were asked in one breath come in one breath. */
const BREATH_MS = 1000

/** Four characters that stand for one ticket. */
export function processId(number: number): string {
  let rest = Math.floor(number) % ID_COUNT
  let id = ''
  for (let at = 0; at < 4; at++) {
    id = String.fromCharCode(ID_ALPHABET[rest % ID_ALPHABET.length] ?? 0x21) + id
    rest = Math.floor(rest / ID_ALPHABET.length)
  }
  return id
}

export class Ladder {
  readonly #isAuto: boolean
  #rung: Rung | null
  #number: number
  /** An echo of any id from here on proves that the printer can. */
  readonly #firstNumber: number
  /** Of the last request; empty when it was none by echo. */
  #id = ''
  #answer: 'process-id' | 'status-reply' | null = null
  /** Status replies still to come before the last request is answered for certain; 0: none was asked for. */
  #owedReplies = 0
  /** Status replies that may still come, at most. */
  #openReplies = STALE_REPLIES
  #repliedAt: MonotonicMs | null = null

  constructor(options: LadderOptions) {
    this.#isAuto = options.confirmation === 'auto'
    this.#rung = options.confirmation === 'auto' ? null : options.confirmation
    this.#number = options.firstId
    this.#firstNumber = options.firstId
  }

  /** Null: the printer has not proven anything yet. */
  get rung(): Rung | null {
    return this.#rung
  }

  /** By what the last request was answered; null: not yet. */
  get answer(): 'process-id' | 'status-reply' | null {
    return this.#answer
  }

  /** Bytes that make the printer say when it has processed everything before them; none for a printer that cannot. */
  request(now: MonotonicMs): Uint8Array {
    this.#answer = null
    this.#id = ''
    const isById = this.#rung === 'process-id' || this.#rung === null
    const isByReply = this.#rung === 'status-reply' || this.#rung === null
    const parts: Uint8Array[] = []
    if (isById) parts.push(this.#requestEcho())
    if (isByReply) parts.push(this.#requestReplies(now))
    return joined(...parts)
  }

  hear(reply: PrinterReply, now: MonotonicMs): void {
    if (reply.kind === 'process-id') this.#hearEcho(reply.id)
    else if (reply.kind === 'status') this.#hearStatus(now)
  }

  /** The last request was not answered, and none before. */
  giveUp(): void {
    if (this.#rung === null) this.#rung = 'none'
  }

  #requestEcho(): Uint8Array {
    this.#number++
    this.#id = processId(this.#number)
    return echo(this.#id)
  }

  /** So many that the last answer can only be to one of these, however many old ones come first. */
  #requestReplies(now: MonotonicMs): Uint8Array {
    const isSettled =
      this.#owedReplies === 0 && this.#repliedAt !== null && now - this.#repliedAt > BREATH_MS
    const stale = isSettled ? 0 : this.#openReplies
    if (stale > STALE_REPLIES_MAX) return new Uint8Array()
    this.#owedReplies = stale + 1
    this.#openReplies = stale + this.#owedReplies
    return joined(...Array.from({ length: this.#owedReplies }, () => statusInTurn))
  }

  #hearEcho(id: string): void {
    if (this.#id !== '' && id === this.#id) this.#answer = 'process-id'
    if (this.#isOpenTo('process-id') && this.#isOurs(id)) this.#rung = 'process-id'
  }

  /** Answers come in order: a printer that could echo would have done so before. */
  #hearStatus(now: MonotonicMs): void {
    this.#repliedAt = now
    this.#openReplies = Math.max(0, this.#openReplies - 1)
    if (this.#owedReplies === 0) return
    this.#owedReplies--
    if (this.#owedReplies > 0 || !this.#isOpenTo('status-reply')) return
    this.#rung = 'status-reply'
    this.#answer = 'status-reply'
  }

  /** A printer that was given up may only have been busy with what an earlier process left. */
  #isOpenTo(rung: Rung): boolean {
    return this.#rung === rung || (this.#isAuto && this.#rung !== 'process-id')
  }

  #isOurs(id: string): boolean {
    for (let number = this.#number; number > this.#firstNumber; number--)
      if (processId(number) === id) return true
    return false
  }
}
