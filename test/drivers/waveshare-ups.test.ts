import t from 'tap'
import { buildDevice } from '../../drivers/catalogue.js'
import { WordRegisterChip } from '../../drivers/simulated/chips.js'
import {
  chargingOf,
  externalOf,
  type WaveshareModel,
  WaveshareUps,
  waveshareBoards,
} from '../../drivers/waveshare-ups.js'
import { makeBench } from './bench.js'
import { faultsOf, readOne } from './gauge-bench.js'
import { StandInGauge } from './stand-in-gauge.js'

t.test('each board has the address, the shunt and the wiring of its own sample', async t => {
  t.same(waveshareBoards, {
    b: { address: 0x42, shuntMilliohms: 100, cells: 2, isReversed: false },
    c: { address: 0x43, shuntMilliohms: 10, cells: 1, isReversed: false },
    d: { address: 0x43, shuntMilliohms: 10, cells: 1, isReversed: true },
    '3s': { address: 0x41, shuntMilliohms: 100, cells: 3, isReversed: false },
  })
})

t.test('what the battery does not feed, something else does', async t => {
  for (const [milliamps, isExternal, isCharging] of [
    [null, null, null],
    [-900, false, false],
    [-100, false, false],
    [-99, true, false],
    [0, true, false],
    [49, true, false],
    [50, true, true],
    [1_200, true, true],
  ] as const) {
    t.equal(externalOf(milliamps), isExternal, `${milliamps} mA`)
    t.equal(chargingOf(milliamps), isCharging, `${milliamps} mA`)
  }
})

/** A drop across the shunt as the wire has it, 10 uV a step, and a bus voltage of 4 mV a step with its ready flag. */
async function readingOf(model: WaveshareModel, shuntSteps: number, busMillivolts: number) {
  const { clock, host } = makeBench()
  const chip = new WordRegisterChip()
  chip.words[0] = 0x399f
  chip.words[1] = shuntSteps & 0xffff
  chip.words[2] = ((busMillivolts / 4) << 3) | 2
  const { address } = waveshareBoards[model]
  host.bus('header').plug(address, chip)
  const description = { name: 'pack', driver: 'waveshare-ups', options: { bus: 'header', model } }
  const built = buildDevice(description, 'box.devices[0]', host, clock)
  if (built.kind !== 'gauge') throw new Error('a gauge is built')
  await built.device.start()
  await clock.advance(1_000)
  await readOne(built.device)
  await clock.advance(1_000)
  return readOne(built.device)
}

t.test('the same drop is another current on another shunt, and the (D) turns it round', async t => {
  // -6.33 mV and 8.196 V, as somebody measured on an HAT (B).
  t.match(await readingOf('b', -633, 8_196), {
    millivolts: 8_196,
    milliamps: -63.3,
    isExternal: true,
    isCharging: false,
  })
  t.match(await readingOf('c', -633, 3_900), { milliamps: -633, isExternal: false })
  t.match(await readingOf('d', -633, 3_900), { milliamps: 633, isCharging: true })
  t.match(await readingOf('d', 633, 3_900), { milliamps: -633, isExternal: false })
  t.match(await readingOf('3s', 1_200, 12_364), { millivolts: 12_364, milliamps: 120 })
})

t.test("the vendor's percent is not told", async t => {
  t.equal((await readingOf('c', -633, 3_320)).percent, null)
})

t.test('its life is that of its chip', async t => {
  const { clock } = makeBench()
  const chip = new StandInGauge(clock)
  const hat = new WaveshareUps(chip)
  const faults = faultsOf(hat)
  await hat.start()
  chip.isPlugged = false
  await t.rejects(hat.read(), { code: 'device.absent' })
  t.equal(faults.length, 1)
  await hat.stop()
  t.same(chip.calls, ['start', 'stop'])
  t.equal(await hat.cutPower(), false)
})
