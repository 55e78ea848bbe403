/**
 * How long the leader's messages take, as one box hears them, and how far apart the two show times are. What is lost
 * counts as long as the last repetition of an entry would have taken.
 */

/** Beats that count: a minute of them. */
const SAMPLES_MAX = 600
/** Beats over which the quickest tells how far apart the clocks are. */
const OFFSETS_MAX = 10
/** So many beats later one that has not come is lost: until then others may have overtaken it. */
const OVERTAKEN_MAX = 8
/** So long a window must be: what was read all at once tells how long this box stood still. */
const WINDOW_MS_MIN = 300
/** Clocks that are further apart do not show the same time, whatever the network does. */
export const APART_MS = 50
/** When an entry is sent for the last time, after the first. */
export const REPEATED_MS = 30
const LEAD_MS_MIN = 20
const LEAD_MS_MAX = 500
const LEAD_MARGIN_MS = 10

export class Delivery {
  readonly #samplesMs: number[] = []
  #offsets: readonly { readonly ms: number; readonly receivedMs: number }[] = []
  /** Beats that came, of the last ones. */
  #heard: readonly number[] = []
  #p99Ms = 0

  /** Another leader, or a timeline that was set. */
  reset(): void {
    this.#offsets = []
    this.#heard = []
  }

  /**
   * A beat of the leader has come.
   * @param count of that beat in its session, @param sentMs by its show time, @param receivedMs by the own
   */
  note(count: number, sentMs: number, receivedMs: number): void {
    const offset = { ms: receivedMs - sentMs, receivedMs }
    this.#offsets = [...this.#offsets.slice(1 - OFFSETS_MAX), offset]
    const takenMs = Math.max(0, receivedMs - sentMs - this.apartMs)
    for (let lost = this.#lostBy(count); lost > 0; lost--) this.#add(takenMs + REPEATED_MS)
    this.#add(takenMs)
  }

  /** How many are known to be lost, now that this one has come. */
  #lostBy(count: number): number {
    const newest = Math.max(...this.#heard)
    const first = Math.min(...this.#heard)
    this.#heard = [...this.#heard.slice(-2 * OVERTAKEN_MAX), count]
    let lost = 0
    const from = Math.max(first, newest - OVERTAKEN_MAX + 1, count - 3 * OVERTAKEN_MAX)
    for (let due = from; due <= count - OVERTAKEN_MAX; due++) if (!this.#heard.includes(due)) lost++
    return lost
  }

  /** The own show time less the leader's; 0 where they are the same but for what the network takes. */
  get apartMs(): number {
    const received = this.#offsets.map(({ receivedMs }) => receivedMs)
    if (Math.max(...received) - Math.min(...received) < WINDOW_MS_MIN) return 0
    const offsetMs = Math.min(...this.#offsets.map(({ ms }) => ms))
    return Math.abs(offsetMs) > APART_MS ? offsetMs : 0
  }

  get p99Ms(): number {
    return this.#p99Ms
  }

  #add(ms: number): void {
    this.#samplesMs.push(ms)
    if (this.#samplesMs.length > SAMPLES_MAX) this.#samplesMs.shift()
    const sorted = [...this.#samplesMs].sort((a, b) => a - b)
    this.#p99Ms = sorted[Math.ceil(sorted.length * 0.99) - 1] ?? 0
  }
}

/** How far ahead a cue is planned. @param p99sMs of each box that is led; with none there is nobody to wait for */
export function leadMsOf(p99sMs: readonly number[]): number {
  if (p99sMs.length === 0) return 0
  const wantedMs = Math.max(...p99sMs) * 1.5 + LEAD_MARGIN_MS
  return Math.min(LEAD_MS_MAX, Math.max(LEAD_MS_MIN, wantedMs))
}
