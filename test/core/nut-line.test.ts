import fc from 'fast-check'
import t from 'tap'
import { nutQuoted, nutWords } from '../../runtime/core/nut-line.js'

t.test('a line is its words, quoted or not, as NUT writes them', async t => {
  for (const [line, words] of [
    ['LIST VAR su700', ['LIST', 'VAR', 'su700']],
    ['  GET   VAR\tsu700 ups.status \r', ['GET', 'VAR', 'su700', 'ups.status']],
    ['VAR su700 ups.mfr "APC"', ['VAR', 'su700', 'ups.mfr', 'APC']],
    ['VAR a b "two words"', ['VAR', 'a', 'b', 'two words']],
    ['VAR a b ""', ['VAR', 'a', 'b', '']],
    [String.raw`VAR a b "say \"hello\" \\ \#1"`, ['VAR', 'a', 'b', String.raw`say "hello" \ #1`]],
    [String.raw`a\ b c`, ['a b', 'c']],
    ['one # a comment', ['one']],
    ['', []],
    ['#', []],
    ['bell\u0007 caf\u00e9', ['bell', 'caf']],
  ] as const)
    t.same(nutWords(line), words, line)
})

t.test('quotes that do not end, and an unescaped # between them, are no line', async t => {
  for (const line of ['VAR a b "open', 'VAR a b "no # here"', '"', String.raw`"\"`])
    t.equal(nutWords(line), null, line)
})

t.test('whatever is quoted is read back, but for what cannot stand in a line', async t => {
  const texts = fc.string({ unit: 'binary', maxLength: 80 })
  const isReadBack = (text: string): boolean => {
    const kept = [...text].filter(letter => letter >= ' ' && letter <= '~').join('')
    const line = nutQuoted(text)
    const words = nutWords(line)
    return words?.length === 1 && words[0] === kept && !line.includes('\n')
  }
  t.doesNotThrow(() => fc.assert(fc.property(texts, isReadBack)))
})

t.test('a line of nonsense costs no more words than a line may have', async t => {
  t.equal(nutWords('x '.repeat(10_000))?.length, 32)
})
