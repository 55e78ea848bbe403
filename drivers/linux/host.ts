/** The real machine: opens what the board names, in the ways that this kernel offers. */
import type { Board, BoardLine } from '../../boards/board.js'
import { assert, BoxError, ConfigError } from '../../runtime/core/errors.js'
import { suggestion } from '../../runtime/core/nearest.js'
import { Signal } from '../../runtime/core/signal.js'
import type { Clock } from '../../runtime/ports/clock.js'
import type {
  ByteStream,
  Host,
  I2cDevice,
  InputLine,
  InputLineOptions,
  OutputLine,
  PwmOutput,
} from '../../runtime/ports/host.js'
import type { Log } from '../../runtime/ports/log.js'
import { Claims } from './claims.js'
import { Firing } from './firing.js'
import { type BackendName, openGpio } from './gpio.js'
import type { GpioBackend, LinePlace } from './gpio-backend.js'
import { LinuxInputLine } from './input-line.js'
import { type Libc, openLibc } from './libc.js'
import type { LineServices } from './line-services.js'
import { lineWriter } from './line-writer.js'
import { LinuxOutputLine } from './output-line.js'
import { SYSFS_PWM, SysfsPwm } from './pwm.js'
import { SerialStream } from './serial.js'

/** Every bus of the machine, each with its queue. */
export interface I2cBuses {
  /** @param bus N of /dev/i2c-N; @param address 7 bit */
  device(bus: number, address: number): I2cDevice
  close(): Promise<void>
}

export interface LinuxHostOptions {
  readonly board: Board
  /** Which way to the lines; `auto` looks and prefers the character device. */
  readonly gpio: 'auto' | BackendName
  /** Outputs go to their safe states when the main thread has been silent for longer. 500..60000 */
  readonly heartbeatMs: number
}

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
  #gpio: GpioBackend | null = null
  #firing: Firing | null = null

  constructor(clock: Clock, log: Log, i2c: I2cBuses, options: LinuxHostOptions) {
    this.#clock = clock
    this.#log = log
    this.#i2c = i2c
    this.#board = options.board
    this.#options = options
    this.#services = {
      clock,
      log,
      claims: this.#claims,
      backend: () => started(this.#gpio),
      firing: () => started(this.#firing),
    }
  }

  /** Finds out how to reach the lines and starts the firing thread. A machine without lines starts all the same. */
  async start(): Promise<void> {
    const libc = await this.#openLibc()
    const wanted = this.#options.gpio
    const label = this.#board.gpioChip
    this.#gpio = await openGpio(this.#clock, this.#log, libc, { label, wanted })
    const lineCount = this.#board.lines.filter(line => line.direction === 'out').length
    const { heartbeatMs } = this.#options
    const firing = new Firing(this.#clock, this.#log, lineWriter(libc), { lineCount, heartbeatMs })
    firing.heartbeatLost.listen(loss => this.heartbeatLost.emit(loss))
    this.#firing = firing
    await firing.start()
  }

  /** Leaves open outputs in their safe states. Safe to call twice, and after a failed start. */
  async stop(): Promise<void> {
    this.safeNow()
    await this.#firing?.stop()
    await this.#gpio?.stop()
    await this.#i2c.close()
  }

  /** For the last moments of a process: all open lines to their safe states, at once. Never throws. */
  safeNow(): void {
    this.#firing?.safeNow()
  }

  outputLine(name: string): OutputLine {
    const line = this.#line(name, 'out')
    const isSafeActive = line.safeState === 'active'
    return new LinuxOutputLine(this.#services, this.#place(line), { isSafeActive })
  }

  inputLine(name: string, options: InputLineOptions): InputLine {
    return new LinuxInputLine(this.#services, this.#place(this.#line(name, 'in')), options)
  }

  pwmOutput(name: string): PwmOutput {
    const { chip, channel } = find(this.#board.pwmOutputs, name, 'PWM output')
    return new SysfsPwm(this.#clock, this.#claims, { name, chip, channel, folder: SYSFS_PWM })
  }

  i2cDevice(bus: string, address: number): I2cDevice {
    return this.#i2c.device(find(this.#board.i2cBuses, bus, 'I2C bus').bus, address)
  }

  byteStream(name: string): ByteStream {
    const { path, baudRate } = find(this.#board.serialPorts, name, 'serial port')
    return new SerialStream(this.#clock, { name, path, baudRate })
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
