/** From buttons to commands. A trigger that has just acted is deaf for its hold-off; panic never is. */
import type { Payload, ShowCommand } from '../../topics.js'
import type { CheckedShow, Trigger, TriggerDeed } from './checked-show.js'

type Press = Payload<'input/changed'>

export class Triggers {
  readonly #show: CheckedShow
  readonly #box: string
  readonly #lastMs = new Map<Trigger, number>()

  constructor(show: CheckedShow, box: string) {
    this.#show = show
    this.#box = box
  }

  /** What the press asks for: as many commands as triggers listen to it. */
  commandsOf(
    press: Press,
    state: { readonly isBlackout: boolean },
    newId: () => string,
  ): ShowCommand[] {
    return this.#show.triggers
      .filter(trigger => this.#counts(trigger, press))
      .map(({ deed }) => ({
        id: newId(),
        origin: `input:${press.input}`,
        ...wordsOf(deed, state.isBlackout),
      }))
  }

  #counts(trigger: Trigger, press: Press): boolean {
    const { on, deed, holdOffMs } = trigger
    if (on.input !== press.input || on.event !== press.event) return false
    if (on.box !== null && on.box !== this.#box) return false
    const isFree = deed.kind === 'panic' || deed.kind === 'release'
    const passedMs = press.atShowMs - (this.#lastMs.get(trigger) ?? Number.NEGATIVE_INFINITY)
    // A timeline that was set back must not make a button deaf.
    if (!isFree && passedMs >= 0 && passedMs < holdOffMs) return false
    this.#lastMs.set(trigger, press.atShowMs)
    return true
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
