/** Draws what is wired to the header, for a technician with a screwdriver: as the header lies on the bench, pin 1 top left. */
import type { Board } from './board.js'
import { type HeaderPin, headerPinAt, headerRows } from './header.js'

export interface PinMapOptions {
  /** Whether the terminal shows colours. */
  readonly isColour: boolean
}

interface Cell {
  /** What the board calls the pin, and what is wired to it. */
  readonly use: string
  /** `GPIO17`, `3V3`, `GND`. */
  readonly carries: string
  readonly paint: Paint
}

type Paint = 'plain' | 'bold' | 'dim' | 'red' | 'yellow' | 'green'

const SEQUENCES = {
  plain: '',
  bold: '\u001b[1m',
  dim: '\u001b[2m',
  red: '\u001b[31m',
  yellow: '\u001b[33m',
  green: '\u001b[32m',
} as const satisfies Record<Paint, string>
const RESET = '\u001b[0m'

const WIDTH = 100
/** Two of these, two of `CARRIES_WIDTH`, and the pins between them stay within `WIDTH`. */
const USE_WIDTH = 33
const CARRIES_WIDTH = 6

/**
 * @param wiring which device of the box's config uses a line, bus, serial port or PWM output of the board, by its name
 * @returns lines of at most 100 columns, the last one ended too
 */
export function renderPinMap(
  board: Board,
  wiring: ReadonlyMap<string, string>,
  options: PinMapOptions,
): string {
  const names = namesByPin(board)
  const cell = (pin: number): Cell => cellOf(headerPinAt(pin), names.get(pin) ?? null, wiring)
  const paint = (text: string, how: Paint): string =>
    options.isColour && how !== 'plain' ? `${SEQUENCES[how]}${text}${RESET}` : text
  const rows = headerRows.map((_, index) => {
    const [odd, even] = [cell(2 * index + 1), cell(2 * index + 2)]
    return [
      paint(fit(odd.use, USE_WIDTH).padStart(USE_WIDTH), odd.paint),
      paint(odd.carries.padStart(CARRIES_WIDTH), odd.paint),
      `${String(2 * index + 1).padStart(2)} │ ${String(2 * index + 2).padEnd(2)}`,
      paint(even.carries.padEnd(CARRIES_WIDTH), even.paint),
      paint(fit(even.use, USE_WIDTH), even.paint),
    ]
      .join('  ')
      .trimEnd()
  })
  return `${[...headingOf(board), ...rows, ...footingOf(board, wiring)].join('\n')}\n`
}

const headingOf = (board: Board): string[] => [
  `${board.title} (${board.name}), GPIO chip ${board.gpioChip}`,
  '',
]

/** What the header cannot show: names in the config that are on no pin of it. */
function footingOf(board: Board, wiring: ReadonlyMap<string, string>): string[] {
  const shown = new Set([...namesByPin(board).values()].map(name => name.wired))
  const elsewhere = [...wiring].filter(([name]) => !shown.has(name))
  if (elsewhere.length === 0) return []
  return [
    '',
    ...elsewhere.map(([name, device]) => fit(`not on the header: ${name} ← ${device}`, WIDTH)),
  ]
}

/** `wired` is the name that a device's options give; `label` is what the pin itself is called. */
interface PinName {
  readonly wired: string
  readonly label: string
}

function namesByPin(board: Board): Map<number, PinName> {
  const names = new Map<number, PinName>()
  const put = (pin: number | null, wired: string, label: string): void => {
    if (pin !== null) names.set(pin, { wired, label })
  }
  for (const line of board.lines) put(line.headerPin, line.name, line.name)
  for (const output of board.pwmOutputs) put(output.headerPin, output.name, output.name)
  for (const bus of board.i2cBuses) {
    put(bus.dataPin, bus.name, `${bus.name} SDA`)
    put(bus.clockPin, bus.name, `${bus.name} SCL`)
  }
  for (const port of board.serialPorts) {
    put(port.transmitPin, port.name, `${port.name} TXD`)
    put(port.receivePin, port.name, `${port.name} RXD`)
  }
  return names
}

function cellOf(
  carried: HeaderPin,
  name: PinName | null,
  wiring: ReadonlyMap<string, string>,
): Cell {
  if (typeof carried !== 'number')
    return { use: '', carries: carried, paint: SUPPLY_PAINT[carried] }
  const carries = `GPIO${carried}`
  if (name === null) return { use: '', carries, paint: 'dim' }
  const device = wiring.get(name.wired)
  return device === undefined
    ? { use: name.label, carries, paint: 'plain' }
    : { use: `${name.label} ← ${device}`, carries, paint: 'green' }
}

const SUPPLY_PAINT = { '3V3': 'yellow', '5V': 'red', GND: 'bold' } as const satisfies Record<
  string,
  Paint
>

const fit = (text: string, width: number): string =>
  text.length <= width ? text : `${text.slice(0, width - 1)}…`
