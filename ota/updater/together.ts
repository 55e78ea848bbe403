/** This box's part in a switch together: says where it stands, hears the others, and does what `venue-switch.ts` says. */
import type { Log } from '../../runtime/ports/log.js'
import type { Order, SlotView, SlotWork, VenueVoice } from './parts.js'
import type { VenueRecord, VenueRecords } from './venue-record.js'
import {
  nextVenueDeed,
  VENUE_TERMS,
  type VenueDeed,
  type VenueStage,
  type VenueTerms,
  type VenueWord,
} from './venue-switch.js'

export interface TogetherParts {
  readonly log: Log
  readonly voice: VenueVoice
  readonly records: VenueRecords
  readonly slots: Pick<SlotWork, 'clear'>
}

export interface TogetherOptions {
  readonly box: string
  /** Named in ota.json; empty: whoever is heard. */
  readonly boxes: readonly string[]
  readonly terms?: VenueTerms
}

/** What the updater does now, as far as the others are concerned. */
export type Joint =
  | { readonly kind: 'wait'; readonly why: string | null }
  | { readonly kind: 'switch' }
  | { readonly kind: 'keep' }
  | { readonly kind: 'back'; readonly why: string }

export interface JointView {
  readonly order: Order | null
  readonly slots: SlotView
  /** What keeps this box from switching; null when nothing does. */
  readonly obstacle: string | null
  readonly trial: {
    /** Its gate is passed here. */
    readonly hasPassed: boolean
    /** Since this process has seen it; 0 when there is none. */
    readonly ageMs: number
  }
  readonly show: { readonly nowMs: number; readonly errorMs: number }
  /** Of this box's own clock, which nobody sets. */
  readonly nowMs: number
}

/** Further apart, "at one moment" means little. */
const SHOW_ERROR_MS_MAX = 1_000

interface Standing {
  readonly stage: VenueStage
  readonly digest: string | null
  readonly at: number | null
  readonly why: string | null
}

export class Together {
  readonly #parts: TogetherParts
  readonly #box: string
  readonly #boxes: readonly string[]
  readonly #terms: VenueTerms
  #record: VenueRecord | null = null
  #agreedAt: number | null = null
  /** Of the release that the moment was agreed for. */
  #agreedDigest: string | null = null
  #committedAtMs: number | null = null

  constructor(parts: TogetherParts, { box, boxes, terms }: TogetherOptions) {
    this.#parts = parts
    this.#box = box
    this.#boxes = boxes
    this.#terms = terms ?? VENUE_TERMS
  }

  /** Show time of the switch that was agreed on. */
  get switchShowMs(): number | null {
    return this.#agreedAt
  }

  /** How long a trial may last until the others have spoken. */
  get deadlineMs(): number {
    return this.#terms.deadlineMs
  }

  /** Whether the running trial is one of a switch together. */
  isSwitch({ isOnTrial, running }: SlotView): boolean {
    return isOnTrial && this.#record !== null && this.#record.digest === running?.digest
  }

  /** This box went back for the others' sake, and may take the release in the other slot again with them. */
  get isToBeTakenAgain(): boolean {
    return this.#record?.stage === 'back'
  }

  async load(): Promise<void> {
    this.#record = await this.#parts.records.read()
  }

