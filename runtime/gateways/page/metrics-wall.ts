/** What is known of the date, for Prometheus. Pure. */
import { clockTopics } from '../../core/clock-topics.js'
import type { Payload } from '../../topics.js'
import type { Family, Sample } from './metrics-text.js'

type WallState = Payload<'clock/wall'>

const { source, engine, servers } = clockTopics['clock/wall'].payload.shape
const sourceWords = source.options
const engineWords = engine.options
const serverWords = servers.element.shape.state.options

export function wallFamilies(wall: WallState | null): readonly Family[] {
  if (wall === null) return []
  return [
    one('utc_known', 'Whether somebody who knows has said what UTC is.', flag(wall.isUtcKnown)),
    family(
      'source',
      'Where the date comes from; 1 for the source that it has.',
      sourceWords.map(word => ({ labels: { source: word }, value: flag(word === wall.source) })),
    ),
    one('stratum', 'As others are told: 1 is a clock itself, 16 is none.', wall.stratum),
    one('error_seconds', 'Half the width of the interval that holds UTC.', seconds(wall.errorMs)),
    one(
      'offset_seconds',
      'What is shown less what was found: on its way there, or until the end of the show.',
      seconds(wall.aheadMs),
    ),
    one('root_delay_seconds', 'To the clock that it comes from.', seconds(wall.rootDelayMs)),
    one(
      'root_dispersion_seconds',
      'How far off it may be besides, as others are told.',
      seconds(wall.rootDispersionMs),
    ),
    one('frozen', 'Whether nothing may set or slew it.', flag(wall.isFrozen)),
    family(
      'engine',
      'What asks for it; 1 for the one that does.',
      engineWords.map(word => ({ labels: { engine: word }, value: flag(word === wall.engine) })),
    ),
    family('servers', 'Time servers that are asked, by how they do.', serverSamples(wall)),
    one('served_per_second', 'Questions of others that were answered.', wall.servedPerSecond),
  ]
}

const serverSamples = ({ servers }: WallState): readonly Sample[] =>
  serverWords.map(word => ({
    labels: { state: word },
    value: servers.filter(({ state }) => state === word).length,
  }))

const family = (name: string, help: string, samples: readonly Sample[]): Family => ({
  name: `roadcase_wall_${name}`,
  type: 'gauge',
  help,
  samples,
})

const one = (name: string, help: string, value: number | null): Family =>
  family(name, help, [{ labels: {}, value }])

const flag = (value: boolean): number => (value ? 1 : 0)

const seconds = (ms: number | null): number | null => (ms === null ? null : ms / 1e3)
