/** What a value must be to stand for a field. Pure. */
import type { FieldPattern } from './field-pattern.js'

export interface FieldRule {
  /** Letters. */
  readonly max: number
  readonly lines: number
  readonly pattern: FieldPattern | null
}

const CONTROL = /[\p{Cc}\p{Cs}]/u

/** The rule that the value breaks and the value, in words that follow the name of the field; null when all is well. */
export function fieldProblem({ max, lines, pattern }: FieldRule, value: string): string | null {
  const rows = value.split('\n')
  if (rows.some(row => CONTROL.test(row))) return 'must be text without control characters'
  if (rows.length > lines) {
    const allowed = lines === 1 ? 'be one line' : `have at most ${lines} lines`
    return `must ${allowed}, has ${rows.length}`
  }
  if (value.length > max)
    return `must have at most ${max} characters, has ${value.length}: ${shown(value)}`
  if (pattern !== null && !pattern.matches(value))
    return `must be of the form ${pattern.source}, is ${shown(value)}`
  return null
}

const SHOWN_MAX = 40

const shown = (value: string): string =>
  JSON.stringify(value.length > SHOWN_MAX ? `${value.slice(0, SHOWN_MAX)}…` : value)
