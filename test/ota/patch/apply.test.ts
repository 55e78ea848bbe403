import { brotliDecompressSync } from 'node:zlib'
import t from 'tap'
import { SimulatedReleaseTree } from '../../../drivers/simulated/release-tree.js'
import { applyObject, type ExpectedRelease } from '../../../ota/patch/apply.js'
import { type BuiltObject, buildObjects } from '../../../ota/patch/build.js'
import { formatFrameHead, formatHead, Stream } from '../../../ota/patch/frames.js'
import { VarintWriter } from '../../../ota/patch/varints.js'
import { BoxError } from '../../../runtime/core/errors.js'
import { randomFrom } from '../../../runtime/core/random.js'
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
} from './trees.js'

const SEEDS = Number(process.env['SEEDS'] ?? 4)
const MUTATIONS = Number(process.env['MUTATIONS'] ?? 150)
const idle = { onProgress: (): void => {}, isCancelled: (): boolean => false }

interface Pair {
  readonly old: TestRelease
  readonly next: TestRelease
  readonly content: Content
  readonly objects: readonly BuiltObject[]
}

async function makePair(seed: number): Promise<Pair> {
  const { old: before, next: content } = pairOf(seed)
  const [old, next] = [releaseOf(before), releaseOf(content)]
  const objects = await buildObjects(ports, {
    next: next.disk.boot(FOREVER),
    bases: [old.disk.boot(FOREVER)],
    kinds: ['full', 'pack', 'patch'],
    quality: 5,
  })
  return { old, next, content, objects }
}

const apply = (
  { old, next }: Pick<Pair, 'old' | 'next'>,
  object: BuiltObject,
  target: SimulatedReleaseTree,
  expected: ExpectedRelease = expectedOf(object, next),
): Promise<'applied' | 'cancelled'> =>
  applyObject(ports, {
    expected,
    object: sourceOf(object.bytes),
    base: object.kind === 'full' ? null : old.disk.boot(FOREVER),
    target: target.boot(FOREVER),
    ...idle,
  })

/** What is wrong with a finished tree. */
function problemOf(disk: SimulatedReleaseTree, { content, next }: Pair): string | null {
  const manifest = disk.files.get('manifest')
  if (manifest === undefined) return 'no manifest'
  if (sha256(manifest.bytes) !== next.digest) return 'another manifest'
  if (disk.files.size !== content.size + 1) return `${disk.files.size} files`
  for (const [path, { bytes, mode }] of content) {
    const file = disk.files.get(path)
    if (file === undefined || Buffer.compare(file.bytes, bytes) !== 0) return `${path} is wrong`
    if (file.mode !== mode) return `${path} has the mode ${file.mode}`
  }
  return null
}

t.test('each kind of object makes the release, byte for byte, over whatever was left', async t => {
  let patches = 0
  for (let seed = 1; seed <= SEEDS; seed++) {
    const pair = await makePair(seed)
    for (const object of pair.objects) {
      const target = new SimulatedReleaseTree()
      target.put('manifest', Uint8Array.of(1))
      target.put('lib/0', Uint8Array.of(2))
      t.equal(await apply(pair, object, target), 'applied')
      t.equal(problemOf(target, pair), null, `SEED=${seed} ${object.kind}`)
      if (object.kind === 'patch') patches++
    }
    const sizes = pair.objects.map(({ bytes }) => bytes.length)
    t.same(
      sizes,
      [...sizes].sort((a, b) => b - a),
    )
  }
  t.equal(patches, SEEDS)
})

t.test('the same trees give the same object', async t => {
  const [one, other] = [await makePair(3), await makePair(3)]
  for (const [index, { bytes }] of one.objects.entries())
    t.equal(sha256(bytes), sha256(other.objects[index]?.bytes ?? new Uint8Array()))
})

