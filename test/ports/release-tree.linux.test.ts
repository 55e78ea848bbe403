import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import {
  LinuxReleaseTree,
  LinuxReleaseTreeWriter,
  openBytes,
} from '../../drivers/linux/release-tree.js'
import { releaseTreeContract } from './release-tree.contract.js'

const makeFolder = (t: { teardown: (task: () => void) => void }): string => {
  const folder = mkdtempSync(join(tmpdir(), 'roadcase-tree-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

releaseTreeContract(t, async t => {
  const folder = join(makeFolder(t), 'slot')
  mkdirSync(join(folder, 'leftover'), { recursive: true })
  writeFileSync(join(folder, 'leftover/file'), 'old')
  return {
    tree: new LinuxReleaseTreeWriter(folder),
    modeOf: async path => (statSync(join(folder, path)).mode & 0o7777).toString(8),
  }
})

t.test('neither a link nor a pipe is followed or waited for', async t => {
  const folder = makeFolder(t)
  writeFileSync(join(folder, 'file'), 'x')
  symlinkSync('file', join(folder, 'link'))
  execFileSync('mkfifo', [join(folder, 'pipe')])
  const tree = new LinuxReleaseTree(folder)
  t.equal(await tree.open('link'), null)
  t.equal(await tree.open('pipe'), null)
  await t.rejects(openBytes(join(folder, 'none')), { code: 'storage.io' })
})

t.test('a file that cannot even be closed is a fault of the card, not of the program', async t => {
  const folder = makeFolder(t)
  writeFileSync(join(folder, 'file'), 'x')
  const file = await new LinuxReleaseTree(folder).open('file')
  await file?.close()
  await t.rejects(async () => file?.close(), { code: 'storage.io', message: /EBADF/ })
})

t.test('a card without room is told from one that fails', async t => {
  const writer = new LinuxReleaseTreeWriter('/dev/full/slot')
  await t.rejects(writer.clear(), { code: 'storage.io' })
})
