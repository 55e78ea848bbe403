/** What is kept of a pack over restarts: what was learned, how charged it was, and how often it was changed. */
import { list, nullable, number, object, oneOf, type Schema } from '../../core/schema.js'
import { whole } from '../../core/shapes.js'
import { type Estimate, freshEstimate } from './estimate-state.js'
import {
  CAPACITY_SHARE_MAX,
  CAPACITY_SHARE_MIN,
  type Knowledge,
  nothingLearned,
  OFFSETS,
  type PackModel,
} from './knowledge.js'
import { freshPack, type Pack } from './pack.js'

const knowledge = object({
  capacityShare: number({ min: CAPACITY_SHARE_MIN, max: CAPACITY_SHARE_MAX }),
  capacityDeviation: number({ min: 0, max: 1 }),
  ohms: number({ min: 1e-6, max: 100 }),
  ohmsDeviation: number({ min: 0, max: 1 }),
  offsets: nullable(list(number({ min: -1, max: 1 }), { min: OFFSETS, max: OFFSETS })),
  lessons: whole,
})

const fields = {
  /** What it was learned of: of another pack it says nothing. */
  chemistry: oneOf('li-ion', 'lifepo4', 'lead-acid'),
  cells: whole,
  milliampHours: number({ min: 0, max: 1e9 }),
  knowledge,
  charge: nullable(number({ min: 0, max: 1 })),
  deviation: nullable(number({ min: 0, max: 10 })),
  swaps: whole,
  wallMs: number({ min: -8.64e15, max: 8.64e15 }),
}

export interface Kept {
  readonly chemistry: PackModel['chemistry']
  readonly cells: number
  readonly milliampHours: number
  readonly knowledge: Knowledge
  readonly charge: number | null
  readonly deviation: number | null
  readonly swaps: number
  readonly wallMs: number
}

export const keptSchema: Schema<Kept> = object(fields)

export const kept = ({ estimate, swaps }: Pack, model: PackModel, wallMs: number): Kept => ({
  chemistry: model.chemistry,
  cells: model.cells,
  milliampHours: model.milliampHours,
  knowledge: estimate.knowledge,
  charge: estimate.now?.charge ?? null,
  deviation: estimate.now
    ? Math.min(10, Math.hypot(estimate.now.deviation, estimate.unseen))
    : null,
  swaps,
  wallMs,
})

/** In the dark a pack goes on feeding the board, is charged by somebody, or is another one. */
const AWAY_DEVIATION = 0.02
const AWAY_DEVIATION_HOURLY = 0.015
const AWAY_DEVIATION_MAX = 0.3
const HOUR_MS = 3_600_000
const HOURS_MAX = 24 * 31

export function packFrom(found: Kept | null, model: PackModel, wallMs: number): Pack {
  if (found === null || !isSame(found, model)) return freshPack(fresh(model), found?.swaps ?? 0)
  const hours = (wallMs - found.wallMs) / HOUR_MS
  // A clock that went back, or a month, says nothing of how long it was.
  const isTold = hours >= 0 && hours < HOURS_MAX
  const away = isTold ? AWAY_DEVIATION + AWAY_DEVIATION_HOURLY * hours : AWAY_DEVIATION_MAX
  const deviation = Math.hypot(found.deviation ?? 1, Math.min(AWAY_DEVIATION_MAX, away))
  const remembered = found.charge === null ? null : { charge: found.charge, deviation }
  return freshPack(freshEstimate(found.knowledge, remembered), found.swaps)
}

const fresh = (model: PackModel): Estimate => freshEstimate(nothingLearned(model))

const isSame = (found: Kept, model: PackModel): boolean =>
  found.chemistry === model.chemistry &&
  found.cells === model.cells &&
  found.milliampHours === model.milliampHours
