import t from 'tap'
import type { OsDescription, OsFileDescription } from '../../ota/os/os-description.js'
import type { OsBuildWish } from '../../ota/os-build.js'
import { type } from './cli-world.js'

const file: OsFileDescription = {
  ...{ byteCount: 120_000_000, sha256: 'a'.repeat(64) },
  object: {
    ...{ kind: 'full', from: null, target: `objects/${'b'.repeat(64)}.full` },
    ...{ byteCount: 80_000_000, sha256: 'b'.repeat(64), pieceByteCount: 262_144, pieces: '' },
  },
}

const words: OsDescription = {
  ...{ format: 1, product: 'roadcase-os', version: '1.3.0', architecture: 'arm64' },
  ...{ boards: ['pi-4b'], floor: null, minimumRelease: null, notes: '' },
}

const build = (...flags: string[]): string[] => [
  ...['release', 'build-os', '--into', '/os', '--system', '1.3.0', '--board', 'pi-4b'],
  ...flags,
]

t.test('two images are packed, or one bundle', async t => {
  const wishes: OsBuildWish['images'][] = []
  const buildOs = async ({ images }: OsBuildWish) => {
    wishes.push(images)
    return 'bundle' in images
      ? { ...words, bundle: file }
      : { ...words, images: { boot: file, root: file } }
  }
  const two = await type(build('--boot', 'boot.img', '--root', 'root.img'), { buildOs })
  t.match(two, { exitCode: 0, out: /Boot +120\.0 MB, packed 80\.0 MB\nRoot +120\.0 MB/ })
  const one = await type(build('--bundle', 'os.raucb'), { buildOs })
  t.match(one, { exitCode: 0, out: /Bundle +120\.0 MB, packed 80\.0 MB\nWritten +\/os/ })
  t.same(wishes, [{ boot: 'boot.img', root: 'root.img' }, { bundle: 'os.raucb' }])
})

t.test('a half system, or one of both kinds, is not packed', async t => {
  for (const flags of [
    [],
    ['--boot', 'boot.img'],
    ['--root', 'root.img', '--bundle', 'os.raucb'],
    ['--boot', 'boot.img', '--root', 'root.img', '--bundle', 'os.raucb'],
  ]) {
    const { exitCode, error } = await type(build(...flags))
    t.not(exitCode, 0)
    t.match(error, /--boot and --root, or --bundle alone/)
  }
})
