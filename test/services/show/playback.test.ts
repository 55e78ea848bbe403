import fc from 'fast-check'
import t from 'tap'
import { showTimeMs } from '../../../runtime/core/time.js'
import type { CheckedShow } from '../../../runtime/services/show/checked-show.js'
import { fold, stateAt } from '../../../runtime/services/show/fold.js'
import { Foresight } from '../../../runtime/services/show/foresight.js'
import { levels, nextChange } from '../../../runtime/services/show/levels.js'
import { Playback } from '../../../runtime/services/show/playback.js'
import {
  initialState,
  type ShowEvent,
  type ShowState,
} from '../../../runtime/services/show/state.js'
import { holds, RUNS, shows, story } from './any-show.js'
import { fireOf, readShow, stateAfter } from './stage.js'

/** Looks at a show as it goes on, at moments that lie anywhere, and at each at which something begins or ends. */
class Watcher {
  readonly #show: CheckedShow
  readonly #playback: Playback
  readonly #foresight: Foresight
  isSame = true
  looks = 0
  moves = 0

  constructor(show: CheckedShow) {
    this.#show = show
    this.#playback = new Playback(show)
    this.#foresight = new Foresight(show)
  }

  look(state: ShowState, tMs: number): void {
    const t = showTimeMs(tMs)
    const before = this.#playback.levels.slice()
    this.#playback.moveTo(this.#foresight.stateAt(state, t), t)
    this.looks++
    if (!isSame(before, this.#playback.levels)) this.moves++
    if (!isSame(this.#playback.levels, levels(this.#show, state, t))) this.isSame = false
  }

  /** The moments between two others at which something begins or ends, and as many between those. */
  watch(state: ShowState, fromMs: number, untilMs: number): void {
    let tMs = fromMs
    for (let count = 0; count < 40 && tMs < untilMs; count++) {
      this.look(state, tMs)
      const change = nextChange(this.#show, state, showTimeMs(tMs))
      const nextMs =
        change === null ? untilMs : change.kind === 'at' ? change.atShowMs : change.boundaryShowMs
      this.look(state, Math.min(untilMs, nextMs))
      // As the search for the moment at which a lamp switches does.
      this.look(state, tMs + (Math.min(untilMs, nextMs) - tMs) / 3)
      tMs = nextMs
    }
  }
}

const isSame = (a: Float64Array, b: Float64Array): boolean =>
  a.every((level, index) => Object.is(level, b[index]))

function watchAll(show: CheckedShow, events: readonly ShowEvent[]): Watcher {
  const watcher = new Watcher(show)
  let state = initialState(show, 0)
  let atMs = 0
  for (const event of events) {
    watcher.watch(state, atMs, event.atMs)
    state = fold(show, state, event).state
    atMs = event.atMs
    watcher.look(state, atMs - 5)
  }
  watcher.watch(state, atMs, atMs + 8000)
  return watcher
}

t.test('levels that are kept up are those that are computed anew, to the last bit', async t => {
  let [looks, moves] = [0, 0]
  holds(
    fc.property(shows(0), story({ fadeMsMin: 0, isPunctual: false }), (show, events) => {
      const watcher = watchAll(show, events)
      looks += watcher.looks
      moves += watcher.moves
      return watcher.isSame
    }),
  )
  t.ok(moves > 30 * RUNS, `${moves} of ${looks} moments brought other levels`)
  t.ok(looks - moves > 10 * RUNS, `${looks - moves} of ${looks} moments were at rest`)
})

t.test('what comes by itself is the same, whoever works it out', async t => {
  let waits = 0
  holds(
    fc.property(
      shows(0),
      story({ fadeMsMin: 0, isPunctual: false }),
      fc.array(fc.integer({ min: 0, max: 9000 }), { minLength: 4, maxLength: 4 }),
      (show, events, moments) => {
        const state = events.reduce(
          (at, event) => fold(show, at, event).state,
          initialState(show, 0),
        )
        if (state.waiting.length > 0) waits++
        const foresight = new Foresight(show)
        return moments.every(
          tMs =>
            JSON.stringify(foresight.stateAt(state, tMs)) ===
              JSON.stringify(stateAt(show, state, tMs)) &&
            foresight.stateAt(state, tMs) === foresight.advance(state, tMs).state,
        )
      },
    ),
  )
  t.ok(waits > RUNS / 4, `${waits} times something was waiting`)
})

t.test('outputs that are as far on different ways do not take each other for the same', async t => {
  const chase = (low: number): object => ({
    steps: [
      { a: low, b: low },
      { a: 1, b: 1 },
      { a: 0.5, b: 0.5 },
    ],
    period: '900ms',
    fade: '300ms',
  })
  const show = readShow(
    JSON.stringify({
      apiVersion: 'show/v1',
      name: 'alike',
      patch: { a: { kind: 'dimmer', out: 'x#0' }, b: { kind: 'dimmer', out: 'x#1' } },
      scenes: { both: { a: 1, b: 1 } },
      cues: [
        { id: 'sine', levels: { a: 1 }, fade: '1s', curve: 'sine' },
        { id: 'cubic', levels: { b: 1 }, fade: '1s', curve: 'cubic' },
        { id: 'chase-1', chase: { ...chase(0.1), steps: [{ a: 0.1 }, { a: 1 }, { a: 0.5 }] } },
        { id: 'chase-2', chase: { ...chase(0.2), steps: [{ b: 0.2 }, { b: 1 }], fade: '200ms' } },
        { id: 'chase-3', chase: { ...chase(0.1), steps: [{ b: 0.1 }, { b: 1 }, { b: 0.5 }] } },
        { id: 'both', chase: chase(0.3) },
      ],
    }),
  )
  const pairs = [
    [0, fireOf('sine'), 0, fireOf('cubic')],
    [0, fireOf('chase-1'), 0, fireOf('chase-2')],
    [0, fireOf('chase-1'), 130, fireOf('chase-3')],
  ] as const
  for (const [atMs, first, thenMs, second] of pairs) {
    const state = stateAfter(show, [
      { atMs, deed: first },
      { atMs: thenMs, deed: second },
    ])
    const watcher = new Watcher(show)
    watcher.watch(state, thenMs, thenMs + 2000)
    t.ok(watcher.isSame && watcher.moves > 1, `${first.cue} beside ${second.cue}`)
  }
})

t.test('a chase that was fired again a moment later is not taken for the one before', async t => {
  const chase = { steps: [{ all: 0 }, { all: 1 }], period: '1s', fade: '500ms' }
  const show = readShow(
    JSON.stringify({
      apiVersion: 'show/v1',
      name: 'again',
      patch: { a: { kind: 'dimmer', out: 'x#0' }, b: { kind: 'dimmer', out: 'x#1' } },
      groups: { all: ['a', 'b'] },
      cues: [{ id: '1', chase, fade: { up: 0, delay: { b: '200ms' } } }],
    }),
  )
  const state = stateAfter(show, [
    { atMs: 0, deed: fireOf('1', 'first') },
    { atMs: 400, deed: fireOf('1', 'second') },
  ])
  const watcher = new Watcher(show)
  watcher.watch(state, 400, 600)
  t.not(levels(show, state, showTimeMs(500))[0], levels(show, state, showTimeMs(500))[1])
  t.ok(watcher.isSame && watcher.moves > 0)
})
