/** What the criteria are asked about: of all that the updater knows, gathered. */
import { type BoxView, type CriteriaView, type Criterion, judge } from './criteria.js'
import type { Looked, SlotView } from './parts.js'
import type { UpdaterConfig } from './updater-config.js'

export interface Known {
  readonly slots: SlotView
  readonly box: BoxView | null
  readonly fleet: CriteriaView['fleet']
  readonly roomBytes: number | null
  readonly stalledSeconds: CriteriaView['stalledSeconds']
  readonly holds: CriteriaView['holds']
  readonly isAskedFor: boolean
  readonly systemTrial: CriteriaView['systemTrial']
  readonly config: UpdaterConfig
  /** Of the runtime that judges. */
  readonly version: string
  readonly architecture: string
}

export function judgeOrder({ look, wallMs }: Looked, known: Known): readonly Criterion[] {
  const { slots, config, version, architecture } = known
  const description = look?.order?.description ?? null
  return judge({
    description,
    orderTrouble: look?.words ?? null,
    isLooked: wallMs !== null,
    isTimeKnown: look?.order?.isTimeKnown ?? false,
    updaterVersion: version,
    architecture,
    running: slots.running,
    floor: slots.floor,
    refused: slots.refused,
    isOnTrial: slots.isOnTrial,
    isPrepared: description !== null && slots.prepared?.digest === description.manifest.sha256,
    isLying: description !== null && soundBefore(slots) === description.manifest.sha256,
    roomBytes: known.roomBytes,
    stalledSeconds: known.stalledSeconds,
    formats: slots.formats,
    box: known.box,
    fleet: known.fleet,
    holds: known.holds,
    isMetered: config.isMetered,
    policy: config.policy,
    isAskedFor: known.isAskedFor,
    systemTrial: known.systemTrial,
  })
}

/** Digest of what may be gone back to; null: nothing, or something damaged, which may have to be fetched. */
function soundBefore({ slot, contents, previous }: SlotView): string | null {
  const other = contents?.[slot === 'a' ? 'b' : 'a']
  return other?.damage === null && previous !== null ? previous.digest : null
}
