/** How far what was counted, and what the voltage says, may be off. Pure. */
import type { Heard } from './candidates.js'
import { cellOf } from './chemistry.js'
import type { Base, Estimate, Sample } from './estimate-state.js'
import { ampHours, ohmsAt, type PackModel } from './knowledge.js'
import type { Certainty, Rest } from './weighing.js'

const HOUR_MS = 3_600_000
const REST_MS = 30 * 60_000
/** A gauge's offset: it grows with the shunt it has, and that with the pack. */
const OFFSET_SHARE = 1 / 700
const OFFSET_AMPS_MIN = 0.006
/** In an hour: leaks, and what no gauge sees. */
const DRIFT = 0.001
/** A current that nobody measures is about so much of the capacity an hour. */
const UNMEASURED_RATE = 1 / 6

/** Since the base, as a share of what the pack holds. */
export const movedIn = ({ countedAmpHours, knowledge }: Estimate, model: PackModel): number =>
  countedAmpHours / (ampHours(model) * knowledge.capacityShare)

export const clamp = (charge: number): number => Math.min(1, Math.max(0, charge))

export const assumedAmps = ({ isCharging }: Sample, model: PackModel): number =>
  isCharging === null ? 0 : (isCharging ? 1 : -1) * ampHours(model) * UNMEASURED_RATE

/** How far the smoothed voltage may be from that of a pack at rest. */
export function restOf(at: Estimate, sample: Sample, model: PackModel): Rest {
  const ohms = ohmsAt(at.knowledge, at.now?.charge ?? 0.5, sample.celsius)
  const amps = sample.amps ?? assumedAmps(sample, model)
  const drop = Math.abs(amps) * ohms * at.knowledge.ohmsDeviation
  const unsettled = unsettledVolts(at, amps, ohms)
  const unmeasured = sample.amps === null ? ampHours(model) * UNMEASURED_RATE * ohms : 0
  const isAtRest = at.calmMs >= REST_MS
  const parts = [0.003, isAtRest ? drop / 2 : drop, unsettled, unmeasured, at.surfaceVolts]
  return { volts: at.restVolts ?? 0, deviation: Math.hypot(...parts) }
}

const unsettledVolts = ({ slowAmps }: Estimate, amps: number, ohms: number): number =>
  Math.abs(amps - slowAmps) * ohms * 0.5

/** One reading of a gauge, before many of them were smoothed. */
const READING_VOLTS = 0.02

/** What candidates are asked about: they have doubts of their own about the curve and the resistance. */
export function heardNow(at: Estimate, sample: Sample): Heard {
  const ohms = ohmsAt(at.knowledge, at.now?.charge ?? 0.5, sample.celsius)
  const noise = READING_VOLTS / Math.sqrt(1 + at.smoothedMs / 1000)
  const unsettled = unsettledVolts(at, sample.amps ?? 0, ohms)
  return {
    volts: at.loadedVolts,
    loadAmps: at.loadAmps,
    deviation: Math.hypot(0.003, noise, unsettled, at.surfaceVolts),
    countedAmpHours: at.countedAmpHours,
  }
}

/** What was counted since the base, and how far that may be off by now. */
export function countOf(at: Estimate, base: Base, model: PackModel): Certainty {
  const { knowledge } = at
  const moved = movedIn(at, model)
  const parts = [
    base.deviation,
    (moved * knowledge.capacityDeviation) / knowledge.capacityShare,
    strayedSince(at, model),
  ]
  return { charge: clamp(base.charge + moved), deviation: Math.hypot(...parts) }
}

/** How far counting has gone astray since the base, whatever the pack holds. */
export function strayedSince(at: Estimate, model: PackModel): number {
  const nominal = ampHours(model)
  const full = nominal * at.knowledge.capacityShare
  const hours = at.countedMs / HOUR_MS
  const offset = Math.max(OFFSET_AMPS_MIN, nominal * OFFSET_SHARE)
  const lost = (1 - cellOf(model.chemistry).efficiency) / 2
  const parts = [
    (offset * hours) / full,
    (lost * at.chargedAmpHours) / full,
    DRIFT * Math.sqrt(hours),
    at.unseen,
  ]
  return Math.hypot(...parts)
}

/** Nobody counts: it has wandered by chance, and the voltage says where it is. */
export function wandered(at: Estimate, base: Base): Certainty {
  const hours = at.sinceWeighedMs / HOUR_MS
  // A load that stays for ten minutes: errors add up within them, and by chance over many.
  const step = UNMEASURED_RATE * Math.sqrt(hours / 6)
  return { charge: base.charge, deviation: Math.hypot(base.deviation, step) }
}
