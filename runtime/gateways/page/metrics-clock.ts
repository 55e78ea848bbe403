/** What the venue's clock says of itself, for Prometheus. Pure. */
import { clockTopics, UNKNOWN_ERROR_MS } from '../../core/clock-topics.js'
import type { Payload } from '../../topics.js'
import type { Family, MetricType, Sample } from './metrics-text.js'

type ClockState = Payload<'clock/state'>

const words = clockTopics['clock/state'].payload.shape.state.options
const stampWords = ['hardware', 'kernel', 'program'] as const

export function clockFamilies(clock: ClockState | null): readonly Family[] {
  if (clock === null) return []
  const { counts, errorMs } = clock
  return [
    family('state', 'gauge', 'What the clock does; 1 for the state it is in.', [
      ...words.map(state => ({ labels: { state }, value: flag(state === clock.state) })),
    ]),
    family('leader_info', 'gauge', 'Who leads, and which timeline.', leaderSamples(clock)),
    one(
      'offset_seconds',
      'gauge',
      'The own time less the leader’s, as last found.',
      scaled(clock.offsetMicroseconds, 1e6),
    ),
    one(
      'path_delay_seconds',
      'gauge',
      'To the leader, one way.',
      scaled(clock.pathDelayMicroseconds, 1e6),
    ),
    one(
      'error_seconds',
      'gauge',
      'Half the width of the interval that holds the venue’s time.',
      errorMs >= UNKNOWN_ERROR_MS ? null : errorMs / 1e3,
    ),
    one(
      'inherited_error_seconds',
      'gauge',
      'The part of it that all boxes have in common.',
      clock.inheritedErrorMs / 1e3,
    ),
    one(
      'rate_ppm',
      'gauge',
      'How much faster the venue’s time runs than the own oscillator.',
      clock.ratePpm,
    ),
    one('clocks_heard', 'gauge', 'Other clocks in the domain.', clock.clocksHeard),
    one('frozen', 'gauge', 'Whether nothing may jump.', flag(clock.isFrozen)),
    family(
      'stamps',
      'gauge',
      'Whose stamps the packets have; 1 for those that are used.',
      clock.stamps === null
        ? []
        : stampWords.map(by => ({ labels: { by }, value: flag(by === clock.stamps) })),
    ),
    one('leader_changes_total', 'counter', 'Another leader was found.', counts.leaderChanges),
    one('steps_total', 'counter', 'The show time jumped.', counts.steps),
    one('distrusted_total', 'counter', 'A leader’s time was not believed.', counts.distrusted),
    family('packets_bad_total', 'counter', 'Packets and exchanges that were of no use.', [
      { labels: { kind: 'malformed' }, value: counts.malformed },
      { labels: { kind: 'other-version' }, value: counts.otherVersion },
      { labels: { kind: 'other-domain' }, value: counts.otherDomain },
      { labels: { kind: 'negative-delay' }, value: counts.negativeDelays },
      { labels: { kind: 'too-often' }, value: counts.unanswered },
    ]),
    one('not_sent_total', 'counter', 'Messages that could not be sent.', counts.notSent),
  ]
}

const leaderSamples = ({ leader, timeline }: ClockState): readonly Sample[] =>
  leader === null ? [] : [{ labels: { leader, timeline: timeline ?? '' }, value: 1 }]

const family = (
  name: string,
  type: MetricType,
  help: string,
  samples: readonly Sample[],
): Family => ({ name: `roadcase_clock_${name}`, type, help, samples })

const one = (name: string, type: MetricType, help: string, value: number | null): Family =>
  family(name, type, help, [{ labels: {}, value }])

const flag = (value: boolean): number => (value ? 1 : 0)

const scaled = (value: number | null, divisor: number): number | null =>
  value === null ? null : value / divisor
