/**
 * A PCA9685 made of memory: registers, auto-increment, sleep and restart as NXP's data sheet (Rev. 4) tells them in
 * section 7.3, and the sixteen outputs that follow from them.
 */
import type { Clock, MonotonicMs } from '../../runtime/ports/clock.js'
import type { SimulatedChip } from './chips.js'

const Register = {
  mode1: 0x00,
  mode2: 0x01,
  subAddress1: 0x02,
  allCallAddress: 0x05,
  firstLed: 0x06,
  lastLed: 0x45,
  firstAllLed: 0xfa,
  lastAllLed: 0xfd,
  preScale: 0xfe,
} as const

const Mode1 = { restart: 0x80, autoIncrement: 0x20, sleep: 0x10, allCall: 0x01 } as const
const FULL = 0x10
const CHANNEL_COUNT = 16
const BYTES_PER_CHANNEL = 4
const COUNTS = 4096
/** Section 7.3.1.1: SLEEP must be 0 for so long before RESTART and the channels may be written. */
const OSCILLATOR_MS = 0.5

export class Pca9685Chip implements SimulatedChip {
  isPlugged = true
  readonly #clock: Clock
  readonly #isOutputEnabled: () => boolean
  readonly #bytes = new Uint8Array(256)
  #awakeSince: MonotonicMs | null = null
  /** False after an orderly shutdown or a sleep until the channels are restarted or loaded again. */
  #isRunning = false
  /** How often somebody broke a rule of the data sheet; a driver that is right leaves it at 0. */
  violations = 0

  /** @param isOutputEnabled the level of the OE pin, turned into meaning: true lets the outputs through */
  constructor(clock: Clock, isOutputEnabled: () => boolean) {
    this.#clock = clock
    this.#isOutputEnabled = isOutputEnabled
    this.reset()
  }

  /** What a loss of supply does: table 3 and the defaults of tables 5 to 8. */
  reset(): void {
    this.#bytes.fill(0)
    this.#bytes[Register.mode1] = Mode1.sleep | Mode1.allCall
    this.#bytes[Register.mode2] = 0x04
    this.#bytes.set([0xe2, 0xe4, 0xe8, 0xe0], Register.subAddress1)
    for (let channel = 0; channel < CHANNEL_COUNT; channel++) this.#bytes[offHigh(channel)] = FULL
    this.#bytes[Register.preScale] = 0x1e
    this.#awakeSince = null
    this.#isRunning = false
  }

  get isAsleep(): boolean {
    return (this.#mode1 & Mode1.sleep) !== 0
  }

  get preScale(): number {
    return this.#bytes[Register.preScale] ?? 0
  }

  /** Share of the time that an output is high, 0..1, as a meter on the pin would show it. */
  duty(channel: number): number {
    if (!this.#isOutputEnabled() || this.isAsleep || !this.#isRunning) return 0
    const at = Register.firstLed + channel * BYTES_PER_CHANNEL
    const [onLow = 0, onHigh = 0, offLow = 0, offHighByte = 0] = this.#bytes.subarray(at, at + 4)
    // Full OFF wins over full ON: table 6.
    if (offHighByte & FULL) return 0
    if (onHigh & FULL) return 1
    const on = ((onHigh & 0x0f) << 8) | onLow
    const off = ((offHighByte & 0x0f) << 8) | offLow
    return ((off - on + COUNTS) % COUNTS) / COUNTS
  }

  duties(): number[] {
    return Array.from({ length: CHANNEL_COUNT }, (_, channel) => this.duty(channel))
  }

  read(register: number, byteCount: number): Uint8Array {
    let pointer = register
    return Uint8Array.from({ length: byteCount }, () => {
      const isWriteOnly = pointer >= Register.firstAllLed && pointer <= Register.lastAllLed
      const byte = isWriteOnly ? 0 : (this.#bytes[pointer] ?? 0)
      pointer = this.#next(pointer)
      return byte
    })
  }

  write(register: number, bytes: Uint8Array): void {
    let pointer = register
    for (const byte of bytes) {
      this.#store(pointer, byte)
      pointer = this.#next(pointer)
    }
    // MODE2.OCH is 0: outputs change on the stop condition, and any write to a PWM register clears RESTART.
    if (isPwmRegister(register)) {
      // Table 5, note 2: outputs are not what they should be when set while the oscillator starts.
      if (this.#awakeMs < OSCILLATOR_MS && !this.isAsleep) this.violations++
      this.#bytes[Register.mode1] = this.#mode1 & ~Mode1.restart
      this.#isRunning = true
      this.#noteEqualCounts()
    }
  }

  get #mode1(): number {
    return this.#bytes[Register.mode1] ?? 0
  }

  /** Section 7.3: past register 69 comes MODE1; 250 to 254 count on too, then roll over to 0. */
  #next(pointer: number): number {
    if ((this.#mode1 & Mode1.autoIncrement) === 0) return pointer
    return pointer === Register.lastLed || pointer === Register.preScale ? 0 : (pointer + 1) & 0xff
  }

  #store(register: number, byte: number): void {
    if (register === Register.mode1) this.#storeMode1(byte)
    else if (register === Register.mode2) this.#bytes[register] = byte & 0x1f
    else if (register <= Register.allCallAddress) this.#bytes[register] = byte & 0xfe
    else if (register <= Register.lastLed) this.#storeLed(register, byte)
    else if (register >= Register.firstAllLed && register <= Register.lastAllLed)
      for (let channel = 0; channel < CHANNEL_COUNT; channel++)
        this.#storeLed(
          Register.firstLed + channel * BYTES_PER_CHANNEL + register - Register.firstAllLed,
          byte,
        )
    else if (register === Register.preScale) this.#storePreScale(byte)
    else this.violations++
  }

  #storeLed(register: number, byte: number): void {
    const isHighByte = (register - Register.firstLed) % 2 === 1
    this.#bytes[register] = isHighByte ? byte & 0x1f : byte
  }

  #storePreScale(byte: number): void {
    if (!this.isAsleep) this.violations++
    else this.#bytes[Register.preScale] = Math.max(3, byte)
  }

