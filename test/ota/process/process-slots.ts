/** `ProcessSlots` over slots in a real folder, with a fetcher and a child that do what a test says. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { LinuxKeys } from '../../../drivers/linux/keys.js'
import { LinuxPieceStore } from '../../../drivers/linux/piece-store.js'
import { LinuxSlotDisk } from '../../../drivers/linux/slot-disk.js'
import { linuxSpace } from '../../../drivers/linux/space.js'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { SimulatedLog } from '../../../drivers/simulated/log.js'
import { SimulatedPrograms } from '../../../drivers/simulated/programs.js'
import { Shelf } from '../../../ota/fetch/shelf.js'
import { readOrder } from '../../../ota/patch/apply-words.js'
import { ProcessSlots } from '../../../ota/process/slots.js'
import { checkDescription, type ReleaseDescription } from '../../../ota/release/description.js'
import { chooseSlot } from '../../../ota/slots/choice.js'
import { SlotAgent } from '../../../ota/slots/slot-agent.js'
import { StateStore } from '../../../ota/slots/state-store.js'
import { BoxError } from '../../../runtime/core/errors.js'
import { type SmallRelease, smallRelease, writeRelease } from '../slots/small-release.js'

export const made = (version: string): SmallRelease =>
  smallRelease({ version, floor: null, behaviour: 'good', launcher: null })

const OBJECT_BYTES = 20_000

export function descriptionOf({ release, files }: SmallRelease): ReleaseDescription {
  const contents = files.filter(({ path }) => path !== 'manifest')
  const manifest = files.find(({ path }) => path === 'manifest')
  const { digest, version, floor } = release
  return checkDescription({
    format: 1,
    product: 'roadcase',
    version,
    architecture: 'x64',
    boards: null,
    manifest: { sha256: digest, byteCount: manifest?.bytes.length ?? 0 },
    treeByteCount: contents.reduce((sum, { bytes }) => sum + bytes.length, 0),
    treeFileCount: contents.length,
    floor,
    minimumUpdater: null,
    notes: '',
    objects: [
      {
        kind: 'full',
        from: null,
        target: `objects/${digest}.full`,
        byteCount: OBJECT_BYTES,
        sha256: digest,
        pieceByteCount: 262_144,
        pieces: 'A'.repeat(44),
      },
    ],
  })
}

/** 1.1.0 runs in slot b; 1.0.0 is in slot a, to go back to. */
export async function twoFullSlots(t: Test) {
  const home = t.testdir({})
  const objectsFolder = join(home, 'ota/objects')
  const [one, two] = [made('1.0.0'), made('1.1.0')]
  const log = new SimulatedLog()
  const keys = new LinuxKeys()
  const world = {
    /** How a fetch fails; null: it brings the object. */
    fetchFault: null as BoxError | null,
    /** Before the child begins. */
    beforeApply: () => {},
    isFull: false,
    /** The child says that this object cannot be applied. */
    isUnapplied: false,
    freeBytes: null as number | null,
    next: made('1.2.0'),
    told: [] as string[],
    /** Before an object comes, or does not. */
    fetched: (_: { readonly byteCount: number }) => {},
    /** What the child was to apply. */
    applied: [] as { readonly base: string | null }[],
    /** What a system holds on the same shelf. */
    systemObjects: [] as readonly string[],
  }
  const onDisk = new Shelf(new LinuxPieceStore(objectsFolder), keys)
  const programs = new SimulatedPrograms((_, tell) => ({
    hear: message => {
      const order = readOrder(message)
      if (order === null) return
      world.told.push('apply')
      world.applied.push(order)
      writeRelease(order.target, world.next)
      world.beforeApply()
      if (world.isFull)
        tell.heard({ kind: 'failed', code: 'storage.full', message: 'x: ENOSPC: no space left' })
      else if (world.isUnapplied)
        tell.heard({ kind: 'failed', code: 'release.unapplied', message: 'no memory' })
      else tell.heard({ kind: 'applied' })
    },
  }))
  const disk = new LinuxSlotDisk(home, null)
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const ports = { disk, keys, log, programs, clock }
  writeRelease(disk.pathOf('slots/a'), one)
  await chooseSlot({ ...ports, store: new StateStore(ports) }, null)
  const first = new SlotAgent(ports, { slot: 'a', isPassedOver: false, isPreviousLauncher: false })
  const install = { install: async () => writeRelease(disk.pathOf('slots/b'), two) }
  const unhurried = { progress: () => {}, isCancelled: () => false }
  await first.install(two.release, install, unhurried)
  await first.activate()
  await new SlotAgent(ports, {
    slot: 'b',
    isPassedOver: false,
    isPreviousLauncher: false,
  }).markGood()
  const second = new SlotAgent(ports, { slot: 'b', isPassedOver: false, isPreviousLauncher: false })
  const slots = new ProcessSlots(
    {
      agent: second,
      log,
      space: {
        ...linuxSpace,
        free: async folder => world.freeBytes ?? linuxSpace.free(folder),
      },
      shelf: {
        keepOnly: async sha256s => void world.told.push(`keep ${sha256s.length}`),
        heldByteCounts: wanted => onDisk.heldByteCounts([...wanted, ...world.systemObjects]),
      },
      fetcher: {
        fetch: async ({ sha256, byteCount }) => {
          world.told.push('fetch')
          world.fetched({ byteCount })
          if (world.fetchFault !== null) throw world.fetchFault
          mkdirSync(objectsFolder, { recursive: true })
          writeFileSync(join(objectsFolder, sha256), new Uint8Array(byteCount).fill(1))
          return { byteCount, sha256, read: async () => 0 }
        },
      },
      apply: {
        programs,
        clock: new SimulatedClock({ showStartMs: 0, driftPpm: 0 }),
        script: 'apply.js',
        folder: home,
      },
    },
    { home, objectsFolder },
  )
  const prepare = () => slots.prepare(descriptionOf(world.next), () => {}, unhurried.isCancelled)
  return { home, log, slots, agent: second, world, prepare, programs }
}

export const unavailable = (): BoxError => new BoxError('fetch.unavailable', 'nobody has it')
