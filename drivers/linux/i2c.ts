import { BusTimetable } from '../../runtime/core/bus-timetable.js'
import { assert, DeviceError } from '../../runtime/core/errors.js'
import type { Clock } from '../../runtime/ports/clock.js'
import type { Log } from '../../runtime/ports/log.js'
import type { I2cBuses } from './host.js'
import { openI2cBus } from './i2c-bus.js'
import type { I2cTransfers } from './i2c-last-words.js'
import { I2cQueue, type OpenI2c, TRANSFER_MS_MAX } from './i2c-queue.js'

/** What one SMBus block holds. */
const BLOCK_BYTES_MAX = 32

interface UsedBus {
  readonly queue: I2cQueue
  readonly timetable: BusTimetable
}

/** The buses of the machine, opened when they are first used, each with its own queue and timetable. */
export class LinuxI2cBuses implements I2cBuses {
  readonly #clock: Clock
  readonly #log: Log
  readonly #open: OpenI2c
  readonly #transferMsMax: number
  readonly #buses = new Map<number, UsedBus>()

  /**
   * @param open a real bus, unless a test brings its own
   * @param transferMsMax longer than that, and the bus counts as stuck
   */
  constructor(clock: Clock, log: Log, open: OpenI2c = openI2cBus, transferMsMax = TRANSFER_MS_MAX) {
    this.#clock = clock
    this.#log = log
    this.#open = open
    this.#transferMsMax = transferMsMax
  }

  device(bus: number, address: number): I2cTransfers {
    assert(address >= 0x03 && address <= 0x77, 'a chip has an address that is not reserved')
    const { queue, timetable } = this.#bus(bus)
    return {
      address,
      readRegister: async (register, byteCount) => {
        requireBlock(register, byteCount)
        return queue.transfer(address, handle => handle.read(address, register, byteCount))
      },
      writeRegister: async (register, bytes) => {
        requireBlock(register, bytes.length)
        const copy = Uint8Array.from(bytes)
        return queue.transfer(address, handle => handle.write(address, register, copy))
      },
      reserve: (durationMs, until) => timetable.reserve(address, durationMs, until),
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#buses.values()].map(({ queue }) => queue.close()))
  }

  #bus(bus: number): UsedBus {
    const found = this.#buses.get(bus)
    if (found !== undefined) return found
    const made = {
      queue: new I2cQueue(this.#clock, this.#log, this.#open, {
        bus,
        transferMsMax: this.#transferMsMax,
      }),
      timetable: new BusTimetable(this.#clock),
    }
    this.#buses.set(bus, made)
    return made
  }
}

function requireBlock(register: number, byteCount: number): void {
  assert(Number.isInteger(register) && register >= 0 && register <= 0xff, 'a register is a byte')
  if (!Number.isInteger(byteCount) || byteCount < 1 || byteCount > BLOCK_BYTES_MAX)
    throw new DeviceError(
      'device.limit',
      `a transfer has 1 to ${BLOCK_BYTES_MAX} bytes, not ${byteCount}`,
    )
}
