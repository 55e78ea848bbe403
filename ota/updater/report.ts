/** What the updater tells of itself, from what it knows. */
import type { Criterion } from './criteria.js'
import type { CurrentHold } from './holds.js'
import type { Looked, OtaState, SlotView, TransferProgress } from './parts.js'

export interface Known {
  readonly slots: SlotView
  /** Before the switch, less what a person has overruled. */
  readonly unmet: readonly Criterion[]
  readonly looked: Looked
  readonly progress: TransferProgress | null
  readonly isPreparing: boolean
  readonly isSwitching: boolean
  readonly gateUnmet: readonly string[]
  readonly holds: readonly CurrentHold[]
  readonly switchShowMs: number | null
  /** What the switch together waits for. */
  readonly jointWhy: string | null
  readonly trouble: string | null
  /** Of the box, which nobody has heard for a while. */
  readonly silence: string | null
  readonly os: OtaState['os']
}

const LETTERS_MAX = 1024

export function stateOf(known: Known): OtaState {
  const { slots, holds, switchShowMs } = known
  const { look, wallMs } = known.looked
  const troubles = [known.trouble, known.silence, slots.trouble].filter(words => words !== null)
  const candidate = candidateOf(known)
  return {
    phase: phaseOf(known, candidate),
    running: slots.running,
    slot: slots.slot,
    slots: slots.contents,
    previous: slots.previous,
    candidate,
    ordered: orderedOf(known),
    progress: progressOf(known.progress),
    unmet: unmetOf(known, candidate),
    checked:
      look === null || wallMs === null
        ? null
        : { wallMs, isFresh: look.isFresh, words: short(look.words) },
    floor: slots.floor,
    refused: slots.refused.map(({ digest, version, why }) => ({ digest, version, why })),
    switchShowMs,
    holds: holds.map(({ id, owner, reason, leftMinutes }) => ({ id, owner, reason, leftMinutes })),
    trouble: troubles.length === 0 ? null : short(troubles.join('; ')),
    os: known.os,
  }
}

function orderedOf({ looked }: Known): OtaState['ordered'] {
  const description = looked.look?.order?.description
  return description ? { digest: description.manifest.sha256, version: description.version } : null
}

function candidateOf(known: Known): OtaState['candidate'] {
  const ordered = orderedOf(known)
  return ordered?.digest === known.slots.running?.digest ? null : ordered
}

function phaseOf(known: Known, candidate: OtaState['candidate']): OtaState['phase'] {
  if (known.isSwitching) return 'switching'
  if (known.slots.isOnTrial) return 'trial'
  if (known.isPreparing) return known.progress?.phase ?? 'fetching'
  if (known.switchShowMs !== null) return 'agreed'
  return candidate === null ? 'idle' : 'waiting'
}

function progressOf(progress: TransferProgress | null): OtaState['progress'] {
  if (progress === null) return null
  const { phase: _, ...bytes } = progress
  return bytes
}

function unmetOf(known: Known, candidate: OtaState['candidate']): OtaState['unmet'] {
  if (known.slots.isOnTrial)
    return known.gateUnmet.map(words => ({
      step: 'trial' as const,
      name: 'gate',
      words: short(words),
    }))
  if (candidate === null) return []
  const own = known.unmet.map(({ step, name, words }) => ({
    step,
    name,
    words: short(words),
  }))
  const { jointWhy } = known
  if (jointWhy === null || own.length > 0) return own
  return [{ step: 'switch', name: 'venue', words: short(jointWhy) }]
}

const short = (text: string): string => text.slice(0, LETTERS_MAX)
