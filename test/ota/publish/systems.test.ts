/** Operating systems in a repository, beside releases, and what a tour orders of them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { LinuxPublicFolder } from '../../../drivers/linux/public-folder.js'
import { objectsOf } from '../../../ota/os/os-description.js'
import { buildOs, type OsBuildWish } from '../../../ota/os-build.js'
import type { Publisher } from '../../../ota/publish/publisher.js'
import { publishRelease, removeRelease, setOrder } from '../../../ota/publish/releases.js'
import { publishSystem, removeSystem, setOrders } from '../../../ota/publish/systems.js'
import { pruneRepository, verifyRepository } from '../../../ota/publish/verify.js'
import { smallOs } from '../os/os-world.js'
import {
  builtRelease,
  Ceremony,
  Client,
  keys,
  madeRepository,
  NOW_MS,
  order,
  rootOf,
} from './publish-world.js'

const BOARDS = ['pi-4b', 'cm4']

/** As `roadcase release build-os` does it. */
async function builtSystem(t: Test, version: string, content = version) {
  const folder = mkdtempSync(join(tmpdir(), 'roadcase-os-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const { bytes } = smallOs(content)
  const images = { boot: join(folder, 'boot.img'), root: join(folder, 'root.img') }
  writeFileSync(images.boot, bytes.boot)
  writeFileSync(images.root, bytes.root)
  const into = join(folder, 'built')
  const description = await buildOs(
    {
      ...{ into, images, quality: 1, version, boards: BOARDS, architecture: 'arm64' },
      ...{ floor: null, minimumRelease: '1.0.0', notes: '' },
    },
    () => {},
  )
  return { description, folder: new LinuxPublicFolder(into) }
}

async function repositoryWithSystems(): Promise<Publisher> {
  const ceremony = new Ceremony()
  const publisher = await madeRepository(ceremony)
  await publisher.addSystems(await ceremony.holders(['build'], 1))
  return publisher
}

const systemOrder = (version: string) => ({
  tour: 'summer',
  releases: undefined,
  systems: { 'pi-4b': version },
})

t.test('a system is published for each of its boards, and ordered beside the releases', async t => {
  const publisher = await repositoryWithSystems()
  const { folder } = publisher
  await publishRelease(publisher, await builtRelease('1.5.0'), keys)
  await setOrder(publisher, keys, order('1.5.0'))
  const built = await builtSystem(t, '2.0.0')
  t.match((await publishSystem(publisher, built.folder, keys)).outcome, { isPublished: true })
  t.match((await publishSystem(publisher, built.folder, keys)).outcome, { isPublished: false })
  t.match(await setOrders(publisher, keys, systemOrder('2.0.0')), { isPublished: true })
  const client = new Client(t, await rootOf(folder))
  const [root, boot] = objectsOf(built.description)
  if (root === undefined || boot === undefined) throw new Error('there are two')
  const [described, other, bootObject, rootObject, ordered, release] = await client.fetch(folder, [
    'os/pi-4b/2.0.0.json',
    'os/cm4/2.0.0.json',
    boot.target,
    root.target,
    'tours/summer/os.json',
    'tours/summer/order.json',
  ])
  t.same(described, other)
  t.match(JSON.parse(String(described)), { product: 'roadcase-os', boards: BOARDS })
  t.equal(bootObject?.length, boot.byteCount)
  t.equal(rootObject?.length, root.byteCount)
  t.same(JSON.parse(String(ordered)), {
    format: 1,
    tour: 'summer',
    systems: { 'pi-4b': '2.0.0' },
  })
  t.equal(String(release), `${JSON.stringify(order('1.5.0'))}\n`, 'the order is as ever')
  t.match(await verifyRepository(folder, NOW_MS), { problems: [], targetCount: 8 })
})

t.test('what one order leaves out stands, and a system can be taken back', async t => {
  const publisher = await repositoryWithSystems()
  for (const version of ['1.5.0', '1.6.0'])
    await publishRelease(publisher, await builtRelease(version), keys)
  await publishSystem(publisher, (await builtSystem(t, '2.0.0')).folder, keys)
  const releases = order('1.5.0')
  await setOrders(publisher, keys, { ...systemOrder('2.0.0'), releases })
  await setOrders(publisher, keys, {
    ...{ tour: 'summer', releases: order('1.6.0'), systems: undefined },
  })
  const read = async (): Promise<string[]> => {
    const { delegated } = await publisher.state()
    return Object.keys(delegated.get('tour-summer')?.signed.targets ?? {})
  }
  t.same(await read(), ['tours/summer/order.json', 'tours/summer/os.json'])
  await setOrder(publisher, keys, order('1.5.0'))
  t.same(await read(), ['tours/summer/order.json', 'tours/summer/os.json'])
  await t.rejects(removeSystem(publisher, '2.0.0', 'pi-4b'), { code: 'release.conflict' })
  await setOrders(publisher, keys, { ...systemOrder('2.0.0'), systems: null })
  t.same(await read(), ['tours/summer/order.json'])
  t.match(await removeSystem(publisher, '2.0.0', 'pi-4b'), { isPublished: true })
  await t.rejects(removeSystem(publisher, '2.0.0', 'pi-4b'), /not published for pi-4b/)
  t.match(await verifyRepository(publisher.folder, NOW_MS), { problems: [] })
})

t.test(
  'a release that goes takes no object of a system with it, nor the other way round',
  async t => {
    const publisher = await repositoryWithSystems()
    const built = await builtSystem(t, '2.0.0')
    await publishRelease(publisher, await builtRelease('1.5.0'), keys)
    await publishSystem(publisher, built.folder, keys)
    await removeRelease(publisher, '1.5.0', null)
    await pruneRepository(publisher.folder)
    t.match(await verifyRepository(publisher.folder, NOW_MS), { problems: [], targetCount: 4 })
    await publishRelease(publisher, await builtRelease('1.5.0'), keys)
    await removeSystem(publisher, '2.0.0', 'pi-4b')
    t.match(await verifyRepository(publisher.folder, NOW_MS), { problems: [], targetCount: 5 })
    await removeSystem(publisher, '2.0.0', 'cm4')
    await pruneRepository(publisher.folder)
    t.match(await verifyRepository(publisher.folder, NOW_MS), { problems: [], targetCount: 2 })
  },
)

t.test(
  'a system never changes, is signed by whom targets lets, and is ordered when it is there',
  async t => {
    const publisher = await madeRepository(new Ceremony(2))
    const built = await builtSystem(t, '2.0.0')
    await t.rejects(publishSystem(publisher, built.folder, keys), /release os --key/)
    const open = await repositoryWithSystems()
    await publishSystem(open, built.folder, keys)
    const changed = await builtSystem(t, '2.0.0', 'other bytes')
    await t.rejects(publishSystem(open, changed.folder, keys), { code: 'release.conflict' })
    await t.rejects(setOrders(open, keys, systemOrder('2.1.0')), /2.1.0 is not published for pi-4b/)
  },
)

t.test('what no firmware would start is not packed', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'roadcase-os-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const images = { boot: join(folder, 'boot.img'), root: join(folder, 'root.img') }
  const wish: OsBuildWish = {
    ...{ into: join(folder, 'built'), quality: 1, version: '2.0.0', boards: BOARDS },
    ...{ floor: null, minimumRelease: null, notes: '' },
    architecture: 'arm64',
    images,
  }
  writeFileSync(images.root, Buffer.alloc(4096, 1))
  const card = Buffer.alloc(4096)
  card.set([0x55, 0xaa], 510)
  for (const [bytes, why] of [
    [Buffer.alloc(4096), /does not begin like a FAT/],
    [card, /not of the whole card/],
    [Buffer.alloc(100), /not even a boot sector/],
    [Buffer.alloc(0), /is empty/],
  ] as const) {
    writeFileSync(images.boot, bytes)
    await t.rejects(
      buildOs(wish, () => {}),
      why,
    )
  }
  await t.rejects(
    buildOs({ ...wish, floor: '3.0.0' }, () => {}),
    /os.floor: is above the version/,
  )
  writeFileSync(images.boot, smallOs('1').bytes.boot)
  await buildOs(wish, () => {})
  await t.rejects(
    buildOs(wish, () => {}),
    { code: 'release.conflict' },
  )
})

t.test('a bundle of RAUC is packed and published as two images are', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'roadcase-os-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const images = { bundle: join(folder, 'os.raucb') }
  const into = join(folder, 'built')
  const wish: OsBuildWish = {
    ...{ into, images, quality: 1, version: '2.0.0', boards: BOARDS, architecture: 'arm64' },
    ...{ floor: null, minimumRelease: null, notes: '' },
  }
  writeFileSync(images.bundle, 'an archive')
  await t.rejects(
    buildOs(wish, () => {}),
    /is no bundle of RAUC/,
  )
  writeFileSync(images.bundle, `hsqs${'a bundle'.repeat(1_000)}`)
  const described = await buildOs(wish, () => {})
  t.match(described, { bundle: { byteCount: 8_004 }, images: undefined })
  const publisher = await repositoryWithSystems()
  await publishSystem(publisher, new LinuxPublicFolder(into), keys)
  t.match(await verifyRepository(publisher.folder, NOW_MS), { problems: [], targetCount: 3 })
})
