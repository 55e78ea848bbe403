/**
 * The past of the packs on disk, in bounded space: each second of the last hour, each minute of the last 31 days. Rows are
 * written over in a ring, one a minute and one more an hour, so nothing has to be swept up and the card wears little.
 */

import { BoxError } from '../../core/errors.js'
import { forgetOldest } from '../../core/oldest.js'
import type { WallTimeMs } from '../../ports/clock.js'
import type { Change, Store } from '../../ports/store.js'
import {
  type HistoryRow,
  type HistorySample,
  nothingSampled,
  packedRow,
  ROW_SAMPLES,
  SampleSum,
  summed,
  unpackedRow,
} from './history-rows.js'

const TABLE = 'power-history'
const SECOND_MS = 1_000
const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
/** An hour, and the minute that is being written. */
const MINUTE_ROWS = 61
/** 31 days, and the hour that is being written. */
const HOUR_ROWS = 31 * 24 + 1
const POINTS_MAX = 3_600

export type Samples = ReadonlyMap<string, HistorySample>

export interface HistoryQuery {
  /** `all`, or a pack. */
  readonly series: string
  readonly fromWallMs: number
  readonly toWallMs: number
  /** Of one point; at least so large that there are no more than 3600. */
  readonly stepMs: number
}

export interface HistoryPoint extends HistorySample {
  readonly wallMs: number
}

interface OpenRow {
  readonly number: number
  readonly series: Map<string, HistorySample[]>
}

/** In memory; a clock that is set back farther begins its hours anew. */
const HOURS_LEFT_MAX = 25

export class History {
  readonly #store: Store
  #minute: OpenRow | null = null
  #hour: OpenRow | null = null
  /** The last that were left: a clock that is set back goes on with them. */
  readonly #left = new Map<number, OpenRow>()

  constructor(store: Store) {
    this.#store = store
  }

