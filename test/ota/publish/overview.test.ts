/** What a repository has, and what is said beside it. */
import t from 'tap'
import { overviewOf } from '../../../ota/publish/overview.js'
import { publishRelease, removeRelease, setOrder, tableOf } from '../../../ota/publish/releases.js'
import { verifyRepository } from '../../../ota/publish/verify.js'
import { builtRelease, Ceremony, keys, madeRepository, NOW_MS, order } from './publish-world.js'

const DAY_MS = 86_400_000

t.test('releases with who has ordered them, and tours with what they have', async t => {
  const ceremony = new Ceremony()
  const publisher = await madeRepository(ceremony)
  for (const version of ['1.9.0', '1.10.0'])
    await publishRelease(publisher, await builtRelease(version), keys)
  await setOrder(publisher, keys, order('1.9.0'))
  await publisher.addTour('winter', await ceremony.holders(['erik'], 1))
  const { folder } = publisher
  const overview = await overviewOf(folder, await publisher.state(), NOW_MS + 10 * DAY_MS)
  const release = { architecture: 'x64', boards: null, byteCount: 300_000 }
  const published = new Date(NOW_MS).toISOString().replace(/\.\d+/, '')
  t.match(overview, {
    releases: [
      { ...release, version: '1.10.0', tours: [], published },
      { ...release, version: '1.9.0', tours: ['summer'], published },
    ],
    systems: [],
    tours: [
      { tour: 'summer', releases: { x64: '1.9.0' }, activation: 'venue', daysLeft: 354 },
      { tour: 'winter', releases: {}, activation: null, daysLeft: 354 },
    ],
  })
})

t.test('what lies there and was not signed is told of nobody', async t => {
  const publisher = await madeRepository(new Ceremony())
  const { folder } = publisher
  for (const version of ['1.5.0', '1.6.0'])
    await publishRelease(publisher, await builtRelease(version), keys)
  await setOrder(publisher, keys, order('1.5.0'))
  const file = (await folder.list('targets')).find(name => name.endsWith('.order.json')) ?? ''
  await folder.write(file, [Buffer.from(JSON.stringify(order('1.6.0')))])
  const wanted = { code: 'release.invalid', message: /order.json is not what was signed/ }
  t.match(await overviewOf(folder, await publisher.state(), NOW_MS), {
    releases: [
      { version: '1.6.0', tours: [] },
      { version: '1.5.0', tours: [] },
    ],
    tours: [{ tour: 'summer', releases: {}, isReadable: false }],
    problems: [wanted.message],
  })
  // With the order as it lies there, 1.5.0 would be taken from boxes that were told to run it.
  await t.rejects(removeRelease(publisher, '1.5.0', null), wanted)
})

t.test('what was published is not published again on another day', async t => {
  const ceremony = new Ceremony()
  const { folder } = await madeRepository(ceremony)
  for (const [day, isPublished] of [
    [0, true],
    [1, false],
  ] as const) {
    const publisher = ceremony.publisher(folder, () => NOW_MS + day * DAY_MS)
    const { outcome } = await publishRelease(publisher, await builtRelease('1.5.0'), keys)
    t.match(outcome, { isPublished, draft: null })
    t.match(await setOrder(publisher, keys, order('1.5.0')), { isPublished, draft: null })
  }
})

t.test('what is said beside a target and not in it is found, and nobody acts by it', async t => {
  const publisher = await madeRepository(new Ceremony())
  const { folder } = publisher
  await publishRelease(publisher, await builtRelease('1.5.0'), keys)
  t.same((await verifyRepository(folder, NOW_MS)).problems, [])
  const path = 'releases/x64/1.5.0.json'
  const file = tableOf(await publisher.state(), 'releases')[path]
  if (file === undefined) throw new Error('a release')
  const beside = JSON.parse(JSON.stringify(file.custom).replace('1.5.0', '1.6.0'))
  for (const [custom, problems] of [
    [beside, [`what is said beside ${path} (custom) is not what it says itself`]],
    [{ roadcase: { kind: 'of a later publisher' }, other: 1 }, []],
  ] as const) {
    const targets = { [path]: { ...file, custom } }
    await publisher.setTargets(await publisher.state(), new Map([['releases', targets]]))
    t.same((await verifyRepository(folder, NOW_MS)).problems, problems)
    const { releases } = await overviewOf(folder, await publisher.state(), NOW_MS)
    t.match(releases, [{ version: '1.5.0' }])
  }
})

t.test('one rotten document does not hide the others', async t => {
  const publisher = await madeRepository(new Ceremony())
  const { folder } = publisher
  for (const version of ['1.5.0', '1.6.0'])
    await publishRelease(publisher, await builtRelease(version), keys)
  await setOrder(publisher, keys, order('1.5.0'))
  const file = (await folder.list('targets')).find(name => name.endsWith('1.6.0.json')) ?? ''
  await folder.write(file, [Buffer.from('{')])
  t.match(await overviewOf(folder, await publisher.state(), NOW_MS), {
    releases: [{ version: '1.5.0', tours: ['summer'] }],
    tours: [{ tour: 'summer', isReadable: true }],
    problems: [/releases\/x64\/1\.6\.0\.json is not what was signed/],
  })
})
