import { writeSync } from 'node:fs'
import { assert } from '../../runtime/core/errors.js'
import { deviceErrorOf } from './errno.js'
import type { WriteMethod } from './gpio-backend.js'
import { GpioRequest, lineValues } from './gpio-uapi.js'
import type { Libc } from './libc.js'

/** Sets an open line. Throws DeviceError when the line is gone. */
export type LineWriter = (fd: number, method: WriteMethod, isActive: boolean) => void

/** @param libc null where koffi has no binary; lines are then files */
export function lineWriter(libc: Libc | null): LineWriter {
  const values = { on: lineValues(true), off: lineValues(false) }
  const digits = { on: new TextEncoder().encode('1'), off: new TextEncoder().encode('0') }
  return (fd, method, isActive) => {
    const which = isActive ? 'on' : 'off'
    if (method === 'chardev') {
      assert(libc !== null, 'lines of the character device were opened through the C library')
      libc.ioctl(fd, GpioRequest.setValues, values[which], 'setting a line')
    } else writeDigit(fd, digits[which])
  }
}

function writeDigit(fd: number, digit: Uint8Array): void {
  try {
    writeSync(fd, digit, 0, 1, 0)
  } catch (error) {
    throw deviceErrorOf('setting a line', error)
  }
}
