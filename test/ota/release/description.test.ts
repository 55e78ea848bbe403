import t from 'tap'
import {
  checkDescription,
  checkOrder,
  descriptionTarget,
  type ReleaseDescription,
} from '../../../ota/release/description.js'
import { compareVersions } from '../../../ota/release/version-order.js'

const digest = 'cd'.repeat(32)
const good: ReleaseDescription = {
  format: 1,
  product: 'roadcase',
  version: '1.4.2',
  architecture: 'arm64',
  boards: null,
  manifest: { sha256: digest, byteCount: 100 },
  treeByteCount: 1000,
  treeFileCount: 2,
  floor: null,
  minimumUpdater: null,
  notes: '',
  objects: [
    {
      kind: 'full',
      from: null,
      target: `objects/${digest}.full`,
      byteCount: 500,
      sha256: digest,
      pieceByteCount: 262_144,
      pieces: 'A'.repeat(44),
    },
  ],
}

t.test('a description is taken as it is, and refused with the field that is wrong', async t => {
  t.same(checkDescription(structuredClone(good)), good)
  t.throws(() => checkDescription({ ...good, version: '1.4' }), { message: /release\.version/ })
  t.throws(() => checkDescription({ ...good, product: 'other' }), { message: /release\.product/ })
  t.throws(() => checkDescription({ ...good, objects: [] }), { message: /release\.objects/ })
  t.throws(() => checkDescription({ ...good, secret: 1 }), { message: /secret/ })
  const beyond = { ...good, floor: '9.0.0' }
  t.throws(() => checkDescription(beyond), { message: /release\.floor: is above the version/ })
  t.same(checkDescription({ ...good, floor: good.version }).floor, good.version)
  t.equal(descriptionTarget('arm64', '1.4.2'), 'releases/arm64/1.4.2.json')
})

t.test('an order names what the boxes of a tour shall run', async t => {
  const order = {
    format: 1,
    tour: 'tour-7',
    releases: { arm64: '1.4.2' },
    activation: 'venue',
    notes: '',
  }
  t.same(checkOrder(order), order)
  t.throws(() => checkOrder({ ...order, releases: { mips: '1.0.0' } }), { message: /mips/ })
})

t.test('versions are ordered as semver.org says', async t => {
  const rising = [
    '0.9.9',
    '1.0.0-alpha',
    '1.0.0-alpha.1',
    '1.0.0-alpha.beta',
    '1.0.0-beta',
    '1.0.0-beta.2',
    '1.0.0-beta.11',
    '1.0.0-rc.1',
    '1.0.0',
    '1.0.1',
    '1.9.0',
    '1.10.0',
    '2.0.0',
  ]
  for (const [index, one] of rising.entries())
    for (const [at, other] of rising.entries())
      t.equal(Math.sign(compareVersions(one, other)), Math.sign(index - at), `${one} ${other}`)
})
