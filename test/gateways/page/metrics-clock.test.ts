import t from 'tap'
import { clockFamilies } from '../../../runtime/gateways/page/metrics-clock.js'
import { exposition } from '../../../runtime/gateways/page/metrics-text.js'
import { clockState } from '../../services/clock-state.js'

const samples = (changes: Partial<typeof clockState> = {}): readonly string[] =>
  exposition(clockFamilies({ ...clockState, ...changes }))
    .split('\n')
    .filter(line => !line.startsWith('#') && line !== '')
    .map(line => line.replace('roadcase_clock_', ''))

t.test('what the clock says is told in base units, and what it is by a one', async t => {
  const told = samples({ errorMs: 0.125 })
  for (const line of [
    'state{state="following"} 1',
    'state{state="leading"} 0',
    'leader_info{leader="020000fffe000001",timeline="00ff10203040a0b1"} 1',
    'offset_seconds -0.00000425',
    'path_delay_seconds 0.000055',
    'error_seconds 0.000125',
    'inherited_error_seconds 0',
    'rate_ppm 12.5',
    'clocks_heard 2',
    'frozen 1',
    'stamps{by="kernel"} 1',
    'stamps{by="program"} 0',
    'leader_changes_total 1',
    'steps_total 1',
    'distrusted_total 0',
    'packets_bad_total{kind="malformed"} 0',
    'packets_bad_total{kind="other-version"} 12',
    'packets_bad_total{kind="other-domain"} 7',
    'packets_bad_total{kind="negative-delay"} 0',
    'not_sent_total 0',
  ])
    t.ok(told.includes(line), line)
})

t.test('what is not known is no sample', async t => {
  const told = samples({
    state: 'acquiring',
    leader: null,
    offsetMicroseconds: null,
    pathDelayMicroseconds: null,
    errorMs: 1e6,
    stamps: null,
  }).join('\n')
  t.notMatch(told, /offset_seconds|path_delay|^error_seconds|leader_info|stamps/m)
  t.same(clockFamilies(null), [])
})
