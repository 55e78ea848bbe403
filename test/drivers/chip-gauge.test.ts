import t from 'tap'
import { ChipGauge, type GaugeChip } from '../../drivers/chip-gauge.js'
import { gaugeReading } from '../../drivers/gauge-reading.js'
import { DeviceError } from '../../runtime/core/errors.js'
import { monotonicMs } from '../../runtime/core/time.js'
import { faultsOf } from './gauge-bench.js'

const chip = (changes: Partial<GaugeChip> = {}): GaugeChip => ({
  packCount: 1,
  start: async () => {},
  read: async () => [gaugeReading(monotonicMs(1), { millivolts: 4_000 })],
  ...changes,
})
const gone = new DeviceError('device.absent', 'nobody answers')

t.test('a gauge reads between its start and its stop, and starts again', async t => {
  const gauge = new ChipGauge('pack', chip({ packCount: 2 }))
  t.equal(gauge.packCount, 2)
  await t.rejects(gauge.read(), { code: 'device.absent', message: /pack is not running/ })
  await gauge.start()
  t.match(await gauge.read(), [{ millivolts: 4_000 }])
  await gauge.stop()
  await gauge.stop()
  await t.rejects(gauge.read(), /not running/)
  await gauge.start()
  t.equal((await gauge.read()).length, 1)
})

t.test('a chip that does not prove itself leaves the gauge as it was', async t => {
  const gauge = new ChipGauge('pack', chip({ start: () => Promise.reject(gone) }))
  await t.rejects(gauge.start(), gone)
  await t.rejects(gauge.read(), /not running/)
})

t.test('the first failure is a fault, told once; a bug is none', async t => {
  const gauge = new ChipGauge('pack', chip({ read: () => Promise.reject(gone) }))
  const faults = faultsOf(gauge)
  await gauge.start()
  await t.rejects(gauge.read(), gone)
  await t.rejects(gauge.read(), /not running/)
  t.same(faults, [gone])
  const broken = new ChipGauge('pack', chip({ read: () => Promise.reject(new TypeError('bug')) }))
  const none = faultsOf(broken)
  await broken.start()
  await t.rejects(broken.read(), TypeError)
  t.same(none, [])
})

t.test('power is cut by a board that can, once it runs', async t => {
  const without = new ChipGauge('pack', chip())
  t.equal(await without.cutPower(), false)
  class Cutting {
    readonly packCount = 1
    #cuts = 0
    start = async (): Promise<void> => {}
    read = async (): Promise<readonly []> => []
    async cutPower(): Promise<boolean> {
      return ++this.#cuts === 1
    }
  }
  const board = new ChipGauge('pack', new Cutting())
  await t.rejects(board.cutPower(), /not running/)
  await board.start()
  t.equal(await board.cutPower(), true)
})
