/** Small words for releases and orders, for drafts and lists alike. */

type Versions = Readonly<Record<string, string | undefined>>

export const releasesText = (releases: Versions): string =>
  Object.keys(releases).length === 0 ? 'no release' : `release ${pairsText(releases)}`

/** `1.5.0 for arm64 and 1.5.0 for x64` */
export const pairsText = (table: Versions): string =>
  Object.entries(table)
    .map(([whom, version]) => `${version} for ${whom}`)
    .join(' and ')

export const activationText = (activation: 'box' | 'venue'): string =>
  activation === 'venue' ? 'all boxes of a venue at once' : 'each box for itself'

/** To the next kB, so that nothing is of no size. */
export const sizeText = (byteCount: number): string =>
  byteCount < 1e6 ? `${Math.ceil(byteCount / 1e3)} kB` : `${(byteCount / 1e6).toFixed(1)} MB`
