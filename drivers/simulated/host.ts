/**
 * A machine made of memory: the same names as a real board, wires that remember, chips that can be unplugged.
 * The first half is the Host port; the second half is the far side of the wires, for tests and the page.
 */
import type { Board, BoardLine } from '../../boards/board.js'
import { ConfigError } from '../../runtime/core/errors.js'
import { suggestion } from '../../runtime/core/nearest.js'
import { randomFrom } from '../../runtime/core/random.js'
import { Signal } from '../../runtime/core/signal.js'
import type { Cancel, Clock } from '../../runtime/ports/clock.js'
import type {
  Attachments,
  ByteStream,
  Host,
  I2cDevice,
  InputLine,
  InputLineOptions,
  OutputLine,
  PowerSupply,
  PwmOutput,
} from '../../runtime/ports/host.js'
import { SimulatedAttachments } from './attachments.js'
import { SimulatedByteStream } from './byte-stream.js'
import { SimulatedI2cBus } from './i2c-bus.js'
import { SimulatedInputLine, SimulatedOutputLine } from './lines.js'
import { SimulatedPwm } from './pwm.js'
import { type LineChange, Wire } from './wire.js'

export interface SimulatedHostOptions {
  /** Chooses which transfers fail. */
  readonly seed: number
  /** True: I2C transfers take as long as they would on the board's wires. */
  readonly isI2cTimed: boolean
  /** Share of I2C transfers that fail, 0..1. */
  readonly i2cFailureShare: number
}

/** Nothing fails and transfers take no time. */
export const wellBehaved: SimulatedHostOptions = {
  seed: 1,
  isI2cTimed: false,
  i2cFailureShare: 0,
}

export class SimulatedHost implements Host {
  readonly #board: Board
  readonly #clock: Clock
  readonly #options: SimulatedHostOptions
  readonly #wires = new Map<string, Wire>()
  readonly #buses = new Map<string, SimulatedI2cBus>()
  readonly #pwms = new Map<string, SimulatedPwm>()
  readonly #streams = new Map<string, SimulatedByteStream>()
  readonly #changes = new Signal<LineChange>()
  /** The far side of what is plugged in. */
  readonly plugged: SimulatedAttachments
  readonly #attachments: Attachments

  /** @param attachments what takes the place of some of what is plugged in; all of it is simulated when left out */
  constructor(
    board: Board,
    clock: Clock,
    options: SimulatedHostOptions = wellBehaved,
    attachments: (simulated: Attachments) => Attachments = simulated => simulated,
  ) {
    this.#board = board
    this.#clock = clock
    this.#options = options
    this.plugged = new SimulatedAttachments()
    this.#attachments = attachments(this.plugged)
  }

  outputLine(name: string): OutputLine {
    return new SimulatedOutputLine(this.#wire(name, 'out'), this.#clock)
  }

  inputLine(name: string, options: InputLineOptions): InputLine {
    return new SimulatedInputLine(this.#wire(name, 'in'), this.#clock, options)
  }

  activeLevel(line: string): 'high' | 'low' {
    return find(this.#board.lines, line, 'line').activeLevel
  }

  pwmOutput(name: string): PwmOutput {
    return this.pwm(name).output()
  }

  i2cDevice(bus: string, address: number): I2cDevice {
    return this.bus(bus).device(address)
  }

  byteStream(name: string): ByteStream {
    return this.stream(name).stream()
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

  /** True when the wire is at its high level, whatever that means on this board. */
  physical(name: string): boolean {
    return this.wire(name).isHigh
  }

  /** Puts an input's wire on a level, as a hand or a sensor would. */
  drive(inputName: string, isHigh: boolean): void {
    this.#wire(inputName, 'in').setLevel(isHigh)
  }

  /** Hears of every change of every wire, whoever made it. */
  onLineChange(listener: (change: LineChange) => void): Cancel {
    return this.#changes.listen(listener)
  }

  /**
   * What the outputs are when the process that drives them no longer can: it was killed, or its main thread is silent.
   * Every output that is open goes to its safe state, and chips hear their last words.
   */
  carryOutLastWords(): void {
    for (const wire of this.#wires.values()) wire.carryOutLastWords()
    for (const pwm of this.#pwms.values()) pwm.carryOutLastWords()
    for (const bus of this.#buses.values()) bus.carryOutLastWords()
  }

  /** The process was killed: its outputs are as its guard left them, and free. What is left of it must not run on. */
  die(): void {
    this.carryOutLastWords()
    for (const wire of this.#wires.values()) wire.release()
    for (const pwm of this.#pwms.values()) pwm.release()
    for (const bus of this.#buses.values()) bus.forgetLastWords()
    for (const stream of this.#streams.values()) stream.release()
    this.plugged.release()
  }

  wire(name: string): Wire {
    return this.#wire(name, null)
  }

  bus(name: string): SimulatedI2cBus {
    const bus = find(this.#board.i2cBuses, name, 'I2C bus')
    return remember(this.#buses, name, () => {
      const { seed, isI2cTimed, i2cFailureShare } = this.#options
      return new SimulatedI2cBus(this.#clock, {
        name,
        frequencyHz: bus.frequencyHz,
        isTimed: isI2cTimed,
        failureShare: i2cFailureShare,
        random: randomFrom(seed + bus.bus),
      })
    })
  }

  pwm(name: string): SimulatedPwm {
    find(this.#board.pwmOutputs, name, 'PWM output')
    return remember(this.#pwms, name, () => new SimulatedPwm(name, this.#clock))
  }

  stream(name: string): SimulatedByteStream {
    find(this.#board.serialPorts, name, 'serial port')
    return remember(this.#streams, name, () => new SimulatedByteStream(name))
  }

  #wire(name: string, direction: BoardLine['direction'] | null): Wire {
    const lines = this.#board.lines.filter(line => (direction ?? line.direction) === line.direction)
    const line = find(lines, name, lineKind(direction))
    return remember(this.#wires, name, () => {
      const wire = new Wire(line, this.#clock)
      wire.changed.listen(change => this.#changes.emit(change))
      return wire
    })
  }
}

const lineKind = (direction: BoardLine['direction'] | null): string =>
  direction === null ? 'line' : direction === 'out' ? 'output line' : 'input line'

function find<T extends { readonly name: string }>(
  things: readonly T[],
  name: string,
  kind: string,
): T {
  const thing = things.find(candidate => candidate.name === name)
  if (thing) return thing
  const known = things.map(candidate => candidate.name)
  throw new ConfigError([
    {
      path: `board.${name}`,
      message: `the board has no ${kind} "${name}"${suggestion(name, known)}; it has ${known.join(', ') || 'none'}`,
      place: null,
    },
  ])
}

function remember<T>(table: Map<string, T>, name: string, make: () => T): T {
  const known = table.get(name)
  if (known) return known
  const made = make()
  table.set(name, made)
  return made
}
