/**
 * When the boxes of a venue take a release together: all prepare it, agree on one moment, switch, and keep it only when
 * every one of them has found it good; otherwise all go back. There is no chief: each decides by what it hears the others
 * say of themselves, over and over. A pure function of that, so that a venue can be simulated with every cut and every
 * loss.
 *
 * Two boxes that cannot hear each other cannot both be sure (the two generals), so one thing is settled beforehand: who is
 * in doubt goes back. A box that went back while the others stayed takes the release again as soon as it hears them.
 */

/** Where a box stands with the release that it should run. */
export type VenueStage =
  /** Nothing to do, or it runs already. */
  | 'idle'
  | 'preparing'
  /** It is in the other slot, and nothing is in the way. */
  | 'prepared'
  /** Will switch at `at`, if all others say so too. */
  | 'agreed'
  /** Runs, and has to prove itself. */
  | 'trial'
  /** This box has found it good, and waits for the others. */
  | 'passed'
  | 'good'
  /** This box has gone back from it, or will not take it. */
  | 'failed'

/** What a box says of itself, over and over. */
export interface VenueWord {
  readonly box: string
  /** Of the release meant; null when there is none. */
  readonly digest: string | null
  readonly stage: VenueStage
  /** Show time of the switch, in milliseconds; null before one is agreed. */
  readonly at: number | null
  /** Why not, for people; null when it could. */
  readonly obstacle: string | null
  /** Show time when it was said, in milliseconds: boxes with different ones cannot do anything at one moment. */
  readonly showMs: number
}

export interface HeardWord {
  readonly word: VenueWord
  /** Since it was said, in milliseconds. */
  readonly ageMs: number
}

export interface VenueTerms {
  /** From the proposal to the switch. */
  readonly leadMs: number
  /** How long before the switch each looks whether all agree. */
  readonly lookMs: number
  /** A word that is older says nothing. */
  readonly freshMs: number
  /** From the switch until a box that has not heard all others goes back. */
  readonly deadlineMs: number
  /** By how much another box's show time may seem to differ; what its word was under way counts as well. */
  readonly skewMsMax: number
}

export const VENUE_TERMS: VenueTerms = {
  leadMs: 10_000,
  lookMs: 1_000,
  freshMs: 4_000,
  deadlineMs: 240_000,
  skewMsMax: 3_000,
}

const LATE_MS_MAX = 3_000

export interface VenueView {
  readonly own: VenueWord
  /** Everybody who has to take part, this box included. */
  readonly members: readonly string[]
  /** The last word of each other box. */
  readonly heard: ReadonlyMap<string, HeardWord>
  readonly showNowMs: number
  /** Since this box has looked, found that all agree, and will switch; null: it has not. By its own running time. */
  readonly committedMs: number | null
  /** Since it runs the release on trial, by its own running time, whatever becomes of the show time; 0: it does not. */
  readonly trialMs: number
}

export type VenueDeed =
  | { readonly kind: 'wait'; readonly why: string }
  /** Say `agreed`, for this moment. */
  | { readonly kind: 'agree'; readonly at: number }
  /** Say `prepared` again. */
  | { readonly kind: 'withdraw'; readonly why: string }
  /** All agree: switch at the moment that was agreed. */
  | { readonly kind: 'commit'; readonly at: number }
  /** The moment has come. */
  | { readonly kind: 'switch' }
  | { readonly kind: 'keep' }
  | { readonly kind: 'back'; readonly why: string }

/** What a box does next. */
export function nextVenueDeed(view: VenueView, terms: VenueTerms): VenueDeed {
  switch (view.own.stage) {
    case 'prepared':
      return whenPrepared(view, terms)
    case 'agreed':
      return whenAgreed(view, terms)
    case 'trial':
    case 'passed':
      return whenOnTrial(view, terms)
    case 'idle':
    case 'preparing':
    case 'good':
    case 'failed':
      return { kind: 'wait', why: 'nothing to do together' }
  }
}

function whenPrepared(view: VenueView, terms: VenueTerms): VenueDeed {
  const { own, showNowMs } = view
  if (own.obstacle !== null) return { kind: 'wait', why: own.obstacle }
  const missing = notReady(view, terms)
  if (missing !== null) return { kind: 'wait', why: missing }
  const proposed = proposalOf(view)
  if (proposed !== null && proposed > showNowMs + terms.lookMs * 2)
    return { kind: 'agree', at: proposed }
  if (proposed !== null) return { kind: 'wait', why: 'a proposal has come too late' }
  if (firstToSwitch(view) !== own.box)
    return { kind: 'wait', why: `${firstToSwitch(view)} names the moment` }
  return { kind: 'agree', at: Math.ceil(showNowMs + terms.leadMs) }
}

function whenAgreed(view: VenueView, terms: VenueTerms): VenueDeed {
  const { own, showNowMs } = view
  if (own.at === null) return { kind: 'withdraw', why: 'no moment was agreed' }
  if (view.committedMs !== null) return whenCommitted(own.at, view, terms)
  if (own.obstacle !== null) return { kind: 'withdraw', why: own.obstacle }
  // Slept over it: the others have looked long since.
  if (showNowMs >= own.at) return { kind: 'withdraw', why: 'the moment has passed' }
  if (own.at > showNowMs + 2 * terms.leadMs)
    return { kind: 'withdraw', why: 'the show time has jumped' }
  if (showNowMs < own.at - terms.lookMs) return { kind: 'wait', why: 'the moment is agreed' }
  const dissenter = others(view).find(box => !isWith(view, terms, box))
  if (dissenter !== undefined)
    return { kind: 'withdraw', why: `${dissenter} has not agreed on the moment` }
  return { kind: 'commit', at: own.at }
}

