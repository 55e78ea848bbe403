/** A simulated machine with two operating systems, for tests that cut its power at any call. */
import { createHash } from 'node:crypto'
import { SimulatedFirmware } from '../../../drivers/simulated/firmware.js'
import { SimulatedKeys } from '../../../drivers/simulated/keys.js'
import { SimulatedLog } from '../../../drivers/simulated/log.js'
import { SimulatedPartition } from '../../../drivers/simulated/partition.js'
import { SimulatedSlotDisk } from '../../../drivers/simulated/slot-disk.js'
import { OsAgent, type OsPorts } from '../../../ota/os/os-agent.js'
import type { OsName, OsPart, PartImage, PartitionImage } from '../../../ota/os/os-state.js'
import type { OsSource } from '../../../ota/os/os-writer.js'
import { randomFrom } from '../../../runtime/core/random.js'

export const FOREVER = Number.POSITIVE_INFINITY
export const unhurried = { progress: () => {}, isCancelled: () => false }
export const autobootText = (usual: number, trial: number): string =>
  `# which system\n[all]\ntryboot_a_b=1\nboot_partition=${usual}\n[tryboot]\nboot_partition=${trial}\n`
export const ascii = (text: string): Uint8Array => new TextEncoder().encode(text)
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

const BOOT_BYTES = 3_000
/** More than one block of the writer. */
const ROOT_BYTES = 265_000
const PARTITION_BYTES = { boot: 4 * 1024, root: 260 * 1024 } as const

export interface SmallOs {
  readonly image: PartitionImage
  readonly source: OsSource
  readonly bytes: Readonly<Record<OsPart, Uint8Array>>
}

/** Two images of noise, of which the one for the firmware begins like a FAT. */
export function smallOs(version: string, floor: string | null = null): SmallOs {
  const random = randomFrom(Number.parseInt(sha256(ascii(version)).slice(0, 8), 16))
  const noise = (count: number): Uint8Array =>
    Uint8Array.from({ length: count }, () => Math.floor(random() * 256))
  const bytes = { boot: noise(BOOT_BYTES), root: noise(ROOT_BYTES) }
  bytes.boot[0] = 0xeb
  bytes.boot.set([0x00, 0x02], 11)
  bytes.boot.set([0x55, 0xaa], 510)
  const part = (one: Uint8Array): PartImage => ({ byteCount: one.length, sha256: sha256(one) })
  const [boot, root] = [part(bytes.boot), part(bytes.root)]
  const digest = sha256(ascii(boot.sha256 + root.sha256))
  return { image: { digest, version, floor, boot, root }, bytes, source: sourceOf(bytes) }
}

export const sourceOf = (bytes: Readonly<Record<OsPart, Uint8Array>>): OsSource => ({
  async *open(part) {
    if (part === 'bundle') throw new Error('there is none')
    for (let at = 0; at < bytes[part].length; at += 7_001)
      yield bytes[part].subarray(at, at + 7_001)
  },
})

export interface WorldOptions {
  readonly random?: () => number
  readonly keepsFlag?: boolean
  readonly walks?: boolean
  readonly autoboot?: Uint8Array | null
}

/** Partition 2 and 5 are system a, 3 and 6 are system b; 1 holds autoboot.txt, and cannot be booted. */
export class OsWorld {
  readonly numbers = { a: 2, b: 3 } as const
  readonly disk: SimulatedSlotDisk
  readonly firmware: SimulatedFirmware
  readonly log = new SimulatedLog()
  readonly partitions: Readonly<Record<OsName, Readonly<Record<OsPart, SimulatedPartition>>>>
  readonly #random: () => number
  isAppOnTrial = false

  constructor(factory: SmallOs, options: WorldOptions = {}) {
    const random = options.random ?? randomFrom(1)
    this.#random = random
    this.disk = new SimulatedSlotDisk(random)
    const pair = () => ({
      boot: new SimulatedPartition(PARTITION_BYTES.boot, random),
      root: new SimulatedPartition(PARTITION_BYTES.root, random),
    })
    this.partitions = { a: pair(), b: pair() }
    for (const part of ['boot', 'root'] as const) this.partitions.a[part].flash(factory.bytes[part])
    const { autoboot = ascii(autobootText(2, 2)), keepsFlag = false, walks = true } = options
    const isBootable = (number: number): boolean => this.hasHead(number)
    this.firmware = new SimulatedFirmware({ autoboot, isBootable, walks, keepsFlag }, random)
    this.disk.powerCut.listen(() => {
      this.firmware.losePower()
      for (const name of ['a', 'b'] as const)
        for (const part of ['boot', 'root'] as const) this.partitions[name][part].losePower()
    })
  }

  /** What the boot loader of a board looks for. */
  hasHead(number: number): boolean {
    const name = this.nameOf(number)
    const boot = name && this.partitions[name].boot.safe
    return boot?.[0] === 0xeb && boot[510] === 0x55 && boot[511] === 0xaa
  }

  nameOf(number: number): OsName | null {
    if (number === this.numbers.a) return 'a'
    return number === this.numbers.b ? 'b' : null
  }

  /** Which of these systems lies there whole; null: none of them. */
  found<T extends SmallOs>(number: number | null, known: readonly T[]): T | null {
    const name = number === null ? null : this.nameOf(number)
    if (name === null) return null
    const { boot, root } = this.partitions[name]
    const is = (one: Uint8Array, whole: Uint8Array): boolean =>
      Buffer.compare(one.subarray(0, whole.length), whole) === 0
    return known.find(({ bytes }) => is(boot.safe, bytes.boot) && is(root.safe, bytes.root)) ?? null
  }

  usualPartition(): number | null {
    const { autoboot } = this.firmware
    return this.firmware.wouldStart({ hasTrialFlag: false, autoboot })
  }

  get tornSectors(): number {
    return Object.values(this.partitions)
      .flatMap(({ boot, root }) => [boot.tornSectors, root.tornSectors])
      .reduce((sum, one) => sum + one, 0)
  }

  /** Power goes, comes back, and the firmware starts something. */
  boot(callsUntilPowerCut: number = FOREVER): {
    partition: number | null
    agent: OsAgent
    ports: OsPorts
  } {
    this.disk.cutPower()
    const partition = this.firmware.boot()
    const machine = this.disk.boot({ callsUntilPowerCut })
    const place = (name: OsName) => ({
      number: this.numbers[name],
      partitions: {
        boot: this.partitions[name].boot.on(machine),
        root: this.partitions[name].root.on(machine),
      },
    })
    const ports: OsPorts = {
      disk: machine,
      keys: new SimulatedKeys(this.#random),
      log: this.log,
      firmware: this.firmware.on(machine),
      places: { a: place('a'), b: place('b') },
      isAppOnTrial: async () => this.isAppOnTrial,
    }
    return { partition, agent: new OsAgent(ports), ports }
  }
}
