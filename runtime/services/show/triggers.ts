/** From buttons and messages to commands. A trigger that has just acted is deaf for its hold-off; panic never is. */
import type { Clock } from '../../ports/clock.js'
import type { Payload, ShowCommand } from '../../topics.js'
import type {
  CheckedShow,
  HeardMessage,
  Trigger,
  TriggerCause,
  TriggerDeed,
} from './checked-show.js'
import { LATE_MS } from './decide.js'

type Press = Payload<'input/changed'>
type Heard = Payload<'message/heard'>
type Passed = Payload<'timecode/passed'>

export interface TriggersOptions {
  readonly box: string
  readonly isBlackout: () => boolean
  readonly newId: () => string
  /**
   * Takes what a trigger asks for; `atShowMs` is the moment of its cause, which was foreseen or not. What was foreseen
   * needs no lead.
   */
  readonly ask: (command: ShowCommand & { readonly atShowMs: number }, isForeseen: boolean) => void
}

export class Triggers {
  readonly #clock: Clock
  readonly #show: CheckedShow
  readonly #options: TriggersOptions
  readonly #lastMs = new Map<Trigger, number>()

  constructor(clock: Clock, show: CheckedShow, options: TriggersOptions) {
    this.#clock = clock
    this.#show = show
    this.#options = options
  }

  /** A press counts from the moment of the contact, not from when the program heard of it. */
  press(press: Press): void {
    const now = this.#clock.showTimeMs()
    const atShowMs = Math.min(now, Math.max(press.atShowMs, now - LATE_MS))
    this.#setOff(`input:${press.input}`, press.atShowMs, atShowMs, ({ on }) =>
      this.#isPress(on, press),
    )
  }

  /** What may have been heard before sets off nothing but panic, which is the same twice as once. */
  hear({ topic, payload, isRepeated }: Heard): void {
    const now = this.#clock.showTimeMs()
    this.#setOff(
      `message:${topic}`.slice(0, 128),
      now,
      now,
      ({ on, deed }) =>
        on.kind === 'mqtt' &&
        on.topic === topic &&
        isWanted(on, payload) &&
        (!isRepeated || deed.kind === 'panic'),
    )
  }

  /** Timecode comes to a position: told ahead, so that what it sets off is on time. */
  pass({ position, atShowMs }: Passed): void {
    this.#setOff(
      `timecode:${position}`,
      atShowMs,
      atShowMs,
      ({ on }) => on.kind === 'timecode' && on.position === position,
      true,
    )
  }

  /** As many commands as triggers wait for this. All of them are found before the first one changes anything. */
  #setOff(
    origin: string,
    causeMs: number,
    atShowMs: number,
    isMeant: (trigger: Trigger) => boolean,
    isForeseen = false,
  ): void {
    const { isBlackout, newId, ask } = this.#options
    const isDark = isBlackout()
    const deeds = this.#show.triggers
      .filter(trigger => isMeant(trigger) && this.#counts(trigger, causeMs))
      .map(({ deed }) => deed)
    for (const deed of deeds)
      ask({ id: newId(), origin, atShowMs, ...wordsOf(deed, isDark) }, isForeseen)
  }

  #isPress(on: TriggerCause, { input, event }: Press): boolean {
    if (on.kind !== 'input' || on.input !== input || on.event !== event) return false
    return on.box === null || on.box === this.#options.box
  }

  #counts(trigger: Trigger, atShowMs: number): boolean {
    const { deed, holdOffMs } = trigger
    const isFree = deed.kind === 'panic' || deed.kind === 'release'
    const passedMs = atShowMs - (this.#lastMs.get(trigger) ?? Number.NEGATIVE_INFINITY)
    // A timeline that was set back must not make a button deaf.
    if (!isFree && passedMs >= 0 && passedMs < holdOffMs) return false
    this.#lastMs.set(trigger, atShowMs)
    return true
  }
}

/** The topics that triggers listen to, each once. */
export const heardTopics = ({ triggers }: CheckedShow): readonly string[] => [
  ...new Set(triggers.flatMap(({ on }) => (on.kind === 'mqtt' ? [on.topic] : []))),
]

/** The timecodes that triggers wait for, each once. */
export const awaitedTimecodes = ({ triggers }: CheckedShow): readonly string[] => [
  ...new Set(triggers.flatMap(({ on }) => (on.kind === 'timecode' ? [on.position] : []))),
]

function isWanted({ payload, json }: HeardMessage, text: string): boolean {
  if (payload !== null) return text.trim() === payload.trim()
  if (json === null) return true
  const value = objectIn(text)
  return Object.entries(json).every(([key, wanted]) => value?.get(key) === wanted)
}

/** What is not a JSON object is not the message that was waited for, and no fault of the show's. */
function objectIn(text: string): ReadonlyMap<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? new Map(Object.entries(value)) : null
  } catch {
    // Foreign devices say what they like.
    return null
  }
}

type Words = Pick<ShowCommand, 'action' | 'cue' | 'scene' | 'on'>

/** The blackout button takes its own blackout back. */
function wordsOf(deed: TriggerDeed, isBlackout: boolean): Words {
  switch (deed.kind) {
    case 'next':
      return { action: 'go' }
    case 'cue':
      return { action: 'fire', cue: deed.cue }
    case 'scene':
      return { action: 'scene', scene: deed.scene }
    case 'blackout':
      return { action: 'blackout', on: !isBlackout }
    default:
      return { action: deed.kind }
  }
}
