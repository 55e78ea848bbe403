/** Drafts by somebody who wants others to sign what they have not read: all that is signed is seen, or it is refused. */
import t from 'tap'
import { spokenKeyid } from '../../../ota/keys/keyid.js'
import { type Change, draftBytes, readDraft, signChange } from '../../../ota/publish/change.js'
import type { Document, TargetFile, Targets } from '../../../ota/publish/documents.js'
import { draftWords } from '../../../ota/publish/draft-words.js'
import { publishRelease, removeRelease, setOrder } from '../../../ota/publish/releases.js'
import { builtRelease, Ceremony, keys, madeRepository, order } from './publish-world.js'

const ORDER = 'tours/summer/order.json'
const file: TargetFile = { length: 1, hashes: { sha256: 'a'.repeat(64) } }

/** 1.5.0 is ordered, and 1.6.0 shall be, once dora has signed it. */
async function madeDraft() {
  const ceremony = new Ceremony()
  const publisher = await madeRepository(ceremony)
  await ceremony.make('thief')
  for (const version of ['1.5.0', '1.6.0'])
    await publishRelease(publisher, await builtRelease(version), keys)
  await setOrder(publisher, keys, order('1.5.0'))
  const helper = new Ceremony()
  await helper.make('anna', 'bert', 'carla', 'build', 'server', 'dora', 'erik', 'spare')
  const known = new Map((await helper.ring.list()).map(({ keyid, name }) => [keyid, name]))
  const wordsOf = (change: Change): string =>
    draftWords(
      readDraft(draftBytes(change), ceremony.ring),
      keyid => known.get(keyid) ?? spokenKeyid(keyid),
    ).join('\n')
  ceremony.lose('dora')
  const { draft } = await setOrder(publisher, keys, order('1.6.0'))
  const change = readDraft(draft ?? Buffer.of(), ceremony.ring)
  const [base, next] = [change.base, change.roles.get('tour-summer')]
  const before = base?.roles.get('tour-summer')
  if (base === null || next === undefined || before === undefined) throw new Error('an order')
  return { ceremony, publisher, helper, wordsOf, change, base, next, before }
}

const listing = (document: Document<Targets>, targets: Targets['targets']): Document<Targets> => ({
  ...document,
  signed: { ...document.signed, targets },
})

t.test('who vouches for what was before is named, and said to be a stranger', async t => {
  const { ceremony, wordsOf, change, base, next } = await madeDraft()
  t.match(wordsOf(change), /^tour-summer 3 after 2, until .*\n {2}2 is signed by dora\n/)
  t.notMatch(wordsOf(change), /stranger/)
  const thief = await ceremony.ring.named('thief')
  const table = { [thief.keyid]: thief.key }
  const only = { keyids: [thief.keyid], threshold: 1 }
  const { signed: root } = base.root
  const { signed: targets } = base.targets
  const roles = targets.delegations?.roles ?? []
  const forged: Change = {
    ...change,
    root: {
      signed: { ...root, keys: table, roles: { ...root.roles, root: only, targets: only } },
      signatures: [],
    },
    roles: new Map([
      [
        'targets',
        {
          signed: {
            ...targets,
            delegations: {
              keys: { ...targets.delegations?.keys, ...table },
              roles: roles.map(role => ({ ...role, keyids: [...role.keyids, thief.keyid] })),
            },
          },
          signatures: [],
        },
      ],
      ['tour-summer', { signed: { ...next.signed, version: 2 }, signatures: [] }],
    ]),
  }
  const { change: made } = await signChange(ceremony.ring, { ...forged, base: null }, ['thief'])
  const [ownTargets, ownOrder] = [made.roles.get('targets'), made.roles.get('tour-summer')]
  if (made.root === null || ownTargets === undefined || ownOrder === undefined)
    throw new Error('all that a thief can sign')
  const ownBase = {
    root: made.root,
    targets: ownTargets,
    roles: new Map([['tour-summer', ownOrder]]),
  }
  // All of it is rightly signed, by him.
  const words = wordsOf({ ...change, base: ownBase })
  t.match(words, /lists the same as before: 1 file/)
  const stranger = spokenKeyid(thief.keyid)
  t.match(words, `2 is signed by ${stranger}`)
  t.match(words, /what this says of tour-summer before is signed by strangers only/)
})

