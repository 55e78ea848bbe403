/** Boxes of a venue that take a release together, in steps of a quarter of a second, with every fault drawn from a seed. */
import {
  type HeardWord,
  nextVenueDeed,
  VENUE_TERMS,
  type VenueStage,
  type VenueWord,
} from '../../../ota/updater/venue-switch.js'
import { randomFrom } from '../../../runtime/core/random.js'

export const STEP_MS = 250
const SAY_MS = 1_000
/** Of its own running time; a box that was off begins anew. */
const PATIENCE_MS: Partial<Record<VenueStage, number>> = {
  agreed: 3 * VENUE_TERMS.leadMs,
  trial: VENUE_TERMS.deadlineMs + STEP_MS,
  passed: VENUE_TERMS.deadlineMs + STEP_MS,
}
const COMMITTED_MS_MAX = 5_000
const DIGEST = 'd'.repeat(64)

export interface Faults {
  /** 0..1 */
  readonly loss: number
  readonly delayMsMax: number
  /** Boxes whose gate fails. */
  readonly failing: readonly string[]
  /** Per step and box. */
  readonly powerCut: number
  readonly partition: number
  readonly hold: number
  /** Per step and box: its show time is another one, for a while. */
  readonly jump: number
  /** From here on nothing more happens, and what was parted is together again. */
  readonly quietAfterMs: number
}

/** What a power cut leaves. */
interface Kept {
  stage: VenueStage
  at: number | null
  /** Why it went back, and whether this box itself found the release bad. */
  backWhy: string | null
  isRefused: boolean
}

class Member {
  readonly name: string
  readonly heard = new Map<string, { word: VenueWord; atMs: number }>()
  kept: Kept = { stage: 'preparing', at: null, backWhy: null, isRefused: false }
  committedAtMs: number | null = null
  /** Since this box was switched on with the release on trial. */
  trialSinceMs = 0
  lastStage: VenueStage = 'preparing'
  stageSinceMs = 0
  /** What its show time is off by. */
  skewMs = 0
  obstacle: string | null = null
  /** Off until then. */
  offUntilMs = 0
  /** The gate speaks then; null when it need not. */
  gateAtMs: number | null = null
  preparedAtMs: number
  /** When it switched, to see how far apart the boxes were. */
  switchedAtMs: number | null = null

  constructor(name: string, preparedAtMs: number) {
    this.name = name
    this.preparedAtMs = preparedAtMs
  }

  word(nowMs: number): VenueWord {
    const { stage, at, backWhy } = this.kept
    const obstacle = this.obstacle ?? backWhy
    return { box: this.name, digest: DIGEST, stage, at, obstacle, showMs: nowMs + this.skewMs }
  }
}

interface Letter {
  readonly to: Member
  readonly word: VenueWord
  readonly dueMs: number
}

export class VenueWorld {
  readonly members: Member[]
  readonly reached = new Map<string, number>()
  readonly broken: string[] = []
  readonly #random: () => number
  readonly #faults: Faults
  #letters: Letter[] = []
  #nowMs = 0
  readonly #parted = new Set<string>()
  #partedUntilMs = 0
  #nextSayMs = 0

