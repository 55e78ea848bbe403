import t from 'tap'
import { Claims } from '../../../drivers/linux/claims.js'
import type { GpioBackend, InputListener } from '../../../drivers/linux/gpio-backend.js'
import { LinuxInputLine } from '../../../drivers/linux/input-line.js'
import { Unguarded } from '../../../drivers/linux/unguarded.js'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { SimulatedLog } from '../../../drivers/simulated/log.js'
import { DeviceError } from '../../../runtime/core/errors.js'

const place = { name: 'go', chip: 'chip', offset: 5, activeLevel: 'low', bias: 'pull-up' } as const

/** A line of a backend that is gone while `isGone`. */
function bench() {
  const chip = { isGone: false, taken: 0 }
  const listeners: InputListener[] = []
  const backend: GpioBackend = {
    takeOutput: () => Promise.reject(new Error('not asked for')),
    takeInput: async (_, __, listener) => {
      chip.taken++
      listeners.push(listener)
      return {
        isActive: () => {
          if (chip.isGone) throw new DeviceError('device.absent', 'reading go: ENODEV')
          return true
        },
        release: async () => void chip.taken--,
      }
    },
    stop: async () => {},
  }
  const log = new SimulatedLog()
  const services = {
    clock: new SimulatedClock({ showStartMs: 0, driftPpm: 0 }),
    log,
    claims: new Claims(),
    backend: () => backend,
    firing: () => {
      throw new Error('not asked for')
    },
    lastWords: () => new Unguarded(new SimulatedLog()),
  }
  return { chip, listeners, log, line: new LinuxInputLine(services, place, { debounceMs: 5 }) }
}

t.test(
  'a line that is gone before it was read once is let go of, and can be opened later',
  async t => {
    const { chip, line } = bench()
    chip.isGone = true
    await t.rejects(line.open(), { code: 'device.absent' })
    t.equal(chip.taken, 0, 'nothing is left open')
    chip.isGone = false
    await line.open()
    t.equal(line.isActive(), true)
    await line.close()
    t.equal(chip.taken, 0)
  },
)

t.test('a line that is gone says so once, and when it is asked', async t => {
  const { listeners, log, line } = bench()
  await line.open()
  const fault = new DeviceError('device.absent', 'the chip is gone')
  for (const listener of listeners) {
    listener.gone(fault)
    listener.gone(fault)
  }
  t.same(log.events(), ['line.gone'])
  t.throws(() => line.isActive(), { code: 'device.absent' })
  await line.close()
})
