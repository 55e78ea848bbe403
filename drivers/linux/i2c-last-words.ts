/**
 * An I2C device as a driver gets it: the transfers of the bus, the bus's thread for what is planned, and the guard for what
 * must happen without us.
 */
import { DeviceError } from '../../runtime/core/errors.js'
import type { Cancel } from '../../runtime/ports/clock.js'
import type { I2cDevice, RegisterWrite } from '../../runtime/ports/host.js'
import type { PlanWrites } from './bus-threads.js'
import { type LastWord, type LastWords, WRITES_MAX } from './last-words.js'

type ChipWord = Extract<LastWord, { kind: 'i2c' }>

export type I2cTransfers = Pick<I2cDevice, 'address' | 'readRegister' | 'writeRegister' | 'reserve'>

/** Asked when the driver has something to say, or to plan. */
export interface I2cServices {
  lastWords(): LastWords
  readonly planWrites: PlanWrites
}

/** @param bus N of /dev/i2c-N */
export function withLastWords(
  transfers: I2cTransfers,
  bus: number,
  services: I2cServices,
): I2cDevice {
  let forget: Cancel = () => {}
  let said: readonly RegisterWrite[] = []
  return {
    ...transfers,
    setLastWords: async writes => {
      forget()
      forget = () => {}
      said = []
      if (writes === null) return
      const word = wordOf(bus, transfers.address, writes)
      said = word.writes.map(({ register, bytes }) => ({ register, bytes: Uint8Array.from(bytes) }))
      forget = await services.lastWords().keep(word)
    },
    planWrites: () => services.planWrites(transfers, bus, said),
  }
}

function wordOf(bus: number, address: number, writes: readonly RegisterWrite[]): ChipWord {
  const isBlock = ({ bytes }: RegisterWrite): boolean => bytes.length >= 1 && bytes.length <= 32
  if (writes.length < 1 || writes.length > WRITES_MAX || !writes.every(isBlock))
    throw new DeviceError(
      'device.limit',
      `last words are 1 to ${WRITES_MAX} writes of 1 to 32 bytes`,
    )
  const plain = writes.map(({ register, bytes }) => ({ register, bytes: [...bytes] }))
  return { kind: 'i2c', bus, address, writes: plain }
}
