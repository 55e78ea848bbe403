/** What takes long of an update of the operating system, step by step; each may be ended, and begun again. */
import type { OsDescription } from '../os/os-description.js'
import { isBundle, type OsImage } from '../os/os-state.js'
import type { OsProgress } from '../os/os-writer.js'
import { isOccupied } from './occupied.js'
import type { OsUpdaterPorts } from './os-parts.js'
import type { TransferProgress } from './parts.js'

/** `fetch`: to the data partition. `write`: to the partitions that do not run. `try`: the reboot into them. */
export type OsStep = 'fetch' | 'write' | 'try'

/** Why no release is tried meanwhile. */
export const STEP_WHYS: Readonly<Record<OsStep, string | null>> = {
  fetch: null,
  write: 'an operating system is being written',
  try: 'the box is about to start another operating system',
}

export interface OsWork {
  readonly step: OsStep
  readonly description: OsDescription
  readonly image: OsImage
  readonly version: string
}

export type Carrying = (
  work: OsWork,
  tell: (progress: TransferProgress) => void,
  isCancelled: () => boolean,
) => Promise<void>

interface Parts extends Pick<OsUpdaterPorts, 'objects' | 'system' | 'box'> {
  /** Whether a person overrules that the box does not answer. */
  readonly isForced: () => boolean
  /** What is in the way of a reboot as of now, the show apart; null: nothing. */
  readonly objection: () => string | null
}

/** @throws BoxError whatever the objects and the system throw */
export async function carryOut(
  parts: Parts,
  { step, description, image }: OsWork,
  tell: (progress: TransferProgress) => void,
  isCancelled: () => boolean,
): Promise<void> {
  const { objects, system, box, isForced, objection } = parts
  if (step === 'try') {
    await box.remember()
    await system.tryBoot(async () => {
      if (isCancelled()) return 'it is not wanted any more'
      // What was heard before the images were read is not good enough to end a show by.
      const isBad = await isOccupied(box, isForced())
      return isBad ? 'a show was armed meanwhile, or a cue fired' : objection()
    })
    return
  }
  const source = await objects.bring(description, tell, isCancelled)
  if (step === 'fetch') return
  await system.write(image, source, {
    progress: progress => tell(writingOf(image, progress)),
    isCancelled,
  })
}

/** All that is written, as one: both partitions, or the bundle into its file and by RAUC to where it belongs. */
function writingOf(image: OsImage, { part, done }: OsProgress): TransferProgress {
  const byteCount = isBundle(image) ? image.bundle.byteCount : image.root.byteCount
  const allBytes = byteCount + (isBundle(image) ? byteCount : image.boot.byteCount)
  const now = part === 'install' ? Math.floor((done * byteCount) / PERCENT) : done
  const before = part === 'boot' || part === 'install' ? byteCount : 0
  return { ...nothingCame, phase: 'writing', doneBytes: before + now, allBytes }
}

/** RAUC counts so. */
const PERCENT = 100
const nothingCame = { uplinkBytes: 0, peerBytes: 0, stickBytes: 0 }
