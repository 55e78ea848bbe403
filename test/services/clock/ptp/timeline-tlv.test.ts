import t from 'tap'
import { timelineIn, timelineTlv } from '../../../../runtime/services/clock/ptp/timeline-tlv.js'

const ID = '00ff10203040a0b1'

t.test('a timeline that was written is read, wherever it stands', async t => {
  const other = { type: 3, value: Uint8Array.of(0, 0x80, 0xc2, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8) }
  t.equal(timelineIn([timelineTlv(ID)]), ID)
  t.equal(timelineIn([other, { type: 8, value: new Uint8Array(2) }, timelineTlv(ID)]), ID)
})

t.test('what another organization says, or is of another length, is none', async t => {
  const tlv = timelineTlv(ID)
  t.equal(timelineIn([]), null)
  t.equal(timelineIn([{ type: 8, value: tlv.value }]), null)
  t.equal(timelineIn([{ ...tlv, value: tlv.value.slice(0, 12) }]), null)
  for (let index = 0; index < 6; index++) {
    const value = Uint8Array.from(tlv.value)
    value[index] = 0x77
    t.equal(timelineIn([{ ...tlv, value }]), null)
  }
})

t.test('it is of an even length, as the standard asks', async t => {
  t.equal(timelineTlv(ID).value.byteLength % 2, 0)
})
