import t from 'tap'
import { LineBuffer } from '../../runtime/core/line-buffer.js'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

t.test('lines are whole again however they were cut', async t => {
  const text = 'one\ntwo words\n\nlast\n'
  for (let piece = 1; piece <= text.length; piece++) {
    const buffer = new LineBuffer(80)
    const lines: string[] = []
    for (let at = 0; at < text.length; at += piece)
      lines.push(...(buffer.add(bytes(text.slice(at, at + piece))) ?? ['too long']))
    t.same(lines, ['one', 'two words', '', 'last'], `pieces of ${piece}`)
  }
})

t.test('what has no end yet is kept, and is no line', async t => {
  const buffer = new LineBuffer(80)
  t.same(buffer.add(bytes('half')), [])
  t.same(buffer.add(bytes(' done\nnext')), ['half done'])
})

t.test('a line may be as long as allowed and no longer, in one piece or in many', async t => {
  t.same(new LineBuffer(4).add(bytes('1234\n')), ['1234'])
  t.equal(new LineBuffer(4).add(bytes('12345\n')), null)
  const slow = new LineBuffer(4)
  for (const digit of '1234') t.same(slow.add(bytes(digit)), [])
  t.equal(slow.add(bytes('5')), null)
})
