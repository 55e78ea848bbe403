/** Three boxes of a venue, on the broker of one: a release that all take at one moment, and one that all give back. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { makePapers } from '../gateways/broker/certificates.js'
import { freePort } from './free-port.js'
import { nextRelease, OtaBox, ownRelease, serve, type } from './ota-rig.js'

const NAMES = ['box-1', 'box-2', 'box-3']
/** On the third box only, as a driver does that meets hardware that it does not know. */
const BAD = `if ((process.env.ROADCASE_HOME ?? '').endsWith('box-3')) throw new Error('not on this box')\n`

t.setTimeout(350_000)
t.test('a venue', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'roadcase-venue-ota-'))
  const at = (...steps: string[]): string => join(folder, ...steps)
  const port = await freePort()
  const running: OtaBox[] = []
  t.teardown(async () => {
    await Promise.all(running.map(box => box.stop()))
    rmSync(folder, { recursive: true, force: true })
  })
  await ownRelease(at('0.1.0'))
  await nextRelease(at('0.1.0/tree'), at('0.2.0'), '0.2.0')
  const main = readFileSync(at('0.1.0/tree/program/main.js'), 'utf8')
  await nextRelease(at('0.2.0/tree'), at('0.3.0'), '0.3.0', { 'program/main.js': BAD + main })
  for (const key of ['anna', 'bert', 'build', 'dora', 'server'])
    await type(folder, 'keys', 'create', key, '--no-passphrase')
  await type(
    folder,
    'release',
    'init',
    '--root',
    'anna,bert',
    '--releases',
    'build',
    '--online',
    'server',
  )
  for (const version of ['0.2.0', '0.3.0']) await type(folder, 'release', 'publish', version)
  await type(folder, 'release', 'tour', 'tour-7', '--key', 'dora')
  const order = (version: string) =>
    type(folder, 'release', 'order', 'tour-7', '--x64', version, '--activation', 'venue')
  const hub = await serve(at('repository'))
  t.teardown(() => hub.close())
  const tree = at('0.1.0/tree')
  const root = at('repository/metadata/1.root.json')
  const boxes = NAMES.map(
    name => new OtaBox(at(name), { tree, root, url: hub.url, name, ...placeOf(name, port) }),
  )
  await givePapers(t, boxes)
  running.push(...boxes)
  for (const box of boxes) box.start()
  for (const box of boxes) await box.until(({ running }) => running !== null)
  for (const box of boxes) await box.setDate()
  const versions = async (): Promise<(string | undefined)[]> =>
    Promise.all(boxes.map(async box => (await box.state())?.running?.version))

  t.match(await order('0.2.0'), { code: 0 })
  await boxes[1]?.ota('hold', 'rehearsal', '--for', '1h')
  for (const box of boxes) await box.ota('check')
  const waiting = await boxes[0]?.until(({ unmet }) => unmet.some(({ name }) => name === 'venue'))
  t.match(waiting?.unmet, [{ words: /box-2 / }], 'the others wait for the one that is held')
  t.same(await versions(), ['0.1.0', '0.1.0', '0.1.0'])

  await boxes[1]?.ota('hold', '--release', 'h1')
  for (const box of boxes)
    await box.until(({ running, phase }) => running?.version === '0.2.0' && phase === 'idle')
  t.pass('all have switched, and kept it')
  const switched = boxes.map(({ said }) => momentOf(said, 'ota.switching'))
  t.ok(Math.max(...switched) - Math.min(...switched) < 1_000, switched.join(' '))

  await order('0.3.0')
  for (const box of boxes) await box.ota('check')
  await boxes[2]?.until(({ refused }) => refused.length > 0, 90)
  for (const box of boxes)
    await box.until(({ running, phase }) => running?.version === '0.2.0' && phase !== 'trial')
  t.same(await versions(), ['0.2.0', '0.2.0', '0.2.0'], 'and what one cannot run, none does')
  for (const { said } of boxes.slice(0, 2)) t.match(said, /box-3 has gone back/)
})

/** The first box has the broker; the others come to it from outside. */
function placeOf(name: string, port: number): { readonly venue: object; readonly broker: object } {
  const common = { boxes: NAMES, port: 0 }
  const own = { certificate: 'tls/own.crt', key: 'tls/own.key' }
  const [host, ...others] = NAMES
  if (name === host) {
    const tls = { port, ...own, clientAuthority: 'tls/tour.crt', boxes: others }
    return { venue: { ...common, broker: { kind: 'own' } }, broker: { port: 0, tls } }
  }
  const url = `mqtts://localhost:${port}`
  const broker = { kind: 'other', url, certificateAuthority: 'tls/tour.crt', ...own }
  return { venue: { ...common, broker }, broker: { port: 0 } }
}

/** To each box its certificate, in the folder beside its `box.json`. */
async function givePapers(t: Test, boxes: readonly OtaBox[]): Promise<void> {
  const papers = await makePapers(t)
  await papers.authority('tour')
  for (const [index, { home }] of boxes.entries()) {
    const name = NAMES[index] ?? ''
    await papers.certificate(name, 'tour')
    mkdirSync(join(home, 'tls'))
    cpSync(papers.path('tour.crt'), join(home, 'tls/tour.crt'))
    for (const kind of ['crt', 'key'])
      cpSync(papers.path(`${name}.${kind}`), join(home, `tls/own.${kind}`))
  }
}

/** When an event was logged first, in milliseconds since 1970. */
function momentOf(said: string, event: string): number {
  const line = said.split('\n').find(text => text.includes(`"${event}"`)) ?? '{}'
  return Date.parse(JSON.parse(line).time)
}
