/**
 * The pins of a venue box as johnny-five sees them: the lines and PWM outputs of the board by name, opened when first
 * used. Levels are meanings, as everywhere here: 1 is active, whatever the wiring.
 */
import { DeviceError } from '../runtime/core/errors.js'
import { suggestion } from '../runtime/core/nearest.js'
import type { Cancel } from '../runtime/ports/clock.js'
import type { Host, InputLine, OutputLine, PwmOutput } from '../runtime/ports/host.js'

/** Johnny-five's numbers for what a pin is used as. */
export const MODES = { INPUT: 0, OUTPUT: 1, ANALOG: 2, PWM: 3, SERVO: 4 } as const

/** What of a board definition a sketch needs. */
export interface VenueBoard {
  readonly lines: readonly {
    readonly name: string
    readonly direction: 'in' | 'out'
    readonly activeLevel: 'high' | 'low'
    readonly bias: string
  }[]
  readonly pwmOutputs: readonly { readonly name: string }[]
  readonly i2cBuses: readonly { readonly name: string }[]
}

/** One entry of johnny-five's `io.pins`. */
export interface PinRecord {
  readonly name: string
  readonly supportedModes: readonly number[]
  mode: number
  value: number
  readonly report: 0 | 1
  readonly analogChannel: 127
}

interface Pin {
  readonly record: PinRecord
  readonly use: PinUse
}

/** What a pin can do; each call opens it if need be. */
interface PinUse {
  open(): void
  /** @param share 0..1 */
  write(share: number): void
  read(report: (level: 0 | 1) => void): void
  close(): Promise<void>
}

export interface VenuePinsOptions {
  readonly debounceMs: number
  readonly pwmFrequencyHz: number
}

export class VenuePins {
  readonly #pins: readonly Pin[]
  #isClosed = false

