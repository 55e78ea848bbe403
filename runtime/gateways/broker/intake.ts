/**
 * What clients send is dealt with a little at a time, the clients taking turns, and who has said nothing for a while goes
 * first: a flood keeps neither the lights nor a GO waiting. Nobody's own packets overtake each other, and nothing is
 * lost: who must wait is not read from, and TCP tells the sender.
 */
import { after } from '../../core/time.js'
import type { Clock, MonotonicMs } from '../../ports/clock.js'
import type { InnerClient } from './aedes-inside.js'

/** A quarter of a frame; then the main loop is free for the others. */
const SLICE_MS = 6
/** Who has been silent for so long comes before those who have much to say. */
const SILENT_MS = 20
/** Acknowledgements and pings cost little, and ask for nothing: so many count as one packet. */
const SMALL_PER_TURN = 64
/** CONNECT, PUBLISH, SUBSCRIBE, UNSUBSCRIBE: the first four bits of a packet, MQTT 3.1.1 section 2.2.1. */
const LARGE_TYPES: ReadonlySet<number> = new Set([1, 3, 8, 10])
/** Less than a millisecond from now is the next turn of the main loop. */
const NEXT_TURN_MS = 0.05
const NOTHING = Buffer.alloc(0)

export class Intake {
  readonly #clock: Clock
  /** Those who wait, in the order of their turns: first the ones who had been silent. */
  readonly #silent: (() => void)[] = []
  readonly #others: (() => void)[] = []
  /** When the time of this turn of the loop is over; null when none of it is used. */
  #sliceEnd: MonotonicMs | null = null

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** There is time in this turn of the loop, and nobody waits who would come before. */
  isFree(wasSilent: boolean): boolean {
    const before = wasSilent ? this.#silent.length : this.#silent.length + this.#others.length
    return before === 0 && this.#hasTime()
  }

  /** Calls back when it is the caller's turn: each caller waits once at a time. */
  wait(wasSilent: boolean, go: () => void): void {
    if (wasSilent) this.#silent.push(go)
    else this.#others.push(go)
    // Sees to it that there is a next slice.
    this.#hasTime()
  }

  #hasTime(): boolean {
    const now = this.#clock.monotonicMs()
    if (this.#sliceEnd === null) {
      this.#sliceEnd = after(now, SLICE_MS)
      this.#clock.runAt(after(now, NEXT_TURN_MS), () => this.#nextSlice())
    }
    return now < this.#sliceEnd
  }

  #nextSlice(): void {
    this.#sliceEnd = null
    while (this.#silent.length + this.#others.length > 0 && this.#hasTime()) {
      const go = this.#silent.shift() ?? this.#others.shift()
      go?.()
    }
  }
}

/**
 * Lets the client's parser go on only while there is time, and never before the client's own turn.
 * To be put on before the first byte is read.
 * @param nextTurn when the client may be heard next; null for at once
 */
export function paceParser(
  client: InnerClient,
  clock: Clock,
  intake: Intake,
  nextTurn: () => MonotonicMs | null,
): void {
  const { _parser: parser, conn } = client
  const parse = parser.parse.bind(parser)
  const parseHeader = parser._parseHeader.bind(parser)
  const read = conn.read.bind(conn)
  let isHeld = false
  let isParsing = false
  let smallLeft = 0
  let isMyTurn = false
  let heardAt = clock.monotonicMs()

  const goOn = (): void => {
    isHeld = false
    isMyTurn = true
    smallLeft = SMALL_PER_TURN
    if (!client.closed) parser.parse(NOTHING)
    isMyTurn = false
    // What has come meanwhile was not read, and nobody will say again that it is there.
    if (!isHeld && !client.closed && client._parsingBatch === 0) {
      const bytes: unknown = conn.read()
      if (bytes instanceof Buffer) parser.parse(bytes)
    }
  }
  const hold = (until: MonotonicMs | null, wasSilent: boolean): void => {
    isHeld = true
    if (until === null) intake.wait(wasSilent, goOn)
    else clock.runAt(until, () => intake.wait(false, goOn))
  }

  // aedes reads on whenever a packet is done, also from within the parser, which cannot be entered twice.
  conn.read = size => ((isHeld || isParsing) && size !== 0 ? null : read(size))
  parser.parse = bytes => {
    isParsing = true
    try {
      return parse(bytes)
    } finally {
      isParsing = false
    }
  }
  const mayGoOn = (isSmall: boolean, wasSilent: boolean): boolean => {
    if (!isMyTurn) return intake.isFree(wasSilent)
    isMyTurn = isSmall && --smallLeft > 0
    return true
  }
  // Between two packets: to the parser it looks as if there were no more bytes yet.
  parser._parseHeader = () => {
    const isSmall = !LARGE_TYPES.has(parser._list.readUInt8(0) >> 4)
    const turn = isSmall ? null : nextTurn()
    const now = clock.monotonicMs()
    const wasSilent = now - heardAt > SILENT_MS
    if (turn !== null || !mayGoOn(isSmall, wasSilent)) {
      hold(turn, wasSilent)
      return false
    }
    if (!isSmall) heardAt = now
    return parseHeader()
  }
}
