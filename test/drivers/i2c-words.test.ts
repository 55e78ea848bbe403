import t from 'tap'
import {
  areBytes,
  bytesOf,
  hex,
  isBlank,
  signed8,
  signed16,
  WordRegisters,
  wordOf,
} from '../../drivers/i2c-words.js'
import { WordRegisterChip } from '../../drivers/simulated/chips.js'
import { makeGaugeBench } from './gauge-chip-bench.js'

t.test('a word has its bytes in the order of the chip, there and back', async t => {
  t.equal(wordOf(Uint8Array.of(0x39, 0x9f), 'high-first'), 0x399f)
  t.equal(wordOf(Uint8Array.of(0x39, 0x9f), 'low-first'), 0x9f39)
  t.same([...bytesOf(0x399f, 'high-first')], [0x39, 0x9f])
  t.same([...bytesOf(0x399f, 'low-first')], [0x9f, 0x39])
  for (const order of ['high-first', 'low-first'] as const)
    for (const word of [0, 1, 0x80, 0xff, 0x100, 0x8000, 0xfffe, 0xffff])
      t.equal(wordOf(bytesOf(word, order), order), word)
})

t.test("two's complement at both widths", async t => {
  for (const [word, value] of [
    [0, 0],
    [1, 1],
    [0x7fff, 32_767],
    [0x8000, -32_768],
    [0xffff, -1],
    [0xfc18, -1000],
  ] as const)
    t.equal(signed16(word), value)
  for (const [byte, value] of [
    [0, 0],
    [0x7f, 127],
    [0x80, -128],
    [0xff, -1],
    [0xec, -20],
  ] as const)
    t.equal(signed8(byte), value)
})

t.test('a bus that nobody drives is told from a chip', async t => {
  t.equal(isBlank(0xffff), true)
  t.equal(isBlank(0), true)
  t.equal(isBlank(0x399f), false)
})

t.test('registers of one byte are told from words, whether they repeat or run on', async t => {
  t.equal(areBytes([0x1111, 0x0404, 0xe2e2, 0xe4e4, 0xe8e8, 0xe0e0]), true, 'repeated')
  t.equal(areBytes([0x2104, 0x04e2, 0xe2e4, 0xe4e8, 0xe8e0, 0xe000]), true, 'running on')
  t.equal(areBytes([0x399f, 0x07d0, 0x601a, 0, 0, 0]), false)
  t.equal(areBytes([0x3fff, 0xff38, 0x3a62, 0x1000, 0xff38, 0x1000]), false)
})

t.test('a number is shown as in a data sheet', async t => {
  t.equal(hex(0x36, 2), '0x36')
  t.equal(hex(0x12), '0x0012')
})

t.test('a word that is not kept, and a stranger, are refused with place and find', async t => {
  const { device, chip } = makeGaugeBench(0x40, () => new WordRegisterChip())
  const registers = new WordRegisters(device, 'INA219', 'high-first')
  await registers.writeProven(0, 0x3fff)
  t.equal(chip.words[0], 0x3fff)
  t.equal(await registers.read(0), 0x3fff)
  chip.write = () => {}
  await t.rejects(registers.writeProven(0, 0x399f), {
    code: 'device.absent',
    message: 'what answers at 0x40 is no INA219: register 0x00 reads 0x3fff',
  })
})

t.test('two lost transfers are tried again, three are a fault', async t => {
  const { device, bus, chip } = makeGaugeBench(0x40, () => new WordRegisterChip())
  const registers = new WordRegisters(device, 'INA219', 'low-first')
  bus.failNext('device.io', 'device.timeout')
  await registers.write(5, 0x1234)
  t.equal(chip.words[5], 0x3412)
  bus.failNext('device.io', 'device.io')
  t.equal(await registers.read(5), 0x1234)
  bus.failNext('device.io', 'device.io', 'device.timeout')
  await t.rejects(registers.read(5), { code: 'device.timeout' })
})
