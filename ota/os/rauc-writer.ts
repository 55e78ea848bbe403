/** Whether what RAUC was to write is there: as it says, and as the medium gives it back wherever that can be told. */
import { BoxError } from '../../runtime/core/errors.js'
import type { Rauc } from '../../runtime/ports/rauc.js'
import type { OsImage, SlotImage } from './os-state.js'
import { isBundle } from './os-state.js'
import { contentProblem, pairsOf, type RaucPlace } from './rauc-state.js'

/**
 * Right after it was installed: a slot of the type `raw` must give back its image; of another one it is seen whether it
 * does, since RAUC may have grown the file system.
 * @throws BoxError `os.rotten`
 */
export async function verifiedSlots(
  rauc: Rauc,
  images: readonly SlotImage[],
  place: RaucPlace,
): Promise<readonly SlotImage[]> {
  const problem = contentProblem(images, place)
  if (problem !== null) throw new BoxError('os.rotten', problem)
  const verified: SlotImage[] = []
  for (const [image, { name, isRaw }] of pairsOf(images, place)) {
    const isReadable = image.isReadable && (await isThere(rauc, name, image))
    if (image.isReadable && isRaw && !isReadable)
      throw new BoxError('os.rotten', `${name} was not written right`)
    verified.push({ ...image, isReadable })
  }
  return verified
}

/** Null: it is still what was verified when it was written. */
export async function imageProblem(
  rauc: Rauc,
  image: OsImage,
  place: RaucPlace,
): Promise<string | null> {
  if (!isBundle(image)) return 'RAUC has not written it'
  const problem = contentProblem(image.slots, place)
  if (problem !== null) return problem
  for (const [one, { name }] of pairsOf(image.slots, place))
    if (one.isReadable && !(await isThere(rauc, name, one)))
      return `${name} is not what was signed any more`
  return null
}

const isThere = async (rauc: Rauc, slot: string, image: SlotImage): Promise<boolean> =>
  (await rauc.sha256(slot, image.byteCount)) === image.sha256
