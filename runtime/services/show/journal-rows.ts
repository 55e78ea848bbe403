/** What the show's journal writes into its tables. */
import { boolean, integer, nullable, number, object, string } from '../../core/schema.js'
import { showEvent, showState } from './state.js'

const sequence = integer({ min: 0, max: Number.MAX_SAFE_INTEGER })
const moment = number({ min: -8.64e15, max: 8.64e15 })
export const snapshotRow = object({
  digest: string({ max: 64 }),
  sequence,
  wallMs: moment,
  showMs: moment,
  state: showState,
})
export const eventRow = object({ wallMs: moment, event: showEvent })
export const fireRow = object({ sequence })
export const answerRow = object({
  isAccepted: boolean,
  code: nullable(string({ max: 64 })),
  message: nullable(string({ max: 512 })),
})
export const commandRow = object({ sequence, answer: answerRow })
export const placeRow = object({ epoch: sequence, position: sequence })

/** Sorts as text as the numbers do. */
export const keyOf = (number_: number): string => String(number_).padStart(16, '0')

interface Ordered {
  readonly record: { readonly sequence: number }
}

/** 0 where there is none. */
export const lastOf = (rows: readonly Ordered[]): number =>
  rows.reduce((last, { record }) => Math.max(last, record.sequence), 0)

export const inOrder = <T extends Ordered>(rows: readonly T[]): T[] =>
  [...rows].sort((a, b) => a.record.sequence - b.record.sequence)
