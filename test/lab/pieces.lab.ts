/**
 * Pieces that come, and a release that is written from them, on a real block device with ext4, the machine reset without
 * a sync in the middle of both. Runs once for each boot: LAB_BOOT says which it is. What was acknowledged is noted outside of
 * the machine, and so is what a boot finds wrong; the last boot tells.
 */
import { execFileSync } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { LinuxBrotli } from '../../drivers/linux/brotli.js'
import { LinuxDigests } from '../../drivers/linux/digests.js'
import { LinuxKeys } from '../../drivers/linux/keys.js'
import { LinuxPieceStore } from '../../drivers/linux/piece-store.js'
import {
  LinuxReleaseTree,
  LinuxReleaseTreeWriter,
  openBytes,
} from '../../drivers/linux/release-tree.js'
import { Shelf } from '../../ota/fetch/shelf.js'
import { applyObject } from '../../ota/patch/apply.js'
import { buildObjects } from '../../ota/patch/build.js'
import { PIECE_BYTES } from '../../ota/release/description.js'
import { parseManifest } from '../../ota/release/manifest.js'
import type { PieceStore } from '../../runtime/ports/piece-store.js'
import { objectOf, randomObject } from '../ota/fetch/objects.js'
import { type SmallRelease, smallRelease, writeRelease } from '../ota/slots/small-release.js'
import { labSays } from './far-side.js'

const DISK = '/dev/ubda'
const HOME = '/mnt/box'
const OBJECTS = join(HOME, 'ota/objects')
const TARGET = join(HOME, 'slots/b')
/** Of the host: what is here, no reset of the machine takes away. */
const TOLD = '/run/lab/told'
const boot = Number(labSays('LAB_BOOT'))
/** Of the calls of a boot to its disk, the one at which it is reset. */
const PIECE_CALLS = [9]
const APPLY_CALLS = [18, 1_000]
const test = randomObject(21 * PIECE_BYTES + 5, 3)
const ports = { brotli: new LinuxBrotli(), digests: new LinuxDigests() }
const keys = new LinuxKeys()

const tell = (line: string): void => appendFileSync(TOLD, `${line}\n`)
const told = (kind: string): string[] =>
  (existsSync(TOLD) ? readFileSync(TOLD, 'utf8').split('\n') : [])
    .filter(line => line.startsWith(`${kind} `))
    .map(line => line.slice(kind.length + 1))

mkdirSync(HOME, { recursive: true })
if (boot === 1) execFileSync('mke2fs', ['-q', '-F', '-t', 'ext4', DISK])
execFileSync('mount', ['-t', 'ext4', DISK, HOME])

const applyBoot = boot - PIECE_CALLS.length - 2
if (boot > 1) await judgePieces()
if (applyBoot >= 0) await judgeRelease()
if (applyBoot < 0) await fetchPieces(PIECE_CALLS[boot - 1] ?? Number.POSITIVE_INFINITY)
else if (applyBoot < APPLY_CALLS.length) await writeIt(APPLY_CALLS[applyBoot] ?? 0)
else await report()

/** No sync, no goodbye: what the kernel holds in memory is gone. */
function reset(): never {
  execFileSync('busybox', ['reboot', '-f', '-n'])
  throw new Error('the machine goes on')
}

/** Calls the given ones of an object, and resets the machine at the n-th of them. */
function counting<T extends object>(of: T, names: readonly string[], count: { left: number }): T {
  return new Proxy(of, {
    get: (target, name) => {
      const found: unknown = Reflect.get(target, name)
      if (typeof found !== 'function') return found
      return (...words: unknown[]): unknown => {
        if (names.includes(String(name)) && count.left-- === 0) reset()
        return Reflect.apply(found, target, words)
      }
    },
  })
}

async function fetchPieces(calls: number): Promise<never> {
  const count = { left: calls }
  const store = new LinuxPieceStore(OBJECTS)
  const written: number[] = []
  const counted: PieceStore = counting(store, [], count)
  const noting: PieceStore = {
    list: () => counted.list(),
    freeByteCount: () => counted.freeByteCount(),
    remove: sha256 => counted.remove(sha256),
    open: async sha256 => {
      const file = counting(await store.open(sha256), ['write', 'sync'], count)
      return {
        read: (at, byteCount) => file.read(at, byteCount),
        write: async (at, bytes) => {
          await file.write(at, bytes)
          written.push(at / PIECE_BYTES)
          tell(`written ${at / PIECE_BYTES}`)
        },
        sync: async () => {
          await file.sync()
          for (const index of written.splice(0)) tell(`safe ${index}`)
        },
        sha256Hex: byteCount => file.sha256Hex(byteCount),
        close: () => file.close(),
      }
    },
  }
  const shelved = await new Shelf(noting, keys).open(test.object)
  for (let step = 0; step < shelved.list.count; step++) {
    // Not in order, as pieces of several sources come.
    const index = (step * 5) % shelved.list.count
    const from = index * PIECE_BYTES
    if (!shelved.have.has(index))
      await shelved.put(index, test.bytes.slice(from, from + PIECE_BYTES))
  }
  await shelved.finish()
  for (let index = 0; index < shelved.list.count; index++) tell(`safe ${index}`)
  return reset()
}

