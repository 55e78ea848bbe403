import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { LinuxPublicFolder } from '../../drivers/linux/public-folder.js'
import { publicFolderContract } from './public-folder.contract.js'

publicFolderContract(t, t => new LinuxPublicFolder(join(t.testdir(), 'served')))

t.test('everybody may read what is served, whatever the umask', async t => {
  const path = t.testdir()
  const before = process.umask(0o077)
  t.teardown(() => process.umask(before))
  await new LinuxPublicFolder(path).write('a', [Buffer.of(1)])
  t.equal(statSync(join(path, 'a')).mode & 0o777, 0o644)
})

t.test('a folder in the place of a file is said to be none', async t => {
  const path = t.testdir()
  mkdirSync(join(path, 'a'))
  await t.rejects(new LinuxPublicFolder(path).read('a', 10), { code: 'storage.io' })
  await t.rejects(new LinuxPublicFolder(path).write('a', [Buffer.of(1)]), { code: 'storage.io' })
})
