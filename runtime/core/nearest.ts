const CANDIDATES_MAX = 1000
const LENGTH_MAX = 64

/** The known name a person most likely meant, or null when none is close. */
export function nearest(wrong: string, known: Iterable<string>): string | null {
  const word = wrong.toLowerCase().slice(0, LENGTH_MAX)
  let best: string | null = null
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1
  let count = 0
  for (const candidate of known) {
    if (++count > CANDIDATES_MAX) break
    const distance = editDistance(word, candidate.toLowerCase().slice(0, LENGTH_MAX))
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** ` (did you mean "front"?)`, or nothing. */
export function suggestion(wrong: string, known: Iterable<string>): string {
  const found = nearest(wrong, known)
  return found === null ? '' : ` (did you mean "${found}"?)`
}

const SHOWN_MAX = 12

/** As `suggestion`, and where no name is near, those that there are: ` (there is 1, 2, 2.5 and 9 more)`. */
export function suggestionOrAll(wrong: string, known: Iterable<string>): string {
  const names = [...known]
  const near = suggestion(wrong, names)
  if (near !== '' || names.length === 0) return near
  const more = names.length - SHOWN_MAX
  return ` (there is ${names.slice(0, SHOWN_MAX).join(', ')}${more > 0 ? ` and ${more} more` : ''})`
}

/** Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours count one each. */
function editDistance(a: string, b: string): number {
  let before: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = nextRow(a, b, row, previous, before)
    before = previous
    previous = current
  }
  return previous[b.length] ?? 0
}

function nextRow(
  a: string,
  b: string,
  row: number,
  previous: readonly number[],
  before: readonly number[],
): number[] {
  const current = [row]
  for (let column = 1; column <= b.length; column++) {
    const cost = a[row - 1] === b[column - 1] ? 0 : 1
    const isSwap = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
    current[column] = Math.min(
      (previous[column] ?? 0) + 1,
      (current[column - 1] ?? 0) + 1,
      (previous[column - 1] ?? 0) + cost,
      isSwap && row > 1 && column > 1 ? (before[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
    )
  }
  return current
}
