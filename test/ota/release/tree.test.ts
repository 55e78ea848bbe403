import { createHash } from 'node:crypto'
import t from 'tap'
import { parseManifest } from '../../../ota/release/manifest.js'
import {
  checkMachineCode,
  checkNoFolder,
  manifestOf,
  type Tree,
  textFile,
} from '../../../ota/release/tree.js'

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

t.test('the manifest lists each file, in whatever order they came', async t => {
  const files: [string, ReturnType<typeof textFile>][] = [
    ['b', textFile('two')],
    ['a/x', { ...textFile('one'), mode: '755' }],
  ]
  const manifest = manifestOf(new Map(files), digest)
  t.same(manifest, manifestOf(new Map(files.toReversed()), digest))
  t.same(parseManifest(manifest), [
    { path: 'a/x', mode: '755', byteCount: 3, sha256: digest(Buffer.from('one')) },
    { path: 'b', mode: '644', byteCount: 3, sha256: digest(Buffer.from('two')) },
  ])
})

t.test('a file of machine code is looked at, by its name and by its bytes', async t => {
  const elf = Buffer.alloc(64)
  elf.write('\x7fELF', 'latin1')
  for (const [path, bytes] of [
    ['node_modules/a/a.node', Buffer.from('text')],
    ['node_modules/a/helper', elf],
  ] as const) {
    const tree: Tree = new Map([[path, { mode: '644', bytes }]])
    t.throws(() => checkMachineCode(tree, 'arm64'), { code: 'release.invalid' }, path)
  }
  checkMachineCode(new Map([['main.js', textFile('text')]]), 'arm64')
})

t.test('a file that tells where it was made is named', async t => {
  const tree: Tree = new Map([['a.js', textFile('x("/somewhere/here/b.js")')]])
  checkNoFolder(tree, ['/somewhere/he'])
  t.throws(() => checkNoFolder(tree, ['/somewhere/here']), { message: /^a\.js holds the folder/ })
})
