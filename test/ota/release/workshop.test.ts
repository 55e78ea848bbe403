/** What stops a build: missing tools, wrong packages, changed tarballs. Nothing here compiles. */
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { readLock, withNeeds } from '../../../ota/release/packages.js'
import { missingOf, readCheckout } from '../../../ota/release/workshop/checkout.js'
import { readHeaders } from '../../../ota/release/workshop/compile.js'
import { checkIntegrity } from '../../../ota/release/workshop/fetch-package.js'
import { readNode } from '../../../ota/release/workshop/node.js'
import { runProgram } from '../../../ota/release/workshop/programs.js'

function makeFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'roadcase-workshop-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

function write(folder: string, path: string, text: string | Uint8Array): void {
  mkdirSync(join(folder, path, '..'), { recursive: true })
  writeFileSync(join(folder, path), text)
}

t.test('a tool that is not there is named, with how to get it', async t => {
  const program = { name: 'roadcase-no-such-program', remedy: 'sudo apt-get install it' }
  await t.rejects(runProgram(program, [], { folder: makeFolder(t), environment: null }), {
    code: 'release.unbuilt',
    message: 'roadcase-no-such-program is not installed: sudo apt-get install it',
  })
})

t.test('a tool that fails has its last words told', async t => {
  const node = { name: process.execPath, remedy: '' }
  const words = ['-e', "console.error('no space'); process.exit(3)"]
  await t.rejects(runProgram(node, words, { folder: makeFolder(t), environment: null }), {
    code: 'release.unbuilt',
    message: /failed: no space$/,
  })
})

t.test('a folder that is no checkout of roadcase is refused', async t => {
  const folder = makeFolder(t)
  await t.rejects(readCheckout(folder, 'x64', true), { message: /has no package\.json/ })
  write(folder, 'package.json', '{"name": "other", "version": "1.0.0"}')
  await t.rejects(readCheckout(folder, 'x64', true), { message: /is a checkout of other/ })
  write(folder, 'package.json', '{"name": "roadcase", "version": "1.0"}')
  await t.rejects(readCheckout(folder, 'x64', true), { code: 'config.invalid' })
  write(folder, 'package.json', '{"name": "roadcase", "version": "1.0.0"}')
  await t.rejects(readCheckout(folder, 'x64', true), { message: /^git failed: / })
})

t.test('a package of another version than the lock file says is not built in', async t => {
  const folder = makeFolder(t)
  const entry = { version: '1.0.0', integrity: 'sha512-x' }
  const packages = { 'node_modules/a': entry, 'node_modules/b': entry, 'node_modules/c': entry }
  const lock = readLock({ lockfileVersion: 3, packages }, 'x64')
  const checkout = { folder, commit: '', sourceEpoch: 0, isDirty: false, version: '1.0.0', lock }
  const wanted = withNeeds(lock, ['a', 'b', 'c'], () => false)
  write(folder, 'node_modules/a/package.json', '{"version": "1.0.0"}')
  write(folder, 'node_modules/b/package.json', '{"version": "1.0.0"}')
  t.match(await missingOf(checkout, wanted), [{ name: 'c' }])
  write(folder, 'node_modules/b/package.json', '{"version": "1.0.1"}')
  await t.rejects(missingOf(checkout, wanted), {
    code: 'release.unbuilt',
    message: /node_modules\/b is 1\.0\.1, not 1\.0\.0/,
  })
})

t.test('a tarball that is not the one of the lock file is refused', async t => {
  const bytes = Buffer.from('tarball')
  const integrity = `sha512-${createHash('sha512').update(bytes).digest('base64')}`
  const locked = { path: '', name: 'a', version: '1.0.0', integrity, licence: null, needs: [] }
  checkIntegrity(locked, bytes)
  t.throws(() => checkIntegrity(locked, Buffer.from('Tarball')), {
    code: 'release.unbuilt',
    message: /a@1\.0\.0 is not what package-lock\.json knows/,
  })
})

t.test('Node is taken with its headers and its licence, all of one version', async t => {
  const folder = makeFolder(t)
  const file = join(folder, 'bin/node')
  const header = Buffer.alloc(64)
  header.write('\x7fELF\x02\x01', 'latin1')
  header.writeUInt16LE(183, 18)
  write(folder, 'bin/node', Buffer.concat([header, Buffer.from('v20.1.2')]))
  await t.rejects(readNode(file, 'arm64'), { message: /headers of Node are not in/ })
  const version = (minor: number): string =>
    `#define NODE_MAJOR_VERSION 20\n#define NODE_MINOR_VERSION ${minor}\n#define NODE_PATCH_VERSION 2\n`
  write(folder, 'include/node/node_version.h', 'nothing')
  await t.rejects(readHeaders(join(folder, 'include/node')), { message: /tells no version/ })
  write(folder, 'include/node/node_version.h', version(9))
  await t.rejects(readNode(file, 'arm64'), { message: /is not Node 20\.9\.2, whose headers/ })
  write(folder, 'include/node/node_version.h', version(1))
  await t.rejects(readNode(file, 'arm64'), { message: /licence of Node is not in/ })
  write(folder, 'LICENSE', 'Node')
  t.match(await readNode(file, 'arm64'), {
    headers: { version: '20.1.2' },
    included: { licence: 'Node' },
  })
  await t.rejects(readNode(file, 'x64'), { code: 'release.invalid' })
})
