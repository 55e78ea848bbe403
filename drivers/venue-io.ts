/**
 * An IO plugin that lets a johnny-five sketch use a venue box by the names of its board: `new five.Led('light-1')`.
 * It speaks johnny-five's own protocol (the wiki page "IO Plugins"): methods like Firmata's, events by name.
 *
 * For sketches beside the box or in place of it: a line has one user, and a show's lights belong to the show.
 */
import { ConfigError, DeviceError } from '../runtime/core/errors.js'
import { repeat } from '../runtime/core/repeat.js'
import type { Cancel, Clock } from '../runtime/ports/clock.js'
import type { Host } from '../runtime/ports/host.js'
import { MODES, type PinRecord, type VenueBoard, VenuePins } from './venue-pins.js'

export interface VenueIoOptions {
  readonly board: VenueBoard
  /** The I2C bus of components that name none; the board's first when null. */
  readonly bus: string | null
  /** Of the lines a sketch reads. 0..1000 */
  readonly debounceMs: number
  /** How often a continuous I2C read is repeated. 1..65535 */
  readonly readEveryMs: number
  readonly pwmFrequencyHz: number
}

export const venueIoDefaults: Omit<VenueIoOptions, 'board'> = {
  bus: null,
  debounceMs: 5,
  readEveryMs: 20,
  pwmFrequencyHz: 1000,
}

type Listener = (value?: unknown) => void
type Bytes = readonly number[]
type Received = (bytes: number[]) => void

const READS_MAX = 64
const PWM_MAX = 255

export class VenueIO {
  readonly name = 'VenueIO'
  /** Nothing has to be waited for: lines are opened when a component asks for them. */
  readonly isReady = true
  readonly MODES = MODES
  readonly HIGH = 1
  readonly LOW = 0
  /** No line is analog. */
  readonly analogPins: readonly number[] = []
  readonly RESOLUTION = { PWM: PWM_MAX } as const
  readonly #host: Host
  readonly #clock: Clock
  readonly #options: VenueIoOptions
  readonly #pins: VenuePins
  readonly #listeners = new Map<string, Set<Listener>>()
  readonly #busOf = new Map<number, string>()
  #reads: Cancel[] = []
  #readEveryMs: number

  /**
   * @param five what `loadJohnnyFive` returned: the proof that its animations cannot stop the process
   * @throws ConfigError when johnny-five was loaded by other means
   */
  constructor(
    five: { readonly isSteady?: unknown },
    host: Host,
    clock: Clock,
    options: VenueIoOptions,
  ) {
    if (five.isSteady !== true) throw unsteady()
    this.#host = host
    this.#clock = clock
    this.#options = options
    this.#readEveryMs = options.readEveryMs
    this.#pins = new VenuePins(host, options.board, options, fault => this.#fail(fault))
  }

  get pins(): readonly PinRecord[] {
    return this.#pins.records
  }

