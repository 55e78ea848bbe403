/** Why there is no slot to start: none is whole, or nobody can read them. The first asks for a new card, the second not yet. */
import { BoxError, messageOf } from '../../runtime/core/errors.js'
import type { SlotDisk } from '../../runtime/ports/slot-disk.js'
import { slotFolder } from './slot-check.js'
import { slotNames } from './slot-state.js'

const BYTES_MAX = 16 * 1024 * 1024

/** @returns why a slot or the records cannot be read, for people; null when they can, or are not there */
export async function whyUnreadable(disk: Pick<SlotDisk, 'read'>): Promise<string | null> {
  const names = ['slots/state.0', ...slotNames.map(name => `${slotFolder(name)}/manifest`)]
  for (const name of names)
    try {
      await disk.read(name, BYTES_MAX)
    } catch (error) {
      if (!(error instanceof BoxError)) throw error
      if (error.code !== 'storage.limit') return messageOf(error)
    }
  return null
}
