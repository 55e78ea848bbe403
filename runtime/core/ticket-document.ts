/**
 * A ticket as a person or a program writes it: blocks from top to bottom. Pictures are named; codes are their contents.
 * `runtime/ports/ticket.ts` is what becomes of it.
 */
import {
  boolean,
  choice,
  either,
  integer,
  list,
  literal,
  name,
  number,
  type Of,
  object,
  oneOf,
  pattern,
  withDefault,
} from './schema.js'

/** A control character in a text would be a command to the printer. */
const printable = (max: number): ReturnType<typeof pattern> =>
  pattern(/^(?:[^\p{Cc}\p{Cs}]|\t|\r?\n)*$/u, 'text without control characters', max)

const align = withDefault(oneOf('left', 'center', 'right'), 'left')
const centered = withDefault(oneOf('left', 'center', 'right'), 'center')
const scale = withDefault(integer({ min: 1, max: 8 }), 1)
const style = {
  isBold: withDefault(boolean, false),
  isUnderlined: withDefault(boolean, false),
  isInverted: withDefault(boolean, false),
  widthScale: scale,
  heightScale: scale,
  font: withDefault(oneOf('a', 'b'), 'a'),
}

const COLUMNS_MAX = 8

const text = object({ kind: literal('text'), text: printable(4096), align, ...style })
const table = object({
  kind: literal('table'),
  columns: list(object({ share: withDefault(number({ min: 0.05, max: 100 }), 1), align }), {
    min: 1,
    max: COLUMNS_MAX,
  }),
  rows: list(list(printable(512), { max: COLUMNS_MAX }), { max: 200 }),
  ...style,
})
const rule = object({
  kind: literal('rule'),
  line: withDefault(oneOf('single', 'double', 'dashed'), 'single'),
})
const space = object({ kind: literal('space'), millimetres: number({ min: 0.1, max: 100 }) })
const image = object({
  kind: literal('image'),
  /** As in `printing.images` of box.json. */
  image: name,
  align: centered,
  /** Share of the paper's width. */
  width: withDefault(number({ min: 0.05, max: 1 }), 1),
  dither: withDefault(
    oneOf('floyd-steinberg', 'atkinson', 'bayer', 'threshold'),
    'floyd-steinberg',
  ),
})
const qr = object({
  kind: literal('qr'),
  content: pattern(/^(?:[^\p{Cc}\p{Cs}]|\t|\r?\n)+$/u, 'a text without control characters', 1024),
  errorCorrection: withDefault(oneOf('low', 'medium', 'quartile', 'high'), 'medium'),
  moduleDots: withDefault(integer({ min: 2, max: 16 }), 6),
  align: centered,
})
const barcode = object({
  kind: literal('barcode'),
  symbology: oneOf('ean-13', 'code-128'),
  content: pattern(/^[\x20-\x7e]+$/, 'letters, digits and signs of ASCII', 80),
  moduleDots: withDefault(integer({ min: 2, max: 6 }), 2),
  heightDots: withDefault(integer({ min: 16, max: 255 }), 80),
  isTextShown: withDefault(boolean, true),
  align: centered,
})
const cut = object({
  kind: literal('cut'),
  cut: withDefault(oneOf('full', 'partial'), 'partial'),
  feedMillimetres: withDefault(number({ min: 0, max: 50 }), 3),
})
const drawer = object({
  kind: literal('drawer'),
  pin: withDefault(either(literal(2), literal(5)), 2),
  onMs: withDefault(integer({ min: 20, max: 500 }), 100),
  offMs: withDefault(integer({ min: 20, max: 500 }), 200),
})

/** By kind. */
export const ticketBlocks = { text, table, rule, space, image, qr, barcode, cut, drawer } as const

const ticketBlock = choice('kind', text, table, rule, space, image, qr, barcode, cut, drawer)

export const BLOCKS_MAX = 256

export const ticketDocument = object({ blocks: list(ticketBlock, { min: 1, max: BLOCKS_MAX }) })

export type TicketDocument = Of<typeof ticketDocument>
export type DocumentBlock = Of<typeof ticketBlock>
