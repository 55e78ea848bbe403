/** The real machine: opens what the board names, in the ways that this kernel offers. */
import type { Board, BoardLine } from '../../boards/board.js'
import { closeAll } from '../../runtime/core/close-all.js'
import { assert, BoxError, ConfigError } from '../../runtime/core/errors.js'
import { suggestion } from '../../runtime/core/nearest.js'
import { Signal } from '../../runtime/core/signal.js'
import { after } from '../../runtime/core/time.js'
import type { Clock } from '../../runtime/ports/clock.js'
import type {
  ByteStream,
  Host,
  I2cDevice,
  InputLine,
  InputLineOptions,
  OutputLine,
  PowerSupply,
  PwmOutput,
} from '../../runtime/ports/host.js'
import type { Log } from '../../runtime/ports/log.js'
import { LinuxAttachments } from './attachments.js'
import { BusThreads } from './bus-threads.js'
import { Claims } from './claims.js'
import { DeviceStream } from './device-stream.js'
import { Firing } from './firing.js'
import { type BackendName, openGpio } from './gpio.js'
import type { GpioBackend, LinePlace } from './gpio-backend.js'
import { Guard, type Silence } from './guard.js'
import { type I2cTransfers, withLastWords } from './i2c-last-words.js'
import { LinuxInputLine } from './input-line.js'
import { type Libc, openLibc } from './libc.js'
import type { LineServices } from './line-services.js'
import { lineWriter } from './line-writer.js'
import { LinuxOutputLine } from './output-line.js'
import { SYSFS_PWM, SysfsPwm } from './pwm.js'
import { SerialPort } from './serial.js'
import { Unguarded } from './unguarded.js'

/** Every bus of the machine, each with its queue. */
export interface I2cBuses {
  /** @param bus N of /dev/i2c-N; @param address 7 bit */
  device(bus: number, address: number): I2cTransfers
  close(): Promise<void>
}

export interface LinuxHostOptions {
  readonly board: Board
  /** Which way to the lines; `auto` looks and prefers the character device. */
  readonly gpio: 'auto' | BackendName
  /** Outputs go to their safe states when the main thread has been silent for longer. 500..60000 */
  readonly heartbeatMs: number
}

/** The firing thread, the buses' threads and the guard tell of one silence, in any order, once the main thread is back. */
const SAME_LOSS_MS = 250

export class LinuxHost implements Host {
  readonly name = 'host'
  /** Outputs were made safe because the main thread was silent: their owners set them again. */
  readonly heartbeatLost = new Signal<{ readonly silentMs: number }>()
  readonly #clock: Clock
  readonly #log: Log
  readonly #i2c: I2cBuses
  readonly #board: Board
  readonly #options: LinuxHostOptions
  readonly #claims = new Claims()
  readonly #services: LineServices
  readonly #attachments: LinuxAttachments
  #gpio: GpioBackend | null = null
  #firing: Firing | null = null
  #buses: BusThreads | null = null
  #guard: Guard | Unguarded | null = null
  #lossToldMs = 0

