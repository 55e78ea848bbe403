/** What must hold for every show and everything that can be done to it. */
import fc from 'fast-check'
import t from 'tap'
import { after, showTimeMs } from '../../../runtime/core/time.js'
import type { CheckedShow } from '../../../runtime/services/show/checked-show.js'
import { advance, fold } from '../../../runtime/services/show/fold.js'
import { levels, nextChange } from '../../../runtime/services/show/levels.js'
import { initialState, type ShowState } from '../../../runtime/services/show/state.js'
import { endOf, holds, play, RUNS, shows, story } from './any-show.js'

const at = (show: CheckedShow, state: ShowState, tMs: number): number[] => [
  ...levels(show, state, showTimeMs(tMs)),
]

const rewritten = (state: ShowState): ShowState => JSON.parse(JSON.stringify(state))
const gap = (a: readonly number[], b: readonly number[]): number =>
  Math.max(0, ...a.map((value, index) => Math.abs(value - (b[index] ?? 9))))

t.test('levels are always between dark and full, and never above the cap', async t => {
  holds(
    fc.property(
      shows(0),
      story({ fadeMsMin: 0, isPunctual: false }),
      fc.array(fc.double({ min: 0, max: 12_000, noNaN: true }), { minLength: 8, maxLength: 8 }),
      (show, events, moments) => {
        const state = play(show, events)
        return moments.every(passedMs =>
          show.outputs.every(({ offset, componentCount, max }) =>
            at(show, state, endOf(events) + passedMs)
              .slice(offset, offset + componentCount)
              .every(value => value >= 0 && value <= max),
          ),
        )
      },
    ),
  )
  t.pass()
})

t.test('whatever interrupts whatever, no output jumps where every fade takes time', async t => {
  let moving = 0
  holds(
    fc.property(shows(100), story({ fadeMsMin: 100, isPunctual: true }), (show, events) => {
      let state = initialState(show, 0)
      return events.every(event => {
        const before = at(show, state, event.atMs)
        if (gap(before, at(show, state, event.atMs - 1)) > 0) moving++
        state = fold(show, state, event).state
        return gap(before, at(show, state, event.atMs)) < 1e-9
      })
    }),
  )
  t.ok(moving > RUNS, `${moving} times something was moving when it was interrupted`)
})

t.test('a state that was written down and read back at any point goes on the same', async t => {
  holds(
    fc.property(
      shows(0),
      story({ fadeMsMin: 0, isPunctual: false }),
      fc.nat(14),
      fc.integer({ min: 0, max: 8000 }),
      (show, events, cut, passedMs) => {
        const never = play(show, events)
        const kept = rewritten(play(show, events.slice(0, cut)))
        const again = play(show, events.slice(cut), kept)
        const tMs = endOf(events) + passedMs
        return gap(at(show, never, tMs), at(show, again, tMs)) === 0
      },
    ),
  )
  t.pass()
})

t.test('it makes no difference how often the time is looked at', async t => {
  holds(
    fc.property(
      shows(0),
      story({ fadeMsMin: 0, isPunctual: false }),
      fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 10 }),
      (show, events, looks_) => {
        const state = play(show, events)
        let looked = state
        let tMs = endOf(events)
        for (const passedMs of looks_) {
          tMs += passedMs
          looked = advance(show, looked, tMs).state
        }
        return gap(at(show, state, tMs + 10), at(show, looked, tMs + 10)) === 0
      },
    ),
  )
  t.pass()
})

t.test('every event that comes twice counts once', async t => {
  holds(
    fc.property(shows(0), story({ fadeMsMin: 0, isPunctual: true }), (show, events) => {
      const fires = events.filter(({ deed: { kind } }) => kind === 'fire')
      const once = play(show, fires)
      const twice = play(
        show,
        fires.flatMap(event => [event, event]),
      )
      return JSON.stringify(once) === JSON.stringify(twice)
    }),
  )
  t.pass()
})

t.test('nothing changes before the next change that was named', async t => {
  let waits = 0
  holds(
    fc.property(
      shows(0),
      story({ fadeMsMin: 0, isPunctual: false }),
      fc.integer({ min: 0, max: 9000 }),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 10, maxLength: 10 }),
      (show, events, passedMs, shares) => {
        const state = play(show, events)
        const t0 = showTimeMs(endOf(events) + passedMs)
        const change = nextChange(show, state, t0)
        if (change?.kind === 'fading') return change.boundaryShowMs > t0
        const untilMs = change === null ? 3_600_000 : change.atShowMs - t0
        if (untilMs <= 0) return false
        waits++
        const now = [...levels(show, state, t0)]
        return shares.every(share => {
          // A chase's step counts as begun a microsecond early.
          const sample = after(t0, Math.max(0, untilMs * share - 0.01))
          return gap(now, [...levels(show, state, sample)]) < 1e-9
        })
      },
    ),
  )
  t.ok(waits > RUNS / 4, `${waits} waits were sampled`)
})
