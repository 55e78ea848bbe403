import t from 'tap'
import { SimulatedKeys } from '../../../drivers/simulated/keys.js'
import {
  checkOsDescription,
  type OsDescription,
  osDescriptionTarget,
  osFiles,
  osImage,
} from '../../../ota/os/os-description.js'
import { randomFrom } from '../../../runtime/core/random.js'

const digest = 'cd'.repeat(32)
const part = (sha256: string) => ({
  byteCount: 100_000_000,
  sha256,
  object: {
    kind: 'full' as const,
    from: null,
    target: `objects/${digest}.full`,
    byteCount: 500,
    sha256: digest,
    pieceByteCount: 262_144 as const,
    pieces: 'A'.repeat(44),
  },
})
const images = { boot: part('ab'.repeat(32)), root: part('cd'.repeat(32)) }
const good: OsDescription = {
  format: 1,
  product: 'roadcase-os',
  version: '12.4.0',
  architecture: 'arm64',
  boards: ['pi-5'],
  images,
  floor: '12.0.0',
  minimumRelease: null,
  notes: '',
}

t.test(
  'a description of a system is taken as it is, and refused with the field that is wrong',
  async t => {
    t.same(checkOsDescription(structuredClone(good)), good)
    t.throws(() => checkOsDescription({ ...good, product: 'roadcase' }), { message: /os\.product/ })
    t.throws(() => checkOsDescription({ ...good, boards: [] }), { message: /os\.boards/ })
    t.throws(() => checkOsDescription({ ...good, version: '12' }), { message: /os\.version/ })
    t.throws(() => checkOsDescription({ ...good, images: { boot: images.boot } }), {
      message: /os\.images\.root/,
    })
    const patch = { ...images.root.object, kind: 'patch', from: digest }
    const patched = { ...images, root: { ...images.root, object: patch } }
    t.throws(() => checkOsDescription({ ...good, images: patched }), {
      message: /os\.images\.root\.object\.kind.*full/,
    })
    t.equal(osDescriptionTarget('pi-5', '12.4.0'), 'os/pi-5/12.4.0.json')
  },
)

t.test('a system is its images: neither its name nor its notes make it another one', async t => {
  const keys = new SimulatedKeys(randomFrom(1))
  const one = osImage(keys, good)
  t.equal(osImage(keys, { ...good, version: '12.5.0', notes: 'new' }).digest, one.digest)
  const swapped = { boot: images.root, root: images.boot }
  t.not(osImage(keys, { ...good, images: swapped }).digest, one.digest)
  t.match(one, { root: { byteCount: 100_000_000, sha256: 'cd'.repeat(32) } })
  t.same([one.version, one.floor], ['12.4.0', '12.0.0'])
})

t.test('a bundle stands in place of the images, and never beside them', async t => {
  const keys = new SimulatedKeys(randomFrom(1))
  const { images: _, ...rest } = good
  const bundle = part('ab'.repeat(32))
  const other = checkOsDescription({ ...rest, bundle })
  t.throws(() => checkOsDescription(rest), { message: /os\.bundle, and not both/ })
  t.throws(() => checkOsDescription({ ...good, bundle }), { message: /os\.bundle, and not both/ })
  const pack = { ...bundle.object, kind: 'pack' }
  t.throws(() => checkOsDescription({ ...rest, bundle: { ...bundle, object: pack } }), {
    message: /os\.bundle\.object\.kind.*full/,
  })
  t.match(osImage(keys, other), { bundle: { sha256: bundle.sha256 }, slots: [] })
  t.not(osImage(keys, other).digest, osImage(keys, good).digest)
  t.same(
    [other, good].map(one =>
      osFiles(one).map(({ part, sha256 }) => `${part} ${sha256.slice(0, 2)}`),
    ),
    [['bundle ab'], ['root cd', 'boot ab']],
    'what is fetched, in order',
  )
})
