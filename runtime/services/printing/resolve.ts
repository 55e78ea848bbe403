/** A ticket as it was written, with its pictures and codes worked out for one width of paper. */
import { BoxError } from '../../core/errors.js'
import { Speller } from '../../core/letters.js'
import { suggestionOrAll } from '../../core/nearest.js'
import type { DocumentBlock, TicketDocument } from '../../core/ticket-document.js'
import { layoutTicket, named } from '../../core/ticket-layout.js'
import type { GrayImage, Pictures } from '../../ports/pictures.js'
import type { CodePageName, Paper } from '../../ports/printer.js'
import type { TextStyle, Ticket, TicketBlock } from '../../ports/ticket.js'
import { blackAndWhiteByRows, scaledHeight } from './dither.js'
import { atOnce, type Steps } from './slices.js'

export interface ResolvedTicket {
  readonly ticket: Ticket
  /** Printable, but not as it was written: letters that the printer does not have. */
  readonly warnings: readonly string[]
}

/** More than the longest ticket is high; a picture of one column of dots must not become a mile of paper. */
const IMAGE_HEIGHT_DOTS_MAX = 24_000
const WARNINGS_MAX = 20

interface Source {
  readonly paper: Paper
  readonly images: ReadonlyMap<string, GrayImage>
  readonly pictures: Pictures
}

/** @throws BoxError `ticket.invalid` naming the block and what is wrong with it */
export function resolveTicket(
  document: TicketDocument,
  paper: Paper,
  images: ReadonlyMap<string, GrayImage>,
  pictures: Pictures,
): ResolvedTicket {
  return atOnce(resolveTicketBySteps(document, { paper, images, pictures }))
}

/** The same: a block, or a row of a picture, at a step. @throws BoxError likewise */
export function* resolveTicketBySteps(
  document: TicketDocument,
  source: Source,
): Steps<ResolvedTicket> {
  const { paper } = source
  const blocks: TicketBlock[] = []
  for (const [index, block] of document.blocks.entries()) {
    blocks.push(yield* namedSteps(index, block.kind, resolvedBlock(block, source)))
    yield
  }
  const ticket = { blocks }
  layoutTicket(ticket, paper)
  return { ticket, warnings: letterWarnings(document.blocks, paper.codePage) }
}

function* namedSteps<T>(index: number, kind: string, steps: Steps<T>): Steps<T> {
  for (;;) {
    const { done, value } = named(index, kind, () => steps.next())
    if (done) return value
    yield
  }
}

function* resolvedBlock(
  block: DocumentBlock,
  { paper, images, pictures }: Source,
): Steps<TicketBlock> {
  switch (block.kind) {
    case 'text':
      return { kind: 'text', text: block.text, align: block.align, style: styleOf(block) }
    case 'table': {
      const { kind, columns, rows } = block
      return { kind, columns, rows, style: styleOf(block) }
    }
    case 'image': {
      const image = imageNamed(block.image, images)
      const width = Math.max(1, Math.round(block.width * paper.dotsPerLine))
      const height = scaledHeight(image, width)
      if (height > IMAGE_HEIGHT_DOTS_MAX) throw invalid(`would be ${height} dots high`)
      return {
        kind: 'image',
        bitmap: yield* blackAndWhiteByRows(image, width, block.dither),
        align: block.align,
      }
    }
    case 'qr':
      return { ...block, modules: pictures.qr(block.content, block.errorCorrection) }
    case 'barcode':
      return { ...block, modules: pictures.barcode(block.symbology, block.content) }
    default:
      return block
  }
}

const invalid = (message: string): BoxError => new BoxError('ticket.invalid', message)

function imageNamed(name: string, images: ReadonlyMap<string, GrayImage>): GrayImage {
  const image = images.get(name)
  if (image !== undefined) return image
  throw invalid(`there is no image "${name}"${suggestionOrAll(name, images.keys())}`)
}

const styleOf = (style: TextStyle): TextStyle => ({
  isBold: style.isBold,
  isUnderlined: style.isUnderlined,
  isInverted: style.isInverted,
  widthScale: style.widthScale,
  heightScale: style.heightScale,
  font: style.font,
})

/** What of a block is text: of a ticket's and of a template's. */
type Written =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'table'; readonly rows: readonly (readonly string[])[] }
  | { readonly kind: Exclude<DocumentBlock['kind'], 'text' | 'table'> }

/** Each letter that the page has not, once for each block, as it was written and as it is printed. */
export function letterWarnings(
  blocks: readonly Written[],
  codePage: CodePageName,
): readonly string[] {
  const speller = new Speller(codePage)
  const warnings = blocks.flatMap((block, index) =>
    [...speller.spell(textsOf(block).join('\n')).losses].map(
      ([letter, printed]) =>
        `ticket.blocks[${index}] (${block.kind}): "${letter}" is not in ${codePage} and is printed as "${printed}"`,
    ),
  )
  const more = warnings.length - WARNINGS_MAX
  return more > 0 ? [...warnings.slice(0, WARNINGS_MAX), `and ${more} more letters`] : warnings
}

function textsOf(block: Written): readonly string[] {
  if (block.kind === 'text') return [block.text]
  return block.kind === 'table' ? block.rows.flat() : []
}

/**
 * The same ticket, marked on top and at the bottom as printed again; each part that a cut makes of it is marked, since
 * each could be shown alone. The drawer stays closed: nobody pays again, and whoever must get at it has a key.
 * @param reprint from 1
 */
export function withReprintBanner(document: TicketDocument, reprint: number): TicketDocument {
  const banner = reprintBanner(reprint)
  const blocks: DocumentBlock[] = []
  let isMarked = false
  for (const block of document.blocks) {
    if (block.kind === 'drawer') continue
    const isPrinted = block.kind !== 'cut'
    if (isPrinted && !isMarked) blocks.push(banner)
    if (block.kind === 'cut' && isMarked) blocks.push(banner)
    isMarked = isPrinted || (isMarked && block.kind !== 'cut')
    blocks.push(block)
  }
  return { ...document, blocks: isMarked ? [...blocks, banner] : blocks }
}

const reprintBanner = (reprint: number): DocumentBlock => ({
  kind: 'text',
  text: ` REPRINT ${reprint} `,
  align: 'center',
  isBold: true,
  isUnderlined: false,
  isInverted: true,
  widthScale: 2,
  heightScale: 3,
  font: 'a',
})
