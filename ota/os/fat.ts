/** Whether an image begins as a FAT does that the boot loader reads: Microsoft's FAT specification 1.03, section 3.1. */

const SECTOR_BYTES_MIN = 512
const JUMPS = [0xeb, 0xe9]

/** @param first at least the first 512 bytes of a partition. Null: it does. */
export function fatProblem(first: Uint8Array): string | null {
  if (first.length < SECTOR_BYTES_MIN) return 'has not even a boot sector'
  const hasSignature = first[510] === 0x55 && first[511] === 0xaa
  const sectorBytes = (first[11] ?? 0) + 256 * (first[12] ?? 0)
  const isFat =
    hasSignature && JUMPS.includes(first[0] ?? 0) && [512, 1024, 2048, 4096].includes(sectorBytes)
  if (isFat) return null
  return hasSignature
    ? 'is no FAT: give the image of the boot partition, and not of the whole card'
    : 'does not begin like a FAT, so no firmware would start it'
}
