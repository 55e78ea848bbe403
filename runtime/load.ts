/** Reads what a tour engineer wrote for a box: box.json and the show beside it. */
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { linuxPictures } from '../drivers/linux/pictures.js'
import { type BoxConfig, readBoxConfig } from './config.js'
import { readDocument } from './core/document.js'
import { ConfigError, messageOf } from './core/errors.js'
import type { Locate } from './core/schema.js'
import { loadPrintShop, type PrintShop } from './print-shop.js'
import { readVenueKey } from './venue-key.js'

export interface BoxDocuments {
  readonly config: BoxConfig
  /** Finds a path of box.json in its text. */
  readonly locate: Locate
  /** Null when the box has no show. */
  readonly show: { readonly file: string; readonly text: string } | null
  readonly printShop: PrintShop
  /** What the boxes of the venue share; null for a box that is alone. */
  readonly venueKey: Uint8Array | null
}

/** @throws ConfigError with every problem of box.json, or naming the file that cannot be read */
export async function loadBox(configFile: string): Promise<BoxDocuments> {
  const { value, locate } = readDocument(await readText(configFile), 'box', 'config.invalid')
  const config = readBoxConfig(value, locate)
  const folder = dirname(configFile)
  const printShop = await loadPrintShop(folder, config.printing, linuxPictures)
  const { venue } = config
  const venueKey = venue === null ? null : await readVenueKey(join(folder, venue.keyFile))
  if (config.show === null) return { config, locate, show: null, printShop, venueKey }
  const file = join(folder, config.show.file)
  return { config, locate, show: { file, text: await readText(file) }, printShop, venueKey }
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    const message = `cannot be read: ${messageOf(cause)}`
    throw new ConfigError([{ path: file, message, place: null }])
  }
}
