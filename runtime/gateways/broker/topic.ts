/** Topic names and filters as MQTT 3.1.1 section 4.7 defines them. Pure; used by the rights, the store and the bridge. */

/** Deeper topics help nobody, and the routing libraries work level by level. */
export const TOPIC_LEVELS_MAX = 10
/** A topic is a key in the store. */
export const TOPIC_BYTES_MAX = 512

/** What a message may be published to: not empty, no wildcard, no NUL (MQTT-4.7.1-1, MQTT-4.7.3-1, MQTT-4.7.3-2). */
export function isTopic(text: string): boolean {
  return isSound(text) && !/[+#]/.test(text)
}

/** What may be subscribed to: `+` and `#` stand alone in their level, `#` only in the last one (MQTT-4.7.1-2, -3). */
export function isFilter(text: string): boolean {
  if (!isSound(text)) return false
  const levels = text.split('/')
  return levels.every((level, index) =>
    level === '#' ? index === levels.length - 1 : level === '+' || !/[+#]/.test(level),
  )
}

const isSound = (text: string): boolean =>
  text.length > 0 &&
  text.length <= TOPIC_BYTES_MAX &&
  Buffer.byteLength(text) <= TOPIC_BYTES_MAX &&
  !text.includes('\u0000') &&
  text.split('/').length <= TOPIC_LEVELS_MAX

/** Whether a message on `topic` reaches a subscriber of `filter`. Wildcards do not reach `$` topics (MQTT-4.7.2-1). */
export function matches(filter: string, topic: string): boolean {
  if (topic.startsWith('$') && startsWild(filter)) return false
  // Without taking them apart: with every message this is asked of every filter of every reader.
  let [at, here] = [0, 0]
  while (at <= filter.length) {
    const [end, ends] = [levelEnd(filter, at), levelEnd(topic, here)]
    if (isLevel(filter, at, end, '#')) return true
    if (here > topic.length) return false
    const isSame = end - at === ends - here && filter.startsWith(topic.slice(here, ends), at)
    if (!isSame && !isLevel(filter, at, end, '+')) return false
    at = end + 1
    here = ends + 1
  }
  return here > topic.length
}

function levelEnd(text: string, start: number): number {
  const end = text.indexOf('/', start)
  return end < 0 ? text.length : end
}

const isLevel = (filter: string, start: number, end: number, wildcard: '#' | '+'): boolean =>
  end - start === 1 && filter[start] === wildcard

/**
 * Whether every topic that `filter` can match is also matched by `allowed`. This, and not a mere match, is what a
 * subscription is judged by: `a/+` is matched by nothing that `a/b` allows, but would read more than `a/b`.
 */
export function contains(allowed: string, filter: string): boolean {
  const outer = allowed.split('/')
  const inner = filter.split('/')
  if (filter.startsWith('$') && startsWild(allowed)) return false
  for (const [index, level] of outer.entries()) {
    if (level === '#') return true
    const asked = inner[index]
    if (asked === undefined || asked === '#') return false
    if (level !== '+' && level !== asked) return false
  }
  return outer.length === inner.length
}

export const startsWild = (filter: string): boolean =>
  filter.startsWith('+') || filter.startsWith('#')
