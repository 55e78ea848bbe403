import type { Cancel, MonotonicMs } from './clock.js'

/**
 * What the machine offers a driver, by the names in the board definition.
 * Nothing is touched until the returned object is opened.
 * @throws ConfigError when the board has no line, bus or port of that name.
 */
export interface Host extends Attachments {
  outputLine(name: string): OutputLine
  inputLine(name: string, options: InputLineOptions): InputLine
  /** What the board calls active on a line: for a driver whose chip fixes what a high or a low level means. */
  activeLevel(line: string): 'high' | 'low'
  pwmOutput(name: string): PwmOutput
  /** One address (7 bit) on one bus: a driver cannot talk to its neighbour. */
  i2cDevice(bus: string, address: number): I2cDevice
  byteStream(name: string): ByteStream
}

/** What is plugged into the machine, or reached over its network, rather than wired to the board. */
export interface Attachments {
  /**
   * A printer of the USB printer class. @param which `any` for the only one that is plugged in, a serial number as the
   * printer tells it, or a device file such as `/dev/usb/lp0`
   */
  usbPrinter(which: string): ByteStream
  /**
   * @param host name or address; @param port 1..65535
   * @param use `alone`, as when left out: nobody else of this process is connected there at the same time. `beside`:
   * others may be, each by a connection of its own.
   */
  tcpStream(host: string, port: number, use?: 'alone' | 'beside'): ByteStream
  /** A battery or charger that the kernel has a driver for. @param name as below /sys/class/power_supply */
  powerSupply(name: string): PowerSupply
}

/** Where a moment was taken: in the kernel's interrupt, by the firing thread, or by the program later on. */
export type StampSource = 'kernel' | 'firing' | 'program'

/** When a planned change of a line happened. */
export interface Fired {
  /** What was asked for. */
  readonly plannedMs: MonotonicMs
  /** Just after the change was handed to the kernel. */
  readonly firedMs: MonotonicMs
  readonly source: StampSource
}

/** Lines speak in meaning, not in volts: `true` is active, whatever the wiring. */
export interface OutputLine {
  readonly name: string
  /** Takes the line as an output that starts in the given state. Throws DeviceError (absent, busy, denied). */
  open(isActive: boolean): Promise<void>
  /** Sets the line at once. Throws DeviceError when the line is gone. */
  set(isActive: boolean): void
  /**
   * Sets the line at `at` from the firing thread, whatever the main thread does meanwhile; at once if `at` is past.
   * `done` hears when it happened, or is not called when cancelled in time. At most 256 changes wait for one line.
   */
  setAt(isActive: boolean, at: MonotonicMs, done: (fired: Fired) => void): Cancel
  /** Drops what is planned, leaves the line in its safe state and lets go of it. Safe to call twice. */
  close(): Promise<void>
}

export interface InputLineOptions {
  /** The line must be quiet for so long before a change counts; 0 for none. 0..1000 */
  readonly debounceMs: number
}

export interface Edge {
  readonly isActive: boolean
  readonly at: MonotonicMs
  readonly source: StampSource
}

export interface InputLine {
  readonly name: string
  open(): Promise<void>
  isActive(): boolean
  onEdge(listener: (edge: Edge) => void): Cancel
  close(): Promise<void>
}

/** A duty of zero is its safe state: taken by `open` and `close`, and by the host when the process no longer can. */
export interface PwmOutput {
  readonly name: string
  /** Takes the channel with a duty of zero. Throws DeviceError (absent, busy, denied). `frequencyHz`: 1..100000 */
  open(frequencyHz: number): Promise<void>
  /** Share of the period that the output is active, 0..1. */
  setDuty(duty: number): void
  close(): Promise<void>
}

/** Every call waits its turn on the bus, ends within the bus's time limit, and fails with a DeviceError. */
export interface I2cDevice {
  readonly address: number
  /** @param byteCount 1..32 */
  readRegister(register: number, byteCount: number): Promise<Uint8Array>
  /** @param bytes 1..32 bytes, sent in one transfer */
  writeRegister(register: number, bytes: Uint8Array): Promise<void>
  /**
   * What makes the chip safe. The host writes it, in order, when this process no longer can: it died, however it died,
   * or its main thread is silent. Null, as at first: nothing. 1 to 4 writes.
   * Throws DeviceError `device.busy` while another process has last words for this chip.
   */
  setLastWords(writes: readonly RegisterWrite[] | null): Promise<void>
  /**
   * Sets time on the bus aside for transfers that are to end by `until`, as late as the other drivers on the bus leave
   * it free. A word among drivers, so that none of what they want for one moment is late: nobody is kept from the bus.
   */
  reserve(durationMs: number, until: MonotonicMs): BusTime
  /**
   * Readies the host to write to this chip at moments that are planned. Once at a time for each chip; last words are said
   * before. Throws DeviceError (absent, busy, denied).
   */
  planWrites(): Promise<PlannedWrites>
}

