import t from 'tap'
import { readMessage } from '../../../ota/slots/messages.js'

const HOUR_MS = 3_600_000

t.test('a trial may last as long as a show, and not for ever', async t => {
  const asked = (trialMs: unknown) => readMessage({ kind: 'gate', unmet: ['a'], trialMs })
  t.match(asked(5 * HOUR_MS), { trialMs: 5 * HOUR_MS })
  t.match(asked(100 * HOUR_MS), { trialMs: 12 * HOUR_MS })
  for (const bad of [Number.NaN, -1, 0, '5', null]) t.match(asked(bad), { trialMs: null })
})

t.test('what is no message of ours is none', async t => {
  for (const bad of [null, 'hello', 7, [], { kind: 'gate' }, { kind: 'gate', unmet: 'a' }, {}])
    t.equal(readMessage(bad), null, JSON.stringify(bad))
  t.same(readMessage('ready'), { kind: 'ready' })
  const long = readMessage({ kind: 'gate', unmet: Array(1_000).fill('x'.repeat(1_000)) })
  t.equal(long?.kind === 'gate' && long.unmet.length, 32)
  t.equal(long?.kind === 'gate' && long.unmet[0]?.length, 256)
})
