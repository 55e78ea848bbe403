import t from 'tap'
import { type MetricStates, metricsText } from '../../../runtime/gateways/page/metrics.js'
import { exposition } from '../../../runtime/gateways/page/metrics-text.js'
import { parsed } from './exposition-parser.js'

const nothing: MetricStates = {
  availability: null,
  info: null,
  power: null,
  batteries: [],
  clock: null,
  wall: null,
  printers: [],
  lateness: null,
  lateCues: [],
  show: null,
  telemetry: null,
  devices: [],
  broker: null,
}

const battery = {
  pack: 'front',
  gauge: 'ups',
  millivolts: 3_712,
  milliamps: -850,
  celsius: 24.5,
  percent: 55.5,
  percentError: 4,
  method: 'coulomb',
  fullMilliampHours: 9_600,
  remainingMilliampHours: 5_328,
  isExternal: false,
  isCharging: false,
  swaps: 2,
  troubles: [],
} as const

const full: MetricStates = {
  availability: { state: 'ready', boot: 7 },
  info: {
    tour: 'first-night',
    box: 'box-1',
    board: 'pi-4b',
    version: '1.2.3',
    boot: 7,
    show: null,
    devices: [],
    outputs: [],
  },
  power: {
    stage: 'warn',
    isExternal: false,
    isCharging: false,
    percent: 28.4,
    percentError: 5,
    millivolts: 3_600,
    milliwatts: -4_200,
    secondsToEmpty: 5_400,
    secondsToEmptyMin: 4_000,
    emptyAtWallMs: 1.8e12,
    showEndsAtWallMs: null,
    isEnough: null,
    forecast: null,
    lightCap: 1,
    arePrintsRefused: false,
    packs: 1,
  },
  batteries: [{ ...battery, troubles: [] }],
  printers: [
    {
      printer: 'bar',
      isReady: true,
      hindrance: null,
      paper: 'near-end',
      isCoverOpen: false,
      error: 'none',
      queued: 1,
      sending: 1,
      unknown: 0,
      sent: 4,
      confirmed: 90,
      failed: 2,
      expired: 3,
      usedMillimetres: 4_500,
      ticketsLeft: 30,
      tookMsP50: 900,
      tookMsP95: 1_500,
    },
  ],
  lateCues: [
    {
      cue: '2',
      count: 3,
      p50: 0.2,
      p95: 300,
      p99: 300,
      max: 300,
      last: 0.2,
      sum: 300.4,
      within: [0, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2],
    },
  ],
  lateness: { count: 10, p50: 0.5, p95: 2, p99: 4, max: 9 },
  show: null,
  telemetry: { uptimeMs: 90_000, rssBytes: 64_000_000, eventLoopLagMsP99: 2 },
  devices: [
    {
      device: 'ups',
      driver: 'ina219',
      kind: 'gauge',
      state: 'faulty',
      code: 'device.io',
      message: 'gone',
    },
  ],
  clock: null,
  wall: null,
  broker: {
    kind: 'embedded',
    url: null,
    isConnected: true,
    sinceWallMs: 0,
    trouble: null,
    clients: 3,
    waiting: 0,
    dropped: 1,
    refused: 2,
  },
}

const valueIn = (
  text: string,
  name: string,
  labels: Record<string, string> = {},
): number | null => {
  const wanted = JSON.stringify(Object.entries(labels).sort())
  for (const { samples } of parsed(text).values())
    for (const sample of samples)
      if (sample.name === name && JSON.stringify([...sample.labels].sort()) === wanted)
        return sample.value
  return null
}

t.test('a box of which nothing is known says nothing', async t => {
  t.equal(metricsText(nothing), '')
})

