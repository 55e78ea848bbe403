/**
 * A PiJuice made of memory: commands with checksums, and the fault of its highest bit, as the vendor's firmware and
 * program have them (Sources-V1.6, command_server.c; pijuice.py).
 */
import { after } from '../../runtime/core/time.js'
import type { Cancel, Clock } from '../../runtime/ports/clock.js'
import type { SimulatedChip } from './chips.js'

const POWER_OFF = 0x62
const NEVER = 0xff
const SECONDS_MAX = 250

export class PijuiceChip implements SimulatedChip {
  isPlugged = true
  readonly #clock: Clock
  /** The data of each command, without its checksum. */
  readonly answers = new Map<number, Uint8Array>()
  /** So many answers from now on come with the highest bit of the first byte lost. */
  lostBits = 0
  /** So many answers from now on come disturbed beyond repair. */
  disturbed = 0
  #cancelOff: Cancel = () => {}
  #isCut = false

  constructor(clock: Clock) {
    this.#clock = clock
    this.answer(0xfd, 0x16, 0x00)
    // A battery, charged from the board's own input, which is well.
    this.answer(0x40, 0b0011_0100)
    this.answer(0x41, 57)
    this.answer(0x47, 44, 0xff)
    this.answer(0x49, 0xea, 0x0d)
    this.answer(0x4b, 0xd0, 0x08)
    this.answer(POWER_OFF, NEVER)
  }

  answer(command: number, ...bytes: readonly number[]): void {
    this.answers.set(command, Uint8Array.from(bytes))
  }

  /** True: the computer has no power any more. */
  get isCut(): boolean {
    return this.#isCut
  }

  read(command: number, byteCount: number): Uint8Array {
    const data = this.answers.get(command) ?? new Uint8Array(1)
    const answer = new Uint8Array(byteCount).fill(0xff)
    answer.set([...data, checksum(data)].slice(0, byteCount))
    if (this.disturbed > 0) {
      this.disturbed--
      answer[byteCount - 1] = (answer[byteCount - 1] ?? 0) ^ 0x10
    } else if (this.lostBits > 0) {
      this.lostBits--
      answer[0] = (answer[0] ?? 0) & 0x7f
    }
    return answer
  }

  write(command: number, bytes: Uint8Array): void {
    const data = bytes.slice(0, -1)
    // A disturbed command does nothing.
    if (checksum(data) !== bytes[bytes.length - 1] || command !== POWER_OFF) return
    this.#schedule(data[0] ?? NEVER)
  }

  #schedule(seconds: number): void {
    this.#cancelOff()
    this.answer(POWER_OFF, seconds <= SECONDS_MAX ? seconds : NEVER)
    if (seconds > SECONDS_MAX) return
    this.#cancelOff = this.#clock.runAt(after(this.#clock.monotonicMs(), seconds * 1000), () => {
      this.#isCut = true
    })
  }
}

const checksum = (bytes: Uint8Array): number => bytes.reduce((sum, byte) => sum ^ byte, 0xff)