t.test('a rotted, short or missing file of the base is found and named', async t => {
  const pair = await makePair(2)
  const patch = pair.objects.find(({ kind }) => kind === 'patch')
  if (patch === undefined) throw new Error('no patch')
  let found = 0
  for (const [path, { bytes }] of pairOf(2).old) {
    if (bytes.length === 0) continue
    const rotted = bytes.slice()
    rotted[rotted.length >> 1] = (rotted[rotted.length >> 1] ?? 0) ^ 1
    for (const damaged of [rotted, bytes.subarray(1)]) {
      pair.old.disk.put(path, damaged)
      const target = new SimulatedReleaseTree()
      const outcome = await apply(pair, patch, target).catch((error: unknown) => error)
      if (outcome instanceof BoxError) {
        found++
        t.equal(outcome.code, 'storage.rotten')
        t.match(outcome.message, path)
        t.notOk(target.files.has('manifest'))
      } else t.equal(problemOf(target, pair), null, `${path} was not needed`)
    }
    pair.old.disk.put(path, bytes)
  }
  t.ok(found > 20, `${found} found`)
  await t.rejects(
    apply(pair, patch, new SimulatedReleaseTree(), {
      ...expectedOf(patch, pair.next),
      from: '0'.repeat(64),
    }),
    { code: 'storage.rotten', message: /manifest/ },
  )
})

t.test('power may fail at every call: then there is no manifest, or the whole release', async t => {
  const pair = await makePair(5)
  let [cuts, torn, whole] = [0, 0, 0]
  for (const object of pair.objects) {
    const disk = new SimulatedReleaseTree(randomFrom(7))
    for (let calls = 0; ; calls++) {
      const applied = applyObject(ports, {
        expected: expectedOf(object, pair.next),
        object: sourceOf(object.bytes),
        base: pair.old.disk.boot(FOREVER),
        target: disk.boot({ callsUntilPowerCut: calls }),
        ...idle,
      })
      const isCut = new Promise<null>(resolve => {
        disk.onCut = () => resolve(null)
      })
      if ((await Promise.race([applied, isCut])) !== null) break
      cuts++
      if (!disk.files.has('manifest')) continue
      whole++
      t.equal(problemOf(disk, pair), null, `cut after ${calls} calls`)
    }
    torn += disk.tornFiles
    disk.cutPower()
    t.equal(problemOf(disk, pair), null, 'what was applied survives a cut')
  }
  t.ok(cuts > 200, `${cuts} cuts`)
  t.ok(torn > cuts, `${torn} torn files`)
  t.comment(`${cuts} cuts, ${torn} torn files, ${whole} met the whole release`)
})

t.test('a cancelled apply leaves no manifest, and can be done again', async t => {
  const pair = await makePair(4)
  for (const object of pair.objects) {
    for (const stopAt of [0.01, 0.5, 0.99]) {
      const target = new SimulatedReleaseTree()
      let share = 0
      const outcome = await applyObject(ports, {
        expected: expectedOf(object, pair.next),
        object: sourceOf(object.bytes),
        base: pair.old.disk.boot(FOREVER),
        target: target.boot(FOREVER),
        onProgress: (done, total) => {
          t.ok(done / total >= share && done <= total)
          share = done / total
        },
        isCancelled: () => share >= stopAt,
      })
      t.equal(outcome, 'cancelled')
      t.notOk(target.files.has('manifest'))
      t.equal(await apply(pair, object, target), 'applied')
      t.equal(problemOf(target, pair), null)
    }
  }
})

t.test('a hostile object is refused, and never makes more than was signed', async t => {
  const pair = await makePair(6)
  const random = randomFrom(11)
  let [refused, harmless] = [0, 0]
  for (let count = 0; count < MUTATIONS; count++) {
    const object = pair.objects[count % pair.objects.length]
    if (object === undefined) continue
    const target = new SimulatedReleaseTree()
    const outcome = await apply(
      pair,
      { ...object, bytes: mutated(object.bytes, random) },
      target,
    ).catch((error: unknown) => error)
    const byteCount = [...target.files.values()].reduce((sum, { bytes }) => sum + bytes.length, 0)
    t.ok(byteCount <= pair.next.treeByteCount + pair.next.manifestByteCount, 'no more than signed')
    if (outcome === 'applied') {
      harmless++
      t.equal(problemOf(target, pair), null)
      continue
    }
    refused++
    if (!(outcome instanceof BoxError) || outcome.code !== 'release.invalid')
      t.fail(`mutation ${count}: ${outcome}`)
    t.notOk(target.files.has('manifest'))
  }
  t.ok(refused > MUTATIONS * 0.9, `${refused} refused, ${harmless} changed nothing`)
})

