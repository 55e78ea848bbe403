import t, { type Test } from 'tap'
import { KernelPowerSupply } from '../../../drivers/linux/power-supply.js'

const BATTERY = 'POWER_SUPPLY_NAME=BAT0\nPOWER_SUPPLY_TYPE=Battery\nPOWER_SUPPLY_CAPACITY=87\n'
const MAINS = 'POWER_SUPPLY_NAME=AC\nPOWER_SUPPLY_TYPE=Mains\nPOWER_SUPPLY_ONLINE=1\n'
const MOUSE = 'POWER_SUPPLY_TYPE=Battery\nPOWER_SUPPLY_SCOPE=Device\n'

function supply(t: Test, name: string, supplies: Readonly<Record<string, string>>) {
  const entries = Object.entries(supplies).map(([entry, uevent]) => [entry, { uevent }])
  const root = t.testdir({ secret: { uevent: 'secret' }, supplies: Object.fromEntries(entries) })
  return new KernelPowerSupply({ name, folder: `${root}/supplies` })
}

t.test('a supply is read by its name', async t => {
  t.equal(await supply(t, 'BAT0', { AC: MAINS, BAT0: BATTERY }).read(), BATTERY)
  const mouse = 'sony_controller_battery_00:11:22:33:44:55'
  t.equal(await supply(t, mouse, { [mouse]: MOUSE }).read(), MOUSE)
})

t.test('any is the only battery, not the mains and not that of a mouse', async t => {
  t.equal(await supply(t, 'any', { AC: MAINS, BAT0: BATTERY, mouse: MOUSE }).read(), BATTERY)
})

t.test('of two batteries none is taken by chance', async t => {
  const two = supply(t, 'any', { BAT0: BATTERY, BAT1: BATTERY })
  await t.rejects(two.read(), { code: 'device.busy', message: /BAT0, BAT1/ })
})

t.test('no battery, and no such supply, is absent', async t => {
  await t.rejects(supply(t, 'any', { AC: MAINS }).read(), { code: 'device.absent' })
  await t.rejects(supply(t, 'BAT1', { BAT0: BATTERY }).read(), {
    code: 'device.absent',
    message: /BAT1/,
  })
})

t.test('a name that is a path leads nowhere', async t => {
  for (const name of ['../secret', '..', '.', '', 'BAT0/../../secret', '/etc', 'x\0', '.hidden'])
    await t.rejects(supply(t, name, { BAT0: BATTERY }).read(), { code: 'device.absent' })
})

t.test('whoever asks while a read is under way gets its answer', async t => {
  const battery = supply(t, 'BAT0', { BAT0: BATTERY })
  const first = battery.read()
  t.equal(battery.read(), first)
  await first
  const next = battery.read()
  t.not(next, first)
  await next
})
