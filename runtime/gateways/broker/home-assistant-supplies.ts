/**
 * What Home Assistant is told of power, packs and printers: sensors of what the box publishes anyway. A value that the box
 * does not know becomes `unknown` there, since its template then renders `None`. Pure.
 */
import type { Payload } from '../../topics.js'

type Component = Readonly<Record<string, unknown>>
type Entry = readonly [key: string, component: Component]
type Info = Pick<Payload<'box/info'>, 'devices' | 'packs'>

const measured = { state_class: 'measurement' } as const
const diagnostic = { entity_category: 'diagnostic' } as const

/** @param base of the box's own topics */
export function supplyEntries(base: string, { devices, packs = [] }: Info): readonly Entry[] {
  const printers = devices.flatMap(({ device, kind }) => (kind === 'printer' ? [device] : []))
  return [
    ...(packs.length === 0 ? [] : powerEntries(`${base}/power`)),
    ...packs.flatMap(pack => packEntries(`${base}/power/${pack}/state`, pack)),
    ...printers.flatMap(printer => printerEntries(`${base}/printers/${printer}/state`, printer)),
  ]
}

const sensor = (topic: string, name: string, field: string, more: Component): Component => ({
  platform: 'sensor',
  name,
  state_topic: topic,
  value_template: `{{ value_json.${field} }}`,
  ...more,
})

/** What is null is neither on nor off. */
const binary = (topic: string, name: string, field: string, more: Component): Component => ({
  platform: 'binary_sensor',
  name,
  state_topic: topic,
  value_template: `{{ None if value_json.${field} is none else ('ON' if value_json.${field} else 'OFF') }}`,
  payload_on: 'ON',
  payload_off: 'OFF',
  ...more,
})

const percentage = { device_class: 'battery', unit_of_measurement: '%', ...measured }

const powerEntries = (topic: string): readonly Entry[] => [
  [
    'power-stage',
    sensor(topic, 'power stage', 'stage', {
      device_class: 'enum',
      options: ['mains', 'battery', 'warn', 'shed', 'protect', 'shutdown'],
    }),
  ],
  ['power-charge', sensor(topic, 'charge', 'percent', percentage)],
  [
    'power-empty-in',
    sensor(topic, 'time to empty', 'secondsToEmpty', {
      device_class: 'duration',
      unit_of_measurement: 's',
      ...measured,
    }),
  ],
  ['power-forecast', sensor(topic, 'power forecast', 'forecast', {})],
  ['power-mains', binary(topic, 'mains', 'isExternal', { device_class: 'plug' })],
]

const packEntries = (topic: string, pack: string): readonly Entry[] => [
  [`pack-${pack}-charge`, sensor(topic, `${pack} charge`, 'percent', percentage)],
  [
    `pack-${pack}-voltage`,
    sensor(topic, `${pack} voltage`, 'millivolts', {
      device_class: 'voltage',
      unit_of_measurement: 'mV',
      ...measured,
      ...diagnostic,
    }),
  ],
  [
    `pack-${pack}-current`,
    sensor(topic, `${pack} current`, 'milliamps', {
      device_class: 'current',
      unit_of_measurement: 'mA',
      ...measured,
      ...diagnostic,
    }),
  ],
  [
    `pack-${pack}-charging`,
    binary(topic, `${pack} charging`, 'isCharging', { device_class: 'battery_charging' }),
  ],
]

const printerEntries = (topic: string, printer: string): readonly Entry[] => [
  [`printer-${printer}-ready`, binary(topic, `${printer} ready`, 'isReady', {})],
  [
    `printer-${printer}-paper`,
    sensor(topic, `${printer} paper`, 'paper', {
      device_class: 'enum',
      options: ['enough', 'near-end', 'end'],
    }),
  ],
  [`printer-${printer}-queued`, sensor(topic, `${printer} queued`, 'queued', measured)],
  [
    `printer-${printer}-unknown`,
    sensor(topic, `${printer} to be decided`, 'unknown', { ...measured, ...diagnostic }),
  ],
]
