/**
 * Goal: what a build puts beside its tree is what the publisher takes and a box can use, the same bytes each time. Method:
 * two small releases on disk; objects in processes of their own, published, and applied from what was published.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { LinuxPublicFolder } from '../../drivers/linux/public-folder.js'
import { SimulatedReleaseTree } from '../../drivers/simulated/release-tree.js'
import { applyObject } from '../../ota/patch/apply.js'
import { publishRelease } from '../../ota/publish/releases.js'
import { checkDescription, PIECE_BYTES } from '../../ota/release/description.js'
import { describeObject, type TransferObject, worthSending } from '../../ota/release/objects.js'
import { checkWish, makeObjects, type ObjectsWish } from '../../ota/release-objects.js'
import {
  type Content,
  expectedOf,
  FOREVER,
  pairOf,
  ports,
  releaseOf,
  sha256,
  sourceOf,
  type TestRelease,
} from './patch/trees.js'
import { Ceremony, keys, madeRepository } from './publish/publish-world.js'

const NEXT = { version: '1.5.0', architecture: 'x64' } as const
const wish: ObjectsWish = {
  ...{ bases: [], quality: 5, floor: '1.4.0', minimumUpdater: null, boards: null },
  notes: 'two\nlines',
}

function put(path: string, bytes: Uint8Array | string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, bytes)
}

const withFacts = (content: Content, facts: object): Content =>
  new Map([
    ...content,
    ['release.json', { bytes: Buffer.from(JSON.stringify(facts)), mode: '644' }],
  ])

/** A release on disk, as `release build` writes it. */
function written(folder: string, content: Content): TestRelease {
  const release = releaseOf(content)
  for (const [path, { bytes }] of release.disk.files) put(join(folder, 'tree', path), bytes)
  return release
}

function pairIn(t: Test): { folder: string; old: TestRelease; next: TestRelease } {
  const folder = t.testdir()
  const pair = pairOf(3)
  const old = written(join(folder, 'old'), withFacts(pair.old, { ...NEXT, version: '1.4.0' }))
  const next = written(join(folder, 'next'), withFacts(pair.next, { ...NEXT, product: 'roadcase' }))
  return { folder, old, next }
}

