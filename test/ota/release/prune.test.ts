import t from 'tap'
import { isKept, isLicence } from '../../../ota/release/prune.js'

t.test('what runs stays, what is for reading, compiling and testing goes', async t => {
  for (const file of [
    'package.json',
    'index.js',
    'lib/a.cjs',
    'lib/b.mjs',
    'lib/latest.js',
    'data.json',
  ])
    t.ok(isKept('any', file, 'arm64'), file)
  for (const file of [
    'README.md',
    'index.d.ts',
    'index.js.map',
    'src/a.cc',
    'test/a.js',
    'lib/tests/a.js',
    'examples/a.js',
    'docs/a.js',
    '.github/a.js',
    '.eslintrc.json',
    'Gruntfile.js',
    'test-1.js',
    'test.js',
    'tsconfig.json',
    'build/config.json',
    'build/Release/a.node',
    'binding.gyp',
  ])
    t.notOk(isKept('any', file, 'arm64'), file)
})

t.test('of the machine code for many machines, that of one is kept', async t => {
  const at = (platform: string, libc: string): string =>
    `prebuilds/${platform}/@photostructure+sqlite.${libc}.node`
  const name = '@photostructure/sqlite'
  t.ok(isKept(name, at('linux-arm64', 'glibc'), 'arm64'))
  t.ok(isKept(name, at('linux-x64', 'glibc'), 'x64'))
  for (const [platform, libc] of [
    ['linux-x64', 'glibc'],
    ['linux-arm64', 'musl'],
    ['darwin-arm64', 'glibc'],
  ] as const)
    t.notOk(isKept(name, at(platform, libc), 'arm64'), `${platform} ${libc}`)
  t.notOk(isKept('@koromix/koffi-linux-arm64', 'musl_arm64/koffi.node', 'arm64'))
  t.notOk(isKept('dejavu-fonts-ttf', 'ttf/DejaVuSerif.ttf', 'arm64'))
})

t.test(
  'a package that is called like something else in JavaScript has no rule of its own',
  async t => {
    t.ok(isKept('constructor', 'index.js', 'arm64'))
  },
)

t.test('texts of licences are known by their names', async t => {
  for (const file of ['LICENSE', 'license.md', 'LICENCE.txt', 'LICENSE-MIT', 'COPYING', 'NOTICE'])
    t.ok(isLicence(file), file)
  for (const file of ['licenses.js/x', 'lib/LICENSE', 'licensed', 'README.md'])
    t.notOk(isLicence(file), file)
})
