/** An I2C device as a driver gets it: the transfers of the bus, and the guard for what must happen without us. */
import { DeviceError } from '../../runtime/core/errors.js'
import type { Cancel } from '../../runtime/ports/clock.js'
import type { I2cDevice, RegisterWrite } from '../../runtime/ports/host.js'
import { type LastWord, type LastWords, WRITES_MAX } from './last-words.js'

export type I2cTransfers = Pick<I2cDevice, 'address' | 'readRegister' | 'writeRegister' | 'reserve'>

/** @param bus N of /dev/i2c-N; @param lastWords is asked when the driver has something to say */
export function withLastWords(
  transfers: I2cTransfers,
  bus: number,
  lastWords: () => LastWords,
): I2cDevice {
  let forget: Cancel = () => {}
  return {
    ...transfers,
    setLastWords: async writes => {
      forget()
      forget = () => {}
      if (writes === null) return
      forget = await lastWords().keep(wordOf(bus, transfers.address, writes))
    },
  }
}

function wordOf(bus: number, address: number, writes: readonly RegisterWrite[]): LastWord {
  const isBlock = ({ bytes }: RegisterWrite): boolean => bytes.length >= 1 && bytes.length <= 32
  if (writes.length < 1 || writes.length > WRITES_MAX || !writes.every(isBlock))
    throw new DeviceError(
      'device.limit',
      `last words are 1 to ${WRITES_MAX} writes of 1 to 32 bytes`,
    )
  const plain = writes.map(({ register, bytes }) => ({ register, bytes: [...bytes] }))
  return { kind: 'i2c', bus, address, writes: plain }
}
