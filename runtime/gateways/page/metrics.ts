/** What the box says of itself, for Prometheus: names end in their unit, and units are base units. Pure. */
import { powerStage } from '../../core/power-topics.js'
import type { Payload } from '../../topics.js'
import { clockFamilies } from './metrics-clock.js'
import { lateCueFamily } from './metrics-late-cues.js'
import { exposition, type Family, type MetricType, type Sample } from './metrics-text.js'
import { wallFamilies } from './metrics-wall.js'

/** The last of every state; null where nothing was said yet. */
export interface MetricStates {
  readonly availability: Payload<'box/availability'> | null
  readonly info: Payload<'box/info'> | null
  readonly power: Payload<'power/state'> | null
  readonly batteries: readonly Payload<'battery/state'>[]
  readonly printers: readonly Payload<'printer/state'>[]
  readonly lateness: Payload<'cue/late'> | null
  readonly lateCues: readonly Payload<'cue/lateness'>[]
  readonly show: Payload<'show/state'> | null
  readonly telemetry: Payload<'telemetry/state'> | null
  readonly devices: readonly Payload<'device/state'>[]
  readonly broker: Payload<'broker/state'> | null
  readonly clock: Payload<'clock/state'> | null
  readonly wall: Payload<'clock/wall'> | null
}

export const metricsText = (states: MetricStates): string =>
  exposition([
    ...boxFamilies(states),
    ...powerFamilies(states.power),
    ...batteryFamilies(states.batteries),
    ...printerFamilies(states.printers),
    ...showFamilies(states),
    ...deviceFamilies(states.devices),
    ...brokerFamilies(states.broker),
    ...clockFamilies(states.clock),
    ...wallFamilies(states.wall),
  ])

/** A family of one sample, or of one for each thing. */
const one = (
  name: string,
  type: MetricType,
  help: string,
  value: number | null | undefined,
): Family => ({
  name: `roadcase_${name}`,
  type,
  help,
  samples: [{ labels: {}, value: value ?? null }],
})

const each = (
  name: string,
  type: MetricType,
  help: string,
  samples: readonly Sample[],
): Family => ({ name: `roadcase_${name}`, type, help, samples })

const flag = (value: boolean | null | undefined): number | null =>
  value === null || value === undefined ? null : value ? 1 : 0

const thousandth = (value: number | null | undefined): number | null =>
  value === null || value === undefined ? null : value / 1_000

const share = (percent: number | null | undefined): number | null =>
  percent === null || percent === undefined ? null : Number((percent / 100).toFixed(6))

/** One sample for each word that it may be, 1 for the one that it is: a state set, as Prometheus has no words. */
const states = (
  labels: Sample['labels'],
  label: string,
  words: readonly string[],
  is: string,
): readonly Sample[] =>
  words.map(word => ({ labels: { ...labels, [label]: word }, value: word === is ? 1 : 0 }))

function boxFamilies({ info, availability, telemetry }: MetricStates): readonly Family[] {
  const labels = info && {
    tour: info.tour,
    box: info.box,
    board: info.board,
    version: info.version,
  }
  return [
    each('box_info', 'gauge', 'What this box is.', labels ? [{ labels, value: 1 }] : []),
    one(
      'box_ready',
      'gauge',
      'Whether the box is ready.',
      availability && flag(availability.state === 'ready'),
    ),
    one('box_boots_total', 'counter', 'How often this box was started.', info?.boot),
    one(
      'uptime_seconds',
      'gauge',
      'Since the runtime was started.',
      thousandth(telemetry?.uptimeMs),
    ),
    one('memory_resident_bytes', 'gauge', 'Memory that the runtime holds.', telemetry?.rssBytes),
    one(
      'event_loop_lag_p99_seconds',
      'gauge',
      'How late the main loop was in one of a hundred looks, of the last ten seconds.',
      thousandth(telemetry?.eventLoopLagMsP99),
    ),
  ]
}