  #storeMode1(byte: number): void {
    const wasAsleep = this.isAsleep
    const restart = this.#mode1 & Mode1.restart
    this.#bytes[Register.mode1] = (byte & ~Mode1.restart) | restart
    if (!wasAsleep && this.isAsleep) this.#fallAsleep()
    if (wasAsleep && !this.isAsleep) this.#awakeSince = this.#clock.monotonicMs()
    if (byte & Mode1.restart) this.#restart(wasAsleep)
  }

  /** Section 7.3.1.1: RESTART shows that channels were running; after an orderly shutdown it stays 0. */
  #fallAsleep(): void {
    this.#awakeSince = null
    const isAnyOn = this.#isRunning && this.#offHighBytes().some(byte => (byte & FULL) === 0)
    if (isAnyOn) this.#bytes[Register.mode1] = this.#mode1 | Mode1.restart
    this.#isRunning = false
  }

  get #awakeMs(): number {
    return this.#awakeSince === null ? 0 : this.#clock.monotonicMs() - this.#awakeSince
  }

  #restart(wasAsleep: boolean): void {
    if (wasAsleep || this.#awakeMs < OSCILLATOR_MS) {
      this.violations++
      return
    }
    if (this.#mode1 & Mode1.restart) this.#isRunning = true
    this.#bytes[Register.mode1] = this.#mode1 & ~Mode1.restart
  }

  /** Section 7.3.4: ON and OFF counts must never be the same, unless full ON or full OFF overrules them. */
  #noteEqualCounts(): void {
    for (let channel = 0; channel < CHANNEL_COUNT; channel++) {
      const at = Register.firstLed + channel * BYTES_PER_CHANNEL
      const [onHigh, offHighByte] = [this.#bytes[at + 1] ?? 0, this.#bytes[at + 3] ?? 0]
      const isFull = ((onHigh | offHighByte) & FULL) !== 0
      const isSameLow = this.#bytes[at] === this.#bytes[at + 2]
      if (!isFull && isSameLow && onHigh === offHighByte) this.violations++
    }
  }

  #offHighBytes(): number[] {
    return Array.from({ length: CHANNEL_COUNT }, (_, at) => this.#bytes[offHigh(at)] ?? 0)
  }
}

const offHigh = (channel: number): number => Register.firstLed + channel * BYTES_PER_CHANNEL + 3

const isPwmRegister = (register: number): boolean =>
  (register >= Register.firstLed && register <= Register.lastLed) ||
  (register >= Register.firstAllLed && register <= Register.lastAllLed)
