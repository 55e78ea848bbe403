import { createHash } from 'node:crypto'
import { assert, BoxError } from '../../runtime/core/errors.js'
import type { Rauc, RaucContent, RaucMark, RaucSlot, RaucStatus } from '../../runtime/ports/rauc.js'
import { type BootChooserKind, SimulatedBootChooser } from './boot-chooser.js'
import { type OpenedBundle, openBundle } from './bundle.js'
import { SimulatedPartition } from './partition.js'
import type { SimulatedWriter } from './slot-disk.js'

export interface RaucOptions {
  readonly compatible: string
  /** `activate-installed` of system.conf: true unless somebody wrote it. */
  readonly activates: boolean
  /** From 1.11 on a slot is noted as pending before it is written; before that it keeps what was said of the last image. */
  readonly notesPending: boolean
  readonly bootChooser: BootChooserKind
  /** Of each root, and of each boot partition that belongs to one. */
  readonly byteCount: Readonly<Record<SlotClass, number>>
  /** Whether the boot loader gets what is in a slot to start. */
  readonly isStarting: (slot: RootName) => boolean
  readonly fileAt: (path: string) => Uint8Array | null
}

const roots = ['rootfs.0', 'rootfs.1'] as const
const boots = ['boot.0', 'boot.1'] as const
export type RootName = (typeof roots)[number]
export type SlotName = RootName | (typeof boots)[number]
export type SlotClass = 'rootfs' | 'boot'
const slotNames: readonly SlotName[] = [...roots, ...boots]
const classOf = (slot: SlotName): SlotClass => (isRoot(slot) ? 'rootfs' : 'boot')
const isRoot = (slot: string): slot is RootName => roots.some(root => root === slot)
const groups: Readonly<Record<RootName, readonly SlotName[]>> = {
  'rootfs.0': ['rootfs.0', 'boot.0'],
  'rootfs.1': ['rootfs.1', 'boot.1'],
}

/**
 * RAUC on a machine with two systems, each of a root and a boot partition. After src/install.c and src/mark.c of RAUC: each
 * note is replaced whole, and the bytes of an image are only there for sure after a cut when they were synced.
 */
export class SimulatedRauc {
  /** The machine is going down by itself: whoever holds it must cut the power and boot. */
  isGoingDown = false
  /** Its service has not come up yet, or never does. */
  isMissing = false
  /** It answers, but has not what it takes to set the variables of the boot loader. */
  isPowerless = false
  /** Whether the kernel says what it was started from. */
  hasKernelWords = true
  /** It was started from another medium, and the kernel says so. */
  isOutside = false
  /** Somebody else has it install something. */
  isBusy = false
  /** What an installation fails with, half-way. */
  fault: string | null = null
  /** What the next `power.refused` says; null: it goes down when asked. */
  refusal: string | null = null
  readonly partitions: Readonly<Record<SlotName, SimulatedPartition>>
  readonly contents = new Map<SlotName, RaucContent>()
  readonly #options: RaucOptions
  readonly #chooser: SimulatedBootChooser<RootName>
  #booted: RootName | null = null
  #bootCount = 0

  constructor(options: RaucOptions, random: () => number = () => 0) {
    this.#options = options
    this.#chooser = new SimulatedBootChooser(options.bootChooser, roots)
    const of = (slot: SlotName) => new SimulatedPartition(options.byteCount[classOf(slot)], random)
    this.partitions = {
      'rootfs.0': of('rootfs.0'),
      'rootfs.1': of('rootfs.1'),
      'boot.0': of('boot.0'),
      'boot.1': of('boot.1'),
    }
  }

  get primary(): RootName | null {
    return this.#chooser.primary
  }

  get tornSectors(): number {
    return Object.values(this.partitions).reduce((sum, one) => sum + one.tornSectors, 0)
  }

  losePower(): void {
    for (const partition of Object.values(this.partitions)) partition.losePower()
  }

  /** @returns the root that starts; null: none does, and the box stays dark */
  boot(): RootName | null {
    this.isGoingDown = false
    this.isBusy = false
    this.#booted = this.#chooser.start(this.#options.isStarting)
    this.#bootCount++
    return this.#booted
  }

