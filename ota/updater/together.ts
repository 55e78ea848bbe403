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
  /** The gate of the running trial is passed here. */
  readonly hasPassed: boolean
  readonly showNowMs: number
}

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
  #isCommitted = false

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

  async load(): Promise<void> {
    this.#record = await this.#parts.records.read()
  }

  /** Says where this box stands and answers what it does next. To be called again and again. */
  async turn(view: JointView): Promise<Joint> {
    await this.#forget(view)
    const own = this.#word(view)
    this.#parts.voice.say(own)
    const deed = nextVenueDeed(
      {
        own,
        members: this.#members(),
        heard: this.#parts.voice.heard(),
        showNowMs: view.showNowMs,
        isCommitted: this.#isCommitted,
      },
      this.#terms,
    )
    return this.#take(deed, own)
  }

  /** Before the slots are told: a cut from here on finds a box that knows it does not switch alone. */
  async beforeSwitch(digest: string): Promise<void> {
    this.#record = { format: 1, digest, at: this.#agreedAt ?? 0, stage: 'switching', why: '' }
    await this.#parts.records.write(this.#record)
  }

  /** Before the slots are told that this box goes back for the others' sake. */
  async beforeBack(why: string): Promise<void> {
    if (this.#record === null) return
    this.#record = { ...this.#record, stage: 'back', why: why.slice(0, 512) }
    await this.#parts.records.write(this.#record)
  }

  #members(): readonly string[] {
    const known = this.#boxes.length > 0 ? this.#boxes : [...this.#parts.voice.heard().keys()]
    return [...new Set([this.#box, ...known])]
  }

  #take(deed: VenueDeed, own: VenueWord): Joint {
    switch (deed.kind) {
      case 'wait':
        return { kind: 'wait', why: own.stage === 'prepared' ? deed.why : null }
      case 'agree':
        this.#parts.log.info('ota.agreed', { at: deed.at })
        this.#agreedAt = deed.at
        return { kind: 'wait', why: 'the moment is agreed' }
      case 'withdraw':
        this.#parts.log.warn('ota.withdrawn', { why: deed.why })
        this.#agreedAt = null
        return { kind: 'wait', why: deed.why }
      case 'commit':
        this.#isCommitted = true
        return { kind: 'wait', why: 'all agree' }
      case 'switch':
      case 'keep':
      case 'back':
        return deed
    }
  }

  #word(view: JointView): VenueWord {
    const { stage, digest, at, why } = this.#standing(view)
    return { box: this.#box, digest, stage, at, obstacle: why ?? view.obstacle }
  }

  #standing({ slots, order, hasPassed }: JointView): Standing {
    const record = this.#record
    const running = slots.running?.digest ?? null
    if (record !== null && this.isSwitch(slots))
      return { stage: hasPassed ? 'passed' : 'trial', digest: running, at: record.at, why: null }
    const failure = record !== null && record.digest !== running && failureOf(record, slots)
    if (record !== null && failure)
      return { stage: 'failed', digest: record.digest, at: record.at, why: failure }
    const digest = order?.description.manifest.sha256 ?? null
    if (digest === null) return { stage: 'idle', digest: null, at: null, why: null }
    if (digest === running) return { stage: 'good', digest, at: record?.at ?? null, why: null }
    return this.#ahead(digest, slots)
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
  async #forget({ slots, showNowMs }: JointView): Promise<void> {
    const record = this.#record
    if (record === null || slots.isOnTrial) return
    if (record.digest !== slots.running?.digest && record.stage === 'switching') {
      // Cut before the slots were told, or failed by itself: then it is refused, and that is said instead.
      const isRefused = slots.refused.some(({ digest }) => digest === record.digest)
      if (!isRefused) await this.#drop()
      return
    }
    if (showNowMs <= record.at + this.#terms.deadlineMs) return
    // It was not this box that found it bad: with the others it may be tried again.
    if (record.stage === 'back') await this.#parts.slots.clear(record.digest)
    await this.#drop()
  }

  async #drop(): Promise<void> {
    await this.#parts.records.remove()
    this.#record = null
  }
}

/** Why the release of a switch does not run any more; null when it never did. */
function failureOf(record: VenueRecord, { refused }: SlotView): string | null {
  if (record.stage === 'back') return record.why
  return refused.find(({ digest }) => digest === record.digest)?.why ?? null
}
