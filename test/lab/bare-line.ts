/** A line as anybody may use it, by the kernel's two interfaces, with nothing of the drivers in between. */
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs'
import type { BackendName } from '../../drivers/linux/gpio.js'
import { GpioRequest, lineRequest, lineValues, requestedFd } from '../../drivers/linux/gpio-uapi.js'
import { openLibc } from '../../drivers/linux/libc.js'
import { labSays } from './far-side.js'

export interface BareLine {
  set(isHigh: boolean): void
  close(): void
}

/** Takes the line as an output that is low. */
export const openBareLine = (gpio: BackendName, offset: number): Promise<BareLine> =>
  gpio === 'chardev' ? byIoctl(offset) : byFile(offset)

async function byIoctl(offset: number): Promise<BareLine> {
  const libc = await openLibc()
  const wanted = { direction: 'out', isActive: false, isActiveLow: false, bias: 'as-is' } as const
  const request = lineRequest({ ...wanted, offset })
  const chip = openSync(labSays('LAB_GPIO_CHIP'), 'r+')
  libc.ioctl(chip, GpioRequest.getLine, request, 'taking a line')
  closeSync(chip)
  const fd = requestedFd(request)
  const [high, low] = [lineValues(true), lineValues(false)]
  return {
    set: isHigh => libc.ioctl(fd, GpioRequest.setValues, isHigh ? high : low, 'setting a line'),
    close: () => closeSync(fd),
  }
}

async function byFile(offset: number): Promise<BareLine> {
  const number = String(Number(labSays('LAB_GPIO_BASE')) + offset)
  writeFileSync('/sys/class/gpio/export', number)
  writeFileSync(`/sys/class/gpio/gpio${number}/direction`, 'low')
  const fd = openSync(`/sys/class/gpio/gpio${number}/value`, 'r+')
  return {
    set: isHigh => void writeSync(fd, isHigh ? '1' : '0', 0),
    close: () => {
      closeSync(fd)
      writeFileSync('/sys/class/gpio/unexport', number)
    },
  }
}
