import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import t from 'tap'
import { openLibc } from '../../drivers/linux/libc.js'
import { type DiskCalls, LinuxSlotDisk } from '../../drivers/linux/slot-disk.js'
import { slotDiskContract } from './slot-disk.contract.js'

const made = (folder: string, calls: DiskCalls | null) => {
  const disk = new LinuxSlotDisk(folder, calls)
  const put = async (name: string, bytes: Uint8Array, isExecutable: boolean): Promise<void> => {
    await mkdir(dirname(disk.pathOf(name)), { recursive: true })
    await writeFile(disk.pathOf(name), bytes)
    await chmod(disk.pathOf(name), isExecutable ? 0o755 : 0o644)
  }
  return { disk, put }
}

t.test('with the C library', async t => {
  const libc = await openLibc()
  slotDiskContract(t, async t => made(t.testdir(), libc))
})

t.test('without it', async t => slotDiskContract(t, async t => made(t.testdir(), null)))

t.test('a link is not a file of a release, and is not followed', async t => {
  const folder = t.testdir({ slots: { a: { x: 'abc', y: t.fixture('symlink', 'x') } } })
  const { disk } = made(folder, null)
  t.match(await disk.list('slots/a'), [{ path: 'x' }, { path: 'y', isRegular: false }])
  await t.rejects(disk.sha256('slots/a/y', 'memory'), { code: 'storage.io' })
})
