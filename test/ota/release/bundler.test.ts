import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { SourceMap } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { APART, bundleProgram } from '../../../ota/release/bundler.js'
import { packageFolder } from '../../../runtime/version.js'

const run = promisify(execFile)
const bundle = bundleProgram(packageFolder)

t.test('the same sources give the same bytes, wherever they lie', async t => {
  const elsewhere = await copyOfSources(t)
  const [here, there] = [await bundle, await bundleProgram(elsewhere)]
  t.same(
    there.program.map(({ name }) => name),
    here.program.map(({ name }) => name),
  )
  for (const [index, { name, bytes }] of here.program.entries())
    t.equal(Buffer.compare(bytes, there.program[index]?.bytes ?? Buffer.alloc(0)), 0, name)
  const text = here.program.map(({ bytes }) => Buffer.from(bytes).toString()).join()
  t.notOk(text.includes(packageFolder), 'nothing of where it was made')
})

t.test('every thread and process that the program starts is a file of it', async t => {
  const { program, inputs } = await bundle
  const names = new Set(program.map(({ name }) => name))
  const started = (await readdir(join(packageFolder, 'drivers/linux')))
    .filter(name => /-(worker|process)\.ts$/.test(name))
    .map(name => name.replace(/\.ts$/, '.js'))
  t.ok(started.length >= 5)
  for (const name of [...started, 'main.js', 'roadcase.js', 'sketch.js'])
    t.ok(names.has(name), name)
  for (const name of APART)
    t.notOk(
      inputs.some(input => input.includes(`node_modules/${name}/`)),
      `${name} stays in its folder`,
    )
})

t.test('what makes releases and packs programs is no part of a program', async t => {
  const { inputs } = await bundle
  t.same(
    inputs.filter(input =>
      /ota\/(release-build|bundle|release\/(workshop\/|bundler))|\/esbuild/.test(input),
    ),
    [],
  )
})

t.test('a checkout with an updater and a launcher has them in its bundle', async t => {
  const folder = await copyOfSources(t)
  await writeFile(
    join(folder, 'ota/main.ts'),
    "import { join } from 'node:path'\njoin('updater')\n",
  )
  const launcher = "import { parse } from './slots/parse.js'\nconsole.log(parse('1'))\n"
  await mkdir(join(folder, 'ota/slots'), { recursive: true })
  await writeFile(join(folder, 'ota/launcher.ts'), launcher)
  await writeFile(
    join(folder, 'ota/slots/parse.ts'),
    'export const parse = (text: string): number => Number(text)\n',
  )
  const made = await bundleProgram(folder)
  t.ok(made.hasUpdater)
  t.ok(made.program.some(({ name }) => name === 'updater.js'))
  t.equal(made.launcher?.name, 'launcher.mjs')
  const text = Buffer.from(made.launcher?.bytes ?? '').toString()
  t.notMatch(text, /from\s*['"]\.|chunk-/, 'one file, which loads no other')
  await writeFile(join(folder, 'ota/launcher.ts'), "import 'ulid'\nimport 'node:fs'\n")
  await t.rejects(bundleProgram(folder), /the launcher needs packages: .*node_modules\/ulid/)
})

t.test('the map of a file tells where in the sources a line of it comes from', async t => {
  const { program, maps } = await bundle
  const main = program.find(({ name }) => name === 'main.js')
  const lines = Buffer.from(main?.bytes ?? '')
    .toString()
    .split('\n')
  // Not with its quote: a long line is broken wherever it ends, within a string, too.
  const line = lines.findIndex(text => text.includes('box.ready'))
  const column = lines[line]?.indexOf('box.ready') ?? -1
  t.ok(column >= 0)
  const map = maps.find(({ name }) => name === 'main.js.map')
  const entry = new SourceMap(JSON.parse(Buffer.from(map?.bytes ?? '').toString())).findEntry(
    line,
    column,
  )
  t.match(entry, { originalSource: /(^|\/)runtime\/run\.ts$/ })
  const source = await readFile(join(packageFolder, 'runtime/run.ts'), 'utf8')
  const original = source.split('\n')['originalLine' in entry ? entry.originalLine : -1]
  t.match(original, /box\.ready/)
})

t.test('a program that cannot be put together says what is wrong, and where', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'roadcase-bundle-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  // Of several that are missing it tells those first that it met first.
  await t.rejects(bundleProgram(folder), /Could not resolve "(drivers|ota|runtime)\/[\w/-]+\.ts"/)
})

/** With the packages of this one. */
async function copyOfSources(t: Test): Promise<string> {
  const elsewhere = await mkdtemp(join(tmpdir(), 'roadcase-bundle-'))
  t.teardown(() => rm(elsewhere, { recursive: true, force: true }))
  for (const name of ['package.json', 'tsconfig.json'])
    await writeFile(join(elsewhere, name), await readFile(join(packageFolder, name)))
  for (const folder of ['boards', 'drivers', 'ota', 'runtime'])
    await run('cp', ['-r', join(packageFolder, folder), elsewhere])
  await run('cp', ['-rl', join(packageFolder, 'node_modules'), elsewhere]).catch(() =>
    symlink(join(packageFolder, 'node_modules'), join(elsewhere, 'node_modules')),
  )
  return elsewhere
}