async function judgePieces(): Promise<void> {
  const shelf = new Shelf(new LinuxPieceStore(OBJECTS), keys)
  const { have, list } = await shelf.open(test.object)
  const file = await openBytes(join(OBJECTS, test.object.sha256))
  for (let index = 0; index < list.count; index++) {
    const from = index * PIECE_BYTES
    const bytes = new Uint8Array(list.byteCountOf(index))
    await file.read(from, bytes)
    const isRight = Buffer.compare(bytes, test.bytes.slice(from, from + bytes.length)) === 0
    const isSafe = told('safe').includes(`${index}`)
    if (have.has(index) && !isRight) tell(`bad boot ${boot}: piece ${index} is believed`)
    if (isSafe && !have.has(index)) tell(`bad boot ${boot}: piece ${index} was safe, and is gone`)
    if (!isRight && told('written').includes(`${index}`)) tell(`lost piece ${index}`)
  }
  await file.close()
  await shelf.closeAll()
  tell(`judged pieces ${boot}`)
}

function next(): SmallRelease {
  const launcher = Uint8Array.from({ length: 300_000 }, (_, at) => at % 251)
  return smallRelease({ version: '2.0.0', floor: null, behaviour: 'good', launcher })
}

async function writeIt(calls: number): Promise<never> {
  const tree = '/tmp/next'
  writeRelease(tree, next())
  const job = { next: new LinuxReleaseTree(tree), bases: [], kinds: ['full'], quality: 1 } as const
  const [built] = await buildObjects(ports, job)
  if (built === undefined) throw new Error('an object')
  const { object, bytes } = objectOf(built.bytes)
  const shelf = new Shelf(new LinuxPieceStore(OBJECTS), keys)
  const shelved = await shelf.open(object)
  for (let index = 0; index < shelved.list.count; index++)
    await shelved.put(index, bytes.slice(index * PIECE_BYTES, (index + 1) * PIECE_BYTES))
  await shelved.finish()
  const count = { left: calls }
  const writer = new LinuxReleaseTreeWriter(TARGET)
  const { release, files } = next()
  const manifest = files.find(({ path }) => path === 'manifest')?.bytes ?? new Uint8Array()
  const entries = parseManifest(manifest)
  await applyObject(ports, {
    expected: {
      ...{ kind: 'full', from: null, digest: release.digest, manifestByteCount: manifest.length },
      treeByteCount: entries.reduce((sum, { byteCount }) => sum + byteCount, 0),
      treeFileCount: entries.length,
    },
    object: await openBytes(join(OBJECTS, object.sha256)),
    base: null,
    target: {
      open: path => writer.open(path),
      clear: () => writer.clear(),
      create: async (path, mode) =>
        counting(await writer.create(path, mode), ['write', 'close'], count),
      settle: () => writer.settle(),
      finish: list => writer.finish(list),
    },
    onProgress: () => {},
    isCancelled: () => false,
  })
  tell(`applied ${release.digest}`)
  return reset()
}

async function judgeRelease(): Promise<void> {
  const tree = new LinuxReleaseTree(TARGET)
  const manifest = await tree.open('manifest')
  tell(`judged release ${boot}`)
  if (manifest === null) {
    if (told('applied').length > 0) tell(`bad boot ${boot}: the release was there, and is gone`)
    tell(`met ${existsSync(TARGET) ? 'a part' : 'nothing'}`)
    return
  }
  const bytes = new Uint8Array(manifest.byteCount)
  await manifest.read(0, bytes)
  await manifest.close()
  if (keys.sha256Hex(bytes) !== next().release.digest) tell(`bad boot ${boot}: another manifest`)
  for (const { path, sha256, byteCount } of parseManifest(bytes)) {
    const file = await tree.open(path)
    const content = new Uint8Array(byteCount)
    await file?.read(0, content)
    await file?.close()
    if (keys.sha256Hex(content) !== sha256) tell(`bad boot ${boot}: ${path} is not whole`)
  }
  tell('met a release')
}

async function report(): Promise<void> {
  // Only here: the boots before have nothing to tell, and loading it takes longer than most that they do.
  const { default: t } = await import('tap')
  await t.test(
    'after every reset what was acknowledged is there, and nothing torn is believed',
    async t => {
      t.same(told('bad'), [])
      t.equal(told('judged').length, boot - 1 + APPLY_CALLS.length + 1)
      t.comment(
        `${boot - 1} resets, ${told('lost').length} pieces lost, met ${told('met').join(', ')}`,
      )
      t.ok(told('lost').length > 0, 'a reset took pieces that were written and not synced')
      t.ok(told('met').includes('a part'), 'a reset met a release that is half written')
      t.ok(told('met').includes('a release'), 'one that was acknowledged is there')
    },
  )
}
