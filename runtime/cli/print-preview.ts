/** What a ticket would look like on paper, without a box and without a printer. */
import { writeFile } from 'node:fs/promises'
import { dirname, extname } from 'node:path'
import type { BoxConfig, PrintingConfig } from '../config.js'
import { readDocument } from '../core/document.js'
import { BoxError, messageOf } from '../core/errors.js'
import { suggestionOrAll } from '../core/nearest.js'
import { check } from '../core/schema.js'
import { type TicketDocument, ticketDocument } from '../core/ticket-document.js'
import { svgToPng } from '../gateways/preview/png.js'
import { ticketSvg } from '../gateways/preview/svg.js'
import type { Pictures } from '../ports/pictures.js'
import type { CodePageName, Paper } from '../ports/printer.js'
import type { Ticket } from '../ports/ticket.js'
import type { PrintShop } from '../print-shop.js'
import { resolveTicket, withReprintBanner } from '../services/printing/resolve.js'
import { fillTemplate } from '../services/printing/template.js'
import { readText } from './check-file.js'
import { CliFailure, exitCodes } from './failure.js'
import type { Paint } from './terminal.js'
import { ticketText } from './ticket-text.js'

export interface PreviewOptions {
  /** Name of a template and what fills it, or a file with a ticket. */
  readonly what:
    | {
        readonly kind: 'template'
        readonly name: string
        readonly fields: Readonly<Record<string, string>>
      }
    | { readonly kind: 'ticket'; readonly file: string }
  /** box.json, for its templates and pictures; null: only those that come with the runtime. */
  readonly configFile: string | null
  readonly paper: 58 | 80
  readonly codePage: CodePageName
  /** 0: as it is printed at first. */
  readonly reprint: number
  /** An .svg or .png file; null: drawn in the terminal. */
  readonly out: string | null
}

export interface Preview {
  /** Drawn for a terminal, whole lines; null where a file was written. */
  readonly text: string | null
  readonly warnings: readonly string[]
  readonly out: string | null
  readonly ticket: Ticket
}

export interface PreviewTools {
  readonly pictures: Pictures
  /** @throws ConfigError with every problem */
  readonly loadConfig: (file: string) => Promise<BoxConfig>
  /** What comes with the runtime, and what the config adds. @throws ConfigError with every problem */
  readonly printShop: (
    folder: string,
    printing: Pick<PrintingConfig, 'templates' | 'images'>,
  ) => Promise<PrintShop>
  readonly wallMs: () => number
  readonly paint: Paint
}

const DOTS_PER_LINE = { 58: 384, 80: 576 } as const
const SERIAL = 'PREVIEW-0000'
const stamp = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'short' })

/**
 * @throws ConfigError for a wrong template or ticket; CliFailure for what cannot be printed, read or written
 */
export async function printPreview(options: PreviewOptions, tools: PreviewTools): Promise<Preview> {
  try {
    return await preview(options, tools)
  } catch (cause) {
    if (!(cause instanceof BoxError && cause.code === 'ticket.invalid')) throw cause
    throw new CliFailure(exitCodes.invalid, cause.message, { cause })
  }
}

async function preview(options: PreviewOptions, tools: PreviewTools): Promise<Preview> {
  const { configFile, codePage, out, paper: widthMillimetres } = options
  const draw = out === null ? null : drawerFor(out)
  const paper: Paper = {
    widthMillimetres,
    dotsPerLine: DOTS_PER_LINE[widthMillimetres],
    dotsPerMillimetre: 8,
    codePage,
  }
  const config = configFile === null ? null : await tools.loadConfig(configFile)
  const shop = await tools.printShop(
    configFile === null ? '.' : dirname(configFile),
    config?.printing ?? { templates: [], images: {} },
  )
  const document = marked(await documentOf(options, config, shop, tools), options.reprint)
  const { ticket, warnings } = resolveTicket(document, paper, shop.images, tools.pictures)
  if (out === null || draw === null)
    return { text: ticketText(ticket, paper, tools.paint), warnings, out, ticket }
  await write(out, await draw(ticketSvg(ticket, paper)))
  return { text: null, warnings, out, ticket }
}

const marked = (document: TicketDocument, reprint: number): TicketDocument =>
  reprint === 0 ? document : withReprintBanner(document, reprint)

async function documentOf(
  { what, reprint }: PreviewOptions,
  config: BoxConfig | null,
  { templates }: PrintShop,
  { wallMs }: PreviewTools,
): Promise<TicketDocument> {
  if (what.kind === 'ticket') return readTicketFile(what.file)
  const template = templates.get(what.name)
  if (template === undefined)
    throw new CliFailure(
      exitCodes.usage,
      `there is no template "${what.name}"${suggestionOrAll(what.name, templates.keys())}`,
    )
  return fillTemplate(template, what.fields, {
    serial: SERIAL,
    box: config?.box ?? 'box',
    tour: config?.tour ?? 'tour',
    printedAt: stamp.format(wallMs()),
    reprint,
  })
}

/** @throws ConfigError with every problem; CliFailure when the file cannot be read */
export async function readTicketFile(file: string): Promise<TicketDocument> {
  const { value, locate } = readDocument(await readText(file), 'ticket', 'config.invalid')
  return check(ticketDocument, value, 'ticket', { locate })
}

/** By the end of the file's name, before anything is worked out. */
function drawerFor(out: string): (svg: string) => Promise<string | Uint8Array> {
  switch (extname(out).toLowerCase()) {
    case '.svg':
      return svg => Promise.resolve(svg)
    case '.png':
      return svgToPng
    default:
      throw new CliFailure(exitCodes.usage, `${out} must end in .svg or .png`)
  }
}

async function write(file: string, content: string | Uint8Array): Promise<void> {
  try {
    await writeFile(file, content)
  } catch (cause) {
    throw new CliFailure(exitCodes.usage, `${file} cannot be written: ${messageOf(cause)}`, {
      cause,
    })
  }
}