function mutated(bytes: Uint8Array, random: () => number): Uint8Array {
  const at = Math.floor(random() ** 2 * bytes.length)
  if (random() < 0.2) return bytes.slice(0, at)
  if (random() < 0.1) return Uint8Array.from([...bytes, 1])
  const result = bytes.slice()
  for (let count = random() * 3; count >= 0; count--)
    result[Math.min(at + Math.floor(count * 5), bytes.length - 1)] = random() * 256
  return result
}

const numbers = (...values: number[]): Uint8Array => {
  const writer = new VarintWriter()
  for (const value of values) writer.put(value)
  return writer.bytes()
}

/** An object for a release of one file `a` of 100 bytes, with streams of the test's own. */
async function objectOf(streams: {
  plan: Uint8Array
  control?: Uint8Array
  diff?: Uint8Array
  extra?: Uint8Array
  windowBits?: number
}): Promise<Uint8Array> {
  const parts = [formatHead('patch', streams.plan.length)]
  for (const name of ['plan', 'control', 'diff', 'extra'] as const) {
    const content = streams[name]
    if (content === undefined) continue
    const packed = await ports.brotli.compress(content, {
      windowBits: name === 'extra' ? (streams.windowBits ?? 22) : 18,
      quality: 5,
    })
    for (let at = 0; at < packed.length; at += 16_384) {
      const frame = packed.subarray(at, at + 16_384)
      parts.push(formatFrameHead(Stream[name], frame.length), frame)
    }
  }
  return Buffer.concat(parts)
}