  constructor(clock: Clock, log: Log, i2c: I2cBuses, options: LinuxHostOptions) {
    this.#clock = clock
    this.#log = log
    this.#i2c = i2c
    this.#board = options.board
    this.#options = options
    this.#attachments = new LinuxAttachments(clock, this.#claims)
    this.#services = {
      clock,
      log,
      claims: this.#claims,
      backend: () => started(this.#gpio),
      firing: () => started(this.#firing),
      lastWords: () => started(this.#guard),
    }
  }

  /** Finds out how to reach the lines, starts guard and firing thread. A machine without lines starts all the same. */
  async start(): Promise<void> {
    const libc = await this.#openLibc()
    this.#startGuard(libc)
    const wanted = this.#options.gpio
    const label = this.#board.gpioChip
    this.#gpio = await openGpio(this.#clock, this.#log, libc, { label, wanted })
    const lineCount = this.#board.lines.filter(line => line.direction === 'out').length
    const { heartbeatMs } = this.#options
    const firing = new Firing(this.#clock, this.#log, lineWriter(libc), { lineCount, heartbeatMs })
    firing.heartbeatLost.listen(({ silentMs }) => this.#tellLoss(silentMs))
    this.#firing = firing
    const hasLibc = libc !== null
    this.#buses = new BusThreads(this.#clock, this.#log, { heartbeatMs, hasLibc })
    this.#buses.silence.listen(silence => this.#hearSilence(silence))
    await firing.start()
  }

  /** Leaves open outputs in their safe states. Safe to call twice, and after a failed start. */
  async stop(): Promise<void> {
    this.safeNow()
    await closeAll([
      async () => this.#firing?.stop(),
      async () => this.#buses?.stop(),
      async () => this.#gpio?.stop(),
      () => this.#i2c.close(),
      async () => this.#guard?.stop(),
    ])
  }

  /**
   * For the last moments of a process: all open lines and PWM outputs to their safe states, at once; I2C chips follow
   * within milliseconds of its end, by the guard. Never throws.
   */
  safeNow(): void {
    this.#firing?.safeNow()
    this.#buses?.safeNow()
    this.#guard?.safeNow()
  }

  outputLine(name: string): OutputLine {
    const line = this.#line(name, 'out')
    const isSafeActive = line.safeState === 'active'
    return new LinuxOutputLine(this.#services, this.#place(line), { isSafeActive })
  }

  inputLine(name: string, options: InputLineOptions): InputLine {
    return new LinuxInputLine(this.#services, this.#place(this.#line(name, 'in')), options)
  }

  activeLevel(line: string): 'high' | 'low' {
    return find(this.#board.lines, line, 'line').activeLevel
  }

  pwmOutput(name: string): PwmOutput {
    const { chip, channel } = find(this.#board.pwmOutputs, name, 'PWM output')
    const options = { name, chip, channel, folder: SYSFS_PWM }
    return new SysfsPwm(this.#clock, this.#claims, () => started(this.#guard), options)
  }

  i2cDevice(bus: string, address: number): I2cDevice {
    const { bus: number } = find(this.#board.i2cBuses, bus, 'I2C bus')
    return withLastWords(this.#i2c.device(number, address), number, {
      lastWords: () => started(this.#guard),
      planWrites: (...asked) => started(this.#buses).planWrites(...asked),
    })
  }

  byteStream(name: string): ByteStream {
    const { path, baudRate } = find(this.#board.serialPorts, name, 'serial port')
    const port = new SerialPort({ name, path, baudRate })
    return new DeviceStream(this.#clock, this.#claims, port)
  }

  usbPrinter(which: string): ByteStream {
    return this.#attachments.usbPrinter(which)
  }

  tcpStream(host: string, port: number, use?: 'alone' | 'beside'): ByteStream {
    return this.#attachments.tcpStream(host, port, use)
  }

  powerSupply(name: string): PowerSupply {
    return this.#attachments.powerSupply(name)
  }

  #startGuard(libc: Libc | null): void {
    this.#guard = libc === null ? this.#withoutGuard() : this.#withGuard(libc)
    this.#guard.start()
  }

  #withGuard(libc: Libc): Guard {
    const { heartbeatMs } = this.#options
    const guard = new Guard(this.#clock, this.#log, libc, { heartbeatMs })
    guard.silence.listen(silence => this.#hearSilence(silence))
    return guard
  }

  #withoutGuard(): Unguarded {
    this.#log.warn('guard.missing', { why: 'koffi has no binary for this machine' })
    return new Unguarded(this.#log)
  }

  /** What the firing thread does not tell within a moment, it has not noticed: it looks at the same limit on its own. */
  #hearSilence({ atMs, silentMs }: Silence): void {
    this.#clock.runAt(after(this.#clock.monotonicMs(), SAME_LOSS_MS), () => {
      if (this.#lossToldMs >= atMs) return
      this.#log.error('guard.heartbeat-lost', { silentMs: Math.round(silentMs) })
      this.#tellLoss(silentMs)
    })
  }

  #tellLoss(silentMs: number): void {
    this.#lossToldMs = this.#clock.monotonicMs()
    this.heartbeatLost.emit({ silentMs })
  }

  #line(name: string, direction: BoardLine['direction']): BoardLine {
    const lines = this.#board.lines.filter(line => line.direction === direction)
    return find(lines, name, direction === 'out' ? 'output line' : 'input line')
  }

  #place({ name, chip, offset, activeLevel, bias }: BoardLine): LinePlace {
    return { name, chip: chip ?? this.#board.gpioChip, offset, activeLevel, bias }
  }

  /** Null where koffi has no binary: lines are then reached through sysfs. */
  async #openLibc(): Promise<Libc | null> {
    try {
      return await openLibc()
    } catch (error) {
      if (!(error instanceof BoxError && error.code === 'native.missing')) throw error
      this.#log.warn('host.no-libc', { error: error.message })
      return null
    }
  }
}

function find<T extends { readonly name: string }>(
  things: readonly T[],
  name: string,
  kind: string,
): T {
  const thing = things.find(candidate => candidate.name === name)
  if (thing) return thing
  const known = things.map(candidate => candidate.name)
  const hint = `${suggestion(name, known)}; it has ${known.join(', ') || 'none'}`
  throw new ConfigError([
    { path: `board.${name}`, message: `the board has no ${kind} "${name}"${hint}`, place: null },
  ])
}

function started<T>(part: T | null): T {
  assert(part !== null, 'the host is started before a line is opened')
  return part
}
