/** What machine code is for (System V ABI, "ELF Header"; "Symbol Versioning" of the Linux Standard Base). */
import { BoxError } from '../../runtime/core/errors.js'
import type { Architecture } from './description.js'

const MAGIC = [0x7f, 0x45, 0x4c, 0x46]
const CLASS_AT = 4
const ORDER_AT = 5
const MACHINE_AT = 18
const HEADER_BYTES = 64
const CLASS_64 = 2
const LITTLE_ENDIAN = 1
/** e_machine of EM_X86_64 and EM_AARCH64. */
const machines: Readonly<Record<Architecture, number>> = { x64: 62, arm64: 183 }

/** Debian 12, the oldest system of a box, has these; newer symbols are not found there. */
const newest = { GLIBC: [2, 36], GLIBCXX: [3, 4, 30] } as const

export const isElf = (bytes: Uint8Array): boolean =>
  bytes.length >= HEADER_BYTES && MAGIC.every((byte, at) => bytes[at] === byte)

/**
 * Machine code that a box cannot load is found here, not at a venue.
 * @param path to be named
 * @throws BoxError `release.invalid` for another machine, or for a newer C or C++ library than boxes have
 */
export function checkElf(path: string, bytes: Uint8Array, architecture: Architecture): void {
  if (!isElf(bytes)) throw new BoxError('release.invalid', `${path} is not machine code (ELF)`)
  const machine = (bytes[MACHINE_AT] ?? 0) | ((bytes[MACHINE_AT + 1] ?? 0) << 8)
  const isRight =
    bytes[CLASS_AT] === CLASS_64 &&
    bytes[ORDER_AT] === LITTLE_ENDIAN &&
    machine === machines[architecture]
  if (!isRight)
    throw new BoxError(
      'release.invalid',
      `${path} is machine code for another machine than ${architecture} (ELF machine ${machine})`,
    )
  const text = new TextDecoder('latin1').decode(bytes)
  for (const [library, limit] of Object.entries(newest)) checkSymbols(path, text, library, limit)
}

/** Names of versions stand in the string table as they are, each ended by a zero. */
function checkSymbols(path: string, text: string, library: string, limit: readonly number[]): void {
  for (const [, version = ''] of text.matchAll(
    new RegExp(`\\0${library}_(\\d+(?:\\.\\d+)+)(?=\\0)`, 'g'),
  ))
    if (isNewer(version.split('.').map(Number), limit))
      throw new BoxError(
        'release.invalid',
        `${path} needs ${library}_${version}; boxes have ${library}_${limit.join('.')}: build on an older system`,
      )
}

function isNewer(version: readonly number[], limit: readonly number[]): boolean {
  for (let at = 0; at < Math.max(version.length, limit.length); at++) {
    const difference = (version[at] ?? 0) - (limit[at] ?? 0)
    if (difference !== 0) return difference > 0
  }
  return false
}
