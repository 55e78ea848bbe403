/** What is told while a release is brought into a slot, and how that ends early. */
import { BoxError } from '../../runtime/core/errors.js'
import type { FetchProgress } from '../fetch/fetch-progress.js'
import type { MendWishes } from '../slots/mending.js'
import type { TransferProgress } from '../updater/parts.js'

export type Tell = (progress: TransferProgress) => void

export interface Wishes {
  readonly tell: Tell
  readonly isCancelled: () => boolean
}

export const nothingCame = { uplinkBytes: 0, peerBytes: 0, stickBytes: 0 }

/** One file after the other, each in the place of one that is damaged: that takes no room worth asking for. */
export const unlessCancelled = ({ tell, isCancelled }: Wishes): MendWishes => ({
  pause: async () => {
    if (isCancelled()) throw new BoxError('fetch.cancelled', 'it is not wanted any more')
    tell({ ...nothingCame, phase: 'writing', doneBytes: 0, allBytes: 0 })
  },
  makeSure: async () => {},
})

export const progressOf = (progress: FetchProgress): TransferProgress => ({
  phase: 'fetching',
  doneBytes: progress.haveByteCount,
  allBytes: progress.byteCount,
  uplinkBytes: progress.uplinkByteCount,
  peerBytes: progress.peerByteCount,
  stickBytes: progress.folderByteCount,
})
