/** What waits for signatures: it is carried about, and nobody who carries it can make others sign what they do not read. */
import t from 'tap'
import { SimulatedPublicFolder } from '../../../drivers/simulated/public-folder.js'
import { draftBytes, readDraft, signChange } from '../../../ota/publish/change.js'
import { draftWords } from '../../../ota/publish/draft-words.js'
import { publishRelease, removeRelease, setOrder } from '../../../ota/publish/releases.js'
import {
  builtRelease,
  Ceremony,
  Client,
  firstHolders,
  keys,
  madeRepository,
  order,
  rootOf,
} from './publish-world.js'

const nameOf = (keyid: string): string => keyid.slice(0, 6)

t.test('a draft travels, is signed one after the other, and is accepted', async t => {
  const ceremony = new Ceremony()
  const publisher = await madeRepository(ceremony)
  const { folder } = publisher
  const client = new Client(t, await rootOf(folder))
  await client.fetch(folder, [])
  // The machine of the repository has none of the offline keys.
  const machine = new Ceremony(1)
  await machine.make('anna', 'bert', 'carla', 'build', 'server', 'dora', 'erik', 'spare')
  for (const name of ['anna', 'bert', 'carla']) machine.lose(name)
  const online = machine.publisher(folder)
  const rotation = {
    holders: new Map([['root', await machine.holders(['anna', 'bert'], 2)]]),
    isOldKeyLost: false,
    whyWeaker: null,
  }
  const { draft, isPublished } = await online.rotate(rotation)
  t.equal(isPublished, false)
  let change = readDraft(draft ?? Buffer.of(), ceremony.ring)
  t.match(
    draftWords(change, nameOf).join('\n'),
    /root 2 after 1, until .*\n {2}1 is signed by \w{6}, \w{6}\n {2}root: 2 of \w{6}, \w{6}, was 2 of \w{6}, \w{6}, \w{6}/,
  )
  change = (await signChange(ceremony.ring, change, ['anna'])).change
  t.match(await online.accept(draftBytes(change)), { isPublished: false })
  change = (await signChange(ceremony.ring, readDraft(draftBytes(change), ceremony.ring), ['bert']))
    .change
  t.match(await online.accept(draftBytes(change)), { isPublished: true })
  t.match(await online.accept(draftBytes(change)), { isPublished: true }, 'again does no harm')
  t.equal((await online.state()).root.signed.version, 2)
  await client.fetch(folder, [])
  await new Client(t, await rootOf(folder, 2)).fetch(folder, [])
})

t.test('a draft for a repository that has gone on is refused', async t => {
  const ceremony = new Ceremony()
  const publisher = await madeRepository(ceremony)
  ceremony.lose('erik')
  const needsErik = {
    holders: new Map([['root', await ceremony.holders(['anna', 'bert', 'erik'], 3)]]),
    isOldKeyLost: false,
    whyWeaker: null,
  }
  const { draft } = await publisher.rotate(needsErik)
  const other = await ceremony.holders(['anna', 'bert'], 2)
  await publisher.rotate({
    holders: new Map([['root', other]]),
    isOldKeyLost: false,
    whyWeaker: null,
  })
  const change = readDraft(draft ?? Buffer.of(), ceremony.ring)
  const spared = {
    ...change,
    root: null,
    roles: new Map([['releases', (await publisher.state()).targets]]),
  }
  await t.rejects(publisher.accept(draftBytes(spared)), { code: 'release.conflict' })
})

t.test('a key that goes by the name of another is found out before anybody signs', async t => {
  const ceremony = new Ceremony()
  await ceremony.make('anna', 'bert', 'carla', 'build', 'server', 'thief')
  for (const name of ['anna', 'bert']) ceremony.lose(name)

  const publisher = ceremony.publisher(new SimulatedPublicFolder())
  const { draft } = await publisher.init(await firstHolders(ceremony))
  const text = Buffer.from(draft ?? Buffer.of()).toString()
  t.ok(readDraft(Buffer.from(text), ceremony.ring))
  const thief = await ceremony.ring.named('thief')
  for (const name of ['build', 'carla']) {
    const { key } = await ceremony.ring.named(name)
    const forged = Buffer.from(text.replaceAll(key.keyval.public, thief.key.keyval.public))
    t.notSame(forged, Buffer.from(text))
    const wanted = { code: 'release.invalid', message: /somebody has changed it/ }
    t.throws(() => readDraft(forged, ceremony.ring), wanted)
    await t.rejects(publisher.accept(forged), wanted)
  }
})

t.test('what a draft says of targets before is told to be unsigned where it is', async t => {
  const ceremony = new Ceremony()
  const publisher = await madeRepository(ceremony)
  for (const name of ['anna', 'bert']) ceremony.lose(name)
  const { draft } = await publisher.addTour('winter', await ceremony.holders(['erik'], 1))
  const change = readDraft(draft ?? Buffer.of(), ceremony.ring)
  const { base } = change
  const targets = change.roles.get('targets')
  if (base === null || targets === undefined) throw new Error('targets and what was before them')
  const wordsOf = (before: typeof base.targets): string =>
    draftWords({ ...change, base: { ...base, targets: before } }, keyid => keyid).join('\n')
  t.match(wordsOf(base.targets), /tour-winter.* \(new\)/)
  t.notMatch(wordsOf(base.targets), /not signed by those of root 1/)
  // Then winter is not new.
  t.notMatch(wordsOf(targets), /tour-winter.* \(new\)/)
  t.match(wordsOf(targets), /what this says of targets before is not signed by those of root 1/)
})

