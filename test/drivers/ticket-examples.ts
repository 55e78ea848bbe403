/** Tickets for tests, by their blocks; pictures and codes are the real ones. */
import { linuxPictures } from '../../drivers/linux/pictures.js'
import { check } from '../../runtime/core/schema.js'
import { type TicketDocument, ticketDocument } from '../../runtime/core/ticket-document.js'
import type { GrayImage } from '../../runtime/ports/pictures.js'
import type { Paper } from '../../runtime/ports/printer.js'
import type { Ticket } from '../../runtime/ports/ticket.js'
import { resolveTicket } from '../../runtime/services/printing/resolve.js'

export const paper58: Paper = {
  widthMillimetres: 58,
  dotsPerLine: 384,
  dotsPerMillimetre: 8,
  codePage: 'cp858',
}
export const paper80: Paper = {
  widthMillimetres: 80,
  dotsPerLine: 576,
  dotsPerMillimetre: 8,
  codePage: 'cp858',
}

/** Gray from black on the left to white on the right. */
export const ramp = (width: number, height: number): GrayImage => ({
  width,
  height,
  pixels: Uint8Array.from({ length: width * height }, (_, at) =>
    Math.round(((at % width) / Math.max(1, width - 1)) * 255),
  ),
})

export const documentOf = (...blocks: readonly object[]): TicketDocument =>
  check(ticketDocument, { blocks }, 'ticket')

/** As it is written in YAML, without what has a default. */
export const ticketOf = (paper: Paper, ...blocks: readonly object[]): Ticket =>
  resolveTicket(documentOf(...blocks), paper, new Map([['logo', ramp(200, 100)]]), linuxPictures)
    .ticket