t.test('what a plan or a step may not say is refused before it does harm', async t => {
  const bytes = new Uint8Array(100).fill(7)
  const old = releaseOf(new Map([['a', { bytes: new Uint8Array(50), mode: '644' }]]))
  const next = releaseOf(new Map([['a', { bytes, mode: '644' }]]))
  const plan = numbers(1, 1 * 4 + 2, 0, 100)
  const good = { plan, control: numbers(1, 0, 100, 0), extra: bytes }
  const attempt = async (
    streams: Parameters<typeof objectOf>[0],
    target = new SimulatedReleaseTree(),
  ): Promise<unknown> => {
    const object = { kind: 'patch' as const, from: old.digest, bytes: await objectOf(streams) }
    return apply({ old, next }, object, target)
  }
  t.equal(await attempt(good), 'applied')
  const extraByte = Uint8Array.from([...bytes, 7])
  const added = (path: string): Uint8Array =>
    Buffer.concat([numbers(2, 5, 7, 0, 200, 0, path.length), Buffer.from(path)])
  /** Refused before anything of the target is touched. */
  const badPlans: Record<string, readonly [RegExp, Uint8Array]> = {
    'has a larger file': [/would make 101 bytes, 100 are allowed/, numbers(1, 6, 0, 102)],
    'has one more file': [
      /2 files instead of 1/,
      Buffer.concat([numbers(2, 6, 7, 0, 0, 100, 0, 0, 1), Buffer.from('b')]),
    ],
    'has another path': [/another list of files/, added('aa')],
    'adds a file outside': [/\.\.\/x/, added('../x')],
    'says the same path over and over again': [
      /more paths than any manifest/,
      Buffer.concat([
        numbers(2, 6, 4 * 50_000 + 3, ...new Array<number>(50_001).fill(0)),
        numbers(...new Array<number>(50_001).fill(0), 0, 4_000),
        numbers(
          ...new Array<number>(49_999 * 2).fill(0).map((_, at) => (at % 2 === 0 ? 4_000 : 0)),
        ),
        Buffer.alloc(4_000, 'x'),
      ]),
    ],
    'forgets files of the base': [/forgets files/, numbers(0)],
    'copies a file that the base has not': [/base has not/, numbers(1, 6, 8)],
  }
  for (const [name, [message, wrong]] of Object.entries(badPlans)) {
    const target = new SimulatedReleaseTree()
    target.put('manifest', Uint8Array.of(1))
    const refused = attempt({ ...good, plan: wrong }, target)
    await t.rejects(refused, { code: 'release.invalid', message }, name)
    t.same([...target.files.keys()], ['manifest'], `${name}: nothing was touched`)
  }
  const bad: Record<string, readonly [RegExp, Parameters<typeof objectOf>[0]]> = {
    'seeks before the old bytes': [
      /outside of what there is/,
      {
        plan,
        control: numbers(1, 10, 90, 1),
        diff: bytes.subarray(0, 10),
        extra: bytes.subarray(0, 90),
      },
    ],
    'reads behind the old bytes': [
      /outside of what there is/,
      {
        plan,
        control: numbers(1, 60, 40, 0),
        diff: bytes.subarray(0, 60),
        extra: bytes.subarray(0, 40),
      },
    ],
    'reads its own file': [
      /outside of what there is/,
      {
        plan,
        control: numbers(2, 0, 10, 50, 40, 100 - 0, 0),
        diff: bytes.subarray(0, 10),
        extra: bytes.subarray(0, 90),
      },
    ],
    'makes more than there is room for': [
      /more than there is room for/,
      { plan, control: numbers(1, 0, 101, 0), extra: extraByte },
    ],
    'has a stream that goes on': [
      /goes on behind its end/,
      { plan, control: numbers(1, 0, 100, 0), extra: extraByte },
    ],
    'has a stream that ends too early': [
      /ends too early/,
      { plan, control: numbers(1, 0, 100, 0), extra: bytes.subarray(1) },
    ],
    'has empty steps': [
      /empty step/,
      { plan, control: numbers(2, 0, 0, 0, 100, 0, 0), extra: bytes },
    ],
    'has steps left over': [
      /more than there is room for/,
      { plan, control: numbers(2, 0, 0, 100, 1, 0, 0), extra: bytes },
    ],
    'wants a window of 16 MiB': [
      /wants too much memory/,
      { ...good, windowBits: 24, extra: Buffer.alloc(8e6, randomText()) },
    ],
    'has a block of a million': [
      /block of a wrong length/,
      { plan, control: numbers(1e6), extra: bytes },
    ],
    'is a bomb': [
      /goes on behind its end/,
      { plan, control: numbers(1, 0, 100, 0), extra: new Uint8Array(3e7).fill(7) },
    ],
  }
  for (const [name, [message, streams]] of Object.entries(bad))
    await t.rejects(attempt(streams), { code: 'release.invalid', message }, name)
})

const randomText = (): string => {
  const random = randomFrom(9)
  return Array.from({ length: 4000 }, () => String.fromCharCode(32 + random() * 90)).join('')
}

t.test('frames joined stream by stream are plain brotli', async t => {
  const pair = await makePair(1)
  const full = pair.objects.find(({ kind }) => kind === 'full')
  const packed: number[] = []
  const bytes = full?.bytes ?? new Uint8Array()
  const number = (): number => {
    for (let value = 0, scale = 1; ; scale *= 128) {
      const byte = bytes[at++] ?? 0
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
  }
  let at = 5
  number()
  while (at < bytes.length) {
    const head = number()
    const end = at + Math.floor(head / 4)
    if (head % 4 === Stream.extra) packed.push(...bytes.subarray(at, end))
    at = end
  }
  const sent = new Set([...pair.content.values()].map(({ bytes: each }) => each))
  t.equal(
    brotliDecompressSync(Uint8Array.from(packed)).length,
    [...sent].reduce((sum, each) => sum + each.length, 0) + twiceSent(pair.content),
  )
})

/** Files with the same bytes are sent as often as they are there. */
const twiceSent = (content: Content): number => {
  const all = [...content.values()].map(({ bytes }) => bytes)
  return (
    all.reduce((sum, { length }) => sum + length, 0) -
    [...new Set(all)].reduce((sum, { length }) => sum + length, 0)
  )
}