t.test('what a draft says of the root before it must be signed', async t => {
  const ceremony = new Ceremony()
  const publisher = await madeRepository(ceremony)
  for (const name of ['anna', 'bert']) ceremony.lose(name)
  const { draft } = await publisher.rotate({
    holders: new Map([['root', await ceremony.holders(['anna', 'erik'], 2)]]),
    isOldKeyLost: false,
    whyWeaker: null,
  })
  const change = readDraft(draft ?? Buffer.of(), ceremony.ring)
  const { base, root } = change
  if (base === null || root === null) throw new Error('a root and what was before it')
  // Then "was 2 of anna, bert, carla" would not be there to be read.
  const roles = { ...base.root.signed.roles, root: root.signed.roles.root }
  const hidden = { ...base, root: { ...base.root, signed: { ...base.root.signed, roles } } }
  const forged = draftBytes({ ...change, base: hidden })
  t.throws(() => readDraft(forged, ceremony.ring), {
    code: 'release.invalid',
    message: /not signed/,
  })
})

/** A repository with 1.5.0, which summer has ordered, and 1.6.0. */
async function madeWithReleases() {
  const ceremony = new Ceremony()
  const publisher = await madeRepository(ceremony)
  for (const version of ['1.5.0', '1.6.0'])
    await publishRelease(publisher, await builtRelease(version), keys)
  await setOrder(publisher, keys, order('1.5.0'))
  const wordsOf = (draft: Uint8Array | null): string =>
    draftWords(readDraft(draft ?? Buffer.of(), ceremony.ring), nameOf).join('\n')
  return { ceremony, publisher, folder: publisher.folder, wordsOf }
}

t.test('who signs an order reads which release it is, and which it was', async t => {
  const { ceremony, publisher, wordsOf } = await madeWithReleases()
  ceremony.lose('dora')
  const { draft } = await setOrder(publisher, keys, order('1.6.0'))
  const words = wordsOf(draft)
  t.match(words, /^tour-summer 3 after 2, until /)
  t.match(
    words,
    / {2}changed: tours\/summer\/order.json: release 1.6.0 for x64, all boxes of a venue at once; was: release 1.5.0 for x64, all boxes of a venue at once of 20/,
  )
  t.notMatch(words, /signatures/, 'what is missing is told once, and not here')
  t.match(
    wordsOf((await publisher.renew(['tour-summer'])).draft),
    /lists the same as before: 1 file/,
  )
})

t.test('who signs a release reads its version and digest, and what goes', async t => {
  const { ceremony, publisher, folder, wordsOf } = await madeWithReleases()
  ceremony.lose('build')
  const { outcome, description } = await publishRelease(
    publisher,
    await builtRelease('1.7.0'),
    keys,
  )
  const words = wordsOf(outcome.draft)
  t.match(
    words,
    `  new: releases/x64/1.7.0.json: release 1.7.0 for x64, 300 kB, digest ${description.manifest.sha256}\n  as before: 2 files`,
  )
  t.match(
    words,
    /objects 4 after 3, .*\n {2}3 is signed by \w{6}\n {2}new: 1 file, 300 kB\n {2}as before: 2 files/,
  )
  const gone = wordsOf((await removeRelease(publisher, '1.6.0', null)).draft)
  t.match(gone, /gone: release 1.6.0 for x64, 300 kB, digest [\da-f]{64} of 20\d\d-/)
  t.match(gone, / {2}gone: 1 file, 300 kB\n {2}as before: 1 file/)
  const client = new Client(t, await rootOf(folder))
  t.ok((await client.fetch(folder, ['releases/x64/1.6.0.json']))[0], 'other clients go on')
})