  /** Stops all reading and leaves every line in its safe state. */
  async close(): Promise<void> {
    for (const cancel of this.#reads) cancel()
    this.#reads = []
    await this.#pins.closeAll()
  }

  // Events, as far as johnny-five uses them.

  on(event: string, listener: Listener): this {
    const listeners = this.#listeners.get(event) ?? new Set()
    this.#listeners.set(event, listeners.add(listener))
    return this
  }

  once(event: string, listener: Listener): this {
    const once: Listener = value => {
      this.removeListener(event, once)
      listener(value)
    }
    return this.on(event, once)
  }

  removeListener(event: string, listener: Listener): this {
    this.#listeners.get(event)?.delete(listener)
    return this
  }

  emit(event: string, value?: unknown): boolean {
    const listeners = [...(this.#listeners.get(event) ?? [])]
    for (const listener of listeners) listener(value)
    return listeners.length > 0
  }

  // Lines.

  normalize(pin: string | number): number {
    return this.#pins.indexOf(pin)
  }

  pinMode(pin: string | number, mode: number): void {
    this.#pins.setMode(pin, mode)
  }

  digitalWrite(pin: string | number, value: number | boolean): void {
    this.#pins.write(pin, value ? 1 : 0)
  }

  digitalRead(pin: string | number, listener: Listener): void {
    const event = `digital-read-${this.#pins.indexOf(pin)}`
    this.on(event, listener)
    this.#pins.read(pin, level => void this.emit(event, level))
  }

  /** @param value 0..255 */
  pwmWrite(pin: string | number, value: number): void {
    this.#pins.write(pin, Math.min(1, Math.max(0, value / PWM_MAX)))
  }

  analogWrite(pin: string | number, value: number): void {
    this.pwmWrite(pin, value)
  }

  analogRead(pin: string | number): void {
    this.#pins.setMode(pin, MODES.ANALOG)
  }

  servoWrite(pin: string | number): void {
    this.#pins.setMode(pin, MODES.SERVO)
  }

  servoConfig(pin: string | number): void {
    this.#pins.setMode(pin, MODES.SERVO)
  }

  setSamplingInterval(everyMs: number): void {
    this.#readEveryMs = Math.min(65_535, Math.max(1, everyMs))
  }

  // I2C.

  i2cConfig(options: { readonly address?: number; readonly bus?: unknown } | number): void {
    if (typeof options === 'number') return
    const { address, bus } = options
    if (address !== undefined && typeof bus === 'string') this.#busOf.set(address, bus)
  }

  /** `i2cWrite(address, [register, ...bytes])` or `i2cWrite(address, register, bytes)`. */
  i2cWrite(address: number, first: number | Bytes, rest: Bytes = []): void {
    const [register, ...bytes] = [first, rest].flat()
    if (register === undefined || bytes.length === 0)
      throw new DeviceError(
        'device.limit',
        `0x${address.toString(16)}: a venue box writes to registers; chips without any (PCF8574, PCF8591) are not supported`,
      )
    this.#write(address, register, bytes)
  }

  i2cWriteReg(address: number, register: number, value: number): void {
    this.#write(address, register, [value])
  }

  /** Reads again and again, as johnny-five means it. */
  i2cRead(address: number, register: number, byteCount: number, listener: Received): void {
    const read = this.#reader(address, register, byteCount, listener)
    if (this.#reads.length >= READS_MAX)
      throw new DeviceError('device.limit', `a sketch has at most ${READS_MAX} continuous reads`)
    let isFailing = false
    this.#reads.push(
      repeat(this.#clock, this.#readEveryMs, async () => {
        try {
          await read()
          isFailing = false
        } catch (fault) {
          // Once per failure, not fifty times a second.
          if (!isFailing) this.#fail(fault)
          isFailing = true
        }
      }),
    )
  }

  i2cReadOnce(address: number, register: number, byteCount: number, listener: Received): void {
    this.#reader(address, register, byteCount, listener)().catch((fault: unknown) =>
      this.#fail(fault),
    )
  }

  #reader(
    address: number,
    register: number,
    byteCount: number,
    listener: Received,
  ): () => Promise<void> {
    // Without a register the listener comes third.
    if (typeof byteCount !== 'number' || typeof listener !== 'function')
      throw new DeviceError(
        'device.limit',
        `0x${address.toString(16)}: a venue box reads from registers; this component reads without one`,
      )
    const device = this.#host.i2cDevice(this.#bus(address), address)
    return async () => listener([...(await device.readRegister(register & 0xff, byteCount))])
  }

  /** Johnny-five leaves it to the plugin to cut numbers down to bytes: its PCA9685 sends 4096 and fractions. */
  #write(address: number, register: number, bytes: Bytes): void {
    this.#host
      .i2cDevice(this.#bus(address), address)
      .writeRegister(register & 0xff, Uint8Array.from(bytes))
      .catch((fault: unknown) => this.#fail(fault))
  }

  #bus(address: number): string {
    const bus =
      this.#busOf.get(address) ?? this.#options.bus ?? this.#options.board.i2cBuses[0]?.name
    if (bus === undefined) throw new DeviceError('device.absent', 'this board has no I2C bus')
    return bus
  }

  /** The board of the sketch passes it on as its own event. A fault that nobody listens to ends the sketch. */
  #fail(fault: unknown): void {
    if (!this.emit('error', fault)) throw fault
  }
}

const unsteady = (): ConfigError =>
  new ConfigError([
    {
      path: 'five',
      message:
        'must come from loadJohnnyFive(): loaded otherwise, a fade stops the process when the clock is set',
      place: null,
    },
  ])
