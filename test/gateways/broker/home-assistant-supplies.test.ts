import t from 'tap'
import { supplyEntries } from '../../../runtime/gateways/broker/home-assistant-supplies.js'
import { outwardTopic } from '../../../runtime/gateways/broker/tree.js'

const place = { tour: 'tour-1', box: 'box-1' }
const base = 'vb/tour-1/box-1'
const info = {
  packs: ['front', 'rear'],
  devices: [
    { device: 'bar', driver: 'escpos-usb', kind: 'printer' as const },
    { device: 'ups', driver: 'ina219', kind: 'gauge' as const },
  ],
}

t.test('a box without packs and printers has no sensors for them', async t => {
  t.same(supplyEntries(base, { devices: [] }), [])
})

t.test('each pack and each printer has its sensors, and the power of the box one set', async t => {
  const keys = supplyEntries(base, info).map(([key]) => key)
  t.equal(new Set(keys).size, keys.length)
  t.equal(keys.filter(key => key.startsWith('pack-rear-')).length, 4)
  t.equal(keys.filter(key => key.startsWith('printer-bar-')).length, 4)
  t.equal(keys.filter(key => key.startsWith('power-')).length, 5)
})

t.test('sensors listen where the box speaks', async t => {
  const spoken = [
    outwardTopic(place, 'power/state', {}),
    outwardTopic(place, 'battery/state', { pack: 'front' }),
    outwardTopic(place, 'battery/state', { pack: 'rear' }),
    outwardTopic(place, 'printer/state', { printer: 'bar' }),
  ]
  const heard = new Set(supplyEntries(base, info).map(([, { state_topic }]) => state_topic))
  t.same([...heard].sort(), [...spoken].sort())
})

t.test('what is measured has a unit that Home Assistant knows for its class', async t => {
  const units: Readonly<Record<string, string>> = {
    battery: '%',
    voltage: 'mV',
    current: 'mA',
    duration: 's',
  }
  for (const [key, component] of supplyEntries(base, info)) {
    const deviceClass = String(component['device_class'])
    if (deviceClass in units)
      t.equal(component['unit_of_measurement'], units[deviceClass], `${key} in its unit`)
  }
})
