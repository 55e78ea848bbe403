/** A simulated machine with RAUC and two operating systems, for tests that cut its power at any call. */
import { createHash } from 'node:crypto'
import { sealBundle } from '../../../drivers/simulated/bundle.js'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { SimulatedKeys } from '../../../drivers/simulated/keys.js'
import { SimulatedLog } from '../../../drivers/simulated/log.js'
import { SimulatedPieceDisk } from '../../../drivers/simulated/piece-store.js'
import { type RaucOptions, type RootName, SimulatedRauc } from '../../../drivers/simulated/rauc.js'
import { SimulatedSlotDisk, type SimulatedWriter } from '../../../drivers/simulated/slot-disk.js'
import type { BundleImage } from '../../../ota/os/os-state.js'
import type { OsSource } from '../../../ota/os/os-writer.js'
import { type RaucPorts, RaucSystem } from '../../../ota/os/rauc-system.js'
import { BoxError } from '../../../runtime/core/errors.js'
import { randomFrom } from '../../../runtime/core/random.js'
import type { PieceStore } from '../../../runtime/ports/piece-store.js'
import { FOREVER } from './os-world.js'

const BYTES = { rootfs: 2_600, boot: 700 } as const
const SLOT_BYTES = { rootfs: 3_072, boot: 1_024 } as const
const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

function noiseOf(name: string, count: number): Uint8Array {
  const random = randomFrom(Number.parseInt(sha256Of(Buffer.from(name)).slice(0, 8), 16))
  return Uint8Array.from({ length: count }, () => Math.floor(random() * 256))
}

export interface SmallBundle {
  readonly image: BundleImage
  readonly source: OsSource
  readonly bytes: Readonly<Record<'rootfs' | 'boot', Uint8Array>>
}

export interface BundleOptions {
  readonly floor?: string | null
  readonly key?: string
  readonly compatible?: string
  readonly hasRoot?: boolean
}

/** Two images of noise in a bundle. */
export function smallBundle(version: string, options: BundleOptions = {}): SmallBundle {
  const { floor = null, key = 'studio', compatible = 'pi-5', hasRoot = true } = options
  const bytes = {
    rootfs: noiseOf(`${version} root`, BYTES.rootfs),
    boot: noiseOf(`${version} boot`, BYTES.boot),
  }
  // What a boot loader looks for.
  bytes.boot[0] = 0xeb
  const images = [
    ...(hasRoot ? [{ slotClass: 'rootfs', bytes: bytes.rootfs }] : []),
    { slotClass: 'boot', bytes: bytes.boot },
  ]
  const file = sealBundle({ compatible, images }, key)
  const bundle = { byteCount: file.length, sha256: sha256Of(file) }
  const image = { digest: bundle.sha256, version, floor, bundle, slots: [] }
  return { image, bytes, source: bundleSource(file) }
}

export const bundleSource = (file: Uint8Array): OsSource => ({
  async *open(part) {
    if (part !== 'bundle') throw new Error('there is a bundle only')
    for (let at = 0; at < file.length; at += 2_001) yield file.subarray(at, at + 2_001)
  },
})

export type RaucWorldOptions = Partial<
  Pick<RaucOptions, 'activates' | 'notesPending' | 'bootChooser'>
> & { readonly random?: () => number }

export interface RaucBoot {
  readonly started: RootName | null
  readonly ports: RaucPorts
  readonly agent: () => Promise<RaucSystem>
}

export class RaucWorld {
  readonly disk: SimulatedSlotDisk
  readonly pieces: SimulatedPieceDisk
  readonly box: SimulatedRauc
  readonly log = new SimulatedLog()
  isAppOnTrial = false
  readonly clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  readonly #random: () => number

  constructor(factory: SmallBundle, options: RaucWorldOptions = {}) {
    const { random = randomFrom(1), ...wishes } = options
    this.#random = random
    this.disk = new SimulatedSlotDisk(random)
    this.pieces = new SimulatedPieceDisk(random)
    this.box = new SimulatedRauc(
      {
        compatible: 'pi-5',
        activates: true,
        notesPending: true,
        bootChooser: 'counts',
        byteCount: SLOT_BYTES,
        isStarting: root => this.bytesOf(root).boot[0] === 0xeb,
        fileAt: path => this.pieces.safeBytesOf(path),
        ...wishes,
      },
      random,
    )
    this.flash('rootfs.0', factory)
    this.disk.powerCut.listen(() => {
      this.box.losePower()
      this.pieces.cutPower()
    })
  }

  /** As an engineer does it, with the card in another machine. */
  flash(root: RootName, { bytes }: Pick<SmallBundle, 'bytes'>): void {
    this.box.partitions[root].flash(bytes.rootfs)
    this.box.partitions[bootOf(root)].flash(bytes.boot)
  }

  bytesOf(root: RootName): Readonly<Record<'rootfs' | 'boot', Uint8Array>> {
    const { partitions } = this.box
    return { rootfs: partitions[root].safe, boot: partitions[bootOf(root)].safe }
  }

  /** Which of these systems lies there whole; null: none of them. */
  found<T extends SmallBundle>(root: RootName | null, known: readonly T[]): T | null {
    if (root === null) return null
    const { rootfs, boot } = this.bytesOf(root)
    const is = (one: Uint8Array, whole: Uint8Array): boolean =>
      Buffer.compare(one.subarray(0, whole.length), whole) === 0
    return known.find(({ bytes }) => is(rootfs, bytes.rootfs) && is(boot, bytes.boot)) ?? null
  }

  /** Power goes, comes back, and the boot loader starts something. */
  boot(callsUntilPowerCut: number = FOREVER): RaucBoot {
    this.disk.cutPower()
    const started = this.box.boot()
    const machine = this.disk.boot({ callsUntilPowerCut })
    const store = this.pieces.boot({ callsUntilPowerCut: FOREVER })
    const ports: RaucPorts = {
      disk: machine,
      clock: this.clock,
      keys: new SimulatedKeys(this.#random),
      log: this.log,
      rauc: this.box.on(machine),
      bundles: onMachine(store, machine),
      pathOf: sha256 => sha256,
      isAppOnTrial: async () => this.isAppOnTrial,
    }
    return { started, ports, agent: () => startedOn(ports) }
  }
}

/** As the updater does it first. */
async function startedOn(ports: RaucPorts): Promise<RaucSystem> {
  const system = new RaucSystem(ports)
  await system.status().catch(busy)
  return system
}

function busy(error: unknown): void {
  if (!(error instanceof BoxError) || error.code !== 'os.refused') throw error
}

const bootOf = (root: RootName) => (root === 'rootfs.0' ? 'boot.0' : 'boot.1')

/** Each call takes power from the machine's, and goes with it. */
function onMachine(store: PieceStore, machine: SimulatedWriter): PieceStore {
  const call = async <T>(action: () => Promise<T>): Promise<T> => await machine.beside(action)
  return {
    list: () => call(() => store.list()),
    freeByteCount: () => call(() => store.freeByteCount()),
    remove: sha256 => call(() => store.remove(sha256)),
    open: async sha256 => {
      const file = await call(() => store.open(sha256))
      return {
        read: (at, byteCount) => call(() => file.read(at, byteCount)),
        write: (at, bytes) => call(() => file.write(at, bytes)),
        sync: () => call(() => file.sync()),
        sha256Hex: byteCount => call(() => file.sha256Hex(byteCount)),
        close: () => call(() => file.close()),
      }
    },
  }
}
