import t from 'tap'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { SimulatedLog } from '../../../drivers/simulated/log.js'
import { ConfigError } from '../../../runtime/core/errors.js'
import { LinkReport } from '../../../runtime/gateways/broker/link-report.js'

const config = {
  url: 'mqtt://127.0.0.1:1883',
  username: null,
  passwordFile: null,
  certificateAuthority: null,
  certificate: null,
  key: null,
}

function report() {
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const log = new SimulatedLog()
  return { clock, log, link: new LinkReport(clock, log, config) }
}

t.test('the same trouble is told once in ten minutes, another at once', async t => {
  const { clock, log, link } = report()
  for (let minute = 0; minute < 30; minute++) {
    link.failed({ code: 'ECONNREFUSED' }, true)
    await clock.advance(60_000)
  }
  t.match(log.lines, [{ facts: { untold: 0 } }, { facts: { untold: 9 } }, { facts: { untold: 9 } }])
  t.equal(log.lines.length, 3)
  link.failed({ code: 'ENOTFOUND' }, true)
  t.match(log.lines.at(-1), {
    level: 'warn',
    event: 'broker.link-failed',
    facts: { url: config.url, field: 'box.broker.url', message: /name of the host/, untold: 9 },
  })
})

t.test('after a steady connection the same trouble is news', async t => {
  const { log, link } = report()
  link.lost(true)
  link.lost(true)
  t.equal(log.lines.length, 1)
  link.steady()
  link.lost(true)
  t.equal(log.lines.length, 2)
})

t.test('a connection that is taken away at once lets a second box be looked for', async t => {
  const { log, link } = report()
  link.lost(false)
  t.match(log.lines, [{ event: 'broker.link-lost', facts: { message: /second box of this name/ } }])
})

t.test('files that make no sense any more are told with their field', async t => {
  const { log, link } = report()
  const path = 'box.broker.key'
  link.spoiled(new ConfigError([{ path, message: 'must be a private key', place: null }]))
  link.spoiled(new Error('the disk is on fire'))
  t.match(log.lines, [
    { event: 'broker.link-spoiled', facts: { field: path, message: 'must be a private key' } },
    { event: 'broker.link-spoiled', facts: { message: 'the disk is on fire' } },
  ])
})

t.test('how the link fares is known, and since when, with the last trouble', async t => {
  const { clock, link } = report()
  t.equal(link.state(), null)
  link.begin()
  t.same(link.state(), { isConnected: false, since: 0, trouble: null })
  await clock.advance(1_000)
  link.failed({ code: 'ECONNREFUSED' }, true)
  await clock.advance(1_000)
  link.failed({ code: 'ECONNREFUSED' }, true)
  const message = 'box.broker.url: nobody listens there: does the broker run?'
  t.same(link.state(), { isConnected: false, since: 0, trouble: { at: 2_000, message } })
  await clock.advance(1_000)
  link.up(false)
  t.same(link.state(), { isConnected: true, since: 3_000, trouble: { at: 2_000, message } })
  await clock.advance(1_000)
  link.lost(true)
  t.match(link.state(), {
    isConnected: false,
    since: 4_000,
    trouble: { at: 4_000, message: 'the connection broke off' },
  })
})