  constructor(seed: number, count: number, faults: Faults) {
    this.#random = randomFrom(seed)
    this.#faults = faults
    this.members = Array.from(
      { length: count },
      (_, index) => new Member(`box-${index + 1}`, this.#random() * 20_000),
    )
  }

  get isQuiet(): boolean {
    return this.#nowMs >= this.#faults.quietAfterMs
  }

  run(ms: number): void {
    const end = this.#nowMs + ms
    while (this.#nowMs < end) this.#step()
  }

  #reach(what: string): void {
    this.reached.set(what, (this.reached.get(what) ?? 0) + 1)
  }

  #step(): void {
    this.#nowMs += STEP_MS
    this.#disturb()
    for (const letter of this.#letters.filter(({ dueMs }) => dueMs <= this.#nowMs))
      if (!this.#isOff(letter.to))
        letter.to.heard.set(letter.word.box, { word: letter.word, atMs: this.#nowMs })
    this.#letters = this.#letters.filter(({ dueMs }) => dueMs > this.#nowMs)
    for (const member of this.members) if (!this.#isOff(member)) this.#live(member)
    if (this.#nowMs < this.#nextSayMs) return
    this.#nextSayMs = this.#nowMs + SAY_MS
    for (const member of this.members) if (!this.#isOff(member)) this.#say(member)
  }

  #isOff(member: Member): boolean {
    return member.offUntilMs > this.#nowMs
  }

  #disturb(): void {
    if (this.isQuiet) {
      this.#parted.clear()
      for (const member of this.members) {
        member.obstacle = null
        member.skewMs = 0
      }
      return
    }
    this.#part()
    for (const member of this.members) this.#hinder(member)
  }

  #hinder(member: Member): void {
    // Otherwise it would hardly ever be just then.
    const danger = member.committedAtMs !== null ? 30 : 1
    if (this.#random() < this.#faults.powerCut * danger) this.#cut(member)
    if (this.#random() < this.#faults.jump * (danger > 1 ? 100 : 1)) this.#jump(member)
    if (this.#random() < this.#faults.hold)
      member.obstacle = member.obstacle === null ? 'a hold' : null
  }

  /** Its leader of the clock went away, and came back as another one. */
  #jump(member: Member): void {
    const { stage } = member.kept
    this.#reach(`jump while ${member.committedAtMs !== null ? 'committed' : stage}`)
    member.skewMs = member.skewMs === 0 ? (this.#random() - 0.5) * 1_200_000 : 0
  }

  #part(): void {
    if (this.#nowMs >= this.#partedUntilMs) this.#parted.clear()
    if (this.#parted.size > 0 || this.#random() >= this.#faults.partition) return
    for (const { name } of this.members) if (this.#random() < 0.5) this.#parted.add(name)
    this.#partedUntilMs = this.#nowMs + this.#random() * 60_000
    this.#reach('parted')
  }

  #cut(member: Member): void {
    const { stage } = member.kept
    this.#reach(`cut while ${member.committedAtMs !== null ? 'committed' : stage}`)
    member.offUntilMs = this.#nowMs + this.#random() * (this.#random() < 0.2 ? 300_000 : 20_000)
    member.heard.clear()
    member.committedAtMs = null
    // Not on disk: it has not switched.
    if (stage === 'agreed') member.kept = { ...member.kept, stage: 'prepared', at: null }
    // A release on trial is tried again.
    if (stage === 'passed') member.kept.stage = 'trial'
    member.trialSinceMs = member.offUntilMs
    if (member.kept.stage === 'trial') member.gateAtMs = member.offUntilMs + 10_000
  }

  #say(member: Member): void {
    for (const to of this.members) {
      if (to === member || this.#parted.has(to.name) !== this.#parted.has(member.name)) continue
      if (!this.isQuiet && this.#random() < this.#faults.loss) continue
      const dueMs = this.#nowMs + this.#random() * this.#faults.delayMsMax
      this.#letters.push({ to, word: member.word(this.#nowMs), dueMs })
    }
  }

  #live(member: Member): void {
    const { kept } = member
    if (kept.stage === 'preparing' && this.#nowMs >= member.preparedAtMs) kept.stage = 'prepared'
    if (kept.stage === 'trial' && member.gateAtMs !== null && this.#nowMs >= member.gateAtMs) {
      member.gateAtMs = null
      if (this.#faults.failing.includes(member.name)) this.#goBack(member, 'its gate failed', true)
      else kept.stage = 'passed'
    }
    const isOver = this.#nowMs + member.skewMs > (kept.at ?? 0) + VENUE_TERMS.deadlineMs
    // Went back for the others' sake: it may be tried again when that is over.
    if (kept.stage === 'failed' && !kept.isRefused && isOver)
      member.kept = { stage: 'prepared', at: null, backWhy: null, isRefused: false }
    this.#act(member)
    this.#checkPatience(member)
  }

  /** Whatever becomes of the show time, nobody waits for ever. */
  #checkPatience(member: Member): void {
    const { stage } = member.kept
    if (stage !== member.lastStage) member.stageSinceMs = this.#nowMs
    member.lastStage = stage
    const since = Math.max(member.stageSinceMs, member.offUntilMs)
    const patienceMs = PATIENCE_MS[stage]
    if (patienceMs !== undefined && this.#nowMs - since > patienceMs)
      this.broken.push(`${member.name} is ${stage} for more than ${patienceMs} ms`)
    const { committedAtMs } = member
    if (committedAtMs !== null && this.#nowMs - committedAtMs > COMMITTED_MS_MAX)
      this.broken.push(`${member.name} waits for a moment that does not come`)
  }

  #act(member: Member): void {
    const { kept } = member
    const heard = new Map<string, HeardWord>()
    for (const [box, { word, atMs }] of member.heard)
      heard.set(box, { word, ageMs: this.#nowMs - atMs })
    const deed = nextVenueDeed(
      {
        own: member.word(this.#nowMs),
        members: this.members.map(({ name }) => name),
        heard,
        showNowMs: this.#nowMs + member.skewMs,
        committedMs: member.committedAtMs === null ? null : this.#nowMs - member.committedAtMs,
        trialMs: ['trial', 'passed'].includes(kept.stage) ? this.#nowMs - member.trialSinceMs : 0,
      },
      VENUE_TERMS,
    )
    this.#do(member, deed)
  }

  #do(member: Member, deed: ReturnType<typeof nextVenueDeed>): void {
    const { kept } = member
    if (deed.kind !== 'wait') this.#reach(deed.kind)
    switch (deed.kind) {
      case 'wait':
        return
      case 'agree':
        member.kept = { ...kept, stage: 'agreed', at: deed.at }
        return
      case 'withdraw':
        member.committedAtMs = null
        member.kept = { ...kept, stage: 'prepared', at: null }
        return
      case 'commit':
        member.committedAtMs = this.#nowMs
        return
      case 'switch':
        kept.stage = 'trial'
        member.switchedAtMs = this.#nowMs
        member.trialSinceMs = this.#nowMs
        member.committedAtMs = null
        member.gateAtMs = this.#nowMs + 5_000 + this.#random() * 15_000
        return
      case 'keep':
        this.#checkKeep(member)
        kept.stage = 'good'
        return
      case 'back':
        this.#goBack(member, deed.why, false)
    }
  }

  #goBack(member: Member, why: string, isRefused: boolean): void {
    this.#reach(isRefused ? 'gate failed' : 'back for the others')
    member.kept = { ...member.kept, stage: 'failed', backWhy: why, isRefused }
  }

  /** Nobody keeps it before each has found it good at least once. */
  #checkKeep(member: Member): void {
    const bad = this.members.find(({ name }) => this.#faults.failing.includes(name))
    if (bad !== undefined) this.broken.push(`${member.name} keeps what ${bad.name} cannot run`)
  }
}
