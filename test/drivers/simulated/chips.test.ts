import t from 'tap'
import { RegisterChip, WordRegisterChip } from '../../../drivers/simulated/chips.js'

t.test(
  'a chip of bytes counts on within a transfer, and from the last register to the first',
  async t => {
    const chip = new RegisterChip()
    chip.write(0xfe, Uint8Array.of(1, 2, 3))
    t.same([...chip.read(0xfe, 3)], [1, 2, 3])
    t.equal(chip.registers[0], 3)
  },
)

t.test('a chip of words is read and written high byte first', async t => {
  const gauge = new WordRegisterChip()
  gauge.words[2] = 0xcd20
  t.same([...gauge.read(2, 2)], [0xcd, 0x20])
  gauge.write(5, Uint8Array.of(0x12, 0x34))
  t.equal(gauge.words[5], 0x1234)
})
