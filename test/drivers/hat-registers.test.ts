import t from 'tap'
import { HatRegisters } from '../../drivers/hat-registers.js'
import { hex } from '../../drivers/i2c-words.js'
import { RegisterChip } from '../../drivers/simulated/chips.js'
import { makeBench } from './bench.js'

function bench() {
  const { host } = makeBench()
  const chip = new RegisterChip()
  host.bus('header').plug(0x57, chip)
  return { host, chip, registers: new HatRegisters(host.i2cDevice('header', 0x57), 'PiSugar 3') }
}

t.test('bytes are read and written where they stand', async t => {
  const { chip, registers } = bench()
  chip.registers.set([1, 2, 3], 0x20)
  t.equal(await registers.byte(0x21), 2)
  t.same([...(await registers.block(0x20, 3))], [1, 2, 3])
  await registers.write(0x40, 7, 8)
  t.same([...chip.registers.subarray(0x40, 0x42)], [7, 8])
})

t.test('two lost transfers are tried again, three are thrown', async t => {
  const { host, chip, registers } = bench()
  chip.registers[5] = 9
  host.bus('header').failNext('device.io', 'device.timeout')
  t.equal(await registers.byte(5), 9)
  host.bus('header').failNext('device.io', 'device.io', 'device.io')
  await t.rejects(registers.byte(5), { code: 'device.io' })
})

t.test('a stranger is told with its place and what it said', async t => {
  const { registers } = bench()
  t.match(registers.stranger(0x00, 0xff), {
    code: 'device.absent',
    message: 'what answers at 0x57 is no PiSugar 3: register 0x00 reads 0xff',
  })
  t.equal(hex(10, 2), '0x0a')
})
