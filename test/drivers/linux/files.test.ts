/** What is particular to a real file system. What all files promise is in test/ports/files.contract.ts. */
import { execFileSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmdirSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { LinuxFiles } from '../../../drivers/linux/files.js'
import { BoxError } from '../../../runtime/core/errors.js'

const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'ok',
    (error: unknown) => (error instanceof BoxError ? error.code : String(error)),
  )

t.test(
  'a replaced file is one file, readable by its owner alone, and nothing is left beside it',
  async t => {
    const folder = join(t.testdir(), 'state')
    await new LinuxFiles(folder).replace('identity.json', Buffer.from('{}'))
    t.same(readdirSync(folder), ['identity.json'])
    t.equal(statSync(join(folder, 'identity.json')).mode & 0o777, 0o600)
  },
)

t.test('half a file that a power cut left is replaced, not read', async t => {
  const folder = t.testdir({ 'slots.json': 'old', 'slots.json.new': 'half of the ne' })
  const files = new LinuxFiles(folder)
  t.equal(Buffer.from((await files.read('slots.json')) ?? []).toString(), 'old')
  await files.replace('slots.json', Buffer.from('new'))
  t.same(readdirSync(folder), ['slots.json'])
  t.equal(Buffer.from((await files.read('slots.json')) ?? []).toString(), 'new')
})

t.test('a file that is a link is read, and replaced by a file', async t => {
  const folder = t.testdir({ target: 'linked' })
  symlinkSync(join(folder, 'target'), join(folder, 'link'))
  const files = new LinuxFiles(folder)
  t.equal(Buffer.from((await files.read('link')) ?? []).toString(), 'linked')
  await files.replace('link', Buffer.from('own'))
  t.equal(Buffer.from((await files.read('target')) ?? []).toString(), 'linked')
  t.equal(Buffer.from((await files.read('link')) ?? []).toString(), 'own')
})

t.test('a named pipe or a folder is refused, not waited for', async t => {
  const folder = t.testdir({ folder: {} })
  execFileSync('mkfifo', [join(folder, 'pipe')])
  const files = new LinuxFiles(folder)
  t.equal(await codeOf(files.read('pipe')), 'storage.io')
  t.equal(await codeOf(files.read('folder')), 'storage.io')
  t.equal(await codeOf(files.replace('folder', Uint8Array.of(1))), 'storage.io')
  t.same(readdirSync(folder).sort(), ['folder', 'pipe'])
})

t.test('a file that somebody made larger than 16 MiB is refused', async t => {
  const folder = t.testdir({ large: '' })
  truncateSync(join(folder, 'large'), 16 * 1024 * 1024 + 1)
  t.equal(await codeOf(new LinuxFiles(folder).read('large')), 'storage.limit')
})

t.test(
  'where a folder should be and is a file, writing fails and reading finds nothing',
  async t => {
    const files = new LinuxFiles(t.testdir({ a: 'file' }))
    t.equal(await codeOf(files.replace('a/b', Uint8Array.of(1))), 'storage.io')
    t.equal(await files.read('a/b'), null)
  },
)

t.test('a disk that is really full keeps the old file and works when there is room', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'roadcase-full-'))
  t.teardown(() => rmdirSync(folder))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', folder], { stdio: 'ignore' })
  } catch {
    return t.comment('not run: mounting a small disk takes root')
  }
  t.teardown(() => execFileSync('umount', ['-l', folder]))
  mkdirSync(join(folder, 'state'))
  const files = new LinuxFiles(join(folder, 'state'))
  await files.replace('a', Buffer.from('old'))
  const ballast = join(folder, 'ballast')
  writeFileSync(ballast, '')
  const handle = openSync(ballast, 'w')
  t.throws(() => {
    for (;;) writeSync(handle, Buffer.alloc(4096))
  }, /ENOSPC/)
  t.equal(await codeOf(files.replace('a', Buffer.alloc(50_000))), 'storage.full')
  t.same(readdirSync(join(folder, 'state')), ['a'], 'no half file takes up the last room')
  t.equal(Buffer.from((await files.read('a')) ?? []).toString(), 'old')
  truncateSync(ballast, 0)
  t.equal(await codeOf(files.replace('a', Buffer.alloc(50_000))), 'ok')
})
