/**
 * Whole releases: built from two checkouts of the same commit, looked over, and started elsewhere when both checkouts are
 * gone; those for the boxes' machine under its own Node in qemu.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Architecture } from '../../ota/release/description.js'
import { parseManifest } from '../../ota/release/manifest.js'
import { filesOf } from '../../ota/release/workshop/folder.js'
import { type BuiltRelease, buildRelease } from '../../ota/release-build.js'
import { skipWithout } from '../peers/peer.js'
import { releaseBuiltOnce } from './release/built-once.js'
import { makeCheckout } from './release/checkouts.js'
import { problemsOfSbom } from './release/sbom-schema.js'
import { startFrom } from './release/started.js'

const here: Architecture = process.arch === 'arm64' ? 'arm64' : 'x64'
/** Brought by test/setup.sh. */
const nodes = process.env['ROADCASE_CACHE'] ?? join(homedir(), '.cache/roadcase-nodes')
const armNode = join(nodes, 'arm64-20.20.2/bin/node')
const isGate = process.env['CI'] !== undefined
const hasArmNode = existsSync(armNode)
/** Of Debian's cross compiler. */
const ARM_LIBRARIES = '/usr/aarch64-linux-gnu'
const EMULATOR = here === 'arm64' ? [] : ['qemu-aarch64-static', '-L', ARM_LIBRARIES]

