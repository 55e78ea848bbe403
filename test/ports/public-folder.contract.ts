/** What every served folder promises. Each test has an empty one of its own. */
import { createHash } from 'node:crypto'
import type { Test } from 'tap'
import type { PublicFolder } from '../../runtime/ports/public-folder.js'

export function publicFolderContract(t: Test, makeFolder: (t: Test) => PublicFolder): void {
  const promise = (name: string, prove: (t: Test, folder: PublicFolder) => Promise<void>): void =>
    void t.test(name, async t => prove(t, makeFolder(t)))

  promise('what is not there reads, measures and lists as nothing', async (t, folder) => {
    t.equal(await folder.read('a/b', 10), null)
    t.equal(await folder.measure('a/b', 10), null)
    t.same(await folder.list('a'), [])
    await folder.remove('a/b')
    await t.rejects(collected(folder.stream('a/b')), { code: 'storage.io' })
  })

  promise('what was written is read, streamed and measured in pieces', async (t, folder) => {
    const bytes = Buffer.from(Array.from({ length: 200_000 }, (_, at) => at % 251))
    await folder.write('a/b/c', [bytes.subarray(0, 7), bytes.subarray(7)])
    t.ok(bytes.equals((await folder.read('a/b/c', 200_000)) ?? Buffer.of()))
    t.ok(bytes.equals(await collected(folder.stream('a/b/c'))))
    for (const size of [1000, 65_536, 70_000, 200_000, 300_000]) {
      const pieces: Buffer[] = []
      for (let at = 0; at < bytes.length; at += size)
        pieces.push(digest(bytes.subarray(at, at + size)))
      t.same(
        await folder.measure('a/b/c', size),
        {
          byteCount: 200_000,
          sha256: digest(bytes).toString('hex'),
          pieces: Uint8Array.from(Buffer.concat(pieces)),
        },
        String(size),
      )
    }
    await t.rejects(folder.read('a/b/c', 199_999), { code: 'storage.limit' })
  })

  promise('an empty file has no pieces', async (t, folder) => {
    await folder.write('a', [])
    t.match(await folder.measure('a', 10), { byteCount: 0, pieces: { length: 0 } })
  })

  promise('a file is replaced whole; a source that fails leaves the old one', async (t, folder) => {
    await folder.write('a', [Buffer.from('old')])
    const failing = async function* (): AsyncIterable<Uint8Array> {
      yield Buffer.from('ne')
      throw new Error('the stick was pulled')
    }
    await t.rejects(folder.write('a', failing()), /pulled/)
    t.equal(String(Buffer.from((await folder.read('a', 10)) ?? [])), 'old')
    await folder.write('a', [Buffer.from('new')])
    t.equal(String(Buffer.from((await folder.read('a', 10)) ?? [])), 'new')
  })

  promise('all files below a folder are listed in order, removed ones not', async (t, folder) => {
    for (const name of ['x/b', 'x/a/2', 'x/a/1', 'y/z']) await folder.write(name, [Buffer.of(1)])
    await folder.remove('x/a/2')
    t.same(await folder.list('x'), ['x/a/1', 'x/b'])
  })

  promise('no name leaves the folder', async (t, folder) => {
    for (const name of ['../x', '/etc/passwd', 'a/../../x', 'a//b', '', 'a.new'])
      for (const call of [
        () => folder.read(name, 1),
        () => folder.write(name, []),
        () => folder.remove(name),
        () => folder.measure(name, 1),
      ])
        await t.rejects(Promise.resolve().then<unknown>(call), { code: 'config.invalid' }, name)
  })
}

async function collected(blocks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = []
  for await (const block of blocks) all.push(block)
  return Buffer.concat(all)
}

const digest = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest()
