/** What is told of the operating systems, from what is known of them. */
import type { OsName, OsSlot } from '../os/os-state.js'
import type { OsStatus } from '../os/os-system.js'
import { type Criterion, unmet } from './criteria.js'
import type { OsOrdered, OsReport } from './os-parts.js'
import type { TransferProgress } from './parts.js'

export interface OsKnown {
  readonly status: OsStatus
  readonly candidate: { readonly ordered: OsOrdered; readonly digest: string } | null
  readonly criteria: readonly Criterion[]
  /** What is being done; null: nothing. */
  readonly step: 'fetch' | 'write' | 'try' | null
  readonly progress: TransferProgress | null
  readonly gateUnmet: readonly string[]
  readonly trouble: string | null
}

const LETTERS_MAX = 1024

export const notUpdated = (why: string): OsReport => ({
  lacking: short(`not updated by this box: ${why}`),
  phase: 'idle',
  running: null,
  systems: null,
  candidate: null,
  progress: null,
  unmet: [],
  floor: null,
  refused: [],
  trouble: null,
})

export function osReportOf(known: OsKnown): OsReport {
  const { status, candidate, trouble } = known
  return {
    lacking: null,
    phase: phaseOf(known),
    running: status.running,
    systems: { a: systemOf(status, 'a'), b: systemOf(status, 'b') },
    candidate: candidate && {
      digest: candidate.digest,
      version: candidate.ordered.description.version,
    },
    progress: progressOf(known.progress),
    unmet: unmetOf(known),
    floor: status.floor,
    refused: status.refused.map(({ digest, version, why }) => ({ digest, version, why })),
    trouble: trouble === null ? null : short(trouble),
  }
}

function phaseOf({ status, step, progress, candidate }: OsKnown): OsReport['phase'] {
  if (status.isGoingDown || step === 'try') return 'switching'
  if (status.isTrial) return 'trial'
  if (step !== null) return progress?.phase ?? (step === 'write' ? 'writing' : 'fetching')
  return candidate === null ? 'idle' : 'waiting'
}

function systemOf({ slots }: OsStatus, name: OsName): NonNullable<OsReport['systems']>[OsName] {
  const slot: OsSlot = slots[name]
  const image = slot.kind === 'unknown' ? null : slot.image
  return { kind: slot.kind, version: image?.version ?? null, digest: image?.digest ?? null }
}

function progressOf(progress: TransferProgress | null): OsReport['progress'] {
  if (progress === null) return null
  const { phase: _, ...bytes } = progress
  return bytes
}

function unmetOf({ status, criteria, candidate, gateUnmet }: OsKnown): OsReport['unmet'] {
  if (status.isTrial)
    return gateUnmet.map(words => ({ step: 'trial' as const, name: 'gate', words: short(words) }))
  if (candidate === null) return []
  return unmet(criteria, 'switch').map(({ step, name, words }) => ({
    step,
    name,
    words: short(words),
  }))
}

const short = (text: string): string => text.slice(0, LETTERS_MAX)
