import t from 'tap'
import { again } from '../../drivers/again.js'
import { DeviceError } from '../../runtime/core/errors.js'

const failing = (times: number, error: Error) => {
  let calls = 0
  return async (): Promise<number> => {
    calls++
    if (calls <= times) throw error
    return calls
  }
}

t.test('two failures are forgiven, the third is thrown', async t => {
  const lost = new DeviceError('device.io', 'lost')
  t.equal(await again(failing(0, lost)), 1)
  t.equal(await again(failing(2, lost)), 3)
  await t.rejects(again(failing(3, lost)), { code: 'device.io' })
})

t.test('a bug is not tried again', async t => {
  await t.rejects(again(failing(1, new TypeError('a bug'))), { name: 'TypeError' })
})
