/**
 * The clock of a network interface (PHC), tied to the monotonic scale: PTP_SYS_OFFSET of <linux/ptp_clock.h>, which reads it
 * between two readings of CLOCK_REALTIME, and a line through the last seconds for the rate at which it runs.
 */
import { type FileHandle, open } from 'node:fs/promises'
import { monotonicMs, NS_PER_MS } from '../../runtime/core/time.js'
import type { MonotonicMs } from '../../runtime/ports/clock.js'
import { deviceErrorOf } from './errno.js'
import { type Libc, openLibc } from './libc.js'
import type { UdpSockets } from './libc-sockets.js'

/** `_IOW('=', 5, struct ptp_sys_offset)`, of 832 bytes. */
const PTP_SYS_OFFSET = 0x4340_3d05
const STRUCTURE_BYTES = 832
const SAMPLES = 5
/** After `n_samples` and three reserved words come times of 16 bytes: seconds, nanoseconds, reserved. */
const TIMES_AT = 16
const TIME_BYTES = 16
const NS_PER_S = 1_000_000_000n
const PAIRS_MAX = 40
/** Under that a rate is noise. */
const LEVER_MS_MIN = 2_000

/** What both showed at one moment. */
export interface Pair {
  readonly phcNs: bigint
  readonly at: MonotonicMs
}

export class Phc {
  readonly #file: FileHandle
  readonly #libc: Libc
  readonly #sockets: UdpSockets
  readonly #pairs: Pair[] = []

  private constructor(file: FileHandle, libc: Libc, sockets: UdpSockets) {
    this.#file = file
    this.#libc = libc
    this.#sockets = sockets
  }

  /** @throws DeviceError */
  static async open(sockets: UdpSockets, path: string): Promise<Phc> {
    const libc = await openLibc()
    try {
      return new Phc(await open(path, 'r+'), libc, sockets)
    } catch (error) {
      throw deviceErrorOf(path, error)
    }
  }

  close(): void {
    void this.#file.close()
  }

  /** Some times a second. @throws DeviceError where the interface's driver has no such clock any more */
  look(): void {
    const structure = new Uint8Array(STRUCTURE_BYTES)
    new DataView(structure.buffer).setUint32(0, SAMPLES, true)
    this.#libc.ioctl(this.#file.fd, PTP_SYS_OFFSET, structure, 'reading the clock of the interface')
    const { phcNs, systemNs } = tightest(structure)
    this.#pairs.push({ phcNs, at: this.#sockets.monotonicOf(systemNs) })
    if (this.#pairs.length > PAIRS_MAX) this.#pairs.shift()
  }

  /** Null before it was looked at. */
  monotonicOf(phcNs: bigint): MonotonicMs | null {
    return momentOf(this.#pairs, phcNs)
  }
}

/** Of several readings, the one whose two system times are nearest: the truth is between them. */
export function tightest(structure: Uint8Array): {
  readonly phcNs: bigint
  readonly systemNs: bigint
} {
  const view = new DataView(structure.buffer, structure.byteOffset)
  const time = (index: number): bigint => {
    const at = TIMES_AT + index * TIME_BYTES
    return view.getBigInt64(at, true) * NS_PER_S + BigInt(view.getUint32(at + 8, true))
  }
  let best = { widthNs: time(2) - time(0), index: 0 }
  for (let index = 1; index < SAMPLES; index++) {
    const widthNs = time(2 * index + 2) - time(2 * index)
    if (widthNs < best.widthNs) best = { widthNs, index }
  }
  const systemNs = time(2 * best.index) + best.widthNs / 2n
  return { phcNs: time(2 * best.index + 1), systemNs }
}

/** From the newest pair, at the rate that it and the oldest tell. Null where there is none. */
export function momentOf(pairs: readonly Pair[], phcNs: bigint): MonotonicMs | null {
  const [oldest, newest] = [pairs[0], pairs.at(-1)]
  if (oldest === undefined || newest === undefined) return null
  const leverMs = Number(newest.phcNs - oldest.phcNs) / NS_PER_MS
  const rate = leverMs < LEVER_MS_MIN ? 1 : (newest.at - oldest.at) / leverMs
  return monotonicMs(newest.at + (Number(phcNs - newest.phcNs) / NS_PER_MS) * rate)
}
