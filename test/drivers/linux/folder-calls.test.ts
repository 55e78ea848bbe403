import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { FolderCalls } from '../../../drivers/linux/folder-calls.js'
import { FolderPieceSource } from '../../../drivers/linux/piece-folder.js'
import { Sticks } from '../../../ota/process/sticks.js'

const LIMIT_MS = 30
/** Where files are read, too: a machine that is busy takes longer for that. */
const READING_MS = 1_000

/** A call that hangs inside the kernel, until the stick is pulled out. */
function hang(): { readonly work: () => Promise<string>; pullOut(): void } {
  let pullOut = (): void => {}
  const done = new Promise<string>(resolve => {
    pullOut = () => resolve('late')
  })
  return { work: () => done, pullOut: () => pullOut() }
}

const silent = (calls: FolderCalls, work: () => Promise<string>) =>
  calls
    .of('/media/broken')
    .call(work)
    .catch((error: Error) => error.message)

t.test('what hangs is waited for once, and no second thread waits with it', async t => {
  const calls = new FolderCalls(LIMIT_MS)
  const { work, pullOut } = hang()
  t.equal(await silent(calls, work), '/media/broken does not answer: pull it out')
  let begun = 0
  const count = async (): Promise<string> => `${++begun}`
  const soon = new Promise<string>(resolve => setImmediate(resolve, 'it waits'))
  const again = await Promise.race([silent(calls, count), soon])
  t.equal(again, '/media/broken does not answer: pull it out', 'at once')
  const other = calls.of('/media/other').call(count)
  await t.rejects(other, { code: 'link.down', message: /other waits for it: .*broken does not/ })
  t.equal(begun, 0)
  pullOut()
  await calls.of('/media/other').finish(async () => {})
  t.equal(await silent(calls, count), '1', 'and is asked again when it is back')
})

t.test('what was opened too late is closed, and what is owed is done in the end', async t => {
  const calls = new FolderCalls(LIMIT_MS)
  const guard = calls.of('/media/broken')
  const { work, pullOut } = hang()
  const did: string[] = []
  await t.rejects(guard.call(work, async made => did.push(`close ${made}`)))
  await guard.finish(async () => did.push('close the other'))
  t.same(did, [], 'nobody waits for it for longer')
  pullOut()
  await guard.finish(async () => {})
  t.same(did, ['close late', 'close the other'])
})

t.test('who waits in vain for another call does nothing later', async t => {
  const calls = new FolderCalls(LIMIT_MS)
  const { work, pullOut } = hang()
  const did: string[] = []
  const first = silent(calls, work)
  const second = silent(calls, async () => `${did.push('second')}`)
  t.match(await Promise.all([first, second]), [/does not answer/, /does not answer/])
  pullOut()
  await calls.of('x').finish(async () => {})
  t.same(did, [])
})

t.test('a look at sticks of which one hangs ends, and says which', async t => {
  const stick = stickOf(t)
  const calls = new FolderCalls(READING_MS)
  const { work, pullOut } = hang()
  const sticks = new Sticks([stick], calls)
  const [found] = await sticks.look()
  await silent(calls, work)
  const words = /does not answer: pull it out/
  await t.rejects(async () => found?.source.fetch('metadata/timestamp.json', 100), {
    message: words,
  })
  const [seen] = await sticks.look()
  await t.rejects(async () => seen?.source.fetch('metadata/timestamp.json', 100), {
    message: words,
  })
  const [pieces] = sticks.pieces()
  const ask = {
    target: 'objects/x',
    sha256: '0'.repeat(64),
    byteCount: 3,
    pieceByteCount: 3,
    from: 0,
    to: 3,
  }
  await t.rejects(async () => pieces?.ask(ask, async () => true).done, {
    code: 'link.down',
    message: words,
  })
  pullOut()
  await calls.of('x').finish(async () => {})
  const [again] = await sticks.look()
  t.same(await again?.source.fetch('metadata/timestamp.json', 100), Buffer.from('{}'))
})

t.test('two that read from one stick at a time get what they ask for', async t => {
  const folder = stickOf(t)
  const sha256 = '0'.repeat(64)
  writeFileSync(join(folder, `targets/${sha256}.x`), 'abc')
  const source = new FolderPieceSource(folder)
  const ask = { target: 'x', sha256, byteCount: 3, pieceByteCount: 3, from: 0, to: 3 }
  const read: string[] = []
  const take = async (_: number, bytes: Uint8Array): Promise<boolean> =>
    read.push(new TextDecoder().decode(bytes)) > 0
  await Promise.all([source.ask(ask, take).done, source.ask(ask, take).done])
  t.same(read, ['abc', 'abc'])
})

const stickOf = (t: Test): string =>
  t.testdir({ metadata: { 'timestamp.json': '{}' }, targets: {} })