t.test('values are in base units, and discharging is negative', async t => {
  const text = metricsText(full)
  const cases = [
    ['roadcase_battery_volts', { pack: 'front' }, 3.712],
    ['roadcase_battery_amperes', { pack: 'front' }, -0.85],
    ['roadcase_battery_charge_ratio', { pack: 'front' }, 0.555],
    ['roadcase_battery_full_ampere_hours', { pack: 'front' }, 9.6],
    ['roadcase_battery_swaps_total', { pack: 'front' }, 2],
    ['roadcase_battery_external', { pack: 'front' }, 0],
    ['roadcase_power_watts', {}, -4.2],
    ['roadcase_power_time_to_empty_seconds', {}, 5_400],
    ['roadcase_power_stage', { stage: 'warn' }, 1],
    ['roadcase_power_stage', { stage: 'mains' }, 0],
    ['roadcase_printer_jobs_total', { printer: 'bar', state: 'confirmed' }, 90],
    ['roadcase_printer_jobs', { printer: 'bar', state: 'queued' }, 1],
    ['roadcase_printer_paper_used_meters', { printer: 'bar' }, 4.5],
    ['roadcase_printer_paper', { printer: 'bar', state: 'near-end' }, 1],
    ['roadcase_cue_lateness_seconds', { quantile: '0.99' }, 0.004],
    ['roadcase_cue_lateness_seconds_count', {}, 10],
    ['roadcase_cue_lateness_by_cue_seconds_bucket', { cue: '2', le: '0.0001' }, 0],
    ['roadcase_cue_lateness_by_cue_seconds_bucket', { cue: '2', le: '0.00025' }, 2],
    ['roadcase_cue_lateness_by_cue_seconds_bucket', { cue: '2', le: '+Inf' }, 3],
    ['roadcase_cue_lateness_by_cue_seconds_sum', { cue: '2' }, 0.3004],
    ['roadcase_cue_lateness_by_cue_seconds_count', { cue: '2' }, 3],
    ['roadcase_uptime_seconds', {}, 90],
    [
      'roadcase_device_state',
      { device: 'ups', driver: 'ina219', kind: 'gauge', state: 'faulty' },
      1,
    ],
    ['roadcase_broker_dropped_total', {}, 1],
    [
      'roadcase_box_info',
      { tour: 'first-night', box: 'box-1', board: 'pi-4b', version: '1.2.3' },
      1,
    ],
  ] as const
  for (const [name, labels, value] of cases) t.equal(valueIn(text, name, labels), value, name)
})

t.test('every family is helped and typed, and only counters end in _total', async t => {
  for (const [name, { help, type, samples }] of parsed(metricsText(full))) {
    t.match(name, /^roadcase_[a-z0-9_]+$/)
    t.ok(help !== null && help.length > 5, `${name} has help`)
    t.equal(type === 'counter', name.endsWith('_total'), `${name} is a ${type}`)
    t.notMatch(name, /(milli|percent|_ms$)/, `${name} is in base units`)
    t.ok(samples.length > 0, `${name} says something`)
  }
})

t.test('what is not known is absent, never zero and never NaN', async t => {
  const unknown = {
    ...battery,
    millivolts: null,
    milliamps: null,
    percent: null,
    celsius: null,
    troubles: ['silent' as const],
  }
  const text = metricsText({
    ...full,
    batteries: [unknown],
    lateness: { count: 0, p50: 0, p95: 0, p99: 0, max: 0 },
  })
  for (const name of ['volts', 'amperes', 'charge_ratio', 'celsius'])
    t.equal(valueIn(text, `roadcase_battery_${name}`, { pack: 'front' }), null, name)
  t.equal(valueIn(text, 'roadcase_cue_lateness_seconds', { quantile: '0.5' }), null)
  t.equal(valueIn(text, 'roadcase_cue_lateness_seconds_count'), 0)
  t.notMatch(text, /NaN|null|undefined| [-+]?Inf/)
})

t.test('labels and help may hold anything', async t => {
  const odd = 'a "quoted" \\ back\nslash'
  const text = exposition([
    { name: 'x', type: 'gauge', help: odd, samples: [{ labels: { odd }, value: 1 }] },
    { name: 'y', type: 'gauge', help: 'h', samples: [{ labels: {}, value: Number.NaN }] },
  ])
  t.equal(valueIn(text, 'x', { odd }), 1)
  t.equal(parsed(text).has('y'), false)
})
