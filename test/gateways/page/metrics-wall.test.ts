import t from 'tap'
import { exposition } from '../../../runtime/gateways/page/metrics-text.js'
import { wallFamilies } from '../../../runtime/gateways/page/metrics-wall.js'
import { wallState } from '../../services/clock-state.js'

const samples = (changes: Partial<typeof wallState> = {}): readonly string[] =>
  exposition(wallFamilies({ ...wallState, ...changes }))
    .split('\n')
    .filter(line => !line.startsWith('#') && line !== '')
    .map(line => line.replace('roadcase_wall_', ''))

t.test('where the date comes from, and how far off it may be, is told in base units', async t => {
  const told = samples()
  for (const line of [
    'utc_known 1',
    'source{source="ntp"} 1',
    'source{source="floor"} 0',
    'stratum 3',
    'error_seconds 0.0125',
    'offset_seconds -0.00025',
    'root_delay_seconds 0.02',
    'root_dispersion_seconds 0.0025',
    'frozen 0',
    'engine{engine="embedded"} 1',
    'engine{engine="chrony"} 0',
    'servers{state="followed"} 2',
    'servers{state="silent"} 1',
    'servers{state="false"} 0',
    'served_per_second 4',
  ])
    t.ok(told.includes(line), line)
})

t.test('a box that does not know UTC says so, and tells no bound', async t => {
  const told = samples({
    isUtcKnown: false,
    source: 'floor',
    errorMs: null,
    aheadMs: null,
    stratum: 16,
    servedPerSecond: null,
    servers: [],
  })
  for (const line of ['utc_known 0', 'source{source="floor"} 1', 'stratum 16'])
    t.ok(told.includes(line), line)
  t.notMatch(told.join('\n'), /^(error|offset|served)/m)
  t.same(wallFamilies(null), [])
})
