/** Which transfer object brings a release: the smallest that this box can use, and what is left when one does not work. */
import type { ReleaseDescription } from '../release/description.js'

type TransferObject = ReleaseDescription['objects'][number]

/** @param base digest of the release that runs, whose files can be read; null for none. Best first, never empty. */
export function usableObjects(
  { objects }: ReleaseDescription,
  base: string | null,
): readonly TransferObject[] {
  return objects
    .filter(({ from }) => from === null || from === base)
    .toSorted((one, other) => one.byteCount - other.byteCount)
}
