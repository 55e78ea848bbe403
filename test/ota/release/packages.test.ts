import t from 'tap'
import { packagesOf, readLock, withNeeds } from '../../../ota/release/packages.js'

const lockOf = (packages: Record<string, unknown>): unknown => ({
  lockfileVersion: 3,
  packages: { '': { name: 'roadcase', version: '1.0.0' }, ...packages },
})

const lock = readLock(
  lockOf({
    'node_modules/addon': {
      version: '1.0.0',
      integrity: 'sha512-A',
      license: 'MIT',
      dependencies: { nan: '*', debounce: '*' },
      optionalDependencies: {
        '@addon/arm64': '1',
        '@addon/x64': '1',
        '@addon/musl': '1',
        '@addon/any': '1',
      },
    },
    'node_modules/@addon/arm64': { version: '1.0.0', os: ['linux'], cpu: ['arm64'] },
    'node_modules/@addon/x64': { version: '1.0.0', os: ['linux'], cpu: ['x64'] },
    'node_modules/@addon/musl': { version: '1.0.0', os: ['linux'], cpu: ['arm64'], libc: ['musl'] },
    'node_modules/@addon/any': { version: '1.0.0', os: ['!win32'] },
    'node_modules/nan': { version: '2.0.0' },
    'node_modules/debounce': { version: '1.0.0', dependencies: { words: '*' } },
    'node_modules/debounce/node_modules/words': { version: '2.0.0' },
    'node_modules/words': { version: '1.0.0' },
    'node_modules/other-name': { name: 'empty', version: '1.0.0' },
    'node_modules/tap': { version: '1.0.0', dev: true },
  }),
  'arm64',
)

t.test(
  'a package comes with what it needs on the target, and with nothing for other machines',
  async t => {
    const paths = withNeeds(lock, ['addon'], name => name === 'nan').map(({ path }) => path)
    t.same(paths, [
      'node_modules/@addon/any',
      'node_modules/@addon/arm64',
      'node_modules/addon',
      'node_modules/debounce',
      'node_modules/debounce/node_modules/words',
    ])
  },
)

t.test('what only tests need is not known', async t => {
  t.throws(() => withNeeds(lock, ['tap'], () => false), { code: 'release.unbuilt', message: /tap/ })
  t.throws(() => packagesOf(lock, ['node_modules/tap/index.js']), { code: 'release.unbuilt' })
})

t.test('files lead to their packages, wherever those lie', async t => {
  const found = packagesOf(lock, [
    'runtime/main.ts',
    'node_modules/words/a.js',
    'node_modules/words/lib/b.js',
    '../../up/node_modules/debounce/node_modules/words/index.js',
    'node_modules/@addon/any/index.js',
    'node_modules/other-name/index.js',
  ])
  t.same(
    found.map(({ name, version }) => `${name} ${version}`),
    ['@addon/any 1.0.0', 'words 2.0.0', 'empty 1.0.0', 'words 1.0.0'],
  )
})

t.test('a lock file of another kind is refused', async t => {
  t.throws(() => readLock({ lockfileVersion: 1, dependencies: {} }, 'x64'), {
    code: 'config.invalid',
  })
})
