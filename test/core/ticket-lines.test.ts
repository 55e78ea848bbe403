import fc from 'fast-check'
import t from 'tap'
import { columnWidths, tableRow, wrapText } from '../../runtime/core/ticket-lines.js'

const column = (share: number, align: 'left' | 'center' | 'right' = 'left') => ({ share, align })

t.test('lines are broken between words, and in a word that is too long', async t => {
  const cases: readonly (readonly [text: string, width: number, lines: string[]])[] = [
    ['', 5, ['']],
    ['one two', 7, ['one two']],
    ['one two three', 7, ['one two', 'three']],
    ['one two', 6, ['one', 'two']],
    ['abcdefgh', 3, ['abc', 'def', 'gh']],
    ['ab cdefgh', 4, ['ab', 'cdef', 'gh']],
    ['a\n\nb', 5, ['a', '', 'b']],
    ['10\u00a0EUR each', 7, ['10 EUR', 'each']],
    ['one  two', 8, ['one  two']],
    ['  indented text', 10, ['  indented', 'text']],
    ['     far', 4, ['', ' far']],
    [' keeps ', 7, [' keeps ']],
    ['word    ', 4, ['word']],
  ]
  for (const [text, width, lines] of cases)
    t.same(wrapText(text, width), lines, JSON.stringify(text))
})

t.test('no line is too long, and no letter is lost', async t => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '\n', '\u00a0'), maxLength: 200 })
  const holds = fc.property(text, fc.integer({ min: 1, max: 20 }), (value, width) => {
    const lines = wrapText(value, width)
    const lettersOf = (part: string): string => part.replace(/\s/g, '')
    return (
      lines.every(line => line.length <= width) && lettersOf(lines.join('')) === lettersOf(value)
    )
  })
  t.doesNotThrow(() => fc.assert(holds))
})

t.test('columns share the width, to the last letter', async t => {
  t.same(columnWidths([column(3), column(1)], 32), [23, 8])
  t.same(columnWidths([column(1), column(1), column(1)], 10), [3, 3, 2])
  t.same(columnWidths([column(100), column(0.05)], 10), [8, 1])
  t.same(columnWidths([column(1)], 5), [5])
  t.equal(columnWidths([column(1), column(1), column(1)], 4), null)
  const share = fc.double({ min: 0.05, max: 100, noNaN: true }).map(value => column(value))
  const holds = fc.property(
    fc.array(share, { minLength: 1, maxLength: 8 }),
    fc.integer({ min: 15, max: 64 }),
    (columns, width) => {
      const widths = columnWidths(columns, width) ?? []
      const sum = widths.reduce((total, letters) => total + letters, 0)
      return sum + columns.length - 1 === width && widths.every(letters => letters >= 1)
    },
  )
  t.doesNotThrow(() => fc.assert(holds))
})

t.test('cells are wrapped in their columns, money stands on the right', async t => {
  const columns = [column(3), column(1, 'right'), column(1, 'center')]
  t.same(tableRow(['a long title', '9.50', 'x'], columns, [6, 5, 3]), [
    'a long  9.50  x ',
    'title           ',
  ])
  t.same(tableRow(['a'], columns, [6, 5, 3]), ['a               '])
  t.same(tableRow(['', '123456789', ''], columns, [1, 5, 1]), ['  12345  ', '   6789  '])
})