  /** @param fail hears of whatever goes wrong after a call has returned */
  constructor(
    host: Host,
    board: VenueBoard,
    options: VenuePinsOptions,
    fail: (fault: unknown) => void,
  ) {
    this.#pins = [
      ...board.lines.map(line =>
        line.direction === 'out'
          ? pin(
              line.name,
              [MODES.OUTPUT],
              outputUse(() => host.outputLine(line.name), fail),
            )
          : pin(
              line.name,
              [MODES.INPUT],
              new InputUse(
                () => host.inputLine(line.name, { debounceMs: options.debounceMs }),
                line,
                fail,
              ),
            ),
      ),
      ...board.pwmOutputs.map(({ name }) =>
        pin(
          name,
          [MODES.OUTPUT, MODES.PWM],
          pwmUse(() => host.pwmOutput(name), options.pwmFrequencyHz, fail),
        ),
      ),
    ]
  }

  get records(): readonly PinRecord[] {
    return this.#pins.map(({ record }) => record)
  }

  /** The place of a pin in `records`. @param pin its name or its place */
  indexOf(pin: string | number): number {
    const names = this.#pins.map(({ record }) => record.name)
    const index = typeof pin === 'number' ? pin : names.indexOf(pin)
    if (this.#pins[index]) return index
    throw new DeviceError(
      'device.absent',
      `this board has no line or PWM output "${pin}"${suggestion(String(pin), names)}; it has ${names.join(', ')}`,
    )
  }

  setMode(name: string | number, mode: number): void {
    if (this.#isClosed)
      throw new DeviceError('device.absent', `${name}: the sketch has closed its lines`)
    const { record, use } = this.#pin(name)
    if (!record.supportedModes.includes(mode))
      throw new DeviceError(
        'device.limit',
        `${record.name} cannot be ${wordOf(mode)}: ${reason(mode)}`,
      )
    record.mode = mode
    use.open()
  }

  /** @param share 0..1; a fade that goes on after the end changes nothing */
  write(name: string | number, share: number): void {
    if (this.#isClosed) return
    const { record, use } = this.#pin(name)
    record.value = share
    use.write(share)
  }

  read(name: string | number, report: (level: 0 | 1) => void): void {
    const { record, use } = this.#pin(name)
    use.read(level => {
      record.value = level
      report(level)
    })
  }

  /** For good: nothing is opened again. */
  async closeAll(): Promise<void> {
    this.#isClosed = true
    for (const { use } of this.#pins) await use.close()
  }

  #pin(name: string | number): Pin {
    const pin = this.#pins[this.indexOf(name)]
    if (!pin) throw new DeviceError('device.absent', `this board has no pin ${name}`)
    return pin
  }
}

const pin = (name: string, supportedModes: readonly number[], use: PinUse): Pin => ({
  record: {
    name,
    supportedModes,
    mode: supportedModes[0] ?? 0,
    value: 0,
    report: 1,
    analogChannel: 127,
  },
  use,
})

const wordOf = (mode: number): string =>
  Object.entries(MODES).find(([, value]) => value === mode)?.[0] ?? `mode ${mode}`

function reason(mode: number): string {
  if (mode === MODES.ANALOG)
    return 'no line of a venue box is analog; read an ADC on I2C, as in new five.Expander({ controller: "ADS1115" })'
  if (mode === MODES.PWM)
    return 'it is only on or off; dim on a PWM output of the board or on new five.Expander({ controller: "PCA9685" })'
  if (mode === MODES.SERVO)
    return 'servos need pulses no line can time; use new five.Expander({ controller: "PCA9685" })'
  return 'the board says which way each line goes'
}

/** Opens once; what is written meanwhile is what counts when it is open. */
function writable(
  open: (first: number) => Promise<void>,
  set: (share: number) => void,
  close: () => Promise<void>,
  fail: (fault: unknown) => void,
): PinUse {
  let opening: Promise<void> = Promise.resolve()
  let state: 'closed' | 'opening' | 'open' = 'closed'
  let wanted = 0
  const begin = (): void => {
    if (state !== 'closed') return
    state = 'opening'
    const first = wanted
    opening = open(first).then(() => {
      state = 'open'
      if (wanted !== first) set(wanted)
    })
    opening.catch(fail)
  }
  return {
    open: begin,
    write: share => {
      wanted = share
      if (state === 'open') set(share)
      else begin()
    },
    read: report => report(wanted > 0 ? 1 : 0),
    close: async () => {
      if (state === 'closed') return
      // Whoever opened it has heard of the failure.
      await opening.catch(() => {})
      state = 'closed'
      wanted = 0
      await close()
    },
  }
}

function outputUse(take: () => OutputLine, fail: (fault: unknown) => void): PinUse {
  let line: OutputLine | null = null
  return writable(
    async first => {
      line ??= take()
      await line.open(first >= 0.5)
    },
    share => line?.set(share >= 0.5),
    async () => line?.close(),
    fail,
  )
}

function pwmUse(
  take: () => PwmOutput,
  frequencyHz: number,
  fail: (fault: unknown) => void,
): PinUse {
  let output: PwmOutput | null = null
  return writable(
    async first => {
      output ??= take()
      await output.open(frequencyHz)
      output.setDuty(first)
    },
    share => output?.setDuty(share),
    async () => output?.close(),
    fail,
  )
}

class InputUse implements PinUse {
  readonly #take: () => InputLine
  readonly #wiring: VenueBoard['lines'][number]
  readonly #fail: (fault: unknown) => void
  #line: InputLine | null = null
  #opening: Promise<void> = Promise.resolve()
  #isBegun = false
  #isInVolts = false
  #stopListening: Cancel = () => {}

  constructor(
    take: () => InputLine,
    wiring: VenueBoard['lines'][number],
    fail: (fault: unknown) => void,
  ) {
    this.#take = take
    this.#wiring = wiring
    this.#fail = fail
  }

  open(): void {
    if (this.#isBegun) return
    this.#isBegun = true
    this.#line ??= this.#take()
    this.#opening = this.#line.open()
    this.#opening.catch(this.#fail)
  }

  /**
   * Writing to an input is how a sketch asks for the pull resistor (`pullup: true`). The board has set that already;
   * but such a sketch thinks in volts, where a pressed button to ground is 0, so this pin tells it volts from now on.
   */
  write(share: number): void {
    const { name, bias } = this.#wiring
    const asked = share > 0 ? 'pull-up' : 'pull-down'
    if (bias !== asked)
      throw new DeviceError(
        'device.limit',
        `${name} has no ${asked} on this board: its bias is ${bias}`,
      )
    this.#isInVolts = true
  }

  read(report: (level: 0 | 1) => void): void {
    this.open()
    const line = this.#line
    const tell = (isActive: boolean): void => report(this.#levelOf(isActive))
    // One report per edge, however many components read the pin: they share the plugin's event.
    this.#stopListening()
    this.#stopListening = line?.onEdge(({ isActive }) => tell(isActive)) ?? (() => {})
    const tellFirst = (): void => {
      if (line) tell(line.isActive())
    }
    // That the line could not be opened was reported by whoever opened it.
    this.#opening.then(tellFirst, () => {}).catch(this.#fail)
  }

  async close(): Promise<void> {
    this.#isBegun = false
    this.#stopListening()
    await this.#line?.close()
  }

  #levelOf(isActive: boolean): 0 | 1 {
    const isOne = this.#isInVolts ? isActive === (this.#wiring.activeLevel === 'high') : isActive
    return isOne ? 1 : 0
  }
}
