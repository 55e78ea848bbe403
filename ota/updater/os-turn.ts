/**
 * When a box of a venue may reboot into another operating system: one after the other. Whoever wants to says so, and goes when
 * nobody objects for a while: nobody is away, and nobody whose name comes first wants to go, too. Whoever is not heard any
 * more may be away; after a while it has not come back. A pure function of what is heard, so that a venue can be simulated.
 */
import type { HeardOsWord, OsWord } from './os-word.js'

/** From the first word of a claim until it counts: more than two words and what they are under way. */
export const CLAIM_MS = 12_000
/** A word that is older says nothing of now. */
const FRESH_MS = 4_000
/** To go down, to start, and to go down and start again; beside the time that a gate has. */
const REBOOTS_MS = 300_000
const MS_PER_MINUTE = 60_000

/** For how long a box that has gone may say nothing. */
export const awayMsOf = (gateDeadlineSeconds: number): number =>
  REBOOTS_MS + 1_000 * gateDeadlineSeconds

export interface OsTurnView {
  readonly box: string
  /** Named in ota.json; empty: whoever is heard. */
  readonly named: readonly string[]
  readonly isOpen: boolean
  /** For how long this process could hear them, in milliseconds. */
  readonly listenedMs: number
  /** For how long the others could have heard that this box claims its turn; null: it does not, or is not heard. */
  readonly claimedMs: number | null
  readonly heard: ReadonlyMap<string, HeardOsWord>
  readonly awayMs: number
}

export interface OsTurnDeed {
  readonly stage: OsWord['stage']
  /** Why it does not go, for people; null: it goes. */
  readonly why: string | null
}

/** Of a box that wants to go. */
export function nextOsTurn(view: OsTurnView): OsTurnDeed {
  const why = objectionOf(view)
  if (why !== null) return { stage: 'stays', why }
  const claimedMs = view.claimedMs ?? 0
  const silent = [...view.heard].find(([, one]) => isSilent(one, view))
  if (silent !== undefined) {
    const [box, { ageMs }] = silent
    // A claim outlives a word that was lost; nothing is begun by it.
    const stage = view.claimedMs === null ? 'stays' : 'claims'
    return { stage, why: `${box} was heard ${Math.round(ageMs / 1_000)} s ago, and may be away` }
  }
  if (claimedMs < CLAIM_MS) return { stage: 'claims', why: 'the other boxes are told before it' }
  return { stage: 'goes', why: null }
}

/** Who is away, or comes first; null: nobody. Also for who goes already, and could still stay. */
export function objectionOf(view: OsTurnView): string | null {
  if (!view.isOpen)
    return 'the other boxes cannot be heard: the broker of the venue does not answer'
  for (const [box, { word, ageMs, silentMs }] of view.heard) {
    if (silentMs >= view.awayMs || word === null) continue
    if (word.stage === 'goes') return `${box} starts another operating system: one at a time`
    if (word.stage === 'claims' && box < view.box && ageMs <= FRESH_MS)
      return `${box} is to start another operating system first`
  }
  return hiddenAway(view)
}

/**
 * Of a box that leaves a system which nobody can judge, and has said since before it that it goes: who else is away; null:
 * nobody. Two that went at once, because a person forced them, and hear each other, do not wait for each other for ever.
 * @param waitedMs for how long only the others were in its way
 */
export function objectionToLeaving(view: OsTurnView, waitedMs: number): string | null {
  const isLong = waitedMs >= view.awayMs
  // Who hears nobody any more goes after a while: it was said that it is away.
  if (isLong && !view.isOpen) return null
  const away = [...view.heard].find(
    ([box, { word, silentMs }]) =>
      word?.stage === 'goes' && silentMs < view.awayMs && (!isLong || box < view.box),
  )
  return away === undefined ? null : `${away[0]} starts another operating system: one at a time`
}

/** Who went before this box could hear it is not known. */
function hiddenAway({ box, named, heard, listenedMs, awayMs }: OsTurnView): string | null {
  const missing = named.filter(one => one !== box && !heard.has(one))
  const isComplete = named.length > 0 && missing.length === 0
  if (isComplete || listenedMs >= awayMs) return null
  const minutes = Math.ceil((awayMs - listenedMs) / MS_PER_MINUTE)
  const who = missing.length > 0 ? missing.join(', ') : 'a box that is away'
  return `${who} may come back yet: it listens for ${minutes} min more`
}

const isSilent = ({ ageMs, silentMs }: HeardOsWord, { awayMs }: OsTurnView): boolean =>
  ageMs > FRESH_MS && silentMs < awayMs
