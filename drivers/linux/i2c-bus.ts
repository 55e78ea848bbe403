/**
 * The only file that imports `i2c-bus`. SMBus block transfers only, of at most 32 bytes: every adapter knows them, plain
 * I2C messages not.
 */
import { access } from 'node:fs/promises'
import type { PromisifiedBus } from 'i2c-bus'
import { DeviceError, messageOf } from '../../runtime/core/errors.js'
import { deviceErrorOf, errnoOf } from './errno.js'
import type { I2cHandle } from './i2c-queue.js'

/** Not among the numbers that node:os knows. Linux, include/uapi/asm-generic/errno.h. */
const EREMOTEIO = 121

/** @throws DeviceError `device.absent` without the bus, `native.missing` without the binding */
export async function openI2cBus(bus: number): Promise<I2cHandle> {
  await requireBus(bus)
  const { openSync } = await binding()
  const file = openSync(bus)
  return {
    read: (address, register, byteCount) =>
      named(read(file.promisifiedBus(), address, register, byteCount)),
    write: (address, register, bytes) =>
      named(write(file.promisifiedBus(), address, register, bytes)),
    close: () => file.closeSync(),
  }
}

/** `openSync` of a bus that is not there succeeds, so it is looked for first. */
async function requireBus(bus: number): Promise<void> {
  const path = `/dev/i2c-${bus}`
  try {
    await access(path)
  } catch (cause) {
    if (errnoOf(cause) !== 'ENOENT') throw deviceErrorOf(path, cause)
    const remedy = 'switch I2C on: dtparam=i2c_arm=on in config.txt, and i2c-dev in /etc/modules'
    throw new DeviceError('device.absent', `there is no ${path}; ${remedy}`, { cause })
  }
}

async function binding(): Promise<typeof import('i2c-bus')> {
  try {
    return await import('i2c-bus')
  } catch (cause) {
    const message = `i2c-bus is not built for this machine; run "npm rebuild i2c-bus" (${messageOf(cause)})`
    throw new DeviceError('native.missing', message, { cause })
  }
}

async function read(
  bus: PromisifiedBus,
  address: number,
  register: number,
  byteCount: number,
): Promise<Uint8Array> {
  const { bytesRead, buffer } = await bus.readI2cBlock(
    address,
    register,
    byteCount,
    Buffer.alloc(byteCount),
  )
  if (bytesRead !== byteCount)
    throw new DeviceError('device.io', `${bytesRead} of ${byteCount} bytes came`)
  return Uint8Array.from(buffer)
}

async function write(
  bus: PromisifiedBus,
  address: number,
  register: number,
  bytes: Uint8Array,
): Promise<void> {
  await bus.writeI2cBlock(address, register, bytes.length, Buffer.from(bytes))
}

/** Gives a failure of the binding the errno name that Node leaves out for the numbers it does not know. */
async function named<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    const isRemoteIo = error instanceof Error && 'errno' in error && error.errno === EREMOTEIO
    throw isRemoteIo ? Object.assign(error, { code: 'EREMOTEIO' }) : error
  }
}
