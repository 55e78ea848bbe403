import fc from 'fast-check'
import t from 'tap'
import { codePageNames } from '../../runtime/core/code-pages.js'
import { NO_BREAK_SPACE, Speller } from '../../runtime/core/letters.js'

const spelled = (text: string, page: (typeof codePageNames)[number] = 'cp858'): string =>
  new Speller(page).spell(text).text

t.test('what a page has stays, and what it has not is written as on a typewriter', async t => {
  t.equal(spelled('Ölwechsel 3 € – „gut“ …'), 'Ölwechsel 3 € - "gut" ...')
  t.equal(spelled('3 € – „gut“ …', 'windows-1252'), '3 € – „gut“ …')
  t.equal(spelled('3 €', 'cp437'), '3 EUR')
  t.equal(spelled('Straße', 'cp866'), 'Strasse')
  t.equal(spelled('Привет, №5', 'cp866'), 'Привет, №5')
  t.equal(spelled('Żółć', 'cp852'), 'Żółć')
  t.equal(spelled('™ → ½ ﬁ', 'cp437'), 'TM -> ½ fi')
})

t.test('an accent goes before the letter does, and that is told', async t => {
  const { text, losses } = new Speller('cp858').spell('Łódź, 漢字, Dvořák, 漢')
  t.equal(text, 'Lódz, ??, Dvorák, ?')
  t.same(
    [...losses],
    [
      ['Ł', 'L'],
      ['ź', 'z'],
      ['漢', '?'],
      ['字', '?'],
      ['ř', 'r'],
    ],
  )
  t.equal(new Speller('cp858').spell('– … “').losses.size, 0)
})

t.test('a letter in two parts is the letter in one', async t => {
  t.equal(spelled('e\u0301 u\u0308'), 'é ü')
})

t.test('what is not to be seen takes no room', async t => {
  t.equal(spelled('a\u00adb\u200bc\u200ed\ufe0fe\u2060f'), 'abcdef')
  t.equal(spelled('a\u2009b\u3000c\td'), 'a b c d')
  t.equal(spelled('10\u00a0€\u202f5'), `10${NO_BREAK_SPACE}€${NO_BREAK_SPACE}5`)
  t.equal(spelled('a\r\nb\rc\u2028d'), 'a\nb\nc\nd')
})

t.test('no text makes a control character, on any page', async t => {
  const anything = fc.string({ unit: 'binary', maxLength: 60 })
  const holds = fc.property(anything, fc.constantFrom(...codePageNames), (text, name) => {
    const speller = new Speller(name)
    const lines = speller.spell(text).text.split('\n')
    return lines.every(line =>
      speller.bytesOf(line).every(byte => byte >= 0x20 && byte !== 0x7f && byte <= 0xff),
    )
  })
  t.doesNotThrow(() => fc.assert(holds, { numRuns: 500 }))
  const all = Array.from({ length: 0xa0 }, (_, code) => String.fromCharCode(code)).join('')
  for (const name of codePageNames) {
    const speller = new Speller(name)
    const bytes = speller.bytesOf(speller.spell(all).text.replaceAll('\n', ''))
    t.ok(
      bytes.every(byte => byte >= 0x20 && byte !== 0x7f),
      name,
    )
  }
})
