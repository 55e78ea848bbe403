/**
 * What the kernel says of its own date (adjtimex(2), read only) and what a clock with a battery says (rtc(4) in sysfs).
 */
import { readFile } from 'node:fs/promises'
import { BoxError } from '../../runtime/core/errors.js'
import { wallTimeMs } from '../../runtime/core/time.js'
import type { WallTimeMs } from '../../runtime/ports/clock.js'
import type { DateKeepers } from '../../runtime/ports/date-keepers.js'
import { loadLibc } from './libc.js'

/** `struct timex` is 208 bytes where a long has 64 bits, and shorter elsewhere. */
const TIMEX_BYTES = 208
/** `maxerror`, a long of microseconds, and `status`, by the width of a long. */
const wide = { maxError: 24, status: 40 } as const
const narrow = { maxError: 12, status: 20 } as const
/** STA_UNSYNC of <linux/timex.h>: nobody keeps it right. */
const UNSYNCHRONISED = 0x40
const MICROSECONDS_PER_MS = 1_000
const IS_WIDE = process.arch !== 'arm' && process.arch !== 'ia32'

/** What adjtimex(2) has filled in: null where nobody keeps the system's date right. */
export function errorMsIn(timex: Uint8Array, isWide: boolean): number | null {
  const view = new DataView(timex.buffer, timex.byteOffset, timex.byteLength)
  const { maxError, status } = isWide ? wide : narrow
  if ((view.getInt32(status, true) & UNSYNCHRONISED) !== 0) return null
  // It never has more than 32 bits: the kernel stops counting at 16 seconds.
  return view.getUint32(maxError, true) / MICROSECONDS_PER_MS
}

type ReadTimex = (timex: Uint8Array) => number

export class LinuxDateKeepers implements DateKeepers {
  readonly #rtcFile: string
  /** Null where koffi has no binary for this machine; undefined before it was tried. */
  #read: ReadTimex | null | undefined

  constructor(rtcFile = '/sys/class/rtc/rtc0/since_epoch') {
    this.#rtcFile = rtcFile
  }

  async systemErrorMs(): Promise<number | null> {
    if (this.#read === undefined) this.#read = await openAdjtimex()
    if (this.#read === null) return null
    // All zero: nothing is to be changed.
    const timex = new Uint8Array(TIMEX_BYTES)
    return this.#read(timex) < 0 ? null : errorMsIn(timex, IS_WIDE)
  }

  async rtcMs(): Promise<WallTimeMs | null> {
    try {
      const seconds = Number((await readFile(this.#rtcFile, 'utf8')).trim())
      return Number.isInteger(seconds) && seconds > 0 ? wallTimeMs(seconds * 1_000) : null
    } catch {
      // Most boards have none, and one without a battery cannot be read.
      return null
    }
  }
}

async function openAdjtimex(): Promise<ReadTimex | null> {
  try {
    const { library } = await loadLibc()
    return library.func('int adjtimex(uint8 *timex)')
  } catch (error) {
    if (error instanceof BoxError && error.code === 'native.missing') return null
    throw error
  }
}
