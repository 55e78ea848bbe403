import t from 'tap'
import { monotonicMs } from '../../../runtime/core/time.js'
import { latenessOf } from '../../../runtime/gateways/page/lateness.js'
import { openPage, TOKEN } from './page-world.js'

const authorization = `Bearer ${TOKEN}`

t.test('what was two seconds on its way is in time, and what was longer is late', async t => {
  const at = (sent: string): string | null =>
    latenessOf({ 'roadcase-sent-ms': sent }, monotonicMs(10_000))?.message ?? null
  t.equal(at('10000'), null)
  t.equal(at('8000'), null)
  t.match(at('7999.9'), /^it came 2\.0 s late/)
  t.match(at('0'), /^it came 10\.0 s late/)
  t.equal(at('12000'), null)
  t.match(at('12000.1'), /not the one of this box/)
})

t.test('what does not say when it was sent is in time', async t => {
  t.equal(latenessOf({}, monotonicMs(1e9)), null)
})

t.test('a moment that is none is a mistake of the sender’s', async t => {
  for (const sent of ['', 'now', '-1', '1e3', '0x10', 'Infinity', '1'.repeat(16)])
    t.throws(() => latenessOf({ 'roadcase-sent-ms': sent }, monotonicMs(0)), /must be milli/, sent)
})

t.test('a command that comes late reaches nobody, and its answer tells the time', async t => {
  const { operate, clock, heard, logged } = await openPage(t)
  await clock.advance(60_000)
  const late = await operate({ action: 'go' }, { 'roadcase-sent-ms': '57000' })
  t.equal(late.status, 409)
  t.match(late.json(), { code: 'command.refused', message: /^it came 3\.0 s late/ })
  t.equal(late.headers['roadcase-now-ms'], '60000')
  t.same(heard, [])
  t.same(logged.filter(event => event === 'page.request-late').length, 1)
  const next = await operate({ action: 'go' }, { 'roadcase-sent-ms': '60000' })
  t.equal(next.status, 200)
  t.equal(heard.length, 1)
})

t.test('a button that is pressed late is not pressed', async t => {
  const pressed: string[] = []
  const { ask, bus, clock } = await openPage(t, {
    simulated: { lines: () => [], press: input => void pressed.push(input) },
  })
  const device = { device: 'go-button', driver: 'push-button', kind: 'input' } as const
  bus.publish('device/state', { ...device, state: 'ready', code: null, message: null })
  await clock.advance(60_000)
  const press = async (sentMs: string): Promise<number> => {
    const headers = { authorization, 'roadcase-sent-ms': sentMs }
    const body = { input: 'go-button', holdMs: 100 }
    return (await ask('/api/simulated/press', { method: 'POST', headers, body })).status
  }
  t.equal(await press('57000'), 409)
  t.same(pressed, [])
  t.equal(await press('59000'), 200)
  t.same(pressed, ['go-button'])
})

t.test('nobody learns the time of the box by a wrong token', async t => {
  const { ask } = await openPage(t)
  const headers = { authorization: 'Bearer guess' }
  const reply = await ask('/api/command', { method: 'POST', headers, body: { action: 'go' } })
  t.equal(reply.status, 401)
  t.notOk('roadcase-now-ms' in reply.headers)
})
