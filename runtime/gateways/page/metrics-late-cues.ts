/** A histogram of lateness for each cue, for Prometheus. */
import { lateBoundsMs } from '../../core/late-bounds.js'
import type { Payload } from '../../topics.js'
import type { Family, Sample } from './metrics-text.js'

export const lateCueFamily = (lateCues: readonly Payload<'cue/lateness'>[]): Family => ({
  name: 'roadcase_cue_lateness_by_cue_seconds',
  type: 'histogram',
  help: 'How late each cue was since the box started.',
  samples: lateCues.flatMap(samplesOf),
})

function samplesOf({ cue, count, sum, within }: Payload<'cue/lateness'>): readonly Sample[] {
  const bucket = (le: string, value: number): Sample => ({
    suffix: '_bucket',
    labels: { cue, le },
    value,
  })
  return [
    ...within.map((found, place) => bucket(String((lateBoundsMs[place] ?? 0) / 1_000), found)),
    bucket('+Inf', count),
    { suffix: '_sum', labels: { cue }, value: sum / 1_000 },
    { suffix: '_count', labels: { cue }, value: count },
  ]
}
