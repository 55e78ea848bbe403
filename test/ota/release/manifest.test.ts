import t from 'tap'
import { formatManifest, type ManifestEntry, parseManifest } from '../../../ota/release/manifest.js'

const sha256 = 'ab'.repeat(32)
const entry = (path: string): ManifestEntry => ({ path, mode: '644', byteCount: 3, sha256 })
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const refused = { code: 'release.invalid' }

t.test('a manifest is read back as it was written, sorted by the bytes of its paths', async t => {
  const entries = ['b', 'a/z', 'a-', '\u{1f600}', '\uffee'].map(entry)
  const read = parseManifest(formatManifest(entries))
  t.same(
    read.map(({ path }) => path),
    ['a-', 'a/z', 'b', '\uffee', '\u{1f600}'],
  )
  t.same(formatManifest(read), formatManifest(entries))
})

t.test('a path that no box may write is refused, when written and when read', async t => {
  const paths = ['/etc/passwd', '../x', 'a/../b', 'a//b', './a', 'a/', 'a\\b', 'a\u0000', 'a\rb']
  paths.push('manifest', `${'x'.repeat(256)}`, `${'x/'.repeat(600)}y`, '\ud800')
  for (const path of paths) {
    t.throws(() => formatManifest([entry(path)]), refused, path.slice(0, 20))
    // As bytes, a lone surrogate is another character.
    if (path !== '\ud800')
      t.throws(
        () => parseManifest(bytes(`roadcase-manifest 1\n644 3 ${sha256} ${path}\n`)),
        refused,
      )
  }
})

t.test('two files that some disk takes for one are refused', async t => {
  t.throws(() => formatManifest([entry('a'), entry('a')]), refused)
  t.throws(() => formatManifest([entry('A'), entry('a')]), refused)
  t.throws(() => formatManifest([entry('caf\u00e9'), entry('cafe\u0301')]), refused)
  t.throws(() => formatManifest([entry('a'), entry('a/b')]), refused)
  t.throws(() => formatManifest([entry('a/b'), entry('A')]), refused)
})

t.test('what says the same in other bytes is refused', async t => {
  const line = (path: string): string => `644 3 ${sha256} ${path}\n`
  const head = 'roadcase-manifest 1\n'
  const texts = [
    '',
    head,
    `\ufeff${head}${line('a')}`,
    head + line('b') + line('a'),
    head + line('a').trimEnd(),
    `${head}${line('a')}\n`,
    head + line('a').replace('644 3', '644 03'),
    head + line('a').replace('644', '600'),
    head + line('a').replace('ab', 'AB'),
    head + line('a').replace('\n', '\r\n'),
  ]
  for (const text of texts)
    t.throws(() => parseManifest(bytes(text)), refused, JSON.stringify(text))
  t.throws(() => parseManifest(Uint8Array.of(0xff, 0xfe)), refused)
  t.throws(() => parseManifest(new Uint8Array(8 * 1024 * 1024 + 1)), refused)
})
