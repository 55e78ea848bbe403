/** Of what a port heard and could not use: tells a technician what else is on the cable. */
import type { Message } from './message.js'
import type { Packet } from './port.js'

interface PacketFaults {
  readonly malformed: number
  /** PTP of 2002, as some audio networks speak it on the same ports. */
  readonly otherVersion: number
  readonly otherDomain: number
}

/** With what else was heard: masters are those that are known now. */
export interface Counts extends PacketFaults {
  /** Exchanges whose path delay would have been negative. */
  readonly refused: number
  /** Requests that came too often to be answered. */
  readonly unanswered: number
  readonly masters: number
}

export class PacketCounts {
  #malformed = 0
  #otherVersion = 0
  #otherDomain = 0

  get faults(): PacketFaults {
    return {
      malformed: this.#malformed,
      otherVersion: this.#otherVersion,
      otherDomain: this.#otherDomain,
    }
  }

  /** @param message what was read of it; null where that was nothing */
  note(message: Message | null, packet: Packet, domain: number): void {
    if (message !== null) this.#otherDomain += message.header.domain === domain ? 0 : 1
    else if (isOfVersionOne(packet)) this.#otherVersion++
    else this.#malformed++
  }
}

/** There the version is the first two bytes (IEEE 1588-2002, table 2). */
const isOfVersionOne = ({ bytes: [first, second] }: Packet): boolean => first === 0 && second === 1
