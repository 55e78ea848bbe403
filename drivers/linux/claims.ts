import { fstatSync } from 'node:fs'
import { DeviceError } from '../../runtime/core/errors.js'
import type { Cancel } from '../../runtime/ports/clock.js'

/** What is open in this process, so that a second owner is refused whatever the kernel would say. */
export class Claims {
  readonly #keys = new Set<string>()

  /**
   * Returns the function that gives it free again. Throws DeviceError `device.busy`.
   * @param key what the hardware calls it; @param name what people call it
   */
  claim(key: string, name: string): Cancel {
    if (this.#keys.has(key))
      throw new DeviceError('device.busy', `${name} is already open in this process`)
    this.#keys.add(key)
    return () => void this.#keys.delete(key)
  }
}

/** The same for every path that leads to the file, and different for any two files that are open. */
export function deviceKeyOf(fd: number): string {
  const { dev, ino, rdev } = fstatSync(fd)
  return rdev === 0 ? `file ${dev}:${ino}` : `device ${rdev}`
}
