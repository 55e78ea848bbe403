/**
 * The system's date to the microsecond. `Date.now()` tells whole milliseconds only; but CLOCK_REALTIME and CLOCK_MONOTONIC
 * run at one rate and differ by a constant until somebody sets the date, so that the edges of its milliseconds tell the
 * constant. It is found once, and again when the date was set.
 */
import { hrtime } from 'node:process'

/** So many edges: the machine may stand still at one of them. Each costs a millisecond at most. */
const EDGES = 3
/** Whole milliseconds differ by less than one from what they round down. */
const SAME_MS = 1.5

const monotonicNow = (): number => {
  const [seconds, nanoseconds] = hrtime()
  return seconds * 1e3 + nanoseconds / 1e6
}

let differenceMs: number | null = null

/** Milliseconds since 1970, by the system, when the monotonic clock shows `atMs`. */
export function systemMsAt(atMs: number): number {
  const known = differenceMs
  const isKnown = known !== null && Math.abs(monotonicNow() + known - Date.now()) < SAME_MS
  const difference = isKnown ? known : findDifference()
  differenceMs = difference
  return atMs + difference
}

/** By the edge that was seen best: the one with the least time between the looks before and after it. */
function findDifference(): number {
  let [narrowestMs, difference] = [Number.POSITIVE_INFINITY, Date.now() - monotonicNow()]
  for (let edge = 0; edge < EDGES; edge++) {
    const { fromMs, toMs, dateMs } = seeEdge()
    if (toMs - fromMs >= narrowestMs) continue
    narrowestMs = toMs - fromMs
    difference = dateMs - (fromMs + toMs) / 2
  }
  return difference
}

interface Edge {
  /** On the monotonic scale: the date became `dateMs` in between. */
  readonly fromMs: number
  readonly toMs: number
  readonly dateMs: number
}

function seeEdge(): Edge {
  const before = Date.now()
  let [fromMs, toMs] = [monotonicNow(), monotonicNow()]
  for (;;) {
    const dateMs = Date.now()
    fromMs = toMs
    toMs = monotonicNow()
    // One of more than a millisecond was not seen, and neither was a date that was set back.
    if (dateMs !== before) return { fromMs, toMs, dateMs }
  }
}
