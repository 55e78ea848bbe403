/** Messages about power: part of the table in `topics.ts`. */
import { boolean, integer, list, name, nullable, number, object, oneOf, string } from './schema.js'
import { moment, whole } from './shapes.js'
import { topic } from './topic-shape.js'

/** In rising order of need. */
export const powerStage = oneOf('mains', 'battery', 'warn', 'shed', 'protect', 'shutdown')

const millivolts = number({ min: -1e6, max: 1e6 })
const milliamps = number({ min: -1e6, max: 1e6 })
const milliwatts = number({ min: -1e9, max: 1e9 })
const percent = number({ min: 0, max: 100 })
const milliampHours = number({ min: 0, max: 1e9 })

export const powerTopics = {
  'battery/state': topic({
    kind: 'state',
    qos: 0,
    path: 'power/{pack}/state',
    summary: 'One battery pack. Null is unknown, and never zero.',
    payload: object({
      pack: name,
      gauge: name,
      millivolts: nullable(millivolts),
      /** Into the pack is positive. */
      milliamps: nullable(milliamps),
      celsius: nullable(number({ min: -100, max: 200 })),
      /** State of charge. */
      percent: nullable(percent),
      /** Half the width of the interval that holds the true charge, in points. */
      percentError: nullable(percent),
      method: oneOf('gauge', 'coulomb', 'voltage', 'none'),
      fullMilliampHours: nullable(milliampHours),
      remainingMilliampHours: nullable(milliampHours),
      isExternal: nullable(boolean),
      isCharging: nullable(boolean),
      /** How often another pack was put in its place since the first start. */
      swaps: whole,
      troubles: list(
        oneOf(
          'stuck',
          'overflow',
          'implausible',
          'reset',
          'not-ready',
          'no-pack',
          'unfamiliar',
          'silent',
        ),
        { max: 8 },
      ),
    }),
  }),
  'power/state': topic({
    kind: 'state',
    qos: 1,
    path: 'power',
    summary: 'What the box runs on, for how long, and what it does about it.',
    payload: object({
      stage: powerStage,
      isExternal: nullable(boolean),
      isCharging: nullable(boolean),
      /** Of all packs together. */
      percent: nullable(percent),
      percentError: nullable(percent),
      millivolts: nullable(millivolts),
      /** Out of the packs is negative. */
      milliwatts: nullable(milliwatts),
      secondsToEmpty: nullable(whole),
      /** At the load that was exceeded in one of twenty seconds, with as little charge as there may be. */
      secondsToEmptyMin: nullable(whole),
      emptyAtWallMs: nullable(moment),
      /** Of the config, today or next; null when none is given. */
      showEndsAtWallMs: nullable(moment),
      /** Whether the packs last until then. */
      isEnough: nullable(boolean),
      /** For people: "empty at 23:40 at this load; show ends 23:00". */
      forecast: nullable(string({ max: 200 })),
      /** What is switched off to last longer: share of light that is left, 0..1. */
      lightCap: number({ min: 0, max: 1 }),
      arePrintsRefused: boolean,
      packs: integer({ min: 0, max: 16 }),
    }),
  }),
} as const
