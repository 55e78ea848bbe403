/** What is wrong with another box, and only a person can mend: told now and then, for as long as it is so. */
import { after } from '../../core/time.js'
import type { Clock, MonotonicMs } from '../../ports/clock.js'
import type { Place } from '../../ports/company.js'
import { furthest, type Message, type WholeAnswer } from './messages.js'
import type { Notice } from './notice.js'
import { isBelievable } from './ranks.js'

/** Between two tellings, and how long it is held to be so. */
const TELL_EVERY_MS = 60_000

type Strange = Extract<Notice, { kind: 'same-name' | 'mad' }>

export class Strangers {
  readonly #clock: Clock
  readonly #tell: (strange: Strange) => void
  readonly #told = new Map<Strange['kind'], { strange: Strange; at: MonotonicMs }>()

  constructor(clock: Clock, tell: (strange: Strange) => void) {
    this.#clock = clock
    this.#tell = tell
  }

  note(strange: Strange): void {
    const { kind } = strange
    if (this.#present(kind) !== null) return
    this.#told.set(kind, { strange, at: this.#clock.monotonicMs() })
    this.#tell(strange)
  }

  /** @param known what this box knows of the venue */
  believe(said: Message | WholeAnswer, known: Place): boolean {
    const isBelieved = isBelievable(furthest(said), known)
    if (!isBelieved) this.note({ kind: 'mad', box: said.box })
    return isBelieved
  }

  /** In words; null when nothing is. */
  get trouble(): string | null {
    const twin = this.#present('same-name')
    if (twin?.kind === 'same-name') return `another box has the same name: ${twin.from}`
    const mad = this.#present('mad')
    return mad?.kind === 'mad' ? `${mad.box} speaks of reigns that cannot be: restart it` : null
  }

  #present(kind: Strange['kind']): Strange | null {
    const told = this.#told.get(kind)
    const isPast = !told || this.#clock.monotonicMs() >= after(told.at, TELL_EVERY_MS)
    return isPast ? null : told.strange
  }
}
