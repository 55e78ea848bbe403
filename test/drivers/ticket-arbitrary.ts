/** Random tickets as people might write them, the wild ones included. */
import fc from 'fast-check'

const style = fc.record(
  {
    isBold: fc.boolean(),
    isUnderlined: fc.boolean(),
    isInverted: fc.boolean(),
    widthScale: fc.integer({ min: 1, max: 8 }),
    heightScale: fc.integer({ min: 1, max: 8 }),
    font: fc.constantFrom('a', 'b'),
  },
  { requiredKeys: [] },
)
const align = fc.constantFrom('left', 'center', 'right')
/** Any letter of Unicode but controls, with spaces, lines and what typewriters have not. */
const letters = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  fc.string({
    unit: fc.constantFrom('a', 'W', ' ', '\n', '€', '…', 'ő', '漢', '{', '\u00a0'),
    maxLength: 120,
  }),
)
const text = letters.map(value => value.replace(/[^\P{Cc}\n]|\p{Cs}/gu, ''))
const ascii = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 40 })

const blocks = fc.oneof(
  fc
    .tuple(text, align, style)
    .map(([value, side, more]) => ({ kind: 'text', text: value, align: side, ...more })),
  fc
    .tuple(
      fc.array(fc.record({ share: fc.double({ min: 0.05, max: 100, noNaN: true }), align }), {
        minLength: 1,
        maxLength: 8,
      }),
      fc.array(fc.array(text, { maxLength: 8 }), { maxLength: 5 }),
      style,
    )
    .map(([columns, rows, more]) => ({ kind: 'table', columns, rows, ...more })),
  fc.constantFrom('single', 'double', 'dashed').map(line => ({ kind: 'rule', line })),
  fc
    .double({ min: 0.1, max: 100, noNaN: true })
    .map(millimetres => ({ kind: 'space', millimetres })),
  fc
    .tuple(
      fc.double({ min: 0.05, max: 1, noNaN: true }),
      fc.constantFrom('floyd-steinberg', 'atkinson', 'bayer', 'threshold'),
      align,
    )
    .map(([width, dither, side]) => ({ kind: 'image', image: 'logo', width, dither, align: side })),
  fc
    .tuple(
      fc
        .oneof(
          text,
          fc.string({ unit: 'grapheme-ascii', minLength: 80, maxLength: 400, size: 'max' }),
        )
        .filter(value => value !== ''),
      fc.constantFrom('low', 'medium', 'quartile', 'high'),
      fc.integer({ min: 2, max: 16 }),
      align,
    )
    .map(([content, errorCorrection, moduleDots, side]) => ({
      kind: 'qr',
      content,
      errorCorrection,
      moduleDots,
      align: side,
    })),
  fc
    .tuple(
      fc.oneof(
        ascii,
        fc.stringMatching(/^[0-9]{1,30}$/),
        fc.stringMatching(/^(1604|1605|1620|99){1,8}$/),
      ),
      fc.integer({ min: 2, max: 6 }),
      fc.boolean(),
      align,
    )
    .map(([content, moduleDots, isTextShown, side]) => ({
      ...{ kind: 'barcode', symbology: 'code-128', content, moduleDots, isTextShown, align: side },
    })),
  fc
    .stringMatching(/^[0-9]{12}$/)
    .map(content => ({ kind: 'barcode', symbology: 'ean-13', content })),
  fc
    .tuple(fc.constantFrom('full', 'partial'), fc.double({ min: 0, max: 50, noNaN: true }))
    .map(([cut, feedMillimetres]) => ({ kind: 'cut', cut, feedMillimetres })),
  fc
    .tuple(
      fc.constantFrom(2, 5),
      fc.integer({ min: 20, max: 500 }),
      fc.integer({ min: 20, max: 500 }),
    )
    .map(([pin, onMs, offMs]) => ({ kind: 'drawer', pin, onMs, offMs })),
)

export const tickets = fc.array(blocks, { minLength: 1, maxLength: 6 })
