/** What waits for signatures: it is carried about, and nobody who carries it can make others sign what they do not read. */
import t from 'tap'
import { SimulatedPublicFolder } from '../../../drivers/simulated/public-folder.js'
import { draftBytes, readDraft, signChange } from '../../../ota/publish/change.js'
import { draftWords } from '../../../ota/publish/draft-words.js'
import { Ceremony, Client, firstHolders, madeRepository, rootOf } from './publish-world.js'

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
  }
  const { draft, isPublished } = await online.rotate(rotation)
  t.equal(isPublished, false)
  let change = readDraft(draft ?? Buffer.of(), ceremony.ring)
  const nameOf = (keyid: string): string => keyid.slice(0, 6)
  t.match(
    draftWords(change, nameOf).join('\n'),
    /root 2, until .*\n {2}root: 2 of \w{6}, \w{6}, was 2 of \w{6}, \w{6}, \w{6}/,
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
  }
  const { draft } = await publisher.rotate(needsErik)
  const other = await ceremony.holders(['anna', 'bert'], 2)
  await publisher.rotate({ holders: new Map([['root', other]]), isOldKeyLost: false })
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
  t.match(wordsOf(base.targets), /tour-winter.*, new/)
  t.notMatch(wordsOf(base.targets), /not signed by those of root 1/)
  // Then winter is not new.
  t.notMatch(wordsOf(targets), /tour-winter.*, new/)
  t.match(wordsOf(targets), /what this says of targets before is not signed by those of root 1/)
})

t.test('what a draft says of the root before it must be signed', async t => {
  const ceremony = new Ceremony()
  const publisher = await madeRepository(ceremony)
  for (const name of ['anna', 'bert']) ceremony.lose(name)
  const { draft } = await publisher.rotate({
    holders: new Map([['root', await ceremony.holders(['anna', 'erik'], 2)]]),
    isOldKeyLost: false,
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
