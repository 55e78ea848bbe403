import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { giveBytesPerSecond, OwnBroker, otherBroker } from '../../../ota/process/venue.js'
import { checkUpdaterConfig } from '../../../ota/updater/updater-config.js'
import { BoxError } from '../../../runtime/core/errors.js'

t.test('beside an armed show other boxes get their pieces slowly', async t => {
  const show = { isArmed: false, isPanic: false, runningCues: 0 }
  t.equal(giveBytesPerSecond({ show }), null)
  t.equal(giveBytesPerSecond({ show: null }), null, 'a box without a show')
  t.equal(giveBytesPerSecond({ show: { ...show, isArmed: true } }), 1_000_000)
  t.equal(
    giveBytesPerSecond(null),
    1_000_000,
    'a box that is not heard may be in the middle of one',
  )
})

t.test('files that ota.json names lie beside it, or anywhere', async t => {
  const home = mkdtempSync(join(tmpdir(), 'roadcase-venue-'))
  t.teardown(() => rmSync(home, { recursive: true, force: true }))
  mkdirSync(join(home, 'tls'))
  writeFileSync(join(home, 'tls/word'), 'open sesame\n')
  const way = (passwordFile: string) => {
    const broker = { kind: 'other', url: 'mqtt://127.0.0.1', username: 'box-2', passwordFile }
    const own = { schemaVersion: 1, tour: 'tour-7', box: 'box-2' }
    const { venue } = checkUpdaterConfig({ ...own, venue: { broker } })
    if (venue?.broker.kind !== 'other') throw new Error('it is another broker')
    return otherBroker(home, venue.broker)
  }
  for (const passwordFile of ['tls/word', join(home, 'tls/word')]) {
    const link = way(passwordFile)
    await link.load()
    t.equal(link.password?.toString(), 'open sesame', passwordFile)
  }
  await t.rejects(way('tls/none').load(), {
    code: 'config.invalid',
    message: /^ota\.venue\.broker\.passwordFile: there is no /,
  })
})

t.test('what its own broker lacks is told, and no port that nobody named', async t => {
  const login = async () => ({ username: 'operator', password: 'x' })
  const told = async (mqttPort: () => Promise<number | null>): Promise<string> => {
    const way = new OwnBroker({ mqttPort, login })
    await way.load()
    return way.explain(new Error('connect ECONNREFUSED 127.0.0.1:1'))
  }
  const away = await told(() => Promise.reject(new BoxError('link.down', 'the box is not there')))
  t.equal(away, 'the broker of this box: the box is not there')
  t.match(await told(async () => null), /^the broker of this box: there is none, by "broker"/)
  t.match(await told(async () => 1883), /^the broker of this box: connect ECONNREFUSED/)
})
