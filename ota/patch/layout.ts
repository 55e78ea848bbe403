/** In which order files follow each other in a transfer object. Both sides reckon it, so that it need not travel. */
import { compareUtf8, type ManifestEntry } from '../release/manifest.js'

/** Files, one behind the other. */
export interface Stretch {
  readonly entry: ManifestEntry
  readonly start: number
  readonly end: number
}

/** Files of one kind stand together, then by path: what is alike is near. */
export function layOut(entries: readonly ManifestEntry[]): Stretch[] {
  const sorted = entries
    .map(entry => ({ entry, kind: kindOf(entry.path) }))
    .sort((one, other) =>
      one.kind === other.kind
        ? compareUtf8(one.entry.path, other.entry.path)
        : compareUtf8(one.kind, other.kind),
    )
  let at = 0
  return sorted.map(({ entry }) => {
    const start = at
    at += entry.byteCount
    return { entry, start, end: at }
  })
}

export const byteCountOf = (stretches: readonly Stretch[]): number => stretches.at(-1)?.end ?? 0

/** What stands behind the last dot of the name. */
function kindOf(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1)
  const dot = name.lastIndexOf('.')
  return dot < 0 ? '' : name.slice(dot)
}
