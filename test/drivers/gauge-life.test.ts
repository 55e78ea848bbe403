import t from 'tap'
import { GaugeLife } from '../../drivers/gauge-life.js'
import { DeviceError } from '../../runtime/core/errors.js'

const gone = new DeviceError('device.absent', 'nothing answers')
const failing = (error: Error) => (): Promise<never> => Promise.reject(error)

t.test('a gauge is read between its start and its stop only', async t => {
  const life = new GaugeLife('battery')
  const read = (): Promise<number> => life.watch(async () => 1)
  await t.rejects(read(), { code: 'device.absent', message: /battery is not running/ })
  life.begin()
  t.equal(await read(), 1)
  life.end()
  await t.rejects(read(), { code: 'device.absent' })
})

t.test('a failed reading is thrown, and told once as a fault', async t => {
  const life = new GaugeLife('battery')
  const faults: Error[] = []
  life.onFault(fault => faults.push(fault))
  life.begin()
  await t.rejects(life.watch(failing(gone)), gone)
  await t.rejects(life.watch(failing(gone)), { code: 'device.absent' })
  t.same(faults, [gone])
  life.begin()
  await t.rejects(life.watch(failing(gone)), gone)
  t.equal(faults.length, 2, 'and once more after another start')
})

t.test('a bug is no fault of the device', async t => {
  const life = new GaugeLife('battery')
  const faults: Error[] = []
  life.onFault(fault => faults.push(fault))
  life.begin()
  await t.rejects(life.watch(failing(new TypeError('a bug'))), TypeError)
  t.same(faults, [])
})

t.test('who has stopped listening, and a gauge that was stopped, are told nothing', async t => {
  const life = new GaugeLife('battery')
  const faults: Error[] = []
  const cancel = life.onFault(fault => faults.push(fault))
  life.begin()
  life.end()
  life.fail(gone)
  life.begin()
  cancel()
  life.fail(gone)
  t.same(faults, [])
})
