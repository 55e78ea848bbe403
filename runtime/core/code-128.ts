/**
 * Code 128 (ISO/IEC 15417): which letters stand in which set, and their bars. Printers that draw the code themselves are
 * told the same sets, so both codes are equally wide.
 */
export interface Code128Part {
  /** B: ASCII from the space on. C: pairs of digits, 0 to 99. */
  readonly set: 'b' | 'c'
  /** Of set B the letters of ASCII, of set C the pairs. */
  readonly codes: readonly number[]
}

/** From so many digits pairs are worth the change of set: at an end of the content, and in between (annex E). */
const DIGITS_AT_END = 4
const DIGITS_BETWEEN = 6

/**
 * @param content printable ASCII
 * @param isAllowed whether these pairs of digits may stand one after the other in set C; otherwise they stand in set B
 */
export function code128Parts(
  content: string,
  isAllowed: (pairs: readonly number[]) => boolean,
): readonly Code128Part[] {
  const runs = content.match(/\d+|\D+/g) ?? []
  const parts = runs.flatMap((run, index) => {
    const digitsMin = index === 0 || index === runs.length - 1 ? DIGITS_AT_END : DIGITS_BETWEEN
    return partsOf(run, digitsMin, isAllowed)
  })
  const joined: Code128Part[] = []
  for (const part of parts) {
    const last = joined.at(-1)
    if (last?.set === part.set)
      joined.splice(-1, 1, { set: part.set, codes: [...last.codes, ...part.codes] })
    else joined.push(part)
  }
  return joined
}

/** An odd digit stands before its pairs, in set B. */
function partsOf(
  run: string,
  digitsMin: number,
  isAllowed: (pairs: readonly number[]) => boolean,
): readonly Code128Part[] {
  const isLong = /^\d/.test(run) && run.length >= digitsMin
  const found = isLong ? (run.slice(run.length % 2).match(/\d\d/g) ?? []).map(Number) : []
  const pairs = isAllowed(found) ? found : []
  const single = [...run.slice(0, run.length - pairs.length * 2)]
  return [
    ...(single.length === 0
      ? []
      : [{ set: 'b' as const, codes: single.map(letter => letter.charCodeAt(0)) }]),
    ...(pairs.length === 0 ? [] : [{ set: 'c' as const, codes: pairs }]),
  ]
}

const START = { b: 104, c: 105 } as const
const CHANGE_TO = { b: 100, c: 99 } as const
const STOP = 106
const CHECK_MODULUS = 103
const SPACE = 0x20

/** @returns widths in modules, in turn of bars and spaces, beginning with a bar */
export function code128Bars(content: string): readonly number[] {
  const values = code128Parts(content, () => true).flatMap(({ set, codes }, index) => [
    index === 0 ? START[set] : CHANGE_TO[set],
    ...(set === 'b' ? codes.map(code => code - SPACE) : codes),
  ])
  const check = values.reduce((sum, value, index) => sum + value * Math.max(1, index), 0)
  return [...values, check % CHECK_MODULUS, STOP].flatMap(value =>
    [...(patterns[value] ?? '')].map(Number),
  )
}

/** Table 1: by value, widths of three bars and three spaces; the stop pattern has one bar more. */
const patterns = `
  212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232
  122132 122231 113222 123122 123221 223211 221132 221231 213212 223112 312131 311222 321122
  321221 312212 322112 322211 212123 212321 232121 111323 131123 131321 112313 132113 132311
  211313 231113 231311 112133 112331 132131 113123 113321 133121 313121 211331 231131 213113
  213311 213131 311123 311321 331121 312113 312311 332111 314111 221411 431111 111224 111422
  121124 121421 141122 141221 112214 112412 122114 122411 142112 142211 241211 221114 413111
  241112 134111 111242 121142 121241 114212 124112 124211 411212 421112 421211 212141 214121
  412121 111143 111341 131141 114113 114311 411113 411311 113141 114131 311141 411131 211412
  211214 211232 2331112`
  .trim()
  .split(/\s+/)
