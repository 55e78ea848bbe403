/**
 * MIDI timecode (MIDI 1.0 Detailed Specification, "MIDI Time Code", RP-004/008): a position takes eight quarter frame
 * messages, which is two frames; a jump is a full message. Pure.
 */
import { frameOfDay, frameOfLabel, labelOf, type TimecodeRate } from '../../core/timecode.js'
import type { MonotonicMs } from '../../ports/clock.js'
import type { Sighting } from './sighting.js'

const QUARTER_FRAME = 0xf1
const EXCLUSIVE = 0xf0
const EXCLUSIVE_END = 0xf7
/** What may come anywhere, also in the middle of another message: clock, active sensing and the like. */
const REAL_TIME_MIN = 0xf8
const STATUS_MIN = 0x80
/** `F0 7F <device> 01 01 hh mm ss ff F7`; 7F is every device. */
const FULL_HEAD = [0x7f, 0x7f, 0x01, 0x01] as const
const FULL_BYTES = 8
const PIECES = 8
/** So many frames are told in eight pieces. */
const FRAMES_PER_TELLING = 2
/** By the two bits that tell the rate. */
const types: readonly TimecodeRate[] = ['24', '25', '29.97df', '30']
export const QUARTERS = 4

/** The quarter frame that begins at a quarter of a frame: a telling begins with each even one. */
export function quarterFrame(frame: number, rate: TimecodeRate): Uint8Array {
  const told = Math.floor(frame / FRAMES_PER_TELLING) * FRAMES_PER_TELLING
  const piece = Math.floor((frame - told) * QUARTERS)
  const { hours, minutes, seconds, frames } = labelOf(told, rate)
  const top = types.indexOf(rate) * 2 + (hours >> 4)
  const nibbles = [frames, frames >> 4, seconds, seconds >> 4, minutes, minutes >> 4, hours, top]
  return Uint8Array.of(QUARTER_FRAME, (piece << 4) | ((nibbles[piece] ?? 0) & 0xf))
}

/** Where it is from now on, before the first quarter frame. */
export function fullFrame(frame: number, rate: TimecodeRate): Uint8Array {
  const { hours, minutes, seconds, frames } = labelOf(frame, rate)
  const top = (types.indexOf(rate) << 5) | hours
  return Uint8Array.of(EXCLUSIVE, ...FULL_HEAD, top, minutes, seconds, frames, EXCLUSIVE_END)
}

/** What was heard: a source that runs, or one that has been put elsewhere and does not. */
export interface MtcHeard {
  readonly sighting: Sighting
  readonly kind: 'running' | 'located'
  /** Of the pieces: against the order they have when time goes forward. */
  readonly isReverse: boolean
}

interface Known {
  readonly rate: TimecodeRate
  /** Where it was at the last piece. */
  readonly frame: number
}

export class MtcReader {
  readonly #nibbles = new Uint8Array(PIECES)
  /** How many pieces came one after the other. */
  #streak = 0
  #lastPiece = -1
  #direction: 1 | -1 = 1
  #known: Known | null = null
  /** Bytes of the exclusive message that is under way; null between them. */
  #exclusive: number[] | null = null
  /** The status whose data comes next; null for data that nobody here waits for. */
  #isQuarter = false

  /** @param at when these bytes came */
  read(bytes: Uint8Array, at: MonotonicMs): MtcHeard[] {
    return [...bytes].flatMap(byte => this.#hear(byte, at))
  }

  #hear(byte: number, at: MonotonicMs): MtcHeard[] {
    if (byte >= REAL_TIME_MIN) return []
    if (byte >= STATUS_MIN) return this.#begin(byte, at)
    if (this.#exclusive !== null) {
      // Longer ones are somebody else's, and are heard to their end without being kept.
      if (this.#exclusive.length <= FULL_BYTES) this.#exclusive.push(byte)
      return []
    }
    if (!this.#isQuarter) return []
    this.#isQuarter = false
    return this.#piece(byte >> 4, byte & 0xf, at)
  }

  #begin(status: number, at: MonotonicMs): MtcHeard[] {
    const exclusive = this.#exclusive
    this.#exclusive = status === EXCLUSIVE ? [] : null
    this.#isQuarter = status === QUARTER_FRAME
    if (status !== EXCLUSIVE_END || exclusive === null) return []
    return this.#full(exclusive, at)
  }

  #full(bytes: readonly number[], at: MonotonicMs): MtcHeard[] {
    const [all, , first, second, top = 0, minutes = 0, seconds = 0, frames = 0] = bytes
    if (bytes.length !== FULL_BYTES || all !== 0x7f || first !== 1 || second !== 1) return []
    this.#streak = 0
    this.#known = null
    const rate = types[(top >> 5) & 3] ?? '25'
    const frame = frameOfLabel({ hours: top & 0x1f, minutes, seconds, frames }, rate)
    return frame === null
      ? []
      : [{ kind: 'located', isReverse: false, sighting: { rate, frame, at } }]
  }

  #piece(piece: number, nibble: number, at: MonotonicMs): MtcHeard[] {
    const step = (piece - this.#lastPiece + PIECES) % PIECES
    const direction = step === 1 ? 1 : step === PIECES - 1 ? -1 : null
    const isNext = direction !== null && (this.#streak < 2 || direction === this.#direction)
    this.#lastPiece = piece
    this.#nibbles[piece] = nibble
    if (!isNext) this.#known = null
    this.#streak = isNext ? this.#streak + 1 : 1
    this.#direction = direction ?? this.#direction
    return this.#advance(piece, at)
  }

  #advance(piece: number, at: MonotonicMs): MtcHeard[] {
    const isReverse = this.#direction === -1
    if (this.#streak >= PIECES && piece === (isReverse ? 0 : PIECES - 1))
      this.#known = this.#told(isReverse)
    else if (this.#known !== null)
      this.#known = { ...this.#known, frame: this.#known.frame + this.#direction / QUARTERS }
    if (this.#known === null) return []
    const { rate, frame } = this.#known
    return [{ kind: 'running', isReverse, sighting: { rate, frame: frameOfDay(frame, rate), at } }]
  }

  /** The first piece of a telling comes when its frame begins, the last one two frames less a quarter later. */
  #told(isReverse: boolean): Known | null {
    const [f = 0, ff = 0, s = 0, ss = 0, m = 0, mm = 0, h = 0, top = 0] = this.#nibbles
    const rate = types[(top >> 1) & 3] ?? '25'
    const label = {
      hours: h | ((top & 1) << 4),
      minutes: m | (mm << 4),
      seconds: s | (ss << 4),
      frames: f | (ff << 4),
    }
    const frame = frameOfLabel(label, rate)
    if (frame === null) return null
    return { rate, frame: isReverse ? frame : frame + (PIECES - 1) / QUARTERS }
  }
}