  /**
   * Takes note of a second.
   * @returns what is to be written because a minute is over; empty otherwise
   */
  add(wallMs: WallTimeMs, samples: Samples): readonly Change[] {
    const minute = Math.floor(wallMs / MINUTE_MS)
    if (minute < 0 || minute > 0xffff_ffff) return []
    const changes = this.#minute?.number === minute ? [] : this.take()
    this.#minute ??= { number: minute, series: new Map() }
    place(this.#minute, Math.floor(wallMs / SECOND_MS) % ROW_SAMPLES, samples)
    return changes
  }

  /** What there is of the minute under way, to be written: at its end, and when the box stops. */
  take(): readonly Change[] {
    const minute = this.#minute
    if (minute === null) return []
    this.#minute = null
    const hourNumber = Math.floor(minute.number / ROW_SAMPLES)
    const changes: Change[] = []
    if (this.#hour !== null && this.#hour.number !== hourNumber)
      changes.push(this.#takeHour(this.#hour))
    this.#hour ??= this.#left.get(hourNumber) ?? { number: hourNumber, series: new Map() }
    place(this.#hour, minute.number % ROW_SAMPLES, summary(minute))
    changes.push(put(`s${minute.number % MINUTE_ROWS}`, minute))
    return changes
  }

  #takeHour(hour: OpenRow): Change {
    this.#hour = null
    this.#left.delete(hour.number)
    this.#left.set(hour.number, hour)
    forgetOldest(this.#left, HOURS_LEFT_MAX)
    return put(`m${hour.number % HOUR_ROWS}`, hour)
  }

  /**
   * After a start the seconds on the disk tell what the minutes of the last hours were, however the box ended.
   * @returns what is to be written of hours that are over
   * @throws BoxError of the store
   */
  async open(wallMs: WallTimeMs): Promise<readonly Change[]> {
    const minute = Math.floor(wallMs / MINUTE_MS)
    const hours = new Map<number, OpenRow>()
    for (let slot = 0; slot < MINUTE_ROWS; slot++) {
      const row = await this.#row(`s${slot}`, null)
      if (row === null) continue
      if (row.number === minute) this.#minute = reopened(row)
      else place(await this.#hourOf(row.number, hours), row.number % ROW_SAMPLES, summary(row))
    }
    const current = Math.floor(minute / ROW_SAMPLES)
    this.#hour = hours.get(current) ?? null
    hours.delete(current)
    return [...hours.values()].map(hour => put(`m${hour.number % HOUR_ROWS}`, hour))
  }

  async #hourOf(minute: number, hours: Map<number, OpenRow>): Promise<OpenRow> {
    const number = Math.floor(minute / ROW_SAMPLES)
    const known = hours.get(number)
    if (known) return known
    const written = await this.#row(`m${number % HOUR_ROWS}`, null)
    const hour = written?.number === number ? reopened(written) : { number, series: new Map() }
    hours.set(number, hour)
    return hour
  }

  /**
   * Points in ascending order; a point of which nothing was written is left out. Reads row by row, so that nobody waits
   * for a month to be unpacked.
   * @throws BoxError `request.invalid` for a span that is none, and those of the store
   */
  async read({
    series,
    fromWallMs,
    toWallMs,
    stepMs,
  }: HistoryQuery): Promise<readonly HistoryPoint[]> {
    const span = toWallMs - fromWallMs
    const isSpan = span > 0 && span <= SPAN_MS_MAX && fromWallMs >= 0 && stepMs > 0
    if (!isSpan) throw new BoxError('request.invalid', WRONG_SPAN)
    const step = Math.max(stepMs, Math.ceil(span / POINTS_MAX), SECOND_MS)
    const sums = new Map<number, SampleSum>()
    const take = (wallMs: number, sample: HistorySample): void => {
      if (wallMs < fromWallMs || wallMs >= toWallMs || sample.stageRank === null) return
      const group = Math.floor((wallMs - fromWallMs) / step)
      const sum = sums.get(group) ?? new SampleSum()
      sum.add(sample)
      sums.set(group, sum)
    }
    if (step < MINUTE_MS) await this.#walk(MINUTE, series, [fromWallMs, toWallMs], take)
    else {
      await this.#walk(HOUR, series, [fromWallMs, toWallMs], take)
      // The minute under way is in no hour yet.
      const open = this.#minute?.series.get(series)
      if (this.#minute && open) take(this.#minute.number * MINUTE_MS, summed(open))
    }
    return [...sums.entries()]
      .sort(([a], [b]) => a - b)
      .map(([group, sum]) => ({ wallMs: fromWallMs + group * step, ...sum.read() }))
  }

  async #walk(
    { kind, rowMs, ringRows }: Ring,
    series: string,
    [fromWallMs, toWallMs]: readonly [number, number],
    take: (wallMs: number, sample: HistorySample) => void,
  ): Promise<void> {
    const first = Math.floor(fromWallMs / rowMs)
    const last = Math.floor(toWallMs / rowMs)
    const open = kind === 's' ? this.#minute : this.#hour
    for (let number = first; number < first + Math.min(ringRows, last - first + 1); number++) {
      const slot = number % ringRows
      const isOpen = open !== null && open.number % ringRows === slot
      const row = isOpen ? open : await this.#row(`${kind}${slot}`, series)
      if (row === null || row.number < first || row.number > last) continue
      for (const [at, sample] of (row.series.get(series) ?? []).entries())
        take(row.number * rowMs + at * (rowMs / ROW_SAMPLES), sample)
    }
  }

  async #row(key: string, series: string | null): Promise<HistoryRow | null> {
    const bytes = await this.#store.read(TABLE, key)
    return bytes && unpackedRow(bytes, series)
  }
}

interface Ring {
  readonly kind: 's' | 'm'
  readonly rowMs: number
  readonly ringRows: number
}

const MINUTE: Ring = { kind: 's', rowMs: MINUTE_MS, ringRows: MINUTE_ROWS }
const HOUR: Ring = { kind: 'm', rowMs: HOUR_MS, ringRows: HOUR_ROWS }
const SPAN_MS_MAX = 366 * 24 * HOUR_MS
const WRONG_SPAN =
  'history: `to` must come after `from`, by a year at most, and `step` must be more than nothing'

const reopened = ({ number, series }: HistoryRow): OpenRow => ({
  number,
  series: new Map([...series].map(([name, samples]) => [name, [...samples]])),
})

function place(row: OpenRow, at: number, samples: Samples): void {
  for (const [name, sample] of samples) {
    const places =
      row.series.get(name) ?? new Array<HistorySample>(ROW_SAMPLES).fill(nothingSampled)
    places[at] = sample
    row.series.set(name, places)
  }
}

const summary = ({ series }: HistoryRow): Samples =>
  new Map([...series].map(([name, samples]) => [name, summed(samples)]))

const put = (key: string, row: HistoryRow): Change => ({
  kind: 'put',
  table: TABLE,
  key,
  value: packedRow(row),
})
