/** What every folder for a release promises. Each test has one of its own, with a leftover in it. */
import type { Test } from 'tap'
import type { ReleaseTree, ReleaseTreeWriter } from '../../runtime/ports/release-tree.js'

const text = (word: string): Uint8Array => new TextEncoder().encode(word)

export async function readWhole(tree: ReleaseTree, path: string): Promise<string | null> {
  const file = await tree.open(path)
  if (file === null) return null
  const bytes = new Uint8Array(file.byteCount)
  await file.read(0, bytes)
  await file.close()
  return new TextDecoder().decode(bytes)
}

export function releaseTreeContract(
  t: Test,
  makeTree: (t: Test) => Promise<{
    tree: ReleaseTreeWriter
    modeOf: (path: string) => Promise<string>
  }>,
): void {
  t.test('what is written behind each other is read back, at any place', async t => {
    const { tree, modeOf } = await makeTree(t)
    await tree.clear()
    const file = await tree.create('a/b/c', '755')
    const bytes = text('one ')
    const written = file.write(bytes)
    await written
    bytes.fill(0)
    await file.write(text('two'))
    await file.close()
    await (await tree.create('a/empty', '644')).close()
    t.equal(await readWhole(tree, 'a/b/c'), 'one two')
    t.equal(await readWhole(tree, 'a/empty'), '')
    t.equal(await modeOf('a/b/c'), '755')
    t.equal(await modeOf('a/empty'), '644')
    const opened = await tree.open('a/b/c')
    const into = new Uint8Array(5)
    t.equal(await opened?.read(4, into), 3, 'fewer only at the end')
    t.equal(new TextDecoder().decode(into.subarray(0, 3)), 'two')
    t.equal(await opened?.read(99, into), 0)
    await opened?.close()
  })

  t.test('what is not a file is not there', async t => {
    const { tree } = await makeTree(t)
    await tree.clear()
    await (await tree.create('a/b', '644')).close()
    for (const path of ['x', 'a', 'a/b/c', 'a/x']) t.equal(await tree.open(path), null, path)
  })

  t.test('a file that is there is not made again', async t => {
    const { tree } = await makeTree(t)
    await tree.clear()
    await (await tree.create('a', '644')).close()
    await t.rejects(tree.create('a', '644'), { code: 'storage.io' })
  })

  t.test(
    'clearing removes what was left, and the manifest is there once it is finished',
    async t => {
      const { tree } = await makeTree(t)
      t.equal(await readWhole(tree, 'leftover/file'), 'old')
      await tree.clear()
      t.equal(await tree.open('leftover/file'), null)
      await (await tree.create('leftover/file', '644')).close()
      await tree.settle()
      t.equal(await tree.open('manifest'), null)
      await tree.finish(text('list\n'))
      t.equal(await readWhole(tree, 'manifest'), 'list\n')
      await tree.clear()
      t.equal(await tree.open('manifest'), null)
      t.equal(await tree.open('leftover/file'), null)
    },
  )
}