t.test(
  'nobody can enclose another document than is signed, or say something else of it',
  async t => {
    const { ceremony, publisher, wordsOf } = await madeWithReleases()
    ceremony.lose('dora')
    const { draft } = await setOrder(publisher, keys, order('1.6.0'))
    const change = readDraft(draft ?? Buffer.of(), ceremony.ring)
    const path = 'tours/summer/order.json'
    const forged = (documents: [string, Uint8Array][]) =>
      draftBytes({ ...change, documents: new Map(documents) })
    // Nothing but its notes is another than what stands beside it.
    const other = Buffer.from(JSON.stringify(order('1.6.0')).replace('"notes":""', '"notes":"x"'))
    const wanted = { code: 'release.invalid', message: /somebody has changed it/ }
    t.throws(() => readDraft(forged([[path, other]]), ceremony.ring), wanted)
    t.throws(() => readDraft(forged([['tours/winter/order.json', other]]), ceremony.ring), wanted)
    t.match(
      wordsOf(forged([])),
      /order.json: what it says is not in this draft, SHA-256 [\da-f]{64}; was/,
    )
    const beside = Buffer.from(draft ?? Buffer.of())
      .toString()
      .replace(/"custom":{"roadcase":{"kind":"order","releases":{"x64":"1.6.0"}/, found =>
        found.replace('1.6.0', '1.5.0'),
      )
    t.throws(() => readDraft(Buffer.from(beside), ceremony.ring), {
      ...wanted,
      message: /beside tours\/summer\/order.json is not what it says/,
    })
  },
)

t.test('what a draft says of a role before is told to be unsigned where it is', async t => {
  const { ceremony, publisher } = await madeWithReleases()
  ceremony.lose('dora')
  const { draft } = await setOrder(publisher, keys, order('1.6.0'))
  const change = readDraft(draft ?? Buffer.of(), ceremony.ring)
  const { base } = change
  const before = base?.roles.get('tour-summer')
  if (base === null || before === undefined) throw new Error('a tour and what was before it')
  const [path = '', file] = Object.entries(before.signed.targets)[0] ?? []
  if (file === undefined) throw new Error('an order')
  // Then nothing would seem to change but the version.
  const targets = { [path]: { ...file, custom: {} } }
  const hidden = { ...before, signed: { ...before.signed, targets } }
  const forged = { ...change, base: { ...base, roles: new Map([['tour-summer', hidden]]) } }
  const wanted = /says of tour-summer before is not signed/
  t.notMatch(draftWords(change, nameOf).join('\n'), wanted)
  t.match(draftWords(forged, nameOf).join('\n'), wanted)
})

t.test('a draft outlives a prune, but for what it does not carry', async t => {
  const { ceremony, publisher, folder } = await madeWithReleases()
  const prune = async () => {
    for (const file of await folder.list('targets'))
      if (/summer|1\.7\.0/.test(file)) await folder.remove(file)
  }
  const helper = new Ceremony()
  await helper.make('anna', 'bert', 'carla', 'build', 'server', 'dora', 'erik', 'spare')
  const signedBy = async (draft: Uint8Array | null) =>
    draftBytes(
      (await signChange(helper.ring, readDraft(draft ?? Buffer.of(), helper.ring), null)).change,
    )
  for (const name of ['dora', 'build']) ceremony.lose(name)
  const ordered = await setOrder(publisher, keys, order('1.6.0'))
  await prune()
  t.match(await publisher.accept(await signedBy(ordered.draft)), { isPublished: true })
  const client = new Client(t, await rootOf(folder))
  const [bytes] = await client.fetch(folder, ['tours/summer/order.json'])
  t.match(JSON.parse(String(bytes)), { releases: { x64: '1.6.0' } })

  const { outcome } = await publishRelease(publisher, await builtRelease('1.7.0'), keys)
  const signed = await signedBy(outcome.draft)
  const before = await folder.list('targets')
  const { signed: listed } = (await publisher.state()).delegated.get('objects') ?? {}
  for (const file of before.filter(name => name.startsWith('targets/objects/')))
    if (Object.keys(listed?.targets ?? {}).every(path => !file.endsWith(path.slice(8))))
      await folder.remove(file)
  await t.rejects(publisher.accept(signed), {
    code: 'release.conflict',
    message: /publish it again/,
  })
  await client.fetch(folder, ['releases/x64/1.5.0.json'])
})

t.test('no more than half of root are too few, unless somebody says why', async t => {
  const ceremony = new Ceremony()
  const publisher = await madeRepository(ceremony)
  const rotation = async (
    role: string,
    names: string[],
    threshold: number,
    why: string | null,
  ) => ({
    holders: new Map([[role, await ceremony.holders(names, threshold)]]),
    isOldKeyLost: false,
    whyWeaker: why,
  })
  for (const [role, names, threshold] of [
    ['root', ['anna', 'bert', 'carla'], 1],
    ['root', ['anna', 'bert', 'carla', 'erik'], 2],
    ['targets', ['anna', 'bert'], 1],
  ] as const) {
    const weaker = await rotation(role, [...names], threshold, null)
    await t.rejects(publisher.rotate(weaker), {
      code: 'key.invalid',
      message: /is not more than half: a thief needs no more than/,
    })
  }
  for (const name of ['anna', 'bert']) ceremony.lose(name)
  const weaker = await rotation('root', ['anna', 'bert', 'carla'], 1, 'two of us fly')
  const { draft } = await publisher.rotate(weaker)
  const words = draftWords(readDraft(draft ?? Buffer.of(), ceremony.ring), nameOf).join('\n')
  t.match(words, / {2}root: 1 of .{22}, was 2 of .{22}: not more than half\n/)
  t.match(words, /fewer shall sign than more than half, because: "two of us fly"/)
  const first = new Ceremony()
  await first.make('anna', 'bert', 'carla', 'build', 'server')
  const holders = { ...(await firstHolders(first)), root: await first.holders(['anna', 'bert'], 1) }
  const made = first.publisher(new SimulatedPublicFolder())
  await t.rejects(made.init(holders), { code: 'key.invalid' })
  t.match(await made.init({ ...holders, whyWeaker: 'bert is a spare' }), { isPublished: true })
})
