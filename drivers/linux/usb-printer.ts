/**
 * Printers of the USB printer class, through the kernel's usblp (drivers/usb/class/usblp.c).
 *
 * - Numbers of device files swap between boots, so a printer is named by its serial number.
 * - A finished write says that the bytes have left the computer, not that they were read: printers buffer, and a
 *   transfer that failed is not told to a writer who does not wait. Only the printer's own answer proves anything.
 * - What is under way when the file is closed is dropped.
 */
import { readdir, readFile, realpath } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { DeviceError } from '../../runtime/core/errors.js'
import type { DeviceFile, Prepared } from './device-stream.js'
import { deviceErrorOf, errnoOf } from './errno.js'

export const USB_PRINTERS: UsbPrinterFolders = {
  classFolder: '/sys/class/usbmisc',
  deviceFolder: '/dev/usb',
}

export interface UsbPrinterFolders {
  /** Where the kernel lists `lp0` and what it belongs to. */
  readonly classFolder: string
  /** Where the files are that are opened. */
  readonly deviceFolder: string
}

interface FoundPrinter {
  readonly path: string
  /** Null: it tells none. */
  readonly serial: string | null
  readonly title: string
}

const PRINTERS_MAX = 32

export class UsbPrinterFile implements DeviceFile {
  readonly name: string
  readonly #which: string
  readonly #folders: UsbPrinterFolders

  /** @param which as `Attachments.usbPrinter` */
  constructor(which: string, folders: UsbPrinterFolders) {
    this.name = which === 'any' ? 'the USB printer' : `USB printer ${which}`
    this.#which = which
    this.#folders = folders
  }

  async find(): Promise<string> {
    const which = this.#which
    if (which.startsWith('/')) return which
    const all = await pluggedIn(this.#folders)
    const fitting = which === 'any' ? all : all.filter(({ serial }) => serial === which)
    const [only, ...others] = fitting
    if (only === undefined) throw new DeviceError('device.absent', this.#whyNone(all))
    if (others.length > 0)
      throw new DeviceError(
        'device.busy',
        `${this.name} could be any of ${fitting.length}: ${describe(fitting)}; name one by its serial number or its file`,
      )
    return only.path
  }

  async prepare(): Promise<Prepared> {
    return { beforeClose: () => {}, isEmptyReadTheEnd: false }
  }

  #whyNone(all: readonly FoundPrinter[]): string {
    const known = all.length === 0 ? 'no USB printer is' : `${describe(all)} ${areOrIs(all)}`
    return `${this.name} is not there: ${known} plugged in`
  }
}

async function pluggedIn({
  classFolder,
  deviceFolder,
}: UsbPrinterFolders): Promise<readonly FoundPrinter[]> {
  const names = await readdir(classFolder).catch((error: unknown) => {
    // The folder comes with the first printer.
    if (errnoOf(error) === 'ENOENT') return []
    throw deviceErrorOf('looking for USB printers', error)
  })
  const printers = names.filter(name => /^lp\d+$/.test(name)).sort()
  const found: FoundPrinter[] = []
  for (const name of printers.slice(0, PRINTERS_MAX))
    found.push(await describedBy(join(classFolder, name), join(deviceFolder, name)))
  return found
}

/** `device` is one interface of the USB device, which is the folder around it. */
async function describedBy(entry: string, path: string): Promise<FoundPrinter> {
  const folder = await realpath(join(entry, 'device')).then(dirname, () => null)
  const tell = async (attribute: string): Promise<string | null> =>
    folder === null ? null : attributeOf(join(folder, attribute))
  const serial = await tell('serial')
  const words = [await tell('manufacturer'), await tell('product')].filter(word => word !== null)
  return { path, serial, title: words.join(' ') || 'printer' }
}

/** Null for what a device does not tell, or one that was unplugged just now. */
async function attributeOf(path: string): Promise<string | null> {
  try {
    return (await readFile(path, 'utf8')).trim() || null
  } catch (error) {
    if (errnoOf(error) !== null) return null
    throw error
  }
}

const describe = (printers: readonly FoundPrinter[]): string =>
  printers
    .map(({ path, serial, title }) => `${path} (${title}, ${serial ?? 'no serial number'})`)
    .join(', ')

const areOrIs = (printers: readonly FoundPrinter[]): string => (printers.length > 1 ? 'are' : 'is')
