/** Which release is the newer; apart from the schemas, since the launcher carries no packages. */
/** Smaller than 0: `one` is the older (semver.org 2.0.0, 11). Both as `releaseVersion` of description.ts allows. */
export function compareVersions(one: string, other: string): number {
  const [a, b] = [partsOf(one), partsOf(other)]
  for (let index = 0; index < 3; index++) {
    const difference = (a.numbers[index] ?? 0) - (b.numbers[index] ?? 0)
    if (difference !== 0) return difference
  }
  if (a.pre.length === 0 || b.pre.length === 0) return b.pre.length - a.pre.length
  return comparePre(a.pre, b.pre)
}

function partsOf(version: string): { numbers: number[]; pre: string[] } {
  const dash = version.indexOf('-')
  const core = dash < 0 ? version : version.slice(0, dash)
  return {
    numbers: core.split('.').map(Number),
    pre: dash < 0 ? [] : version.slice(dash + 1).split('.'),
  }
}

function comparePre(one: readonly string[], other: readonly string[]): number {
  for (let index = 0; index < Math.max(one.length, other.length); index++) {
    const [a, b] = [one[index], other[index]]
    if (a === undefined || b === undefined) return a === undefined ? -1 : 1
    if (a !== b) return compareIdentifiers(a, b)
  }
  return 0
}

/** Numbers by value and before words, words by their letters. */
function compareIdentifiers(one: string, other: string): number {
  const [isNumber, isOtherNumber] = [/^\d+$/.test(one), /^\d+$/.test(other)]
  if (isNumber && isOtherNumber) return Number(one) - Number(other)
  if (isNumber !== isOtherNumber) return isNumber ? -1 : 1
  return one < other ? -1 : 1
}
