/**
 * A release from the workshop to the box: built, signed, published, ordered, fetched, tried, kept or given back, all by the
 * programs as they are shipped.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectAsync } from 'mqtt'
import t from 'tap'
import { type PeerWord, readWord } from '../../ota/fetch/peer-word.js'
import { nextRelease, OtaBox, ownRelease, serve, type, typeAsShipped } from './ota-rig.js'

t.setTimeout(350_000)
const folder = mkdtempSync(join(tmpdir(), 'roadcase-ota-'))
const at = (...steps: string[]): string => join(folder, ...steps)

await ownRelease(at('0.1.0'))
await nextRelease(at('0.1.0/tree'), at('0.2.0'), '0.2.0')
await nextRelease(at('0.1.0/tree'), at('0.3.0'), '0.3.0', {
  'program/main.js': 'throw new Error("a release that cannot start")',
})
await typeAsShipped(folder, 'keys', 'create', 'anna', '--no-passphrase')
for (const key of ['bert', 'build', 'dora', 'server'])
  await type(folder, 'keys', 'create', key, '--no-passphrase')
const commands = [
  ['release', 'init', '--root', 'anna,bert', '--releases', 'build', '--online', 'server'],
  ['release', 'publish', '0.2.0'],
  ['release', 'publish', '0.3.0'],
  ['release', 'tour', 'tour-7', '--key', 'dora'],
]
for (const words of commands) {
  const { code, out } = await typeAsShipped(folder, ...words)
  t.equal(code, 0, `${words.join(' ')}: ${out.trim()}`)
}
const order = (version: string) => type(folder, 'release', 'order', 'tour-7', '--x64', version)
const hub = await serve(at('repository'))
const box = new OtaBox(at('home'), {
  tree: at('0.1.0/tree'),
  root: at('repository/metadata/1.root.json'),
  url: hub.url,
  // Its own broker is where the venue would hear it.
  venue: { port: 0 },
})
t.teardown(async () => {
  await box.stop()
  await hub.close()
  rmSync(folder, { recursive: true, force: true })
})
box.start()

t.test('a card from the workshop starts, and knows what it runs', async t => {
  const { running, slot } = await box.until(({ running }) => running !== null)
  t.match({ running, slot }, { running: { version: '0.1.0' }, slot: 'a' })
  const why = await typeAsShipped(folder, 'ota', '--home', at('home'), 'why')
  t.match(why.out, /no +order/)
})

t.test(
  'a release is prepared at once, and waits for the date and for whoever holds it back',
  async t => {
    await box.ota('hold', 'rehearsal until noon', '--for', '2h')
    await order('0.2.0')
    t.match((await box.ota('check')).out, /^0\.2\.0 is ordered/)
    await box.until(({ phase, unmet }) => phase === 'waiting' && unmet.length === 2)
    const { out } = await box.ota('why')
    t.match(out, /no +time +the box does not know the date/)
    t.match(out, /no +hold +operator holds it back .*rehearsal until noon/)
    t.match(out, /yes +in-slot/)
    const patch = hub.requests.filter(path => path.includes('/objects/'))
    t.ok(patch.length > 0 && patch.every(path => path.endsWith('.patch')), patch.join())
  },
)

t.test('on the broker of the box it says what it has, for whoever may hear it there', async t => {
  const { mqttPort } = JSON.parse(readFileSync(at('home/state/control.json'), 'utf8'))
  const { username, password } = JSON.parse(readFileSync(at('home/state/operator.json'), 'utf8'))
  const client = await connectAsync(`mqtt://127.0.0.1:${mqttPort}`, { username, password })
  t.teardown(() => client.endAsync(true))
  const said = new Promise<PeerWord | null>(resolve =>
    client.once('message', (_, payload) => resolve(readWord(payload))),
  )
  await client.subscribeAsync('vb/tour-7/+/ota/have')
  t.match(await said, { objects: [{ pieces: '*', isWanted: false, claim: 0 }] })
})

t.test('known and let go, it is tried and kept; the box tells it to everybody', async t => {
  await box.setDate()
  await box.ota('hold', '--release', 'h1')
  const tried = await box.until(
    ({ running, phase }) => running?.version === '0.2.0' && phase === 'trial',
  )
  t.match(tried, { slot: 'b', previous: { version: '0.1.0' } })
  const kept = await box.until(
    ({ running, phase }) => running?.version === '0.2.0' && phase === 'idle',
  )
  t.match(kept, { slot: 'b', refused: [] })
  const { out } = await typeAsShipped(folder, '--json', '--state', at('home/state'), 'status')
  t.match(JSON.parse(out), { ota: { running: { version: '0.2.0' } } })
})

t.test('what a person does not like is given back, and taken again once it is cleared', async t => {
  const words = ['ota', '--home', at('home'), 'rollback', 'the lamps flicker']
  const { code, out } = await typeAsShipped(folder, ...words)
  t.equal(code, 0, out)
  t.match(out, /the lamps flicker/)
  const back = await box.until(({ running }) => running?.version === '0.1.0')
  t.match(back, { slot: 'a', refused: [{ version: '0.2.0', why: 'the lamps flicker' }] })
  t.match(box.said, /"ota.rollback".*the lamps flicker/)
  await box.ota('check')
  t.match((await box.ota('clear', '0.2.0')).out, /^0\.2\.0 may be tried again\n(?![\s\S]*Refused)/)
  await box.until(({ running, phase }) => running?.version === '0.2.0' && phase === 'idle')
})

t.test(
  'one that cannot start is given back by itself, and refused until it is cleared',
  async t => {
    await order('0.3.0')
    await box.ota('check')
    const back = await box.until(({ refused }) => refused.length > 0)
    t.match(back, {
      running: { version: '0.2.0' },
      slot: 'b',
      refused: [{ version: '0.3.0', why: /box ended: exit code 1/ }],
    })
    await box.ota('check')
    t.match((await box.ota('why')).out, /no +not-refused +it has failed here/)
  },
)

t.test('a stick does what a hub does, and an older one changes nothing', async t => {
  cpSync(at('repository'), at('home/stick'), { recursive: true })
  await hub.close()
  await box.configure({ repositories: [], sticks: [at('home/stick')] })
  t.match((await box.ota('check')).out, /0\.3\.0 is ordered/)
  await type(folder, 'release', 'order', 'tour-7', '--x64', '0.2.0')
  cpSync(at('repository'), at('home/stick'), { recursive: true })
  t.match((await box.ota('check')).out, /^0\.2\.0 is ordered/)
})

t.test('where the other slot holds nothing good, there is no way back', async t => {
  t.equal((await box.ota('rollback', 'the lamps flicker')).code, 4, 'the other slot failed')
  await box.ota('clear', '0.3.0')
  t.match(await box.state(), { refused: [], running: { version: '0.2.0' } })
})
