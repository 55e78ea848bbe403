import { BoxError } from '../../runtime/core/errors.js'
import type { Booted, Firmware } from '../../runtime/ports/firmware.js'
import type { SimulatedWriter } from './slot-disk.js'

const AUTOBOOT_BYTES_MAX = 512
const PARTITIONS_MAX = 8

export interface FirmwareOptions {
  readonly autoboot: Uint8Array | null
  /** Whether a partition holds what the boot loader looks for. */
  readonly isBootable: (partition: number) => boolean
  /** PARTITION_WALK=1 of the boot loader: it goes on to the next bootable partition. */
  readonly walks: boolean
  /** A Pi 4B before revision 1.2 keeps the flag in its EEPROM, where no power cut takes it away. */
  readonly keepsFlag: boolean
}

/**
 * The boot loader of a Raspberry Pi, read from its documentation and not from a board: a flag for one boot, autoboot.txt on
 * a medium whose bytes are old or new after a cut, and what happens when nothing bootable is where it looks.
 */
export class SimulatedFirmware {
  /** The machine is going down by itself: whoever holds it must cut the power and boot. */
  isGoingDown = false
  /** Whether something was cut that was not synced. */
  tornWrites = 0
  /** What the next `power.refused` says; null: it goes down when asked. */
  refusal: string | null = null
  /** The system that runs does not mount the partition with autoboot.txt. */
  isUnmounted = false
  readonly #options: FirmwareOptions
  readonly #random: () => number
  #safe: Uint8Array | null
  #written: Uint8Array | null
  #isFlagSet = false
  #booted: Booted | null = null
  #boots = 0

  constructor(options: FirmwareOptions, random: () => number = () => 0) {
    this.#options = options
    this.#random = random
    this.#safe = options.autoboot
    this.#written = options.autoboot
  }

  /** As it is on the medium. */
  get autoboot(): Uint8Array | null {
    return this.#safe
  }

  /** The flag is cleared before anything starts. @returns the partition that starts; null: none, and the box stays dark */
  boot(): number | null {
    this.isGoingDown = false
    const hasTrialFlag = this.#isFlagSet
    this.#isFlagSet = false
    const partition = this.wouldStart({ hasTrialFlag, autoboot: this.#safe })
    this.#boots++
    this.#booted =
      partition === null ? null : { partition, hasTrialFlag, bootId: `boot-${this.#boots}` }
    return partition
  }

  /** What would start in other circumstances than there are. */
  wouldStart(circumstances: { hasTrialFlag: boolean; autoboot: Uint8Array | null }): number | null {
    const { hasTrialFlag, autoboot } = circumstances
    const text = autoboot && new TextDecoder().decode(autoboot.subarray(0, AUTOBOOT_BYTES_MAX))
    return this.#bootable(text === null ? 0 : wantedPartition(text, hasTrialFlag))
  }

  /** Power goes, or the machine is reset. A reset that was asked for keeps the flag. */
  losePower(): void {
    if (!this.isGoingDown && !this.#options.keepsFlag) this.#isFlagSet = false
    if (this.#safe && this.#written && this.#safe !== this.#written) {
      this.tornWrites++
      const [before, after] = [this.#safe, this.#written]
      this.#safe = after.map((byte, index) => (this.#random() < 0.5 ? byte : (before[index] ?? 0)))
    }
    this.#written = this.#safe
  }

  on(machine: SimulatedWriter): Firmware {
    return {
      booted: () => machine.beside(() => this.#whatBooted()),
      readAutoboot: () =>
        machine.beside(() => (this.isUnmounted ? null : (this.#written?.slice() ?? null))),
      overwriteAutoboot: async (offset, bytes) => {
        await machine.beside(() => this.#overwrite(offset, bytes))
        await machine.beside(() => {
          this.#safe = this.#written
        })
      },
      rebootOnTrial: async () => {
        await machine.beside(() => {
          this.#needPower()
          this.#isFlagSet = true
        })
        await machine.beside(() => this.#goDown())
      },
      reboot: () => machine.beside(() => this.#goDown()),
    }
  }

  #whatBooted(): Booted {
    if (this.#booted === null) throw new BoxError('os.unsupported', 'no firmware started this')
    return this.#booted
  }

  #overwrite(offset: number, bytes: Uint8Array): void {
    if (this.isUnmounted || this.#written === null || offset + bytes.length > this.#written.length)
      throw new BoxError('storage.io', 'autoboot.txt has no such bytes')
    const next = this.#written.slice()
    next.set(bytes, offset)
    this.#written = next
  }

  #needPower(): void {
    if (this.refusal !== null) throw new BoxError('power.refused', this.refusal)
  }

  #goDown(): void {
    this.#needPower()
    this.isGoingDown = true
  }

  #bootable(wanted: number): number | null {
    const { isBootable, walks } = this.#options
    if (wanted > 0 && isBootable(wanted)) return wanted
    if (wanted > 0 && !walks) return null
    for (let step = 0; step < PARTITIONS_MAX; step++) {
      const partition = ((Math.max(wanted, 1) - 1 + step) % PARTITIONS_MAX) + 1
      if (isBootable(partition)) return partition
    }
    return null
  }
}

/** The last assignment in a section that applies; 0: the default partition; one that no card has: the wrong file. */
export function wantedPartition(autoboot: string, hasTrialFlag: boolean): number {
  const lines = applying(autoboot, hasTrialFlag)
  const numbers = lines.flatMap(line => /^boot_partition=(\d+)$/.exec(line)?.[1] ?? [])
  // Without it the firmware looks for tryboot.txt in place of config.txt, which our images do not have.
  const isWrongFile = hasTrialFlag && !lines.includes('tryboot_a_b=1')
  return isWrongFile ? PARTITIONS_MAX + 1 : Number(numbers.at(-1) ?? 0)
}

function applying(autoboot: string, hasTrialFlag: boolean): string[] {
  let applies = true
  return autoboot.split(/\r?\n/).filter(line => {
    const section = /^\[(.*)\]$/.exec(line)?.[1]
    if (section !== undefined)
      applies = section === 'all' || (section === 'tryboot' && hasTrialFlag)
    return applies
  })
}