const stageWords = powerStage.options

function powerFamilies(power: MetricStates['power']): readonly Family[] {
  return [
    each(
      'power_stage',
      'gauge',
      'What the box does about its power; 1 for the stage it is in.',
      power ? states({}, 'stage', stageWords, power.stage) : [],
    ),
    one('power_external', 'gauge', 'Whether power comes from outside.', flag(power?.isExternal)),
    one('power_charging', 'gauge', 'Whether a pack is being charged.', flag(power?.isCharging)),
    one(
      'power_charge_ratio',
      'gauge',
      'Charge of all packs together, 0 to 1.',
      share(power?.percent),
    ),
    one(
      'power_charge_error_ratio',
      'gauge',
      'Half the width of the interval that holds the true charge.',
      share(power?.percentError),
    ),
    one(
      'power_volts',
      'gauge',
      'Of the pack that carries the load.',
      thousandth(power?.millivolts),
    ),
    one('power_watts', 'gauge', 'Into the packs is positive.', thousandth(power?.milliwatts)),
    one(
      'power_time_to_empty_seconds',
      'gauge',
      'At the load of the last minutes.',
      power?.secondsToEmpty,
    ),
    one(
      'power_time_to_empty_min_seconds',
      'gauge',
      'At the highest load of the last half hour, and the lowest charge that may be.',
      power?.secondsToEmptyMin,
    ),
    one('power_light_cap_ratio', 'gauge', 'Share of all light that is left.', power?.lightCap),
    one(
      'power_prints_refused',
      'gauge',
      'Whether new prints are refused.',
      flag(power?.arePrintsRefused),
    ),
  ]
}

type Battery = MetricStates['batteries'][number]

function batteryFamilies(batteries: MetricStates['batteries']): readonly Family[] {
  const family = (
    name: string,
    help: string,
    read: (battery: Battery) => number | null,
    type: MetricType = 'gauge',
  ): Family =>
    each(
      `battery_${name}`,
      type,
      help,
      batteries.map(battery => ({ labels: { pack: battery.pack }, value: read(battery) })),
    )
  const ampereHours = (milliampHours: number | null): number | null => thousandth(milliampHours)
  return [
    family('volts', 'Of the whole pack.', ({ millivolts }) => thousandth(millivolts)),
    family('amperes', 'Into the pack is positive.', ({ milliamps }) => thousandth(milliamps)),
    family('celsius', 'Temperature of the pack.', ({ celsius }) => celsius),
    family('charge_ratio', 'State of charge, 0 to 1.', ({ percent }) => share(percent)),
    family(
      'charge_error_ratio',
      'Half the width of the interval that holds the true charge.',
      ({ percentError }) => share(percentError),
    ),
    family('full_ampere_hours', 'What the pack holds when full.', ({ fullMilliampHours }) =>
      ampereHours(fullMilliampHours),
    ),
    family('remaining_ampere_hours', 'What the pack holds now.', ({ remainingMilliampHours }) =>
      ampereHours(remainingMilliampHours),
    ),
    family('external', 'Whether its gauge sees power from outside.', ({ isExternal }) =>
      flag(isExternal),
    ),
    family('charging', 'Whether it is being charged.', ({ isCharging }) => flag(isCharging)),
    family(
      'troubles',
      'What keeps its values from being known.',
      ({ troubles }) => troubles.length,
    ),
    family(
      'swaps_total',
      'How often another pack was put in its place.',
      ({ swaps }) => swaps,
      'counter',
    ),
  ]
}

const standingJobs = ['queued', 'sending', 'unknown'] as const
const paperWords = ['enough', 'near-end', 'end'] as const
const doneJobs = ['sent', 'confirmed', 'failed', 'expired'] as const

type Printer = MetricStates['printers'][number]

