/** GPIO chips by their label: their numbers change between kernels and boards, labels do not. */
import { closeSync, openSync, readdirSync } from 'node:fs'
import { DeviceError } from '../../runtime/core/errors.js'
import { deviceErrorOf } from './errno.js'
import { CHIP_INFO_BYTES, GpioRequest, readChipLabel } from './gpio-uapi.js'
import type { Libc } from './libc.js'

/** Which device files may be chips, lowest number first. */
export const chipFiles = (names: readonly string[]): string[] =>
  names
    .filter(name => /^gpiochip\d+$/.test(name))
    .sort((a, b) => Number(a.slice('gpiochip'.length)) - Number(b.slice('gpiochip'.length)))

/**
 * An open descriptor of the chip with that label.
 * @param folder where the device files are: /dev
 * @throws DeviceError `device.absent`, `device.denied`
 */
export function openChip(libc: Libc, folder: string, label: string): number {
  let denied: DeviceError | null = null
  for (const file of chipFiles(readdirSync(folder))) {
    const opened = tryChip(libc, folder, file, label)
    if (typeof opened === 'number') return opened
    if (opened?.code === 'device.denied') denied = opened
  }
  throw denied ?? new DeviceError('device.absent', `no GPIO chip is labelled ${label}`)
}

/** The open chip when it has the label; null when it has another; else why it cannot be asked. */
function tryChip(
  libc: Libc,
  folder: string,
  file: string,
  label: string,
): number | DeviceError | null {
  const what = `opening GPIO chip ${label} as ${file}`
  let fd = -1
  try {
    fd = openSync(`${folder}/${file}`, 'r+')
    const bytes = new Uint8Array(CHIP_INFO_BYTES)
    libc.ioctl(fd, GpioRequest.getChipInfo, bytes, what)
    if (readChipLabel(bytes).label === label) return fd
  } catch (error) {
    if (fd >= 0) closeSync(fd)
    return deviceErrorOf(what, error)
  }
  closeSync(fd)
  return null
}
