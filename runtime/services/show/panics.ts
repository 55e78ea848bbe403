/**
 * Which panics a box knows of, and which of them nobody has released. Two boxes that were apart, or of which one was off,
 * settle by that which of them knows better, whoever leads: a panic that the other never heard of is one, and one that the
 * other knew and is not in any more was released by a person.
 */
import { PANICS_ACTIVE_MAX, PANICS_KEPT, type ShowState } from './state.js'

type Known = ShowState['panics']

export const withPanic = ({ known, active }: Known, id: string | undefined): Known =>
  id === undefined
    ? { known, active }
    : { known: added(known, [id], PANICS_KEPT), active: added(active, [id], PANICS_ACTIVE_MAX) }

/** @param ids that the release takes back: of no other had whoever released heard. Undefined: all. */
export const withRelease = (
  { known, active }: Known,
  ids: readonly string[] | undefined,
): Known => ({
  known,
  active: ids === undefined ? [] : active.filter(id => !ids.includes(id)),
})

export interface Met extends Pick<ShowState, 'panic' | 'panics'> {
  /** The leader has not heard of these. */
  readonly unheard: readonly string[]
  /** The leader has not heard that these were released. */
  readonly released: readonly string[]
}

/**
 * What a box is in after it has met the box that leads.
 * @param others the state of the leader, on this box's timeline
 * @param ids of the last commands that the leader knows
 */
export function meet(own: ShowState, others: ShowState, ids: readonly string[]): Met {
  const { known, active } = others.panics
  const heard = new Set([...known, ...ids])
  const unheard = own.panics.active.filter(id => !heard.has(id))
  // Where not all of it was released here, this box is no witness.
  const released = own.panic.isOn ? [] : active.filter(id => own.panics.known.includes(id))
  const left = active.filter(id => !released.includes(id))
  const isOver = active.length > 0 && left.length === 0
  const isOn = unheard.length > 0 || (others.panic.isOn && !isOver)
  return {
    panic: isOn === others.panic.isOn ? others.panic : own.panic,
    panics: {
      known: added(own.panics.known, known, PANICS_KEPT),
      active: added(left, unheard, PANICS_ACTIVE_MAX),
    },
    unheard,
    released,
  }
}

function added(list: readonly string[], more: readonly string[], max: number): string[] {
  const all = new Set([...list, ...more])
  return [...all].slice(-max)
}