  /** Says where this box stands and answers what it does next. To be called again and again. */
  async turn(view: JointView): Promise<Joint> {
    await this.#forget(view)
    const ordered = view.order?.description.manifest.sha256 ?? null
    if (this.#agreedDigest !== ordered) this.#takeBack()
    const own = this.#word(view)
    this.#parts.voice.say(own)
    const deed = nextVenueDeed(
      {
        own,
        members: this.#members(),
        heard: this.#parts.voice.heard(),
        showNowMs: view.show.nowMs,
        committedMs: this.#committedAtMs === null ? null : view.nowMs - this.#committedAtMs,
        trialMs: view.trial.ageMs,
      },
      this.#terms,
    )
    return this.#take(deed, own, view.nowMs)
  }

  /** Before the slots are told: a cut from here on finds a box that knows it does not switch alone. */
  async beforeSwitch(digest: string): Promise<void> {
    const members = [...this.#members()]
    this.#record = {
      format: 1,
      digest,
      at: this.#agreedAt ?? 0,
      stage: 'switching',
      why: '',
      members,
    }
    await this.#parts.records.write(this.#record)
  }

  /** Nothing came of it: what was agreed on does not hold any more. */
  async abandon(): Promise<void> {
    this.#takeBack()
    await this.#drop()
  }

  /** Before the slots are told that this box goes back for the others' sake. */
  async beforeBack(why: string): Promise<void> {
    if (this.#record === null) return
    this.#record = { ...this.#record, stage: 'back', why: why.slice(0, 512) }
    await this.#parts.records.write(this.#record)
  }

  #members(): readonly string[] {
    if (this.#boxes.length > 0) return [...new Set([this.#box, ...this.#boxes])]
    // On trial, those that were there when it was agreed: after a restart nobody has been heard yet.
    return [
      ...new Set([
        this.#box,
        ...(this.#record?.members ?? []),
        ...this.#parts.voice.heard().keys(),
      ]),
    ]
  }

  #take(deed: VenueDeed, own: VenueWord, nowMs: number): Joint {
    switch (deed.kind) {
      case 'wait':
        return { kind: 'wait', why: own.stage === 'prepared' ? this.#toldApart(deed.why) : null }
      case 'agree':
        this.#parts.log.info('ota.agreed', { at: deed.at })
        this.#agreedAt = deed.at
        this.#agreedDigest = own.digest
        return { kind: 'wait', why: 'the moment is agreed' }
      case 'withdraw':
        this.#parts.log.warn('ota.withdrawn', { why: deed.why })
        this.#takeBack()
        return { kind: 'wait', why: deed.why }
      case 'commit':
        this.#committedAtMs = nowMs
        return { kind: 'wait', why: 'all agree' }
      case 'switch':
      case 'keep':
      case 'back':
        return deed
    }
  }

  /** A box that is silent, from one that this box cannot hear. */
  #toldApart(why: string): string {
    return this.#parts.voice.isOpen() ? why : `${why}: the broker of the venue does not answer`
  }

  #takeBack(): void {
    this.#agreedAt = null
    this.#agreedDigest = null
    this.#committedAtMs = null
  }

  #word(view: JointView): VenueWord {
    const { stage, digest, at, why } = this.#standing(view)
    const obstacle = why ?? view.obstacle ?? this.#deafness() ?? vagueness(view)
    return { box: this.#box, digest, stage, at, obstacle, showMs: view.show.nowMs }
  }

  /** Where nobody is named, all that could be heard must be. */
  #deafness(): string | null {
    if (this.#boxes.length > 0 || this.#parts.voice.isOpen()) return null
    return 'the other boxes cannot be heard: the broker of the venue does not answer'
  }

  #standing(view: JointView): Standing {
    const { slots, order } = view
    const known = this.#record && this.#afterSwitch(this.#record, view)
    if (known) return known
    const digest = order?.description.manifest.sha256 ?? null
    if (digest === null) return { stage: 'idle', digest: null, at: null, why: null }
    if (digest === slots.running?.digest) return { stage: 'good', digest, at: null, why: null }
    return this.#ahead(digest, slots)
  }

  /** Known before the first look at the repository: the others wait for this word. */
  #afterSwitch(record: VenueRecord, { slots, trial }: JointView): Standing | null {
    const { digest, at } = record
    if (this.isSwitch(slots))
      return { stage: trial.hasPassed ? 'passed' : 'trial', digest, at, why: null }
    if (digest === slots.running?.digest) return { stage: 'good', digest, at, why: null }
    const why = failureOf(record, slots)
    return why === null ? null : { stage: 'failed', digest, at, why }
  }

  /** Of a release that is ordered and does not run. */
  #ahead(digest: string, { refused, prepared }: SlotView): Standing {
    const refusal = refused.find(one => one.digest === digest)
    if (refusal) return { stage: 'failed', digest, at: null, why: refusal.why }
    if (prepared?.digest !== digest) return { stage: 'preparing', digest, at: null, why: null }
    const at = this.#agreedAt
    return { stage: at === null ? 'prepared' : 'agreed', digest, at, why: null }
  }

  /** What a switch has left behind, when nobody asks for it any more. */
  async #forget({ slots, order, show }: JointView): Promise<void> {
    const record = this.#record
    if (record === null || slots.isOnTrial) return
    const ordered = order?.description.manifest.sha256 ?? record.digest
    if (ordered !== record.digest) return this.#settle(record)
    if (record.digest !== slots.running?.digest && record.stage === 'switching') {
      // Cut before the slots were told, or failed by itself: then it is refused, and that is said instead.
      const isRefused = slots.refused.some(({ digest }) => digest === record.digest)
      if (!isRefused) await this.#drop()
      return
    }
    // A moment that lies far ahead is one of another timeline.
    const isAhead = record.at > show.nowMs + this.#terms.deadlineMs
    if (show.nowMs > record.at + this.#terms.deadlineMs || isAhead) await this.#settle(record)
  }

  /** Over. If it was not this box that found it bad, it may be tried again with the others. */
  async #settle(record: VenueRecord): Promise<void> {
    if (record.stage === 'back') await this.#parts.slots.clear(record.digest)
    await this.#drop()
  }

  async #drop(): Promise<void> {
    if (this.#record === null) return
    await this.#parts.records.remove()
    this.#record = null
  }
}

function vagueness({ show: { errorMs } }: JointView): string | null {
  if (errorMs <= SHOW_ERROR_MS_MAX) return null
  const known = errorMs < 1e6 ? `to ${Math.round(errorMs)} ms` : 'not at all'
  return `the show time is known ${known}: the venue's clock is not heard`
}

/** Why the release of a switch does not run any more; null when it never did. */
function failureOf(record: VenueRecord, { refused }: SlotView): string | null {
  if (record.stage === 'back') return record.why
  return refused.find(({ digest }) => digest === record.digest)?.why ?? null
}