/**
 * Writes to one chip that happen at their moments, by a thread of the host, whatever the main thread does meanwhile. In
 * the order of their moments; of equal ones, of the asking. When the host has carried out last words because the main
 * thread was silent, what was planned is dropped.
 */
export interface PlannedWrites {
  /**
   * Plans 1 to 4 writes that belong together: begun at `at`, at once when that is past. A transfer that fails is tried
   * three times. `done` hears how it ended, and not before this call has returned. Throws DeviceError: `device.limit` when
   * 256 wait for the chip, `device.stuck` while the bus hangs, `device.absent` after `close`.
   */
  add(
    writes: readonly RegisterWrite[],
    at: MonotonicMs,
    done: (outcome: WriteOutcome) => void,
  ): PlannedWrite
  /** What waits is not written, and its `done` not called; what is under way ends after the transfer on the bus. */
  drop(): void
  /** As `drop`; resolves when nothing is under way any more, after which no `done` is called. Safe to call twice. */
  close(): Promise<void>
}

export interface PlannedWrite {
  /** True: it is never written, and `done` not called. False: it has begun, and `done` hears of it if it has not. */
  cancel(): boolean
}

export type WriteOutcome =
  | {
      readonly kind: 'written'
      /** Just before the first transfer was handed to the kernel, and just after the last one had ended. */
      readonly beganMs: MonotonicMs
      readonly endedMs: MonotonicMs
      readonly source: StampSource
    }
  /** Not written: what was planned for later was due as well by then, and writes all of it. */
  | { readonly kind: 'overtaken' }
  /** Not written to its end: by `drop`, or because the main thread was silent. */
  | { readonly kind: 'dropped' }
  /** A DeviceError. What was planned for the chip besides may have been dropped. */
  | { readonly kind: 'failed'; readonly error: Error }

/** Time on a bus that a driver has set aside. */
export interface BusTime {
  /** When to begin; in the past for what cannot be on time any more. */
  readonly from: MonotonicMs
  /** Gives it back, should it not be used. Safe to call twice. */
  readonly release: Cancel
}

/** As `writeRegister` is called. */
export interface RegisterWrite {
  readonly register: number
  /** 1..32 bytes, sent in one transfer */
  readonly bytes: Uint8Array
}

/** A serial port, a printer's device file, a socket: bytes out, bytes in. One handle may have it open at a time. */
export interface ByteStream {
  readonly name: string
  /** Takes it. Throws DeviceError (absent, busy, denied, timeout). */
  open(): Promise<void>
  /**
   * Resolves when the kernel has taken all bytes, which says nothing about the far side. Writes are taken in order. Waits
   * for as long as the far side takes nothing; `close`, or the loss of the far side, ends the wait with a DeviceError.
   * Throws DeviceError `device.limit` when a megabyte waits already.
   */
  write(bytes: Uint8Array): Promise<void>
  /** How many bytes the kernel has taken since `open`: never fewer than the far side has got. Stands after a loss. */
  takenBytes(): number
  /** What the far side says. What it said since `open` is kept for the first who listens, some kilobytes of it. */
  onBytes(listener: (bytes: Uint8Array) => void): Cancel
  /**
   * The far side is gone: unplugged, switched off, hung up. Called once for each `open`, and not after `close`. Writes
   * that wait have been ended, and the stream may be opened again.
   */
  onLost(listener: (why: Error) => void): Cancel
  /** What waits to be written is dropped. Safe to call twice. */
  close(): Promise<void>
}

/** One entry of the kernel's power supply class (Documentation/ABI/testing/sysfs-class-power). */
export interface PowerSupply {
  readonly name: string
  /** Its `uevent`: lines of `POWER_SUPPLY_CAPACITY=87`. Throws DeviceError `device.absent`, `device.io`. */
  read(): Promise<string>
}
