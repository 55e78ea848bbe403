import t from 'tap'
import type { ReleaseBuildWish } from '../../runtime/cli/actions.js'
import { BoxError } from '../../runtime/core/errors.js'
import { noLink, type } from './cli-world.js'

const built = {
  digest: 'd'.repeat(64),
  version: '1.4.0',
  architecture: 'arm64',
  commit: 'c'.repeat(40),
  isDirty: false,
  nodeVersion: '20.20.2',
  isNodeIncluded: false,
  fileCount: 228,
  byteCount: 11_860_142,
  folder: '/out/tree',
  objects: [],
  lacking: [],
} as const

const objects = {
  bases: [],
  quality: 11,
  floor: null,
  minimumUpdater: null,
  boards: null,
  notes: '',
}

t.test('a release is built for arm64, from the checkout that the command is of', async t => {
  const wishes: ReleaseBuildWish[] = []
  const typed = await type(['release', 'build', '--into', '/out'], {
    buildRelease: async (wish, say) => {
      wishes.push(wish)
      say('compiling')
      return built
    },
  })
  t.match(typed, { exitCode: 0, error: 'compiling\n' })
  t.match(
    typed.out,
    /Digest +d{64}\nTree +\/out\/tree, 228 files, 11\.9 MB\nNode +20\.20\.2, not included/,
  )
  t.same(wishes, [
    {
      ...{ into: '/out', architecture: 'arm64', checkout: null, nodeFile: null },
      ...{ isDirtyAllowed: false, objects },
    },
  ])
})

t.test('all that can be said is passed on, and programs get JSON alone', async t => {
  const wishes: ReleaseBuildWish[] = []
  const words =
    '--json release build --into o --architecture x64 --checkout c --node n --allow-dirty --base p --base q --floor 1.2.0 --minimum-updater 1.1.0 --boards zero,pi-4'
  const typed = await type([...words.split(' '), '--notes', 'two words'], {
    buildRelease: async (wish, say) => {
      wishes.push(wish)
      say('compiling')
      return built
    },
  })
  t.same(JSON.parse(typed.out), built)
  t.equal(typed.error, '')
  t.same(wishes, [
    {
      ...{ into: 'o', architecture: 'x64', checkout: 'c', nodeFile: 'n', isDirtyAllowed: true },
      objects: {
        bases: ['p', 'q'],
        quality: 11,
        floor: '1.2.0',
        minimumUpdater: '1.1.0',
        boards: ['zero', 'pi-4'],
        notes: 'two words',
      },
    },
  ])
})

t.test('objects are listed, and can be left out', async t => {
  const wishes: ReleaseBuildWish[] = []
  const some = { target: 'objects/x', sha256: 'a'.repeat(64), pieces: '' }
  const typed = await type(['release', 'build', '--into', '/out', '--no-objects'], {
    buildRelease: async wish => {
      wishes.push(wish)
      return {
        ...built,
        objects: [
          { ...some, kind: 'full', from: null, byteCount: 2_345_678, pieceByteCount: 262_144 },
          {
            ...some,
            kind: 'patch',
            from: 'b'.repeat(64),
            byteCount: 36_700,
            pieceByteCount: 262_144,
          },
        ],
      }
    },
  })
  t.match(typed.out, /Object +full, 2\.3 MB\nObject +patch from b{12}, 36\.7 kB/)
  t.match(wishes, [{ objects: null }])
})

t.test('what a release lacks is said at the end, loud', async t => {
  const typed = await type(['release', 'build', '--into', '/out'], {
    buildRelease: async () => ({ ...built, isDirty: true, lacking: ['launcher.mjs'] }),
  })
  t.match(typed.error, /not committed/)
  t.match(typed.error, /no launcher\.mjs yet/)
})

t.test('a build that is refused says why, and ends as refused', async t => {
  const typed = await type(['release', 'build', '--into', '/out'], {
    buildRelease: async () => {
      throw new BoxError('release.unbuilt', 'g++ is not installed')
    },
  })
  t.match(typed, { exitCode: 4, error: /g\+\+ is not installed \(release\.unbuilt\)/ })
})

t.test(
  'what the program of another checkout refuses is refused, not a mistake of ours',
  async t => {
    // Loaded from there, its errors are of other classes than ours.
    const foreign = (name: string, code: string, message: string) =>
      Object.assign(new Error(message), { name, code })
    for (const [error, exitCode] of [
      [foreign('BoxError', 'release.unbuilt', 'there is a release in /out already'), 4],
      [foreign('ConfigError', 'config.invalid', 'release.floor: must be a version'), 3],
      [foreign('Error', 'ENOENT', 'there is a release in /out already'), 1],
      [foreign('TypeError', 'release.unbuilt.x', 'a bug'), 1],
    ] as const) {
      const typed = await type(['release', 'build', '--into', '/out'], {
        buildRelease: async () => {
          throw error
        },
      })
      t.equal(typed.exitCode, exitCode, error.message)
      t.equal(/a mistake in roadcase/.test(typed.error), exitCode === 1)
    }
  },
)

t.test('the help names what is below release, and shows no defaults that say nothing', async t => {
  const top = await type(['--help'])
  t.match(top.out.replace(/\s+/g, ' '), /release .*end a panic;.* sign and publish releases arm/)
  const release = await type(['release', '--help'])
  t.match(release.out.replace(/\s+/g, ' '), /end a panic;.* build, sign and publish/)
  t.match(await type(['release', 'help']), { exitCode: 0, out: /Usage: roadcase release/ })
  const build = await type(['release', 'build', '--help'])
  t.notMatch(build.out, /default:\s+(null|false|\[\]|"")/)
  t.match(build.out, /default:\s+"arm64"/)
  t.match((await type(['ota', 'hold', '--help'])).out, /default:\s+12h/)
})

t.test('a mistyped word below release is answered with those that there are', async t => {
  const typed = await type(['release', 'verfy'])
  t.equal(typed.exitCode, 2)
  t.match(typed.error, /unknown command 'verfy'/)
  t.match(typed.error, /there are: build, .*init, .*verify/)
})

t.test('release alone still ends a panic, and a mistyped word does not', async t => {
  const asked: unknown[] = []
  const link = () => ({
    ...noLink,
    command: async (deed: unknown) => {
      asked.push(deed)
      return { result: 'done' } as never
    },
  })
  t.equal((await type(['release', 'biuld'], { link })).exitCode, 2)
  t.equal((await type(['release', 'build'], { link })).exitCode, 2)
  t.equal(
    (await type(['release', 'build', '--into', 'x', '--architecture', 'x86'], { link })).exitCode,
    2,
  )
  t.same(asked, [])
  await type(['release'], { link })
  t.match(asked, [{ action: 'release' }])
})
