/** A second and a third try for what may be done twice without harm. */
import { DeviceError } from '../runtime/core/errors.js'

const TRIES = 3

/** Cables pick up noise: one lost transfer is not a fault. The last failure is thrown; what is no DeviceError, at once. */
export async function again<T>(transfer: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await transfer()
    } catch (error) {
      if (tries === TRIES || !(error instanceof DeviceError)) throw error
    }
  }
}
