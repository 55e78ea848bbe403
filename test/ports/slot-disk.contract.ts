/** What every disk with slots promises. Each test has an empty one of its own. */
import type { Test } from 'tap'
import { BoxError } from '../../runtime/core/errors.js'
import type { SlotDisk } from '../../runtime/ports/slot-disk.js'

export interface MadeDisk {
  readonly disk: SlotDisk
  /** As an installer writes: by other means, and without a sync. */
  put(name: string, bytes: Uint8Array, isExecutable: boolean): Promise<void>
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const SHA256_OF_ABC = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'

export function slotDiskContract(t: Test, make: (t: Test) => Promise<MadeDisk>): void {
  const promise = (name: string, prove: (t: Test, made: MadeDisk) => Promise<void>): void =>
    void t.test(name, async t => prove(t, await make(t)))

  promise(
    'what is not there reads as null, lists as nothing, and is removed',
    async (t, { disk }) => {
      t.equal(await disk.read('slots/state.0', 10), null)
      t.same(await disk.list('slots/a'), [])
      await disk.remove('slots/state.0')
      await disk.removeTree('slots/a')
    },
  )

  promise('what was written is read back, in place of what was there', async (t, { disk }) => {
    await disk.writeSynced('slots/state.0', bytesOf('longer than the next'))
    await disk.writeSynced('slots/state.0', bytesOf('short'))
    t.same(await disk.read('slots/state.0', 10), bytesOf('short'))
    await rejectsWith(t, disk.read('slots/state.0', 4), 'storage.limit')
  })

  promise('a rename takes the place of what was there', async (t, { disk }) => {
    await disk.writeSynced('launcher.mjs', bytesOf('old'))
    await disk.writeSynced('launcher.next.mjs', bytesOf('new'))
    await disk.rename('launcher.next.mjs', 'launcher.mjs')
    t.same(await disk.read('launcher.mjs', 10), bytesOf('new'))
    t.equal(await disk.read('launcher.next.mjs', 10), null)
    await rejectsWith(t, disk.rename('launcher.next.mjs', 'launcher.mjs'), 'storage.io')
  })

  promise('a copy has the bytes and the mode that it is to have', async (t, made) => {
    const { disk } = made
    await made.put('slots/a/bin/tool', bytesOf('abc'), true)
    let pauses = 0
    const wishes = { isExecutable: false, pause: async () => void pauses++ }
    await disk.writeSynced('slots/half', bytesOf('longer than the next'))
    t.equal(await disk.copy('slots/a/bin/tool', 'slots/half', wishes), SHA256_OF_ABC)
    t.ok(pauses > 0)
    await disk.rename('slots/half', 'slots/b/bin/of/a/tool')
    t.equal(await disk.sha256('slots/b/bin/of/a/tool', 'disk'), SHA256_OF_ABC)
    t.match(await disk.list('slots/b'), [{ path: 'bin/of/a/tool', isExecutable: false }])
    await rejectsWith(t, disk.copy('slots/a/none', 'slots/half', wishes), 'storage.io')
    const stopped = async (): Promise<void> => {
      throw new BoxError('fetch.cancelled', 'enough')
    }
    const given = { isExecutable: true, pause: stopped }
    await rejectsWith(t, disk.copy('slots/a/bin/tool', 'slots/half', given), 'fetch.cancelled')
  })

  promise('a tree is listed by path, with what changes when a file does', async (t, made) => {
    const { disk } = made
    await made.put('slots/a/program/main.js', bytesOf('abc'), false)
    await made.put('slots/a/bin/node', bytesOf('#!'), true)
    await disk.syncTree('slots/a')
    const [node, main, ...others] = await disk.list('slots/a')
    t.same(others, [])
    t.match(node, { path: 'bin/node', isRegular: true, isExecutable: true, byteCount: 2 })
    t.match(main, { path: 'program/main.js', isRegular: true, isExecutable: false, byteCount: 3 })
    t.not(node?.inode, main?.inode)
    t.same(await disk.list('slots/a'), [node, main], 'as long as nobody writes')
    await made.put('slots/a/program/main.js', bytesOf('abd'), false)
    t.not((await disk.list('slots/a'))[1]?.modified, main?.modified)
  })

  promise('a digest is that of the bytes, from memory or from the disk', async (t, made) => {
    await made.put('slots/a/x', bytesOf('abc'), false)
    await made.disk.syncTree('slots/a')
    t.equal(await made.disk.sha256('slots/a/x', 'memory'), SHA256_OF_ABC)
    t.equal(await made.disk.sha256('slots/a/x', 'disk'), SHA256_OF_ABC)
    await rejectsWith(t, made.disk.sha256('slots/a/y', 'disk'), 'storage.io')
  })

  promise('a removed tree is gone, and the one beside it is not', async (t, made) => {
    await made.put('slots/a/deep/x', bytesOf('abc'), false)
    await made.put('slots/b/x', bytesOf('abc'), false)
    await made.disk.removeTree('slots/a')
    t.same(await made.disk.list('slots/a'), [])
    t.equal((await made.disk.list('slots/b')).length, 1)
    await made.put('slots/a/y', bytesOf('abc'), false)
    t.equal((await made.disk.list('slots/a')).length, 1)
  })
}

async function rejectsWith(t: Test, work: Promise<unknown>, code: string): Promise<void> {
  const thrown: unknown = await work.then(
    () => null,
    (error: unknown) => error,
  )
  t.ok(thrown instanceof BoxError && thrown.code === code, `${String(thrown)} is ${code}`)
}
