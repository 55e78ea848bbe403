/** What hosts have in common that write to chips at planned moments: the limits, and which write makes another needless. */
import type { RegisterWrite } from '../ports/host.js'
import { DeviceError } from './errors.js'

export const PLANNED_PER_CHIP_MAX = 256
/** Writes that belong together, and bytes that one transfer holds. */
export const WRITES_MAX = 4
export const BLOCK_BYTES_MAX = 32
/** Long wires pick up switching noise: one lost transfer is not a fault. */
export const TRIES_MAX = 3

/** A copy, so that the caller may use its bytes again. @throws DeviceError `device.limit` */
export function copyOfWrites(writes: readonly RegisterWrite[]): readonly RegisterWrite[] {
  const isBlock = ({ bytes }: RegisterWrite): boolean =>
    bytes.length >= 1 && bytes.length <= BLOCK_BYTES_MAX
  if (writes.length < 1 || writes.length > WRITES_MAX || !writes.every(isBlock))
    throw new DeviceError(
      'device.limit',
      `what is planned are 1 to ${WRITES_MAX} writes of 1 to ${BLOCK_BYTES_MAX} bytes`,
    )
  return writes.map(({ register, bytes }) => ({ register, bytes: Uint8Array.from(bytes) }))
}

/** Whether one of those that come later writes each register again that `writes` writes. */
export const isOvertaken = (
  writes: readonly RegisterWrite[],
  laterOnes: readonly (readonly RegisterWrite[])[],
): boolean =>
  writes.every(write => laterOnes.some(later => later.some(each => covers(each, write))))

const covers = (outer: RegisterWrite, inner: RegisterWrite): boolean =>
  outer.register <= inner.register &&
  outer.register + outer.bytes.length >= inner.register + inner.bytes.length
