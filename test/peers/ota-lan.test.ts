/**
 * The updaters of a venue as they are shipped, each in a network of its own: a LAN, a Mosquitto on which they hear each
 * other, and one uplink that is counted. Nothing but the addresses of their interfaces tells them where the others are.
 */
import { createHash, randomBytes } from 'node:crypto'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import t from 'tap'
import { LinuxKeys } from '../../drivers/linux/keys.js'
import { LinuxPublicFolder } from '../../drivers/linux/public-folder.js'
import { openLibcOrNot } from '../../drivers/linux/real-time.js'
import { LinuxSlotDisk } from '../../drivers/linux/slot-disk.js'
import { SimulatedLog } from '../../drivers/simulated/log.js'
import { publishRelease, setOrder } from '../../ota/publish/releases.js'
import { formatManifest } from '../../ota/release/manifest.js'
import { chooseSlot } from '../../ota/slots/choice.js'
import { StateStore } from '../../ota/slots/state-store.js'
import { otaLink } from '../../runtime/cli/ota-link.js'
import type { UplinkLine } from '../fixtures/uplink.js'
import { Ceremony, keys, madeRepository, order } from '../ota/publish/publish-world.js'
import { hasMosquitto } from './mosquitto-broker.js'
import { makeNamespaces, type Namespaces, whyNoNamespaces } from './namespaces.js'
import { nextRelease } from './ota-rig.js'
import { type Follow, follow } from './ptp4l.js'

const BOXES = 3
/** Of bytes that nothing makes smaller. */
const CHANGED_BYTES = 2_000_000
/** No range for LANs: a venue with public addresses, such as a university (RFC 5737, in its place). */
const NETWORK = '198.51.100'
const UPLINK = { host: `${NETWORK}.1`, port: 8_080, bytesPerSecond: 1_000_000 }
const BROKER_PORT = 1_883
const folder = mkdtempSync(join(tmpdir(), 'roadcase-lan-'))
const at = (...steps: string[]): string => join(folder, ...steps)
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
t.setTimeout(170_000)

/** Enough of a release to lie in a slot. */
function writeTree(into: string): void {
  const release = {
    ...{ format: 1, product: 'roadcase', version: '0.1.0' },
    ...{ architecture: process.arch, sourceEpoch: 1_700_000_000, formats: { config: 1, store: 1 } },
  }
  const files = {
    'launch.json': '{}',
    'launcher.mjs': '',
    'release.json': JSON.stringify(release),
    'program/main.js': '',
    'program/updater.js': '',
  }
  const entries = Object.entries(files).map(([path, text]) => {
    mkdirSync(dirname(join(into, path)), { recursive: true })
    writeFileSync(join(into, path), text)
    const sha256 = createHash('sha256').update(text).digest('hex')
    return { path, mode: '644', byteCount: text.length, sha256 } as const
  })
  writeFileSync(join(into, 'manifest'), formatManifest(entries))
}

async function publish(): Promise<number> {
  writeTree(at('0.1.0'))
  const picture = randomBytes(CHANGED_BYTES).toString('latin1')
  await nextRelease(at('0.1.0'), at('0.2.0'), '0.2.0', { 'program/main.js': picture })
  mkdirSync(at('repository'))
  const publisher = await madeRepository(new Ceremony(), new LinuxPublicFolder(at('repository')))
  const built = new LinuxPublicFolder(at('0.2.0'))
  const { description } = await publishRelease(publisher, built, keys)
  await setOrder(publisher, keys, order('0.2.0'))
  return Math.min(...description.objects.map(({ byteCount }) => byteCount))
}

async function startBox(namespaces: Namespaces, number: number): Promise<Follow> {
  const [home, box] = [at(`box-${number}`), `box-${number}`]
  cpSync(at('0.1.0'), join(home, 'slots/a'), { recursive: true })
  cpSync(at('repository/metadata/1.root.json'), join(home, 'root.json'))
  const broker = { kind: 'other', url: `mqtt://${UPLINK.host}:${BROKER_PORT}` }
  const config = {
    ...{ schemaVersion: 1, tour: 'summer', box, isMetered: number === BOXES },
    ...{ repositories: [`http://${UPLINK.host}:${UPLINK.port}`], venue: { broker } },
  }
  writeFileSync(join(home, 'ota.json'), JSON.stringify(config))
  const disk = new LinuxSlotDisk(home, await openLibcOrNot())
  const parts = { disk, keys: new LinuxKeys(), log: new SimulatedLog() }
  // As its launcher does before it starts anything.
  await chooseSlot({ ...parts, store: new StateStore(parts) }, null)
  const words = [`ROADCASE_HOME=${home}`, 'ROADCASE_SLOT=a', process.execPath]
  return follow(...namespaces.within(number, 'env', [...words, 'dist/program/updater.js']))
}

const skip = whyNoNamespaces() ?? (hasMosquitto ? false : 'there is no mosquitto')
t.test(
  'three boxes take a release over the uplink once, the metered one nothing',
  { skip },
  async t => {
    const namespaces = makeNamespaces(1 + BOXES, NETWORK)
    const started: Follow[] = []
    t.teardown(async () => {
      await Promise.all(started.map(program => program.stop()))
      namespaces.remove()
    })
    const byteCount = await publish()
    const settings = JSON.stringify({ ...UPLINK, folder: at('repository') })
    const fixture = join('dist', 'test/fixtures/uplink.js')
    const uplink = follow(...namespaces.within(0, process.execPath, [fixture, settings]))
    chmodSync(folder, 0o755)
    const lines = [`listener ${BROKER_PORT} ${UPLINK.host}`, 'allow_anonymous true']
    writeFileSync(at('mosquitto.conf'), `${lines.join('\n')}\n`)
    const broker = follow(
      ...namespaces.within(0, '/usr/sbin/mosquitto', ['-c', at('mosquitto.conf')]),
    )
    started.push(uplink, broker)
    await uplink.until(() => uplink.output().includes('ready'), 'the uplink')
    const boxes: Follow[] = []
    for (let number = 1; number <= BOXES; number++) boxes.push(await startBox(namespaces, number))
    started.unshift(...boxes)
    for (const box of boxes) await box.until(() => box.output().includes('ota.ready'), 'an updater')
    for (let number = 1; number <= BOXES; number++)
      await otaLink(at(`box-${number}`)).ask({ ask: 'check' })
    for (const box of boxes) await box.until(() => box.output().includes('slot.ready'), 'a release')

    const given = new Map<string, number>()
    for (const text of uplink
      .output()
      .split('\n')
      .filter(line => line.startsWith('{'))) {
      const line: UplinkLine = JSON.parse(text)
      given.set(line.to, (given.get(line.to) ?? 0) + line.byteCount)
    }
    const all = [...given.values()].reduce((sum, bytes) => sum + bytes, 0)
    const share = all / byteCount
    t.comment(`${all} bytes over the uplink of an object of ${byteCount}: ${share.toFixed(3)}`)
    t.ok(share >= 1 && share <= 1.1, `${share} of what one box takes`)
    t.notOk(given.has(`${NETWORK}.${BOXES + 1}`), 'nothing for the metered box')
  },
)
