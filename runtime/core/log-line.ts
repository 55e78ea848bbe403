/** One line of the log, made of plain values only: whatever a caller hands over, writing it down can neither fail nor grow. */
import type { WallTimeMs } from '../ports/clock.js'
import type { Facts } from '../ports/log.js'

export type LogLevel = 'info' | 'warn' | 'error'

export interface LogLine {
  readonly level: LogLevel
  readonly at: WallTimeMs
  readonly event: string
  readonly facts: Facts
}

const DEPTH_MAX = 6
/** Values in one line, counted all together: a knot of objects must not unfold into millions. */
const VALUES_MAX = 500
const CHARACTERS_MAX = 4096
const LEFT_OUT = '…'

/** Numbers, texts, lists and objects, at most 500 values; errors with code, causes and stack; bytes only by their count. */
export function plainFacts(facts: Facts): Facts {
  const budget: Budget = { valuesLeft: VALUES_MAX }
  const plain = plainValue(facts, 0, budget)
  return isRecord(plain) ? plain : { value: plain }
}

interface Budget {
  valuesLeft: number
}

function plainValue(value: unknown, depth: number, budget: Budget): unknown {
  if (budget.valuesLeft-- <= 0 || depth > DEPTH_MAX) return LEFT_OUT
  switch (typeof value) {
    case 'string':
      return shortened(value)
    case 'number':
      return Number.isFinite(value) ? value : String(value)
    case 'boolean':
    case 'undefined':
      return value
    case 'object':
      return value === null ? null : plainObject(value, depth, budget)
    default:
      return shortened(String(value))
  }
}

function plainObject(value: object, depth: number, budget: Budget): unknown {
  try {
    if (value instanceof Error) return plainEntries(partsOf(value), depth, budget)
    if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`
    if (value instanceof Map || value instanceof Set) return plainList([...value], depth, budget)
    if (Array.isArray(value)) return plainList(value, depth, budget)
    return plainEntries(Object.entries(value), depth, budget)
  } catch {
    // A getter or a proxy that throws must not take the box down for the sake of a log line.
    return 'unreadable'
  }
}

function plainList(values: readonly unknown[], depth: number, budget: Budget): unknown {
  const fitting = values.slice(0, Math.max(0, budget.valuesLeft))
  const plain = fitting.map(value => plainValue(value, depth + 1, budget))
  return fitting.length < values.length ? [...plain, LEFT_OUT] : plain
}

function plainEntries(
  entries: readonly (readonly [string, unknown])[],
  depth: number,
  budget: Budget,
): unknown {
  const fitting = entries.slice(0, Math.max(0, budget.valuesLeft))
  return Object.fromEntries(
    fitting.map(([key, value]) => [shortened(key), plainValue(value, depth + 1, budget)]),
  )
}

function partsOf(error: Error): readonly (readonly [string, unknown])[] {
  const own = Object.entries(error).filter(([key]) => key !== 'cause' && key !== 'name')
  const cause = error.cause === undefined ? [] : [['cause', error.cause] as const]
  return [
    ['name', error.name],
    ['message', error.message],
    ...own,
    ['stack', error.stack],
    ...cause,
  ]
}

const shortened = (text: string): string =>
  text.length > CHARACTERS_MAX ? `${text.slice(0, CHARACTERS_MAX)}${LEFT_OUT}` : text

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