t.test('another length, or other words beside it, is no target as before', async t => {
  const { wordsOf, change, next, before } = await madeDraft()
  const [, listed = file] = Object.entries(before.signed.targets)[0] ?? []
  const other = JSON.parse(JSON.stringify(listed.custom).replace('1.5.0', '1.4.0'))
  for (const changed of [
    { ...listed, length: listed.length + 1 },
    { ...listed, custom: other },
  ]) {
    const roles = new Map([['tour-summer', listing(next, { [ORDER]: changed })]])
    t.match(wordsOf({ ...change, roles, documents: new Map() }), /changed: tours\/summer\/order/)
  }
})

t.test('a draft of an older or newer program, and what is none, are told apart', async t => {
  const { ceremony } = await madeDraft()
  for (const [text, message] of [
    ['{"format":1,"kind":"roadcase-draft"}', /format 1, .*: give the command that made it again/],
    ['{"format":3,"kind":"roadcase-draft"}', /format 3, .*: read it with a newer one/],
    ['{"format":1,"keys":[]}', /no draft/],
    ['null', /no draft/],
  ] as const)
    t.throws(() => readDraft(Buffer.from(text), ceremony.ring), {
      code: 'release.invalid',
      message,
    })
})

t.test('no number of other targets hides one', async t => {
  const { wordsOf, change, base, next } = await madeDraft()
  const crowd = Object.fromEntries([...Array(300).keys()].map(n => [`tours/summer/a${n}`, file]))
  const roles = new Map([['tour-summer', listing(next, { ...crowd, ...next.signed.targets })]])
  const words = wordsOf({ ...change, base: { ...base, roles: new Map() }, roles })
  t.match(words, /new: tours\/summer\/order.json: release 1.6.0 for x64, all/)
  t.match(words, /new: 300 files, /)
})

t.test('names that every object has are names of targets like any other', async t => {
  const { wordsOf, change, next } = await madeDraft()
  const targets = { ...next.signed.targets, 'tours/constructor': file, constructor: file }
  const roles = new Map([['tour-summer', listing(next, targets)]])
  t.match(wordsOf({ ...change, roles }), /new: 2 files, 1 kB/)
})

t.test('what would be signed otherwise than it is shown is refused', async t => {
  const { ceremony, change, base } = await madeDraft()
  const { signed } = base.targets
  const [first, ...rest] = signed.delegations?.roles ?? []
  if (first === undefined || signed.delegations === undefined) throw new Error('delegations')
  const spare = await ceremony.ring.named('spare')
  const twice = { ...first, keyids: [spare.keyid] }
  for (const roles of [
    [first, ...rest, twice],
    [first, { ...twice, name: '10' }, { ...twice, name: '2' }],
  ]) {
    const delegations = { keys: { ...signed.delegations.keys, [spare.keyid]: spare.key }, roles }
    const targets = { signed: { ...signed, delegations }, signatures: [] }
    const forged = draftBytes({
      ...change,
      roles: new Map([['targets', targets]]),
      documents: new Map(),
    })
    t.throws(() => readDraft(forged, ceremony.ring), {
      code: 'release.invalid',
      message: /would be signed otherwise than it stands there/,
    })
  }
})

t.test('a version that leaves others out is told', async t => {
  const { wordsOf, change, next } = await madeDraft()
  const signed = { ...next.signed, version: 2 ** 31 - 1 }
  const roles = new Map([['tour-summer', { ...next, signed }]])
  t.notMatch(wordsOf(change), /leaves out/)
  t.match(wordsOf({ ...change, roles }), /tour-summer 2147483647 leaves out versions/)
})

t.test('a release below which nobody comes again says so to who signs it', async t => {
  const { ceremony, publisher, wordsOf } = await madeDraft()
  ceremony.lose('build')
  const build = async (floor: string) => {
    const built = await builtRelease('1.7.0')
    const bytes = Buffer.from((await built.read('description.json', 2 ** 20)) ?? '')
    const text = bytes.toString().replace('"floor":null', `"floor":"${floor}"`)
    await built.write('description.json', [Buffer.from(text)])
    return publishRelease(publisher, built, keys)
  }
  const { outcome } = await build('1.6.0')
  t.match(
    wordsOf(readDraft(outcome.draft ?? Buffer.of(), ceremony.ring)),
    /release 1.7.0 for x64, .*, then never below 1.6.0/,
  )
  await t.rejects(build('9.0.0'), { code: 'config.invalid', message: /floor/ })
})

t.test('an order whose release went while it waited is not published', async t => {
  const { publisher, helper, change } = await madeDraft()
  const { change: signed } = await signChange(helper.ring, change, ['dora'])
  await removeRelease(publisher, '1.6.0', null)
  await t.rejects(publisher.accept(draftBytes(signed)), {
    code: 'release.conflict',
    message: /tour summer orders 1.6.0 for x64, which is not published/,
  })
})
