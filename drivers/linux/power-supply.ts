/** Batteries that the kernel has a driver for: Documentation/ABI/testing/sysfs-class-power and power_supply_class.rst. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DeviceError } from '../../runtime/core/errors.js'
import type { PowerSupply } from '../../runtime/ports/host.js'
import { deviceErrorOf, errnoOf } from './errno.js'

export const POWER_SUPPLIES = '/sys/class/power_supply'

/** As the kernel's drivers name them, e.g. `BAT0`, `axp20x-battery`, `sony_controller_battery_00:11:22:33:44:55`. */
const NAME = /^[A-Za-z0-9_][\w@:+,.-]{0,99}$/
const SUPPLIES_MAX = 32

export interface KernelPowerSupplyOptions {
  /** `any`: the only battery there is, not counting those of mice and the like. */
  readonly name: string
  /** `POWER_SUPPLIES`, on a real machine. */
  readonly folder: string
}

export class KernelPowerSupply implements PowerSupply {
  readonly name: string
  readonly #folder: string
  #reading: Promise<string> | null = null

  constructor({ name, folder }: KernelPowerSupplyOptions) {
    this.name = name
    this.#folder = folder
  }

  /** A read takes as long as the chip behind it. Whoever asks meanwhile gets the same answer. */
  read(): Promise<string> {
    this.#reading ??= this.#find().finally(() => {
      this.#reading = null
    })
    return this.#reading
  }

  async #find(): Promise<string> {
    if (this.name === 'any') return this.#onlyBattery()
    if (!NAME.test(this.name))
      throw new DeviceError('device.absent', `"${this.name}" is no name of a power supply`)
    return this.#uevent(this.name)
  }

  async #onlyBattery(): Promise<string> {
    const names = await this.#attempt(() => readdir(this.#folder))
    const batteries: { name: string; uevent: string }[] = []
    for (const name of names.sort().slice(0, SUPPLIES_MAX)) {
      const uevent = await this.#uevent(name).catch(skipAbsent)
      if (uevent !== null && isOwnBattery(uevent)) batteries.push({ name, uevent })
    }
    const [only, ...others] = batteries
    if (only === undefined) throw new DeviceError('device.absent', 'the kernel knows no battery')
    if (others.length > 0)
      throw new DeviceError(
        'device.busy',
        `the kernel knows ${batteries.length} batteries: ${batteries.map(({ name }) => name).join(', ')}; name one`,
      )
    return only.uevent
  }

  #uevent(name: string): Promise<string> {
    return this.#attempt(() => readFile(join(this.#folder, name, 'uevent'), 'utf8'))
  }

  async #attempt<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call()
    } catch (error) {
      throw deviceErrorOf(`reading power supply ${this.name}`, error)
    }
  }
}

/** One that was unplugged between the two looks is not there. */
function skipAbsent(error: unknown): null {
  if (error instanceof DeviceError && errnoOf(error.cause) !== null) return null
  throw error
}

function isOwnBattery(uevent: string): boolean {
  const lines = uevent.split('\n')
  return lines.includes('POWER_SUPPLY_TYPE=Battery') && !lines.includes('POWER_SUPPLY_SCOPE=Device')
}
