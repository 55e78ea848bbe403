/**
 * The past in rows of sixty: one row holds the seconds of a minute, or the minutes of an hour. A row says which, so that a
 * ring of rows needs no other order; what was never written is unknown. Little-endian, 8 bytes a sample. Pure.
 */

export interface HistorySample {
  readonly percent: number | null
  readonly millivolts: number | null
  /** Out of the packs is negative. */
  readonly milliwatts: number | null
  /** 0 mains .. 5 shutdown; null: no sample. */
  readonly stageRank: number | null
}

export const nothingSampled: HistorySample = {
  percent: null,
  millivolts: null,
  milliwatts: null,
  stageRank: null,
}

export interface HistoryRow {
  /** Number of the minute or the hour since 1970. */
  readonly number: number
  /** By series: `all`, and each pack by its name. Sixty samples each. */
  readonly series: ReadonlyMap<string, readonly HistorySample[]>
}

export const ROW_SAMPLES = 60
const VERSION = 1
const HEAD_BYTES = 6
const SAMPLE_BYTES = 8
const NAME_BYTES_MAX = 64
const SERIES_MAX = 17

const HALF_POINTS_UNKNOWN = 0xff
const STAGE_UNKNOWN = 0xff
const MILLIVOLT_STEP = 2
const VOLTS_UNKNOWN = 0xffff
const WATTS_UNKNOWN = -0x80000000

const encoder = new TextEncoder()
const decoder = new TextDecoder()

export function packedRow({ number, series }: HistoryRow): Uint8Array {
  const names = [...series.keys()].map(name => encoder.encode(name).subarray(0, NAME_BYTES_MAX))
  const nameBytes = names.reduce((sum, { length }) => sum + 1 + length, 0)
  const bytes = new Uint8Array(HEAD_BYTES + nameBytes + series.size * ROW_SAMPLES * SAMPLE_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint8(0, VERSION)
  view.setUint32(1, number, true)
  view.setUint8(5, series.size)
  let at = HEAD_BYTES
  for (const [index, samples] of [...series.values()].entries()) {
    const name = names[index] ?? new Uint8Array()
    view.setUint8(at, name.length)
    bytes.set(name, at + 1)
    at += 1 + name.length
    for (let place = 0; place < ROW_SAMPLES; place++, at += SAMPLE_BYTES)
      writeSample(view, at, samples[place] ?? nothingSampled)
  }
  return bytes
}

/**
 * Null for what is no row: a disk may return anything.
 * @param wanted the only series to read; null: all
 */
export function unpackedRow(bytes: Uint8Array, wanted: string | null): HistoryRow | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < HEAD_BYTES || view.getUint8(0) !== VERSION) return null
  const count = view.getUint8(5)
  if (count > SERIES_MAX) return null
  const series = new Map<string, readonly HistorySample[]>()
  let at = HEAD_BYTES
  for (let index = 0; index < count; index++) {
    const length = at < bytes.length ? view.getUint8(at) : bytes.length
    const end = at + 1 + length + ROW_SAMPLES * SAMPLE_BYTES
    if (end > bytes.length) return null
    const name = decoder.decode(bytes.subarray(at + 1, at + 1 + length))
    const from = at + 1 + length
    if (wanted === null || wanted === name) series.set(name, samplesAt(view, from))
    at = end
  }
  return at === bytes.length ? { number: view.getUint32(1, true), series } : null
}

const samplesAt = (view: DataView, from: number): readonly HistorySample[] =>
  Array.from({ length: ROW_SAMPLES }, (_, place) => readSample(view, from + place * SAMPLE_BYTES))

function writeSample(view: DataView, at: number, sample: HistorySample): void {
  const { percent, millivolts, milliwatts, stageRank } = sample
  view.setUint8(at, percent === null ? HALF_POINTS_UNKNOWN : bounded(percent * 2, 0, 200))
  view.setUint8(at + 1, stageRank ?? STAGE_UNKNOWN)
  view.setUint16(
    at + 2,
    millivolts === null ? VOLTS_UNKNOWN : bounded(millivolts / MILLIVOLT_STEP, 0, 0xfffe),
    true,
  )
  view.setInt32(
    at + 4,
    milliwatts === null ? WATTS_UNKNOWN : bounded(milliwatts, -0x7fffffff, 0x7fffffff),
    true,
  )
}

function readSample(view: DataView, at: number): HistorySample {
  const halfPoints = view.getUint8(at)
  const stageRank = view.getUint8(at + 1)
  const volts = view.getUint16(at + 2, true)
  const watts = view.getInt32(at + 4, true)
  return {
    percent: halfPoints > 200 ? null : halfPoints / 2,
    millivolts: volts === VOLTS_UNKNOWN ? null : volts * MILLIVOLT_STEP,
    milliwatts: watts === WATTS_UNKNOWN ? null : watts,
    stageRank: stageRank > 5 ? null : stageRank,
  }
}

const bounded = (value: number, min: number, max: number): number =>
  Math.round(Math.min(max, Math.max(min, value)))

/** One for many: means of what is known, and the worst stage. */
export class SampleSum {
  readonly #percent = new Mean()
  readonly #millivolts = new Mean()
  readonly #milliwatts = new Mean()
  #stageRank: number | null = null

  add({ percent, millivolts, milliwatts, stageRank }: HistorySample): void {
    this.#percent.add(percent)
    this.#millivolts.add(millivolts)
    this.#milliwatts.add(milliwatts)
    if (stageRank !== null) this.#stageRank = Math.max(this.#stageRank ?? 0, stageRank)
  }

  read(): HistorySample {
    return {
      percent: this.#percent.read(),
      millivolts: this.#millivolts.read(),
      milliwatts: this.#milliwatts.read(),
      stageRank: this.#stageRank,
    }
  }
}

class Mean {
  #sum = 0
  #count = 0

  add(value: number | null): void {
    if (value === null) return
    this.#sum += value
    this.#count++
  }

  read(): number | null {
    return this.#count === 0 ? null : this.#sum / this.#count
  }
}

export function summed(samples: readonly HistorySample[]): HistorySample {
  const sum = new SampleSum()
  for (const sample of samples) sum.add(sample)
  return sum.read()
}
