/** From what somebody asked for to what a printer prints: the document, its serial on it, its banner, its dots. */
import { BoxError } from '../../core/errors.js'
import { BLOCKS_MAX, type DocumentBlock, type TicketDocument } from '../../core/ticket-document.js'
import type { Clock } from '../../ports/clock.js'
import type { GrayImage, Pictures } from '../../ports/pictures.js'
import type { Printer } from '../../ports/printer.js'
import type { Ticket } from '../../ports/ticket.js'
import type { Job } from './job.js'
import { resolveTicketBySteps, withReprintBanner } from './resolve.js'
import { inSlices } from './slices.js'

/**
 * The same document with its serial in small letters and as a QR code in front of the last cut, unless it shows the serial
 * already, in whatever form.
 * @throws BoxError `ticket.invalid` when it would be too long
 */
export function withSerial(document: TicketDocument, serial: string): TicketDocument {
  if (document.blocks.some(block => shows(block, serial))) return document
  const endAt = document.blocks.findLastIndex(({ kind }) => !isMechanical(kind)) + 1
  const blocks = document.blocks.toSpliced(endAt, 0, ...serialBlocks(serial))
  if (blocks.length > BLOCKS_MAX)
    throw new BoxError(
      'ticket.invalid',
      `a ticket has at most ${BLOCKS_MAX} blocks, and ${blocks.length - document.blocks.length} are for its serial`,
    )
  return { ...document, blocks }
}

const isMechanical = (kind: DocumentBlock['kind']): boolean => kind === 'cut' || kind === 'drawer'

function shows(block: DocumentBlock, serial: string): boolean {
  switch (block.kind) {
    case 'text':
      return block.text.includes(serial)
    case 'table':
      return block.rows.some(row => row.some(cell => cell.includes(serial)))
    case 'qr':
    case 'barcode':
      return block.content.includes(serial)
    default:
      return false
  }
}

const serialBlocks = (serial: string): readonly DocumentBlock[] => [
  {
    kind: 'qr',
    content: serial,
    errorCorrection: 'medium',
    moduleDots: 4,
    align: 'center',
  },
  {
    kind: 'text',
    text: serial,
    align: 'center',
    isBold: false,
    isUnderlined: false,
    isInverted: false,
    widthScale: 1,
    heightScale: 1,
    font: 'b',
  },
]

export interface ReadyTicket {
  readonly ticket: Ticket
  readonly millimetres: number
  readonly warnings: readonly string[]
}

export interface Art {
  readonly images: ReadonlyMap<string, GrayImage>
  readonly pictures: Pictures
}

interface Workshop {
  readonly clock: Clock
  readonly printer: Printer
  readonly art: Art
}

/** A little at a time, beside everything else. @throws BoxError `ticket.invalid` for what this printer cannot print */
export async function readyTicket(
  document: TicketDocument,
  job: Job,
  { clock, printer, art: { images, pictures } }: Workshop,
): Promise<ReadyTicket> {
  const { paper } = printer
  const marked = job.reprint === 0 ? document : withReprintBanner(document, job.reprint)
  const steps = resolveTicketBySteps(marked, { paper, images, pictures })
  const { ticket, warnings } = await inSlices(clock, steps)
  return { ticket, warnings, millimetres: printer.measure(ticket) }
}
