/** What the publisher promises, judged by a client that nobody here wrote. */
import t from 'tap'
import { SimulatedPublicFolder } from '../../../drivers/simulated/public-folder.js'
import type { Rotation } from '../../../ota/publish/publisher.js'
import { publishRelease, removeRelease, setOrder } from '../../../ota/publish/releases.js'
import { pruneRepository, verifyRepository } from '../../../ota/publish/verify.js'
import type { PublicFolder } from '../../../runtime/ports/public-folder.js'
import {
  builtRelease,
  Ceremony,
  Client,
  firstHolders,
  keys,
  madeRepository,
  NOW_MS,
  order,
  rootOf,
} from './publish-world.js'

const RELEASE = 'releases/x64/1.5.0.json'
const ORDER = 'tours/summer/order.json'

t.test(
  'a client takes release, object and order; a second time there is nothing to do',
  async t => {
    const publisher = await madeRepository(new Ceremony())
    const { folder } = publisher
    const built = await builtRelease('1.5.0')
    const { description, outcome } = await publishRelease(publisher, built, keys)
    t.match(outcome, { isPublished: true, draft: null })
    t.match((await publishRelease(publisher, built, keys)).outcome, {
      isPublished: false,
      draft: null,
    })
    t.match(await setOrder(publisher, keys, order('1.5.0')), { isPublished: true })
    t.match(await setOrder(publisher, keys, order('1.5.0')), { isPublished: false })
    const object = description.objects[0]?.target ?? ''
    const client = new Client(t, await rootOf(folder))
    const [release, bytes, ordered, other] = await client.fetch(folder, [
      RELEASE,
      object,
      ORDER,
      'tours/winter/order.json',
    ])
    t.match(JSON.parse(String(release)), { version: '1.5.0' })
    t.equal(bytes?.length, 300_000)
    t.match(JSON.parse(String(ordered)), { tour: 'summer', releases: { x64: '1.5.0' } })
    t.equal(other, null)
    t.match(await verifyRepository(folder, NOW_MS), { problems: [], targetCount: 3 })
  },
)

t.test('a box that asks for a release does not load the list of objects', async t => {
  const publisher = await madeRepository(new Ceremony())
  await publishRelease(publisher, await builtRelease('1.5.0'), keys)
  const read: string[] = []
  const watched: PublicFolder = {
    ...publisher.folder,
    read: (name, max) => {
      read.push(name)
      return publisher.folder.read(name, max)
    },
  }
  await new Client(t, await rootOf(publisher.folder)).fetch(watched, [RELEASE])
  t.ok(read.includes('metadata/2.releases.json'))
  t.notOk(
    read.some(name => name.endsWith('.objects.json')),
    read.join(),
  )
})

