import t from 'tap'
import { hexOf } from '../../runtime/core/hex.js'

t.test('each byte is two digits, small ones too', async t => {
  t.equal(hexOf(Uint8Array.of(0, 1, 0x0f, 0x10, 0xab, 0xff)), '00010f10abff')
  t.equal(hexOf(Uint8Array.of()), '')
})
