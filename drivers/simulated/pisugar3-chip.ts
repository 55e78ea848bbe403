/**
 * A PiSugar 3 made of memory: byte registers, its write protection, and the delayed switch of its output, as the vendor's
 * "PiSugar3 I2C Datasheet" tells them. It answers one register at a time.
 */
import { after } from '../../runtime/core/time.js'
import type { Clock } from '../../runtime/ports/clock.js'
import type { SimulatedChip } from './chips.js'

const Register = { control1: 0x02, offDelay: 0x09, writeEnable: 0x0b } as const
const OUTPUT_ON = 0x20
/** Power is there, and the cell may charge. */
const EXTERNAL = 0xc0

export class PiSugar3Chip implements SimulatedChip {
  isPlugged = true
  readonly registers = new Uint8Array(256)
  readonly #clock: Clock
  #isWritable = false
  #isCut = false
  /** How often somebody wrote to a register that was protected, or to one that is not described. */
  violations = 0
  /** Called before each read, as time goes on between two transfers. */
  beforeRead: (register: number) => void = () => {}

  constructor(clock: Clock) {
    this.#clock = clock
    this.registers.set([3, 0x0f, OUTPUT_ON | EXTERNAL])
    this.registers[0x04] = 40 + 31
    this.registers[0x2a] = 87
    this.setMillivolts(4127)
    this.setFirmware('1.2.8')
  }

  setMillivolts(millivolts: number): void {
    this.registers[0x22] = millivolts >> 8
    this.registers[0x23] = millivolts & 0xff
  }

  setExternal(isExternal: boolean): void {
    const control1 = this.registers[Register.control1] ?? 0
    this.registers[Register.control1] = isExternal ? control1 | 0x80 : control1 & 0x7f
  }

  setFirmware(text: string): void {
    this.registers.fill(0, 0xe2, 0xf2)
    this.registers.set(new TextEncoder().encode(text), 0xe2)
  }

  /** True: the computer has no power any more. */
  get isCut(): boolean {
    return this.#isCut
  }

  read(register: number, byteCount: number): Uint8Array {
    this.beforeRead(register)
    // What the firmware does within a transfer is not described: a driver must not lean on it.
    return Uint8Array.from({ length: byteCount }, (_, at) =>
      at === 0 ? (this.registers[register] ?? 0) : 0xff,
    )
  }

  write(register: number, bytes: Uint8Array): void {
    const [byte = 0] = bytes
    if (register === Register.writeEnable) {
      this.#isWritable = byte === 0x29
      return
    }
    const isDescribed = register === Register.control1 || register === Register.offDelay
    if (!(this.#isWritable && isDescribed)) {
      this.violations++
      return
    }
    const wasOn = ((this.registers[Register.control1] ?? 0) & OUTPUT_ON) !== 0
    this.registers[register] = byte
    if (register === Register.control1 && wasOn && (byte & OUTPUT_ON) === 0) this.#countDown()
  }

  #countDown(): void {
    const delayMs = (this.registers[Register.offDelay] ?? 0) * 1000
    this.#clock.runAt(after(this.#clock.monotonicMs(), delayMs), () => {
      this.#isCut = true
    })
  }
}
