import type { RaucMark } from '../../runtime/ports/rauc.js'

const ATTEMPTS = 3

/**
 * `counts`: U-Boot, barebox; `once`: EFI, whose BootNext holds for one start; `stays`: of somebody's own, which starts what it
 * was told to for ever; `never`: the backend `noop`.
 */
export type BootChooserKind = 'counts' | 'once' | 'stays' | 'never'

type Changes = Readonly<Record<BootChooserKind, Readonly<Record<RaucMark, (() => void)[]>>>>

/**
 * The variables by which a boot loader chooses, as RAUC sets them (src/bootloaders): each is set at once, one after the other.
 * What is started loses an attempt, and gets all of them again when it is found good.
 */
export class SimulatedBootChooser<Name extends string> {
  readonly #kind: BootChooserKind
  readonly #names: readonly Name[]
  #order: readonly Name[]
  /** EFI's BootNext. */
  #next: Name | null = null
  readonly #left: Map<Name, number>

  constructor(kind: BootChooserKind, names: readonly Name[]) {
    this.#kind = kind
    this.#names = names
    this.#order = names
    this.#left = new Map(names.map(name => [name, ATTEMPTS]))
  }

  get primary(): Name | null {
    if (this.#kind === 'never') return null
    return this.#next ?? this.#order.find(name => this.#attemptsOf(name) > 0) ?? null
  }

  /** @returns what starts; null: nothing does */
  start(isStarting: (name: Name) => boolean): Name | null {
    const once = this.#next
    this.#next = null
    if (once !== null && isStarting(once)) return once
    const started = this.#startInOrder(isStarting)
    if (started !== null) return started
    // "No valid slot found, resetting tries to 3" of the scripts that come with RAUC.
    for (const name of this.#names) this.#left.set(name, ATTEMPTS)
    return this.#startInOrder(isStarting)
  }

  /** What RAUC sets for a mark, in its order. */
  changesFor(mark: RaucMark, name: Name): readonly (() => void)[] {
    const others = (): Name[] => this.#order.filter(one => one !== name)
    const setFirst = (): void => {
      this.#order = [name, ...others()]
    }
    const drop = (): void => {
      this.#order = others()
    }
    const setNext = (): void => {
      this.#next = name
    }
    const setLeft = (attempts: number) => (): void => void this.#left.set(name, attempts)
    const full = setLeft(ATTEMPTS)
    const changes: Changes = {
      counts: { good: [full], bad: [drop, setLeft(0)], active: [full, setFirst] },
      once: { good: [setFirst], bad: [drop], active: [setNext] },
      stays: { good: [], bad: [drop], active: [setFirst] },
      never: { good: [], bad: [], active: [] },
    }
    return changes[this.#kind][mark]
  }

  #startInOrder(isStarting: (name: Name) => boolean): Name | null {
    for (const name of this.#order)
      for (let left = this.#attemptsOf(name); left > 0; left--) {
        this.#left.set(name, left - 1)
        if (isStarting(name)) return name
      }
    return null
  }

  #attemptsOf(name: Name): number {
    return this.#kind === 'counts' ? (this.#left.get(name) ?? 0) : ATTEMPTS
  }
}
