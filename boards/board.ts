/**
 * What a board is: lines, buses and ports by name. Data only; a driver never reads a pin number from anywhere else.
 * Changing a wire changes one line of data and no code.
 */
import {
  boolean,
  integer,
  list,
  name,
  nullable,
  number,
  type Of,
  object,
  oneOf,
  pattern,
  string,
  withDefault,
} from '../runtime/core/schema.js'

const chipLabel = pattern(/^[\w.:-]{1,31}$/, 'a GPIO chip label as in gpiodetect')

/** Physical pin of the 40-pin header, or null for what is not on it. */
const headerPin = nullable(integer({ min: 1, max: 40 }))

const line = object({
  name,
  headerPin,
  /** Label of the GPIO chip, as `gpiodetect` shows it; null means the board's `gpioChip`. Never a global sysfs number. */
  chip: withDefault(nullable(chipLabel), null),
  /** Offset of the line on its chip (the BCM number on a Raspberry Pi). */
  offset: integer({ min: 0, max: 255 }),
  direction: oneOf('in', 'out'),
  activeLevel: oneOf('high', 'low'),
  /** Pull resistor of the SoC. */
  bias: withDefault(oneOf('none', 'pull-up', 'pull-down', 'as-is'), 'as-is'),
  /** The state an output is left in when nobody drives it on purpose. */
  safeState: withDefault(oneOf('inactive', 'active'), 'inactive'),
})

const i2cBus = object({
  name,
  /** N of /dev/i2c-N. */
  bus: integer({ min: 0, max: 255 }),
  dataPin: headerPin,
  clockPin: headerPin,
  /** For the simulated bus: on a real one drivers measure, and config.txt says it (`dtparam=i2c_arm_baudrate=`). */
  frequencyHz: withDefault(integer({ min: 10_000, max: 3_400_000 }), 100_000),
})

const serialPort = object({
  name,
  path: string({ max: 128 }),
  transmitPin: headerPin,
  receivePin: headerPin,
  baudRate: integer({ min: 300, max: 4_000_000 }),
})

const pwmOutput = object({
  name,
  headerPin,
  /**
   * Last part of where /sys/class/pwm/pwmchipN/device points, e.g. `fe20c000.pwm`: the address of the block, which
   * stays, while N moves between kernels.
   */
  chip: string({ max: 64 }),
  channel: integer({ min: 0, max: 15 }),
})

const statusLed = object({ name, /** Folder below /sys/class/leds. */ path: string({ max: 64 }) })

export const boardSchema = object({
  name,
  title: string({ max: 64 }),
  /**
   * Beginnings of /proc/device-tree/model, in whole words, that select this board; the longest match wins.
   * None for a board that is only ever asked for by name.
   */
  models: list(string({ max: 64, min: 3 }), { max: 8 }),
  /** Where lines live that name no chip of their own. */
  gpioChip: chipLabel,
  lines: list(line, { max: 64 }),
  i2cBuses: list(i2cBus, { max: 8 }),
  serialPorts: list(serialPort, { max: 8 }),
  pwmOutputs: list(pwmOutput, { max: 8 }),
  statusLeds: list(statusLed, { max: 8 }),
  /** Device file of the hardware watchdog, or null. */
  watchdog: nullable(
    object({ path: string({ max: 64 }), timeoutSecondsMax: integer({ min: 1, max: 600 }) }),
  ),
  /** What the network interface can do for PTP: stamps in hardware, or only in the kernel. */
  ptp: object({ interface: string({ max: 15 }), hasHardwareTimestamps: boolean }),
  /** Whether wall time survives a power cut, given the battery that the clock needs. */
  hasRealTimeClock: boolean,
  /** What the smallest variant is sold with. */
  memoryMegabytesMin: number({ min: 64, max: 65_536 }),
})

export type Board = Of<typeof boardSchema>
export type BoardLine = Board['lines'][number]
