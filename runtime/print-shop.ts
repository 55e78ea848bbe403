/** What a box prints with beside its printers: templates and pictures, those of the runtime and those beside box.json. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { PrintingConfig } from './config.js'
import { BoxError, ConfigError, messageOf } from './core/errors.js'
import type { GrayImage, Pictures } from './ports/pictures.js'
import { readTemplate, type TicketTemplate } from './services/printing/template.js'
import { packageFolder } from './version.js'

const OWN_TEMPLATES = join(packageFolder, 'runtime/services/printing/templates')
const FILE_BYTES_MAX = 8 * 1024 * 1024

export interface PrintShop {
  readonly templates: ReadonlyMap<string, TicketTemplate>
  readonly images: ReadonlyMap<string, GrayImage>
}

/**
 * A template of box.json takes the place of one of the same name that comes with the runtime.
 * @param folder of box.json
 * @throws ConfigError with every problem of the templates, or naming the file that cannot be read
 */
export async function loadPrintShop(
  folder: string,
  { templates: files, images }: Pick<PrintingConfig, 'templates' | 'images'>,
  pictures: Pictures,
): Promise<PrintShop> {
  const own = await ownTemplates()
  const theirs = await Promise.all(
    files.map(async file => readTemplate(textOf(await readBytes(join(folder, file))), file)),
  )
  return {
    templates: new Map([...own, ...theirs].map(template => [template.name, template])),
    images: new Map(
      await Promise.all(
        Object.entries(images).map(
          async ([name, file]) => [name, await readImage(join(folder, file), pictures)] as const,
        ),
      ),
    ),
  }
}

/** Those that come with the runtime, by name of their file. */
export async function ownTemplates(): Promise<readonly TicketTemplate[]> {
  const files = (await readdir(OWN_TEMPLATES)).filter(file => file.endsWith('.yaml')).sort()
  return Promise.all(
    files.map(async file => readTemplate(textOf(await readBytes(join(OWN_TEMPLATES, file))), file)),
  )
}

async function readImage(file: string, pictures: Pictures): Promise<GrayImage> {
  const bytes = await readBytes(file)
  try {
    return pictures.readPng(bytes)
  } catch (cause) {
    if (!(cause instanceof BoxError)) throw cause
    throw new ConfigError([{ path: file, message: cause.message, place: null }])
  }
}

async function readBytes(file: string): Promise<Uint8Array> {
  const refuse = (message: string): ConfigError =>
    new ConfigError([{ path: file, message, place: null }])
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw refuse(`cannot be read: ${messageOf(cause)}`)
  })
  if (bytes.length > FILE_BYTES_MAX) throw refuse(`is larger than ${FILE_BYTES_MAX} bytes`)
  return bytes
}

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
