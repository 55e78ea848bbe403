/** The document that a template is written as. */
import { printField } from '../../core/printing-topics.js'
import {
  boolean,
  choice,
  integer,
  list,
  literal,
  name,
  type Of,
  object,
  oneOf,
  optional,
  parsed,
  string,
  table,
  withDefault,
} from '../../core/schema.js'
import { BLOCKS_MAX, ticketBlocks } from '../../core/ticket-document.js'
import { readFieldPattern } from './field-pattern.js'

const VALUE_LETTERS_MAX = 1024

const field = object({
  /** Letters. */
  max: withDefault(integer({ min: 1, max: VALUE_LETTERS_MAX }), 128),
  /** A field of several lines may be repeated as the rows of a table. */
  lines: withDefault(integer({ min: 1, max: 200 }), 1),
  isRequired: withDefault(boolean, false),
  default: withDefault(string({ max: VALUE_LETTERS_MAX }), ''),
  pattern: optional(
    parsed('a pattern of letters, [classes], \\d and \\w with ?, *, + or {2,8}', readFieldPattern),
  ),
})

/** Its rows are written out, or the lines of a field: one row each, with a | between its cells. */
const repeatedTable = object({
  ...ticketBlocks.table.shape,
  rows: withDefault(ticketBlocks.table.shape.rows, []),
  repeat: optional(printField),
})

const { text, rule, space, image, qr, barcode, cut, drawer } = ticketBlocks
const templateBlock = choice(
  'kind',
  text,
  repeatedTable,
  rule,
  space,
  image,
  qr,
  barcode,
  cut,
  drawer,
)

export const templateDocument = object({
  apiVersion: literal('ticket/v1'),
  name,
  kind: oneOf('redeemable', 'receipt'),
  fields: withDefault(table(printField, field, { max: 64 }), {}),
  blocks: list(templateBlock, { min: 1, max: BLOCKS_MAX }),
})

export type TemplateBlock = Of<typeof templateBlock>