const folder = mkdtempSync(join(tmpdir(), 'roadcase-release-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
const [one, other] = [join(folder, 'one'), join(folder, 'a/much longer/path')]
makeCheckout(one)
makeCheckout(other)

async function build(
  checkout: string,
  into: string,
  architecture: Architecture,
): Promise<BuiltRelease> {
  const nodeFile = architecture === 'arm64' && hasArmNode ? armNode : null
  return await buildRelease(
    {
      ...{ checkout, into: join(folder, into), architecture, nodeFile },
      ...{ isDirtyAllowed: false, objects: null },
    },
    () => undefined,
  )
}

const treeIn = (into: string): string => join(folder, into, 'tree')
const read = (into: string, path: string): Buffer => readFileSync(join(treeIn(into), path))

t.test('what cannot be built is refused before anything is written', async t => {
  const refused = (
    isDirtyAllowed: boolean,
    nodeFile: string | null,
    into = 'refused',
  ): Promise<unknown> =>
    buildRelease(
      {
        checkout: one,
        into: join(folder, into),
        architecture: 'arm64',
        nodeFile,
        isDirtyAllowed,
        objects: null,
      },
      () => undefined,
    )
  writeFileSync(join(one, 'runtime/stray.ts'), '')
  await t.rejects(refused(false, null), {
    code: 'release.unbuilt',
    message: /changes that are not committed.*\n\?\? runtime\/stray\.ts/,
  })
  rmSync(join(one, 'runtime/stray.ts'))
  renameSync(join(one, 'ota/launcher.ts'), join(folder, 'launcher.ts'))
  await t.rejects(refused(true, null), {
    code: 'release.invalid',
    message: /without launcher\.mjs/,
  })
  renameSync(join(folder, 'launcher.ts'), join(one, 'ota/launcher.ts'))
  if (here !== 'arm64')
    await t.rejects(refused(false, process.execPath), {
      code: 'release.invalid',
      message: /machine code for another machine than arm64/,
    })
  await t.rejects(refused(false, join(folder, 'bin/node')), { message: /there is no Node at/ })
  mkdirSync(join(folder, 'used'))
  writeFileSync(join(folder, 'used/letter.txt'), 'mine')
  await t.rejects(refused(false, null, 'used'), {
    code: 'release.unbuilt',
    message: /used has other things in it: name a new folder/,
  })
  t.notOk(existsSync(join(folder, 'refused')))
})

t.test('two checkouts in two places give the same release, byte by byte', async t => {
  const first = await build(one, 'arm64', 'arm64')
  const umask = process.umask(0o077)
  const second = await build(other, 'again', 'arm64').finally(() => process.umask(umask))
  t.equal(second.digest, first.digest)
  t.equal(read('again', 'manifest').toString(), read('arm64', 'manifest').toString())
  t.equal(createHash('sha256').update(read('arm64', 'manifest')).digest('hex'), first.digest)
  rmSync(join(folder, 'again'), { recursive: true })
  await t.rejects(build(one, 'arm64', 'arm64'), { message: /there is a release in .* already/ })
})

t.test('the manifest is what lies there, and nothing else lies there', async t => {
  const { folder: shared, built: native } = await releaseBuiltOnce()
  cpSync(shared, join(folder, 'native'), { recursive: true })
  const entries = parseManifest(read('native', 'manifest'))
  const wrong = entries.filter(({ path, mode, byteCount, sha256 }) => {
    const bytes = read('native', path)
    const found = (statSync(join(treeIn('native'), path)).mode & 0o777).toString(8)
    const digest = createHash('sha256').update(bytes).digest('hex')
    return found !== mode || bytes.length !== byteCount || digest !== sha256
  })
  t.same(wrong, [])
  const files = await filesOf(treeIn('native'), () => true)
  t.same(files.filter(path => path !== 'manifest').sort(), entries.map(({ path }) => path).sort())
  t.equal(native.fileCount, entries.length)
  t.equal(
    native.byteCount,
    entries.reduce((sum, { byteCount }) => sum + byteCount, 0),
  )
  t.ok(
    native.fileCount < 300 && native.byteCount < 13e6,
    `${native.fileCount} files, ${native.byteCount} bytes`,
  )
  const left = entries.filter(({ path }) => /\.(map|md|ts|cc|h|gyp)$|\/(tests?|docs?)\//.test(path))
  t.same(
    left.map(({ path }) => path),
    [],
  )
})

t.test('a release says what it is, what it is made of, and under which licences', async t => {
  t.match(JSON.parse(read('native', 'release.json').toString()), {
    ...{ format: 1, product: 'roadcase', version: /^\d+\.\d+\.\d+/, architecture: here },
    ...{ node: { version: process.version.slice(1), isIncluded: false } },
    ...{ sourceEpoch: Date.parse('2026-03-01T20:00:00Z') / 1000, formats: { config: 1, store: 1 } },
    reads: { config: 1, store: 1 },
  })
  const sbom = JSON.parse(read('native', 'sbom.cdx.json').toString())
  t.same(problemsOfSbom(sbom), [])
  const names: string[] = sbom.components.map(({ name }: { name: string }) => name)
  for (const name of [
    'aedes',
    'commander',
    'epoll',
    'fastify',
    'koffi',
    `koffi-linux-${here}`,
    'node',
    'zod',
  ])
    t.ok(names.includes(name), name)
  for (const name of ['tap', 'esbuild', 'typescript', 'nan']) t.notOk(names.includes(name), name)
  t.match(read('native', 'licences.txt').toString(), /^fastify [\d.]+ \(MIT\)$/m)
})

t.test('a release starts where there is no checkout, and stops cleanly', async t => {
  renameSync(join(folder, 'native'), join(folder, 'moved'))
  rmSync(one, { recursive: true })
  rmSync(other, { recursive: true })
  await startAndStop(t, treeIn('moved'), [])
})

t.test('the native packages and those that lie apart are whole', async t => {
  checkLoading(treeIn('moved'), [process.execPath])
  const picture = join(folder, 'ticket.png')
  const words = 'program/roadcase.js print --preview --template claim --field name=Ada --out'
  execFileSync(process.execPath, [...words.split(' '), picture], {
    cwd: treeIn('moved'),
    stdio: 'ignore',
  })
  t.equal(readFileSync(picture).subarray(1, 4).toString(), 'PNG')
  const sketch = 'const { loadJohnnyFive } = await import(process.argv[1]); loadJohnnyFive().Led'
  const file = join(treeIn('moved'), 'program/sketch.js')
  execFileSync(process.execPath, ['--input-type=module', '-e', sketch, file], { cwd: folder })
})

t.test('a release cannot build another, and says where one can', async t => {
  const words = [
    join(treeIn('moved'), 'program/roadcase.js'),
    'release',
    'build',
    '--into',
    join(folder, 'nothing'),
  ]
  const { status, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' })
  t.equal(status, 4)
  t.match(stderr, /is not a checkout that can be built; name one with --checkout/)
})

const arm = hasArmNode || isGate ? skipWithout('qemu-aarch64-static') : { skip: `no ${armNode}` }
t.test(
  'a release for arm64 loads and starts under the Node that it brings',
  { ...arm, timeout: 150_000 },
  async t => {
    t.equal(hasArmNode, true, 'test/setup.sh has brought Node for arm64')
    checkLoading(treeIn('arm64'), [...EMULATOR, join(treeIn('arm64'), 'bin/node')])
    await startAndStop(t, treeIn('arm64'), EMULATOR)
  },
)

async function startAndStop(t: Test, tree: string, before: readonly string[]): Promise<void> {
  const box = await startFrom(t, tree, `${tree}-home`, before)
  const health = await fetch(`${box.url}/health`)
  t.equal(health.status, 200)
  t.equal(await box.stop(), 0)
}

/** @throws Error with the names of the packages that do not load */
function checkLoading(tree: string, node: readonly string[]): void {
  const names = ['koffi', '@photostructure/sqlite', 'i2c-bus', 'onoff', 'epoll']
  const script = `const load = require('node:module').createRequire(process.argv[1])
    for (const name of ${JSON.stringify(names)}) load(name)
    console.log(process.arch)`
  const [program = '', ...words] = [...node, '-e', script, join(tree, 'program/main.js')]
  execFileSync(program, words, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
}
