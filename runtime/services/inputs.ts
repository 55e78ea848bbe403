import type { Bus } from '../core/bus.js'
import type { Service } from '../core/lifecycle.js'
import { after, publishedMs } from '../core/time.js'
import type { Cancel, Clock, MonotonicMs } from '../ports/clock.js'
import type { Input, InputEvent } from '../ports/devices.js'
import type { Messages } from '../topics.js'

/** Several inputs pressed together that mean something of their own, such as both red buttons for panic. */
export interface Chord {
  readonly name: string
  readonly inputs: readonly string[]
  /** How far apart the first and the last press may be. */
  readonly withinMs: number
  /** How long they must then be held together before it counts; 0 for at once. */
  readonly holdMs: number
}

/** When a chord's inputs went down; an input that is up has no entry. */
export type Held = ReadonlyMap<string, MonotonicMs>

/** The moment from which the chord has been complete, or null. */
export function chordStart(chord: Chord, held: Held): MonotonicMs | null {
  const presses = chord.inputs.map(input => held.get(input))
  const known = presses.filter(press => press !== undefined)
  if (known.length < chord.inputs.length) return null
  const last = Math.max(...known)
  return last - Math.min(...known) <= chord.withinMs
    ? (known.find(press => press === last) ?? null)
    : null
}

/** Tells the box what buttons and contacts do, and recognises chords among them. */
export class Inputs implements Service {
  readonly name = 'inputs'
  readonly #clock: Clock
  readonly #bus: Bus<Messages>
  readonly #inputs: readonly Input[]
  readonly #chords: readonly Chord[]
  readonly #held = new Map<string, MonotonicMs>()
  /** Chords that are complete: waiting for their hold, or sounded and not yet let go. */
  readonly #complete = new Map<string, { isSounded: boolean; cancel: Cancel }>()
  #cancels: Cancel[] = []

  constructor(
    clock: Clock,
    bus: Bus<Messages>,
    inputs: readonly Input[],
    chords: readonly Chord[],
  ) {
    this.#clock = clock
    this.#bus = bus
    this.#inputs = inputs
    this.#chords = chords
  }

  async start(): Promise<void> {
    this.#cancels = this.#inputs.map(input => input.onEvent(event => this.#note(input.name, event)))
  }

  async stop(): Promise<void> {
    for (const cancel of this.#cancels.splice(0)) cancel()
    for (const { cancel } of this.#complete.values()) cancel()
    this.#complete.clear()
    this.#held.clear()
  }

  #note(input: string, event: InputEvent): void {
    this.#publish(input, event)
    if (event.kind === 'press') this.#held.set(input, event.at)
    if (event.kind === 'release') this.#held.delete(input)
    if (event.kind === 'long-press') return
    for (const chord of this.#chords) if (chord.inputs.includes(input)) this.#update(chord, event)
  }

  #update(chord: Chord, event: InputEvent): void {
    const start = chordStart(chord, this.#held)
    const known = this.#complete.get(chord.name)
    if (start !== null && known === undefined) this.#begin(chord, start, event)
    if (start === null && known !== undefined) {
      known.cancel()
      this.#complete.delete(chord.name)
      if (known.isSounded) this.#publish(chord.name, { ...event, kind: 'release' })
    }
  }

  #begin(chord: Chord, start: MonotonicMs, event: InputEvent): void {
    const entry = { isSounded: false, cancel: (): void => {} }
    this.#complete.set(chord.name, entry)
    const sound = (at: MonotonicMs): void => {
      entry.isSounded = true
      this.#publish(chord.name, { ...event, kind: 'press', at })
    }
    const due = after(start, chord.holdMs)
    if (chord.holdMs === 0) sound(start)
    else entry.cancel = this.#clock.runAt(due, () => sound(due))
  }

  #publish(input: string, event: InputEvent): void {
    this.#bus.publish('input/changed', {
      input,
      event: event.kind,
      atShowMs: publishedMs(this.#clock.monotonicToShow(event.at)),
      source: event.source,
    })
  }
}
