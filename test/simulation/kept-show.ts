/** What a box has written down of its show, read from outside: from the tables, by a reader of its own. */
import type { SimulatedStore } from '../../drivers/simulated/store.js'
import { Records } from '../../runtime/core/records.js'
import { boolean, nullable, number, object, string } from '../../runtime/core/schema.js'
import type { CheckedShow } from '../../runtime/services/show/checked-show.js'
import { fold } from '../../runtime/services/show/fold.js'
import type { Times } from '../../runtime/services/show/resume.js'
import { type ShowState, showEvent, showState } from '../../runtime/services/show/state.js'

const snapshots = object({
  digest: string({ max: 64 }),
  sequence: number({ min: 0, max: 1e12 }),
  wallMs: number({ min: -1e15, max: 1e15 }),
  showMs: number({ min: -1e15, max: 1e15 }),
  state: showState,
})
const events = object({ wallMs: number({ min: -1e15, max: 1e15 }), event: showEvent })
const commands = object({
  sequence: number({ min: 0, max: 1e12 }),
  answer: object({
    isAccepted: boolean,
    code: nullable(string({ max: 64 })),
    message: nullable(string({ max: 512 })),
  }),
})
const ROWS_MAX = 10_000

export interface KeptShow {
  /** How many events there were up to the last one kept. */
  readonly sequence: number
  /** The state with all of them in; null before the first snapshot. */
  readonly state: ShowState | null
  /** When the last of it was written. */
  readonly times: Times
  /** Whether the command with this id was accepted; no entry for one that is not known. */
  readonly answers: ReadonlyMap<string, boolean>
  /** Differs when anything of the state or the events does. */
  readonly mark: string
}

/** Reads between two lives: the store is powered for as long as it takes. */
export async function readKeptShow(store: SimulatedStore, show: CheckedShow): Promise<KeptShow> {
  const powered = store.boot({ callsUntilPowerCut: Number.POSITIVE_INFINITY })
  const snapshot = await new Records(powered, 'show-state', snapshots).read('snapshot')
  const rows = await new Records(powered, 'show-commands', commands).scan('', null, ROWS_MAX)
  const answers = new Map(rows.map(({ key, record }) => [key, record.answer.isAccepted]))
  if (snapshot === null)
    return { sequence: 0, state: null, times: { showMs: 0, wallMs: 0 }, answers, mark: '' }
  const from = String(snapshot.sequence + 1).padStart(16, '0')
  const later = await new Records(powered, 'show-events', events).scan(from, null, ROWS_MAX)
  const last = later.at(-1)
  return {
    sequence: last ? Number(last.key) : snapshot.sequence,
    state: later.reduce(
      (state: ShowState, { record }) => fold(show, state, record.event).state,
      snapshot.state,
    ),
    times: last
      ? { showMs: last.record.event.atMs, wallMs: last.record.wallMs }
      : { showMs: snapshot.showMs, wallMs: snapshot.wallMs },
    answers,
    mark: JSON.stringify([snapshot, last?.key]),
  }
}
