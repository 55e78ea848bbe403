/**
 * Registers of a microcontroller on a UPS HAT, a byte each. Its firmware serves the bus between other things, so a lost
 * transfer is tried again; the last failure is thrown.
 */
import { DeviceError } from '../runtime/core/errors.js'
import type { I2cDevice } from '../runtime/ports/host.js'
import { again } from './again.js'
import { hex } from './i2c-words.js'

export class HatRegisters {
  readonly #device: I2cDevice
  readonly #hat: string

  /** @param hat its name, for messages */
  constructor(device: I2cDevice, hat: string) {
    this.#device = device
    this.#hat = hat
  }

  /** @param byteCount 1..32, from this register on, where the firmware counts on */
  block(register: number, byteCount: number): Promise<Uint8Array> {
    return again(() => this.#device.readRegister(register, byteCount))
  }

  async byte(register: number): Promise<number> {
    return (await this.block(register, 1))[0] ?? 0
  }

  write(register: number, ...bytes: readonly number[]): Promise<void> {
    return again(() => this.#device.writeRegister(register, Uint8Array.from(bytes)))
  }

  /** What answers is something else. */
  stranger(register: number, value: number): DeviceError {
    const found = `register ${hex(register, 2)} reads ${hex(value, 2)}`
    const place = hex(this.#device.address, 2)
    return new DeviceError('device.absent', `what answers at ${place} is no ${this.#hat}: ${found}`)
  }
}