/** Late by more than a moment, the others have gone on: their words count again. So they do when the moment never comes. */
function whenCommitted(
  at: number,
  { showNowMs, committedMs }: VenueView,
  { lookMs }: VenueTerms,
): VenueDeed {
  if ((committedMs ?? 0) > lookMs + LATE_MS_MAX)
    return { kind: 'withdraw', why: 'the show time has jumped' }
  if (showNowMs < at) return { kind: 'wait', why: 'all agree' }
  if (showNowMs < at + LATE_MS_MAX) return { kind: 'switch' }
  return { kind: 'withdraw', why: 'the moment has passed' }
}

function whenOnTrial(view: VenueView, terms: VenueTerms): VenueDeed {
  const { own, showNowMs } = view
  const words = others(view).map(box => ({ box, word: wordOf(view, box) }))
  // Whoever keeps it has heard that all have passed.
  if (own.stage === 'passed' && words.some(({ word }) => hasKept(view, word)))
    return { kind: 'keep' }
  const failed = words.find(({ word }) => isOfThisSwitch(view, word) && word?.stage === 'failed')
  if (failed !== undefined)
    return { kind: 'back', why: `${failed.box} has gone back: ${failed.word?.obstacle ?? '?'}` }
  const missing = words.find(({ word }) => !hasPassed(view, word))
  if (own.stage === 'passed' && missing === undefined) return { kind: 'keep' }
  const endsAt = (own.at ?? Number.NEGATIVE_INFINITY) + terms.deadlineMs
  if (showNowMs >= endsAt || view.trialMs >= terms.deadlineMs)
    return {
      kind: 'back',
      why:
        missing === undefined
          ? 'it was not found good here in time'
          : `${missing.box} has not found it good in time`,
    }
  return { kind: 'wait', why: missing === undefined ? 'not yet found good' : missing.box }
}

const others = ({ members, own }: VenueView): string[] => members.filter(box => box !== own.box)

const wordOf = ({ heard }: VenueView, box: string): VenueWord | null => heard.get(box)?.word ?? null

/** Runs the release for good: since before this switch, or since it. */
const keepsIt = ({ own }: VenueView, word: VenueWord | null): boolean =>
  word?.digest === own.digest && word?.stage === 'good'

/** Since this switch, and so it has heard that all have passed. */
const hasKept = (view: VenueView, word: VenueWord | null): boolean =>
  keepsIt(view, word) && isOfThisSwitch(view, word)

const isOfThisSwitch = ({ own }: VenueView, word: VenueWord | null): boolean =>
  word?.digest === own.digest && word?.at === own.at

const hasPassed = (view: VenueView, word: VenueWord | null): boolean =>
  keepsIt(view, word) || (isOfThisSwitch(view, word) && word?.stage === 'passed')

/** The first box that is not ready to switch and does not run the release already; null when all are ready. */
function notReady(view: VenueView, { freshMs, skewMsMax }: VenueTerms): string | null {
  for (const box of others(view)) {
    const heard = view.heard.get(box)
    if (heard === undefined) return `${box} has not been heard`
    if (heard.ageMs > freshMs) return `${box} was heard ${Math.round(heard.ageMs / 1000)} s ago`
    const problem = problemOf(view, heard.word) ?? skewProblem(skewOf(view, heard), skewMsMax)
    if (problem !== null) return `${box} ${problem}`
  }
  return null
}

function problemOf({ own }: VenueView, word: VenueWord): string | null {
  if (word.digest === null) return 'knows of nothing that is ordered'
  if (word.digest !== own.digest) return 'is to run another release'
  if (word.stage === 'failed') return `has gone back from it: ${word.obstacle ?? 'no reason given'}`
  if (word.obstacle !== null) return `cannot: ${word.obstacle}`
  if (['prepared', 'agreed', 'good'].includes(word.stage)) return null
  return `is ${word.stage}`
}

const skewOf = ({ showNowMs }: VenueView, { word, ageMs }: HeardWord): number =>
  word.showMs + ageMs - showNowMs

function skewProblem(skewMs: number, skewMsMax: number): string | null {
  if (Math.abs(skewMs) <= skewMsMax) return null
  const seconds = Math.round(Math.abs(skewMs) / 1_000)
  return `has another show time, ${seconds} s ${skewMs > 0 ? 'ahead' : 'behind'}: the boxes have no common clock`
}

const isSwitching = ({ heard, own }: VenueView, box: string): boolean =>
  box === own.box || heard.get(box)?.word.stage !== 'good'

/** By name, of those that do not run it already. */
function firstToSwitch(view: VenueView): string {
  const [first = view.own.box] = [...view.members].filter(box => isSwitching(view, box)).sort()
  return first
}

/** The moment that the first has named; null when there is none, or it is this box that has to. */
function proposalOf(view: VenueView): number | null {
  const first = firstToSwitch(view)
  const word = first === view.own.box ? null : wordOf(view, first)
  return word?.stage === 'agreed' ? word.at : null
}

function isWith(view: VenueView, { freshMs, skewMsMax }: VenueTerms, box: string): boolean {
  const heard = view.heard.get(box)
  if (heard === undefined) return false
  if (keepsIt(view, heard.word)) return true
  const isNear = Math.abs(skewOf(view, heard)) <= skewMsMax
  const hasAgreed = isOfThisSwitch(view, heard.word) && heard.word.stage === 'agreed'
  return heard.ageMs <= freshMs && isNear && hasAgreed
}
