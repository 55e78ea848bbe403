/** Any show, and anything that can happen to it, for the tests of what must always hold. */
import fc from 'fast-check'
import type { CheckedShow } from '../../../runtime/services/show/checked-show.js'
import { fold } from '../../../runtime/services/show/fold.js'
import {
  type Deed,
  initialState,
  type ShowEvent,
  type ShowState,
} from '../../../runtime/services/show/state.js'
import { readShow } from './stage.js'

export const RUNS = 100

const targets = ['a', 'b', 'c', 'd', 'some', 'all'] as const
const level = fc.integer({ min: 0, max: 100 }).map(percent => `${percent}%`)
const ms = (min: number, max: number) => fc.integer({ min, max }).map(value => `${value}ms`)
const color = fc
  .integer({ min: 0, max: 0xffffff })
  .map(value => `#${value.toString(16).padStart(6, '0')}`)
const look = fc.oneof(level, fc.record({ level }), fc.record({ level, color }))
/** A color needs an output that has one. */
const looks = fc
  .record({ a: level, b: look, c: look, d: level, some: level, all: level }, { requiredKeys: [] })
  .filter(entries => Object.keys(entries).length > 0)

const curve = fc.oneof(
  fc.constantFrom('linear', 'sine', 'quad-in', 'quad-out', 'cubic'),
  fc.integer({ min: 0, max: 100 }).map(way => [
    [0, 0],
    [0.3, way / 100],
    [1, 1],
  ]),
)

/** @param fadeMsMin 0 allows jumps */
const cue = (fadeMsMin: number) =>
  fc.record(
    {
      levels: looks,
      fade: fc.oneof(
        ms(fadeMsMin, 5000),
        fc.record({ up: ms(fadeMsMin, 3000), down: ms(fadeMsMin, 5000), delay: ms(0, 2000) }),
      ),
      curve,
      follow: fc.record({ after: ms(100, 4000), go: fc.constantFrom('1', '2', '3', '4') }),
      chase: fc.record({
        steps: fc.array(looks, { minLength: 2, maxLength: 4 }),
        period: fc.constant('1200ms'),
        phase: fc.constantFrom('start', 'shared'),
        fade: fc.constant(fadeMsMin > 0 ? '300ms' : '100ms'),
        until: fc.oneof(fc.constant('next'), ms(100, 5000)),
      }),
    },
    { requiredKeys: ['fade'] },
  )

export const shows = (fadeMsMin: number) =>
  fc
    .record({
      cues: fc.array(cue(fadeMsMin), { minLength: 4, maxLength: 4 }),
      home: level,
      max: level,
      onLost: fc.constantFrom('hold', 'off', {
        hold: '500ms',
        // biome-ignore lint/suspicious/noThenProperty: a key of the document
        then: { scene: 'safe', fade: '1s' },
      }),
    })
    .map(({ cues, home, max, onLost }) =>
      readShow(
        JSON.stringify({
          apiVersion: 'show/v1',
          name: 'any',
          panic: { scene: 'safe', fade: '200ms' },
          patch: {
            a: { kind: 'dimmer', out: 'x#0', home, onLost },
            b: { kind: 'rgb', out: 'x#1..3', max },
            c: { kind: 'rgbw', out: 'x#4..7', onLost },
            d: { kind: 'switch', out: 'y', home },
          },
          groups: { some: ['a', 'b'], all: ['some', 'c', 'd'] },
          scenes: { safe: { all: '40%' }, look: { a: 1, c: { hue: 200 } } },
          cues: cues.map((entry, index) => ({ id: String(index + 1), ...entry })),
        }),
      ),
    )

const fadeMs = (min: number) => fc.integer({ min, max: 3000 })

const deed = (fadeMsMin: number): fc.Arbitrary<Deed> =>
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc
        .tuple(
          fc.constantFrom('1', '2', '3', '4'),
          fc.uuid(),
          fc.constantFrom('go', 'back', 'jump'),
        )
        .map(
          ([name, id, way]): Deed => ({
            kind: 'fire',
            id,
            cue: name,
            epoch: 0,
            origin: 'any',
            way,
          }),
        ),
    },
    fadeMs(fadeMsMin).map((ms_): Deed => ({ kind: 'scene', scene: 'look', fadeMs: ms_ })),
    fc
      .tuple(
        fc.constantFrom(...targets),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fadeMs(fadeMsMin),
      )
      .map(([target, to, ms_]): Deed => ({ kind: 'level', target, level: to, fadeMs: ms_ })),
    fc
      .tuple(fc.constantFrom(null, ...targets), fadeMs(fadeMsMin))
      .map(([target, ms_]): Deed => ({ kind: 'clear', target, fadeMs: ms_ })),
    fc
      .tuple(fc.boolean(), fadeMs(fadeMsMin))
      .map(([isOn, ms_]): Deed => ({ kind: 'blackout', isOn, fadeMs: ms_ })),
    fc.constant<Deed>({ kind: 'panic' }),
    fadeMs(fadeMsMin).map((ms_): Deed => ({ kind: 'release', fadeMs: ms_ })),
    fc.boolean().map((isLost): Deed => ({ kind: 'lost', isLost })),
    fc.constantFrom('1', '2', '3', '4').map((name): Deed => ({ kind: 'goto', cue: name })),
  )

/** Events in order of acceptance; some take effect later, some should have before. */
export const story = (options: {
  fadeMsMin: number
  isPunctual: boolean
}): fc.Arbitrary<ShowEvent[]> =>
  fc
    .array(
      fc.tuple(
        fc.integer({ min: 0, max: 2500 }),
        fc.integer({ min: -400, max: 1500 }),
        deed(options.fadeMsMin),
      ),
      { minLength: 1, maxLength: 14 },
    )
    .map(list => {
      let atMs = 0
      return list.map(([pauseMs, shiftMs, what]) => {
        atMs += pauseMs
        const canBeLate = what.kind === 'fire'
        const shift = options.isPunctual ? 0 : canBeLate ? shiftMs : Math.max(0, shiftMs)
        return { atMs, t0Ms: Math.max(0, atMs + shift), deed: what }
      })
    })

export const play = (
  show: CheckedShow,
  events: readonly ShowEvent[],
  from?: ShowState,
): ShowState =>
  events.reduce((state, event) => fold(show, state, event).state, from ?? initialState(show, 0))

/** When the last of them was accepted. */
export const endOf = (events: readonly ShowEvent[]): number => events.at(-1)?.atMs ?? 0

export const holds = (property: fc.IRawProperty<unknown>): void =>
  fc.assert(property as fc.IProperty<unknown>, { numRuns: RUNS, seed: 20_270_301 })
