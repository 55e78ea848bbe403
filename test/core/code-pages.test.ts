import iconv from 'iconv-lite'
import t from 'tap'
import { codePage, codePageNames } from '../../runtime/core/code-pages.js'

for (const name of codePageNames)
  t.test(`${name} is what another program takes it for, byte by byte`, async t => {
    const page = codePage(name)
    const theirs = new Map<string, number>()
    for (let byte = 0x20; byte <= 0xff; byte++) {
      const letter = iconv.decode(Buffer.of(byte), name)
      // Control characters, and what the page does not have.
      if (!/[\ufffd\p{Cc}]/u.test(letter)) theirs.set(letter, byte)
    }
    t.same([...page].sort(), [...theirs].sort())
    t.ok(page.size > 215)
  })
