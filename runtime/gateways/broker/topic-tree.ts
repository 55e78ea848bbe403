/** Two maps over topics, one step per level: topics looked up by filter (retained), filters looked up by topic (queues). */
import { startsWild } from './topic.js'

interface Branch<T> {
  readonly children: Map<string, Branch<T>>
  /** By the full text of the topic, or by the owner of the filter. */
  readonly leaves: Map<string, T>
}

const branch = <T>(): Branch<T> => ({ children: new Map(), leaves: new Map() })

/** Values by topic; `select` finds those that a filter reaches. */
export class TopicMap<T> {
  readonly #root = branch<T>()
  #size = 0

  get size(): number {
    return this.#size
  }

  get(topic: string): T | undefined {
    return find(this.#root, topic)?.leaves.get(topic)
  }

  set(topic: string, value: T): void {
    const { leaves } = grow(this.#root, topic)
    if (!leaves.has(topic)) this.#size++
    leaves.set(topic, value)
  }

  delete(topic: string): void {
    if (prune(this.#root, topic.split('/'), topic)) this.#size--
  }

  /** In no particular order. A filter that starts with a wildcard does not reach `$` topics (MQTT-4.7.2-1). */
  select(filter: string): T[] {
    const found: T[] = []
    collect(this.#root, filter.split('/'), startsWild(filter), found)
    return found
  }
}

/** Values by filter and owner; `match` finds those whose filter reaches a topic, wildcards first. */
export class FilterMap<T> {
  readonly #root = branch<T>()
  #size = 0

  get size(): number {
    return this.#size
  }

  set(filter: string, owner: string, value: T): void {
    const { leaves } = grow(this.#root, filter)
    if (!leaves.has(owner)) this.#size++
    leaves.set(owner, value)
  }

  delete(filter: string, owner: string): void {
    if (prune(this.#root, filter.split('/'), owner)) this.#size--
  }

  match(topic: string): T[] {
    const found: T[] = []
    reach(this.#root, topic.split('/'), topic.startsWith('$'), found)
    return found
  }
}

function find<T>(root: Branch<T>, text: string): Branch<T> | undefined {
  let here: Branch<T> | undefined = root
  for (const level of text.split('/')) here = here?.children.get(level)
  return here
}

function grow<T>(root: Branch<T>, text: string): Branch<T> {
  let here = root
  for (const level of text.split('/')) {
    const next: Branch<T> = here.children.get(level) ?? branch()
    here.children.set(level, next)
    here = next
  }
  return here
}

/** Removes one leaf, and the branches that have become empty: memory must follow what is kept, not what has been. */
function prune<T>(here: Branch<T>, levels: readonly string[], leaf: string): boolean {
  const [level, ...rest] = levels
  if (level === undefined) return here.leaves.delete(leaf)
  const next = here.children.get(level)
  if (!next || !prune(next, rest, leaf)) return false
  if (next.leaves.size === 0 && next.children.size === 0) here.children.delete(level)
  return true
}

function collect<T>(
  here: Branch<T>,
  levels: readonly string[],
  skipsSystem: boolean,
  found: T[],
): void {
  const [level, ...rest] = levels
  if (level === undefined || level === '#') found.push(...here.leaves.values())
  if (level === undefined) return
  const below = level === '#' ? levels : rest
  for (const next of childrenFor(here, level, skipsSystem)) collect(next, below, false, found)
}

function childrenFor<T>(here: Branch<T>, level: string, skipsSystem: boolean): Branch<T>[] {
  if (level !== '#' && level !== '+') return [here.children.get(level)].filter(next => !!next)
  return [...here.children]
    .filter(([name]) => !skipsSystem || !name.startsWith('$'))
    .map(([, next]) => next)
}

function reach<T>(here: Branch<T>, levels: readonly string[], isSystem: boolean, found: T[]): void {
  if (!isSystem) found.push(...(here.children.get('#')?.leaves.values() ?? []))
  const [level, ...rest] = levels
  if (level === undefined) {
    found.push(...here.leaves.values())
    return
  }
  const any = isSystem ? undefined : here.children.get('+')
  if (any) reach(any, rest, false, found)
  const next = here.children.get(level)
  if (next) reach(next, rest, false, found)
}