t.test('a release never changes, and what is not as described is refused', async t => {
  const publisher = await madeRepository(new Ceremony())
  await publishRelease(publisher, await builtRelease('1.5.0'), keys)
  await t.rejects(publishRelease(publisher, await builtRelease('1.5.0', 200_000), keys), {
    code: 'release.conflict',
    message: /never changes/,
  })
  const wrongs: readonly (readonly [RegExp, (text: string) => string])[] = [
    [/has another digest/, text => text.replaceAll(/[0-9a-f]{64}/g, 'a'.repeat(64))],
    [/has other pieces/, text => text.replace(/"pieces":"..../, '"pieces":"AAAA')],
    [/has 300000 bytes, described were 299999/, text => text.replace('300000', '299999')],
    [
      /not named for its digest/,
      text =>
        text.replace(/"sha256":"[0-9a-f]{64}","pieceB/, `"sha256":"${'b'.repeat(64)}","pieceB`),
    ],
    [/release.version: must be/, text => text.replace('"1.6.0"', '"1.6"')],
    [/no JSON/, () => '{'],
  ]
  for (const [message, spoil] of wrongs) {
    const built = await builtRelease('1.6.0')
    const text = new TextDecoder().decode(
      (await built.read('description.json', 1e6)) ?? new Uint8Array(),
    )
    const spoilt = spoil(text)
    await built.write('description.json', [Buffer.from(spoilt)])
    const [sha256] = /[0-9a-f]{64}(?=\.full)/.exec(spoilt) ?? ['']
    const [true256] = /[0-9a-f]{64}(?=\.full)/.exec(text) ?? ['']
    if (sha256 !== '' && sha256 !== true256)
      await built.write(`objects/${sha256}.full`, built.stream(`objects/${true256}.full`))
    await t.rejects(publishRelease(publisher, built, keys), message, String(message))
  }
  await t.rejects(
    publishRelease(publisher, new SimulatedPublicFolder(), keys),
    /no description.json/,
  )
  t.match(await verifyRepository(publisher.folder, NOW_MS), { problems: [], targetCount: 2 })
})

t.test('an order names what is published, and a release that is ordered stays', async t => {
  const publisher = await madeRepository(new Ceremony())
  await t.rejects(setOrder(publisher, keys, order('1.5.0')), /1.5.0 is not published for x64/)
  for (const version of ['1.5.0', '1.6.0'])
    await publishRelease(publisher, await builtRelease(version), keys)
  await setOrder(publisher, keys, order('1.5.0'))
  await t.rejects(
    setOrder(publisher, keys, { ...Object(order('1.5.0')), tour: 'winter' }),
    /there is no tour winter; there are: summer/,
  )
  await t.rejects(removeRelease(publisher, '1.5.0', null), { code: 'release.conflict' })
  await t.rejects(removeRelease(publisher, '9.0.0', null), /9.0.0 is not published/)
  await setOrder(publisher, keys, order('1.6.0'))
  t.match(await removeRelease(publisher, '1.5.0', null), { isPublished: true })
  const targetsOf = (names: readonly string[]): number =>
    names.filter(name => name.startsWith('targets/')).length
  t.equal(targetsOf(await pruneRepository(publisher.folder)), 1, 'the order before the last')
  await publisher.refresh(true)
  t.equal(targetsOf(await pruneRepository(publisher.folder)), 2, 'then nobody is led to it')
  t.match(await verifyRepository(publisher.folder, NOW_MS), { problems: [], strayFiles: [] })
  const client = new Client(t, await rootOf(publisher.folder))
  const [gone, there] = await client.fetch(publisher.folder, [RELEASE, 'releases/x64/1.6.0.json'])
  t.equal(gone, null)
  t.ok(there)
})

t.test('who has the timestamp before this one finds all that it led to, pruned or not', async t => {
  const ceremony = new Ceremony()
  const publisher = await madeRepository(ceremony)
  const { folder } = publisher
  for (const version of ['1.5.0', '1.6.0'])
    await publishRelease(publisher, await builtRelease(version, 1000), keys)
  await setOrder(publisher, keys, order('1.5.0'))
  const changes = [
    () => setOrder(publisher, keys, order('1.6.0')),
    () => removeRelease(publisher, '1.5.0', null),
    async () => publisher.addTour('summer', await ceremony.holders(['erik'], 1)),
    () => publisher.endTour('summer'),
  ]
  for (const change of changes) {
    const before = (await folder.read('metadata/timestamp.json', 1e6)) ?? Buffer.of()
    const was = await found()
    await change()
    const is = await found()
    await pruneRepository(folder)
    t.same(await found(), is)
    const after = (await folder.read('metadata/timestamp.json', 1e6)) ?? Buffer.of()
    await folder.write('metadata/timestamp.json', [before])
    t.same(await found(), was)
    await folder.write('metadata/timestamp.json', [after])
  }

  async function found(): Promise<readonly (string | undefined)[]> {
    const client = new Client(t, await rootOf(folder))
    const all = await client.fetch(folder, [ORDER, RELEASE, 'releases/x64/1.6.0.json'])
    return all.map(bytes => bytes?.toString())
  }
})

t.test('the key of a tour signs for its tour only', async t => {
  const ceremony = new Ceremony()
  const publisher = await madeRepository(ceremony)
  const { folder } = publisher
  await publishRelease(publisher, await builtRelease('1.5.0'), keys)
  await publisher.addTour('winter', await ceremony.holders(['erik'], 1))
  // Planted: dora's document speaks of winter and of releases as well; she signs it rightly.
  const state = await publisher.state()
  const bytes = Buffer.from(JSON.stringify({ ...Object(order('1.5.0')), tour: 'winter' }))
  const file = { length: bytes.length, hashes: { sha256: keys.sha256Hex(bytes) } }
  const paths = ['tours/winter/order.json', 'releases/x64/6.6.6.json', ORDER]
  for (const path of paths) {
    const at = path.lastIndexOf('/') + 1
    await folder.write(`targets/${path.slice(0, at)}${file.hashes.sha256}.${path.slice(at)}`, [
      bytes,
    ])
  }
  await publisher.setTargets(
    state,
    new Map([['tour-summer', Object.fromEntries(paths.map(path => [path, file]))]]),
  )
  const found = await new Client(t, await rootOf(folder)).fetch(folder, paths)
  t.same(
    found.map(bytes => bytes !== null),
    [false, false, true],
  )
})

t.test('a tour that ended orders no more, and may come back', async t => {
  const ceremony = new Ceremony()
  const publisher = await madeRepository(ceremony)
  await publishRelease(publisher, await builtRelease('1.5.0'), keys)
  await setOrder(publisher, keys, order('1.5.0'))
  const client = new Client(t, await rootOf(publisher.folder))
  t.ok((await client.fetch(publisher.folder, [ORDER]))[0])
  t.match(await publisher.endTour('summer'), { isPublished: true })
  t.match(await publisher.endTour('summer'), { isPublished: false })
  t.equal((await client.fetch(publisher.folder, [ORDER]))[0], null)
  await publisher.addTour('summer', await ceremony.holders(['erik'], 1))
  t.equal((await client.fetch(publisher.folder, [ORDER]))[0], null)
  await setOrder(publisher, keys, order('1.5.0'))
  t.ok((await client.fetch(publisher.folder, [ORDER]))[0])
})

t.test(
  'two of three root keys are enough, one is not, and the words say who is missing',
  async t => {
    const ceremony = new Ceremony()
    const publisher = await madeRepository(ceremony)
    const client = new Client(t, await rootOf(publisher.folder))
    const holders = async (): Promise<Rotation> => ({
      holders: new Map([['root', await ceremony.holders(['anna', 'bert', 'erik'], 2)]]),
      isOldKeyLost: false,
      whyWeaker: null,
    })
    for (const name of ['bert', 'carla', 'erik']) ceremony.lose(name)
    const { isPublished, draft, words } = await publisher.rotate(await holders())
    t.equal(isPublished, false)
    t.match(
      words.join('\n'),
      /root: 1 of 2 signatures that root 1 asks for \(by anna\); 1 more of: bert, carla/,
    )
    t.match(
      words.join('\n'),
      /root: 1 of 2 signatures that root 2 asks for \(by anna\); 1 more of: bert, erik/,
    )
    t.match(words.join('\n'), /bert: there is no such key \(key.absent\)/)
    t.equal((await publisher.state()).root.signed.version, 1)
    await t.rejects(publisher.accept(Buffer.from('{}')), /this file is no draft/)
    t.match(await publisher.accept(draft ?? Buffer.of()), { isPublished: false })
    await client.fetch(publisher.folder, [])
  },
)

t.test('each role of root changes its keys, and old and new clients follow', async t => {
  const ceremony = new Ceremony()
  const publisher = await madeRepository(ceremony)
  const { folder } = publisher
  await publishRelease(publisher, await builtRelease('1.5.0'), keys)
  const old = new Client(t, await rootOf(folder))
  await old.fetch(folder, [RELEASE])
  let version = 1
  for (const [role, names, threshold] of [
    ['timestamp', ['spare'], 1],
    ['snapshot', ['spare', 'server'], 2],
    ['targets', ['bert', 'carla', 'spare'], 2],
    ['root', ['carla', 'erik', 'spare'], 3],
  ] as const) {
    const holders = await ceremony.holders(names, threshold)
    t.match(
      await publisher.rotate({
        holders: new Map([[role, holders]]),
        isOldKeyLost: false,
        whyWeaker: null,
      }),
      { isPublished: true },
      role,
    )
    version++
    t.ok((await old.fetch(folder, [RELEASE]))[0], role)
    t.ok((await new Client(t, await rootOf(folder)).fetch(folder, [RELEASE]))[0], role)
    t.ok((await new Client(t, await rootOf(folder, version)).fetch(folder, [RELEASE]))[0], role)
  }
  for (const [role, name] of [
    ['releases', 'erik'],
    ['tour-summer', 'spare'],
  ] as const) {
    const holders = await ceremony.holders([name], 1)
    t.match(
      await publisher.rotate({
        holders: new Map([[role, holders]]),
        isOldKeyLost: false,
        whyWeaker: null,
      }),
      { isPublished: true },
      role,
    )
    t.ok((await old.fetch(folder, [RELEASE]))[0], role)
  }
  ceremony.lose('build')
  t.match((await publishRelease(publisher, await builtRelease('1.6.0'), keys)).outcome, {
    isPublished: true,
  })
  t.match(await verifyRepository(folder, NOW_MS), { problems: [] })
})

t.test('a key of the machine that is lost is replaced by the ceremony', async t => {
  const ceremony = new Ceremony()
  const publisher = await madeRepository(ceremony)
  const { folder } = publisher
  const old = new Client(t, await rootOf(folder))
  await old.fetch(folder, [])
  ceremony.lose('server')
  await t.rejects(publisher.refresh(true), {
    code: 'release.unsigned',
    message: /0 of 1 signatures/,
  })
  const holders = await ceremony.holders(['spare'], 1)
  for (const role of ['timestamp', 'snapshot'])
    await t.rejects(
      publisher.rotate({
        holders: new Map([[role, holders]]),
        isOldKeyLost: false,
        whyWeaker: null,
      }),
      { code: 'release.unsigned' },
    )
  t.equal((await publisher.state()).root.signed.version, 1, 'nothing was written')
  const both = new Map(['timestamp', 'snapshot'].map(role => [role, holders] as const))
  await t.rejects(publisher.rotate({ holders: both, isOldKeyLost: false, whyWeaker: null }), {
    code: 'release.unsigned',
  })
  t.match(await publisher.rotate({ holders: both, isOldKeyLost: true, whyWeaker: null }), {
    isPublished: true,
  })
  await old.fetch(folder, [])
  await new Client(t, await rootOf(folder, 2)).fetch(folder, [])
  t.match(await publisher.refresh(true), { isPublished: true })
})

t.test('what cannot be is said', async t => {
  const ceremony = new Ceremony()
  const publisher = await madeRepository(ceremony)
  const rotate = async (
    role: string,
    names: readonly string[],
    threshold: number,
  ): Promise<unknown> =>
    publisher.rotate({
      holders: new Map([[role, await ceremony.holders(names, threshold)]]),
      isOldKeyLost: false,
      whyWeaker: null,
    })
  await t.rejects(rotate('root', ['anna'], 2), /2 signatures cannot be had of 1 keys/)
  await t.rejects(rotate('root', ['anna', 'anna'], 2), /the same key is named twice/)
  await t.rejects(
    rotate('tour-winter', ['anna'], 1),
    /no role and no tour tour-winter; roles: root, targets.*; tours: summer/,
  )
  // No ota.json of a box could name it.
  await t.rejects(
    publisher.addTour('Tour 7', await ceremony.holders(['anna'], 1)),
    /tour: must be lower-case letters.*Tour 7/,
  )
  await t.rejects(ceremony.holders(['nobody'], 1), /there is no key "nobody".*anna, bert/)
  await t.rejects(ceremony.ring.create('anna', true), /name of another key/)
  await t.rejects(ceremony.ring.create('../anna', true), /lower-case letters/)
  await t.rejects(publisher.init(await firstHolders(ceremony)), { code: 'release.conflict' })
  await t.rejects(
    ceremony.publisher(new SimulatedPublicFolder()).refresh(true),
    /no repository here/,
  )
})

t.test('what somebody has changed on the server is not signed again', async t => {
  const ceremony = new Ceremony()
  const publisher = await madeRepository(ceremony)
  await publishRelease(publisher, await builtRelease('1.5.0'), keys)
  const { folder } = publisher
  for (const file of ['1.root', '2.targets', '2.releases', '3.snapshot', 'timestamp']) {
    const name = `metadata/${file}.json`
    const good = (await folder.read(name, 1e6)) ?? new Uint8Array()
    const text = new TextDecoder().decode(good)
    await folder.write(name, [Buffer.from(text.replace(/"expires":"20/, '"expires":"21'))])
    await t.rejects(
      publisher.refresh(true),
      { code: 'release.invalid', message: /is not signed/ },
      file,
    )
    await folder.write(name, [good])
  }
  await publisher.refresh(true)
})

t.test('refresh waits for half of the time, and verify counts the days', async t => {
  const ceremony = new Ceremony()
  const publisher = await madeRepository(ceremony)
  t.match(await publisher.refresh(false), { isPublished: false })
  const DAY_MS = 86_400_000
  const later = ceremony.publisher(publisher.folder, () => NOW_MS + 8 * DAY_MS)
  t.match(await later.refresh(false), { isPublished: true })
  t.match(await later.refresh(false), { isPublished: false })
  const report = await verifyRepository(publisher.folder, NOW_MS + 23 * DAY_MS)
  t.match(report.problems, [/^timestamp has expired/])
  t.equal(report.problems.length, 1)
})

t.test('roles that nobody changes are renewed before their year is over', async t => {
  const ceremony = new Ceremony()
  const { folder } = await madeRepository(ceremony)
  const first = ceremony.publisher(folder)
  await publishRelease(first, await builtRelease('1.5.0', 1000), keys)
  await setOrder(first, keys, order('1.5.0'))
  const late = ceremony.publisher(folder, () => NOW_MS + 364 * 86_400_000)
  t.match(await setOrder(late, keys, order('1.5.0')), { isPublished: false }, 'nothing changes')
  const all = ['root', 'targets', 'releases', 'objects', 'tour-summer']
  t.match(await late.renew(all), { isPublished: true })
  const report = await verifyRepository(folder, NOW_MS + 366 * 86_400_000)
  t.same(report.problems, [])
  t.same(
    report.roles.filter(({ daysLeft }) => daysLeft > 300).map(({ role }) => role),
    ['root', 'targets', 'releases', 'objects', 'tour-summer'],
  )
  t.ok((await new Client(t, await rootOf(folder)).fetch(folder, [ORDER]))[0])
  await t.rejects(late.renew(['timestamp']), { code: 'release.invalid' })
  ceremony.lose('dora')
  t.match(await late.renew(['tour-summer']), { isPublished: false, words: [/1 more of: dora/] })
})

t.test('what rotted in the repository is found', async t => {
  const publisher = await madeRepository(new Ceremony())
  await publishRelease(publisher, await builtRelease('1.5.0'), keys)
  await setOrder(publisher, keys, order('1.5.0'))
  const { folder } = publisher
  const [object = '', description = ''] = await folder.list('targets')
  const bytes = (await folder.read(object, 1e6)) ?? new Uint8Array()
  bytes[7] = 255
  await folder.write(object, [bytes])
  t.match((await verifyRepository(folder, NOW_MS)).problems, [/objects\/.*is not what was signed/])
  await publishRelease(publisher, await builtRelease('1.5.0'), keys)
  t.same((await verifyRepository(folder, NOW_MS)).problems, [], 'publishing again mends it')
  await folder.remove(description)
  t.match((await verifyRepository(folder, NOW_MS)).problems, [/1.5.0.json is missing/])
})

t.test('every document is described to the byte by what leads to it', async t => {
  const publisher = await madeRepository(new Ceremony())
  await publishRelease(publisher, await builtRelease('1.5.0'), keys)
  const { folder } = publisher
  const { snapshot, timestamp } = await publisher.state()
  for (const file of Object.values({ ...snapshot.signed.meta, ...timestamp.signed.meta }))
    t.match(file, { length: Number, hashes: { sha256: /^\w{64}$/ } })
  t.same((await verifyRepository(folder, NOW_MS)).problems, [])
  // Signed as before, and other bytes: with a space more.
  const name = 'metadata/2.releases.json'
  const bytes = (await folder.read(name, 1e6)) ?? Buffer.of()
  await folder.write(name, [bytes, Buffer.from(' ')])
  t.same((await verifyRepository(folder, NOW_MS)).problems, [
    `${name} has other bytes than were signed for`,
  ])
  await t.rejects(new Client(t, await rootOf(folder)).fetch(folder, ['releases/x64/1.5.0.json']))
})
