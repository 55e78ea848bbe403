/** Names of targets and roles: which role may speak of a target, and where a file lies. */

/**
 * Shell-style wildcards, step by step, as in TUF 1.0 section 4.5: `*`, `?`, `[abc]`, `[a-z]`, `[!a]`; none of them goes
 * over a `/`. Work is at most the product of the two lengths, whatever the pattern.
 */
export function matchesPattern(path: string, pattern: string): boolean {
  const steps = path.split('/')
  const patternSteps = pattern.split('/')
  if (steps.length !== patternSteps.length) return false
  return patternSteps.every((patternStep, index) =>
    matchesStep([...(steps[index] ?? '')], tokensOf(patternStep)),
  )
}

/** One character of a path is asked for, or `*`. */
type Token = 'any number' | ((letter: string) => boolean)

function tokensOf(pattern: string): Token[] {
  const letters = [...pattern]
  const tokens: Token[] = []
  for (let at = 0; at < letters.length; at++) {
    const letter = letters[at]
    const set = letter === '[' ? setAt(letters, at) : null
    if (set !== null) {
      tokens.push(set.has)
      at = set.end
    } else tokens.push(tokenOf(letter ?? ''))
  }
  return tokens
}

function tokenOf(letter: string): Token {
  if (letter === '*') return 'any number'
  return letter === '?' ? () => true : other => other === letter
}

/** Null when no `]` ends the set: then the bracket is a letter. A `]` right after the beginning belongs to the set. */
function setAt(
  letters: readonly string[],
  start: number,
): { has: (letter: string) => boolean; end: number } | null {
  const isNegated = letters[start + 1] === '!'
  const first = start + (isNegated ? 2 : 1)
  const end = letters.indexOf(']', first + 1)
  if (end < 0) return null
  const members = letters.slice(first, end)
  return { has: letter => isMember(letter, members) !== isNegated, end }
}

function isMember(letter: string, members: readonly string[]): boolean {
  for (let at = 0; at < members.length; at++) {
    const [from, dash, to] = members.slice(at, at + 3)
    if (dash === '-' && from !== undefined && to !== undefined) {
      if (isBetween(letter, from, to)) return true
      at += 2
    } else if (letter === from) return true
  }
  return false
}

const isBetween = (letter: string, from: string, to: string): boolean =>
  point(letter) >= point(from) && point(letter) <= point(to)

const point = (letter: string): number => letter.codePointAt(0) ?? 0

/** Only the last `*` is ever tried again, so there is nothing to explode. */
function matchesStep(letters: readonly string[], tokens: readonly Token[]): boolean {
  let [at, token] = [0, 0]
  let star: { token: number; at: number } | null = null
  while (at < letters.length) {
    const wanted = tokens[token]
    if (wanted === 'any number') star = { token: token++, at }
    else if (wanted?.(letters[at] ?? '') === true) {
      at++
      token++
    } else if (star === null) return false
    else {
      star = { token: star.token, at: star.at + 1 }
      at = star.at
      token = star.token + 1
    }
  }
  return tokens.slice(token).every(rest => rest === 'any number')
}

/** RFC 3986, all but unreserved letters: also what `encodeURIComponent` leaves. Throws URIError for half a character. */
export const encodeStep = (step: string): string =>
  encodeURIComponent(step).replace(
    /[!'()*]/g,
    letter => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  )

/** @param version null without a number in the name */
export const metadataPath = (role: string, version: number | null): string =>
  `metadata/${version === null ? '' : `${version}.`}${encodeStep(role)}.json`

/**
 * Where a target's bytes lie, as it stands in an address; null for a path that no source may be asked for.
 * @param digest put before the file's name in repositories with consistent snapshots; null in others
 */
export function targetLocation(path: string, digest: string | null): string | null {
  const steps = path.split('/')
  if (/\p{Surrogate}/u.test(path)) return null
  if (steps.some(step => step === '' || step === '.' || step === '..')) return null
  const file = steps.pop() ?? ''
  const named = digest === null ? file : `${digest}.${file}`
  return ['targets', ...[...steps, named].map(encodeStep)].join('/')
}
