import t from 'tap'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { Pca9685Chip } from '../../../drivers/simulated/pca9685-chip.js'

const MODE1 = 0x00
const PRE_SCALE = 0xfe
const LED0 = 0x06
const ALL_LED = 0xfa

function makeChip(): { chip: Pca9685Chip; clock: SimulatedClock; enable: { isOn: boolean } } {
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const enable = { isOn: true }
  return { chip: new Pca9685Chip(clock, () => enable.isOn), clock, enable }
}

const read = (chip: Pca9685Chip, register: number): number => chip.read(register, 1)[0] ?? -1
const write = (chip: Pca9685Chip, register: number, ...bytes: number[]): void =>
  chip.write(register, Uint8Array.from(bytes))

t.test('after power-on it is asleep, dark and at 200 Hz, as table 3 lists', async t => {
  const { chip } = makeChip()
  t.same(
    [0, 1, 2, 3, 4, 5, 6, 9, PRE_SCALE].map(register => read(chip, register)),
    [0x11, 0x04, 0xe2, 0xe4, 0xe8, 0xe0, 0x00, 0x10, 0x1e],
  )
  t.ok(chip.duties().every(duty => duty === 0))
})

t.test('the prescaler changes only while it sleeps, and never below 3', async t => {
  const { chip } = makeChip()
  write(chip, PRE_SCALE, 0)
  t.equal(chip.preScale, 3)
  write(chip, MODE1, 0x20)
  write(chip, PRE_SCALE, 99)
  t.equal(chip.preScale, 3)
  t.equal(chip.violations, 1)
})

t.test('without auto-increment a block goes into one register again and again', async t => {
  const { chip } = makeChip()
  write(chip, LED0, 1, 2, 3, 4)
  t.same([...chip.read(LED0, 4)], [4, 4, 4, 4])
  write(chip, MODE1, 0x20)
  write(chip, LED0, 1, 2, 3, 4)
  t.same([...chip.read(LED0, 4)], [1, 2, 3, 4])
})

t.test('auto-increment goes from register 69 to 0', async t => {
  const { chip } = makeChip()
  write(chip, MODE1, 0x20)
  t.same([...chip.read(0x45, 2)], [0x10, 0x20])
  t.same([...chip.read(PRE_SCALE, 2)], [0x1e, 0x20])
})

t.test('full OFF wins over full ON, and ON may be after OFF', async t => {
  const { chip, clock } = makeChip()
  write(chip, MODE1, 0x20)
  await clock.advance(0.5)
  for (const [bytes, duty] of [
    [[0, 0x10, 0, 0x10], 0],
    [[0, 0x10, 0, 0], 1],
    [[0, 0, 0, 0x08], 0.5],
    [[0, 0x0c, 0, 0x04], 0.5],
  ] as const) {
    write(chip, LED0, ...bytes)
    t.equal(chip.duty(0), duty, `${bytes}`)
  }
  t.equal(chip.violations, 0)
})

t.test('the OE pin silences all outputs', async t => {
  const { chip, enable } = makeChip()
  write(chip, MODE1, 0x20)
  write(chip, LED0, 0, 0x10, 0, 0)
  enable.isOn = false
  t.equal(chip.duty(0), 0)
})

t.test('ALL_LED loads every channel and reads as zero', async t => {
  const { chip } = makeChip()
  write(chip, MODE1, 0x20)
  write(chip, ALL_LED, 0, 0, 0, 4)
  t.ok(chip.duties().every(duty => duty === 0.25))
  t.same([...chip.read(ALL_LED, 4)], [0, 0, 0, 0])
})

t.test('RESTART shows a sleep in mid-action and brings the channels back after 500 us', async t => {
  const { chip, clock } = makeChip()
  write(chip, MODE1, 0x20)
  await clock.advance(0.5)
  write(chip, LED0, 0, 0, 0, 8)
  write(chip, MODE1, 0x30)
  t.equal(read(chip, MODE1), 0xb0)
  t.equal(chip.duty(0), 0)
  write(chip, MODE1, 0x20)
  t.equal(chip.duty(0), 0)
  write(chip, MODE1, 0xa0)
  t.equal(chip.violations, 1, 'too soon')
  await clock.advance(0.5)
  write(chip, MODE1, 0xa0)
  t.equal(chip.duty(0), 0.5)
  t.equal(read(chip, MODE1), 0x20)
  t.equal(chip.violations, 1)
})

t.test('after an orderly shutdown RESTART stays 0', async t => {
  const { chip } = makeChip()
  write(chip, MODE1, 0x20)
  write(chip, LED0, 0, 0, 0, 8)
  write(chip, 0xfd, 0x10)
  write(chip, MODE1, 0x30)
  t.equal(read(chip, MODE1), 0x30)
})

t.test('channels set too soon, equal counts and reserved registers are violations', async t => {
  const { chip, clock } = makeChip()
  write(chip, MODE1, 0x20)
  write(chip, LED0, 0, 0, 0, 8)
  t.equal(chip.violations, 1)
  await clock.advance(0.5)
  write(chip, LED0, 5, 1, 5, 1)
  t.equal(chip.violations, 2)
  write(chip, 0x80, 1)
  t.equal(chip.violations, 3)
})
