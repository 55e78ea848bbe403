/**
 * What clients send is dealt with a little at a time, and who has sent the least lately comes first: a flood keeps
 * neither the lights nor a GO waiting. Nobody's own packets overtake each other, and nothing is lost: who must wait is
 * not read from, and TCP tells the sender.
 */
import { after } from '../../core/time.js'
import type { Clock, MonotonicMs } from '../../ports/clock.js'
import type { InnerClient } from './aedes-inside.js'

/** A quarter of a frame; then the main loop is free for the others. */
const SLICE_MS = 6
/** What packets set off is done after them, and must not pile up behind one slice: so many, or fewer that are long. */
const SLICE_PACKETS = 32
/** A packet of so many bytes counts twice, as it may hold many filters. */
const PACKET_BYTES = 256
/** What was used counts half after so long. */
const HALF_LIFE_MS = 1_000
/** Acknowledgements and pings cost little, and ask for nothing: so many count as one packet. */
const SMALL_PER_TURN = 64
/** CONNECT, PUBLISH, SUBSCRIBE, UNSUBSCRIBE: the first four bits of a packet, MQTT 3.1.1 section 2.2.1. */
const LARGE_TYPES: ReadonlySet<number> = new Set([1, 3, 8, 10])
/** Less than a millisecond from now is the next turn of the main loop. */
const NEXT_TURN_MS = 0.05
const NOTHING = Buffer.alloc(0)

/** How many packets a client has sent lately. */
export class Usage {
  #packets = 0
  #at: MonotonicMs | null = null

  note(packets: number, now: MonotonicMs): void {
    this.#packets = this.read(now) + packets
    this.#at = now
  }

  read(now: MonotonicMs): number {
    return this.#at === null ? 0 : this.#packets * 2 ** ((this.#at - now) / HALF_LIFE_MS)
  }
}

interface Waiting {
  readonly usage: Usage
  readonly go: () => void
}

export class Intake {
  readonly #clock: Clock
  /** One entry per client that waits, so it is as long as there are connections at most. */
  readonly #waiting: Waiting[] = []
  /** When the time of this turn of the loop is over; null when none of it is used. */
  #sliceEnd: MonotonicMs | null = null
  #slicePackets = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** A packet was read. */
  note(usage: Usage, isSmall: boolean, byteCount: number): void {
    const packets = isSmall ? 1 / SMALL_PER_TURN : 1 + byteCount / PACKET_BYTES
    usage.note(packets, this.#clock.monotonicMs())
    this.#slicePackets += packets
  }

  /** There is time in this turn of the loop, and nobody waits who has sent less. */
  isFree(usage: Usage): boolean {
    if (!this.#hasTime()) return false
    const now = this.#clock.monotonicMs()
    const own = usage.read(now)
    return this.#waiting.every(other => other.usage.read(now) > own)
  }

  /** Calls back when it is the caller's turn: each caller waits once at a time. */
  wait(usage: Usage, go: () => void): void {
    this.#waiting.push({ usage, go })
    // Sees to it that there is a next slice.
    this.#hasTime()
  }

  #hasTime(): boolean {
    const now = this.#clock.monotonicMs()
    if (this.#sliceEnd === null) {
      this.#sliceEnd = after(now, SLICE_MS)
      this.#slicePackets = 0
      this.#clock.runAt(after(now, NEXT_TURN_MS), () => this.#nextSlice())
    }
    return now < this.#sliceEnd && this.#slicePackets < SLICE_PACKETS
  }

  #nextSlice(): void {
    this.#sliceEnd = null
    while (this.#waiting.length > 0 && this.#hasTime()) this.#takeNext()?.go()
  }

  /** Of those who have sent as much, the one that has waited longest. */
  #takeNext(): Waiting | undefined {
    const now = this.#clock.monotonicMs()
    let [best, least] = [0, Number.POSITIVE_INFINITY]
    for (const [index, { usage }] of this.#waiting.entries()) {
      const packets = usage.read(now)
      if (packets < least) [best, least] = [index, packets]
    }
    return this.#waiting.splice(best, 1)[0]
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
  const parsePayload = parser._parsePayload.bind(parser)
  const read = conn.read.bind(conn)
  const usage = new Usage()
  let isHeld = false
  let isParsing = false
  let isSmall = false
  let smallLeft = 0
  let isMyTurn = false

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
  const hold = (until: MonotonicMs | null): void => {
    isHeld = true
    if (until === null) intake.wait(usage, goOn)
    else clock.runAt(until, () => intake.wait(usage, goOn))
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
  parser._parsePayload = () => {
    const isComplete = parsePayload()
    if (isComplete) intake.note(usage, isSmall, parser.packet.length)
    return isComplete
  }
  const mayGoOn = (): boolean => {
    if (!isMyTurn) return intake.isFree(usage)
    isMyTurn = isSmall && --smallLeft > 0
    return true
  }
  // Between two packets: to the parser it looks as if there were no more bytes yet.
  parser._parseHeader = () => {
    isSmall = !LARGE_TYPES.has(parser._list.readUInt8(0) >> 4)
    const turn = isSmall ? null : nextTurn()
    if (turn === null && mayGoOn()) return parseHeader()
    hold(turn)
    return false
  }
}