  on(machine: SimulatedWriter): Rauc {
    const step = <T>(action: () => T): Promise<T> => machine.beside(action)
    return {
      status: () => step(() => this.#status()),
      inspect: path =>
        step(() => {
          const { compatible, images } = this.#open(path)
          const isVerbatim = true
          return {
            compatible,
            images: images.map(({ slotClass, bytes }) => ({
              ...{ slotClass, variant: null, isVerbatim },
              ...{ byteCount: bytes.length, sha256: sha256Of(bytes) },
            })),
          }
        }),
      install: (path, progress) => this.#install(machine, path, progress),
      mark: (mark, slot) => this.#mark(machine, mark, slot),
      sha256: (slot, byteCount) => {
        const partition = this.partitions[this.#slotNamed(slot)]
        return partition.on(machine).sha256({ byteCount, head: new Uint8Array() })
      },
      bootId: () => step(() => `boot-${this.#bootCount}`),
      startedFrom: () => step(() => this.#startedFrom()),
      reboot: () => step(() => this.#goDown()),
    }
  }

  #status(): RaucStatus {
    if (this.isMissing) throw unsupported('it does not answer')
    this.#needIdle()
    const { compatible } = this.#options
    const slots = slotNames.map((name): RaucSlot => {
      const root = isRoot(name) ? null : roots.find(one => groups[one].includes(name))
      const slotClass = classOf(name)
      const content = this.contents.get(name) ?? { kind: 'unsaid' }
      const isBooted = name === this.#booted && !this.isOutside
      return {
        ...{ name, slotClass, parent: root ?? null, isBootable: isRoot(name), isBooted },
        ...{ isRaw: true, content },
      }
    })
    return { compatible, variant: null, primary: this.primary, slots }
  }

  #startedFrom(): string | null {
    if (this.isOutside) throw unsupported('the machine was started from none of its slots')
    return this.hasKernelWords ? `root=/dev/${this.#booted}` : null
  }

  #needIdle(): void {
    if (this.isBusy) throw refused('it is at work')
  }

  #open(path: string): OpenedBundle {
    const bundle = openBundle(this.#options.fileAt(path))
    if (bundle === null) throw refused('signature verification failed')
    return bundle
  }

  async #install(
    machine: SimulatedWriter,
    path: string,
    progress: (percent: number) => void,
  ): Promise<void> {
    const step = <T>(action: () => T): Promise<T> => machine.beside(action)
    const { images, target } = await step(() => this.#begin(path))
    progress(20)
    try {
      await this.#mark(machine, 'bad', target)
      for (const { slotClass, bytes } of images) {
        const slot = groups[target].find(one => classOf(one) === slotClass)
        assert(slot !== undefined, 'what a bundle holds has a slot')
        if (this.#options.notesPending)
          await step(() => this.contents.set(slot, { kind: 'broken' }))
        await this.#copy(machine, slot, bytes)
        const content = { kind: 'installed', byteCount: bytes.length, sha256: sha256Of(bytes) }
        await step(() => this.contents.set(slot, { ...content, kind: 'installed' }))
      }
      if (this.#options.activates) await this.#mark(machine, 'active', target)
    } finally {
      this.isBusy = false
    }
    progress(100)
  }

  #begin(path: string): OpenedBundle & { target: RootName } {
    this.#needIdle()
    const bundle = this.#open(path)
    if (bundle.compatible !== this.#options.compatible) throw refused('Compatible mismatch')
    const target = roots.find(root => root !== this.#booted)
    assert(target !== undefined, 'one of two does not run')
    this.isBusy = true
    return { ...bundle, target }
  }

  async #copy(machine: SimulatedWriter, slot: SlotName, bytes: Uint8Array): Promise<void> {
    const partition = this.partitions[slot].on(machine)
    const half = bytes.length >> 1
    await partition.write(0, bytes.subarray(0, half))
    if (this.fault !== null) {
      await partition.sync()
      throw refused(this.fault)
    }
    await partition.write(half, bytes.subarray(half))
    await partition.sync()
  }

  async #mark(machine: SimulatedWriter, mark: RaucMark, slot: string): Promise<void> {
    const root = await machine.beside(() => {
      if (this.isMissing) throw unsupported('it does not answer')
      if (this.isPowerless) throw unsupported('fw_setenv is not there')
      const name = this.#slotNamed(slot)
      if (!isRoot(name)) throw unsupported(`no slot ${slot} that can be started`)
      return name
    })
    for (const change of this.#chooser.changesFor(mark, root)) await machine.beside(change)
  }

  #slotNamed(slot: string): SlotName {
    const name = slotNames.find(one => one === slot)
    if (name === undefined) throw unsupported(`no slot ${slot}`)
    return name
  }

  #goDown(): void {
    if (this.refusal !== null) throw new BoxError('power.refused', this.refusal)
    this.isGoingDown = true
  }
}

const unsupported = (why: string): BoxError => new BoxError('os.unsupported', `RAUC: ${why}`)
const refused = (why: string): BoxError => new BoxError('os.refused', `RAUC: ${why}`)

const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