t.test('the publisher takes what a build made, and a box makes the release of it', async t => {
  const { folder, old, next } = pairIn(t)
  const into = join(folder, 'next')
  // The same base three times, and the release itself, are one base.
  const named = [join(folder, 'old'), join(folder, 'old/tree'), join(folder, 'old'), into]
  const bases = await checkWish(NEXT, { ...wish, bases: named })
  const said: string[] = []
  const objects = await makeObjects(into, NEXT, { bases, wish }, word => said.push(word))
  t.same(
    objects.map(({ kind, from }) => [kind, from]),
    [
      ['full', null],
      ['pack', old.digest],
      ['patch', old.digest],
    ],
  )
  t.match(said.join(), /packing all of it.*since 1\.4\.0/)
  t.same(
    readdirSync(into).sort(),
    ['description.json', 'objects', 'tree'],
    'nothing else is left there',
  )
  const text = readFileSync(join(into, 'description.json'), 'utf8')
  t.match(text, /^\{"architecture":"x64","boards":null,"floor":"1\.4\.0","format":1,/)
  t.match(checkDescription(JSON.parse(text)), {
    ...{
      notes: 'two\nlines',
      manifest: { sha256: next.digest, byteCount: next.manifestByteCount },
    },
    ...{ treeByteCount: next.treeByteCount, treeFileCount: next.treeFileCount },
  })

  const elsewhere = join(folder, 'a/longer/way')
  written(elsewhere, withFacts(pairOf(3).next, { ...NEXT, product: 'roadcase' }))
  await makeObjects(elsewhere, NEXT, { bases, wish }, () => {})
  t.equal(readFileSync(join(elsewhere, 'description.json'), 'utf8'), text, 'the same bytes again')

  const publisher = await madeRepository(new Ceremony())
  const { description } = await publishRelease(publisher, new LinuxPublicFolder(into), keys)
  for (const object of description.objects) {
    const name = `targets/objects/${object.sha256}.${object.sha256}.${object.kind}`
    const bytes = await publisher.folder.read(name, object.byteCount)
    const target = new SimulatedReleaseTree()
    await applyObject(ports, {
      expected: expectedOf(object, next),
      object: sourceOf(bytes ?? new Uint8Array()),
      base: object.from === null ? null : old.disk.boot(FOREVER),
      target: target.boot(FOREVER),
      onProgress: () => {},
      isCancelled: () => false,
    })
    t.equal(sha256(target.files.get('manifest')?.bytes ?? new Uint8Array()), next.digest)
  }
})

t.test('mistakes are found before minutes of work', async t => {
  const { folder } = pairIn(t)
  const foreign = join(folder, 'foreign')
  written(foreign, withFacts(pairOf(3).old, { version: '1.4.0', architecture: 'arm64' }))
  for (const [wrong, code, message] of [
    [{ floor: '1.5.1' }, 'config.invalid', /release\.floor: is above the version/],
    [{ floor: 'x' }, 'config.invalid', /floor/],
    [{ minimumUpdater: '1.0' }, 'config.invalid', /minimumUpdater/],
    [{ boards: ['No Board'] }, 'config.invalid', /boards/],
    [{ bases: [join(folder, 'none')] }, 'release.unbuilt', /no release in/],
    [{ bases: [foreign] }, 'release.unbuilt', /release for arm64/],
  ] as const)
    await t.rejects(checkWish(NEXT, { ...wish, ...wrong }), { code, message })
})

t.test('a base that is not what its manifest says gives no description', async t => {
  const { folder } = pairIn(t)
  const bases = await checkWish(NEXT, { ...wish, bases: [join(folder, 'old')] })
  put(join(folder, 'old/tree/gone.md'), 'other bytes')
  await t.rejects(
    makeObjects(join(folder, 'next'), NEXT, { bases, wish }, () => {}),
    {
      code: 'storage.rotten',
      message: /gone\.md/,
    },
  )
  t.notOk(existsSync(join(folder, 'next/description.json')))
})

t.test('each piece is proven by itself, the last one too', async t => {
  const bytes = Buffer.alloc(2 * PIECE_BYTES + 1000, 'some bytes')
  const described = describeObject(ports.digests, { kind: 'patch', from: 'a', bytes })
  const parts = [0, 1, 2].map(index =>
    bytes.subarray(index * PIECE_BYTES, (index + 1) * PIECE_BYTES),
  )
  const pieces = Buffer.from(parts.map(sha256).join(''), 'hex').toString('base64')
  t.match(described, { byteCount: bytes.length, sha256: sha256(bytes), pieces })
  t.equal(described.target, `objects/${sha256(bytes)}.patch`)
})

t.test('what is not smaller than all of it is not sent', async t => {
  const object = (kind: TransferObject['kind'], byteCount: number): TransferObject => ({
    ...{ kind, byteCount, from: kind === 'full' ? null : 'a', target: kind },
    ...{ sha256: '', pieces: '', pieceByteCount: 262_144 },
  })
  const sizes = worthSending([object('patch', 10), object('pack', 100), object('full', 100)])
  t.same(
    sizes.map(({ kind }) => kind),
    ['full', 'patch'],
  )
})

t.test('a machine without the memory for it is told so', async t => {
  const { folder } = pairIn(t)
  const before = process.env['NODE_OPTIONS']
  process.env['NODE_OPTIONS'] = '--max-old-space-size=4'
  const made = makeObjects(join(folder, 'next'), NEXT, { bases: [], wish }, () => {})
  await t.rejects(made, { code: 'release.unbuilt', message: /takes 2\.5 GB of memory/ })
  if (before === undefined) delete process.env['NODE_OPTIONS']
  else process.env['NODE_OPTIONS'] = before
})