function printerFamilies(printers: MetricStates['printers']): readonly Family[] {
  const family = (name: string, help: string, read: (printer: Printer) => number | null): Family =>
    each(
      `printer_${name}`,
      'gauge',
      help,
      printers.map(state => ({ labels: { printer: state.printer }, value: read(state) })),
    )
  const jobs = (words: readonly (typeof standingJobs | typeof doneJobs)[number][]): Sample[] =>
    printers.flatMap(state =>
      words.map(word => ({ labels: { printer: state.printer, state: word }, value: state[word] })),
    )
  return [
    family('ready', 'Whether it can begin a ticket now.', ({ isReady }) => flag(isReady)),
    each(
      'printer_paper',
      'gauge',
      'What its paper sensors say; 1 for the state it is in.',
      printers.flatMap(({ printer, paper }) =>
        paper === null ? [] : states({ printer }, 'state', paperWords, paper),
      ),
    ),
    family('cover_open', 'Whether its cover is open.', ({ isCoverOpen }) => flag(isCoverOpen)),
    family(
      'tickets_left',
      'For how many tickets its paper lasts.',
      ({ ticketsLeft }) => ticketsLeft,
    ),
    family('paper_used_meters', 'Since its roll was changed.', ({ usedMillimetres }) =>
      thousandth(usedMillimetres),
    ),
    each('printer_jobs', 'gauge', 'Jobs as they stand.', jobs(standingJobs)),
    each('printer_jobs_total', 'counter', 'Jobs by what has become of them.', jobs(doneJobs)),
    each(
      'printer_ticket_seconds',
      'gauge',
      'From the first byte to the confirmation, of the last hundred tickets.',
      printers.flatMap(({ printer, tookMsP50, tookMsP95 }) => [
        { labels: { printer, percentile: '50' }, value: thousandth(tookMsP50) },
        { labels: { printer, percentile: '95' }, value: thousandth(tookMsP95) },
      ]),
    ),
  ]
}

function showFamilies({ lateness, lateCues, show }: MetricStates): readonly Family[] {
  const quantiles = { '0.5': lateness?.p50, '0.95': lateness?.p95, '0.99': lateness?.p99 }
  const isAny = lateness !== null && lateness.count > 0
  return [
    each('cue_lateness_seconds', 'summary', 'How late the outputs were since the box started.', [
      ...Object.entries(quantiles).map(([quantile, value]) => ({
        labels: { quantile },
        value: isAny ? thousandth(value) : null,
      })),
      { suffix: '_count', labels: {}, value: lateness?.count ?? null },
    ]),
    one(
      'cue_lateness_max_seconds',
      'gauge',
      'How late the latest output was since the box started.',
      isAny ? thousandth(lateness.max) : null,
    ),
    lateCueFamily(lateCues),
    one('show_armed', 'gauge', 'Whether a show is armed.', flag(show?.isArmed)),
  ]
}

const deviceWords = ['starting', 'ready', 'faulty', 'stopped'] as const

const deviceFamilies = (devices: MetricStates['devices']): readonly Family[] => [
  each(
    'device_state',
    'gauge',
    'How a device feels; 1 for the state it is in.',
    devices.flatMap(({ device, driver, kind, state }) =>
      states({ device, driver, kind }, 'state', deviceWords, state),
    ),
  ),
]

const brokerFamilies = (broker: MetricStates['broker']): readonly Family[] => [
  one('broker_connected', 'gauge', 'Whether MQTT is there.', flag(broker?.isConnected)),
  one('broker_clients', 'gauge', 'MQTT clients of the broker inside.', broker?.clients),
  one('broker_waiting_messages', 'gauge', 'Messages for those who are away.', broker?.waiting),
  one(
    'broker_dropped_total',
    'counter',
    'Messages that did not get where they should.',
    broker?.dropped,
  ),
  one(
    'broker_refused_total',
    'counter',
    'Clients and messages that were turned away.',
    broker?.refused,
  ),
]
