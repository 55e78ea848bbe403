/** Which transfer object brings a release: the smallest that this box can use, and what is left when one does not work. */
import { BoxError } from '../../runtime/core/errors.js'
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

/** A base that has rotted, an object that was made wrong, that nobody has, or that needs more memory than there is. */
const MAY_GIVE_WAY: readonly string[] = [
  'storage.rotten',
  'release.invalid',
  'release.unapplied',
  'fetch.invalid',
  'fetch.absent',
]

/** Whether another object may bring what this one has not. */
export const mayGiveWay = (error: unknown): boolean =>
  error instanceof BoxError && MAY_GIVE_WAY.includes(error.code)

/** What could not be applied on this box: no slot is emptied for such an object while another one may do. */
export class UselessObjects {
  readonly #known = new Set<string>()

  note({ sha256 }: Pick<TransferObject, 'sha256'>, error: unknown): void {
    if (mayGiveWay(error)) this.#known.add(sha256)
  }

  /** Where nothing else is left, all are tried again. */
  leaveOut(usable: readonly TransferObject[]): readonly TransferObject[] {
    const left = usable.filter(({ sha256 }) => !this.#known.has(sha256))
    if (left.length > 0) return left
    this.#known.clear()
    return usable
  }
}
