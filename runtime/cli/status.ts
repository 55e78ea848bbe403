import type { Command } from 'commander'
import type { BoxSnapshot } from '../gateways/page/api.js'
import { clockRow } from './clock-words.js'
import type { CliSetting } from './setting.js'
import { powerRows, printerRows } from './status-rows.js'
import { cueName, type Row, table } from './table.js'
import { type Paint, paintFor, printable, writeJson } from './terminal.js'
import { venueRows } from './venue.js'

export function addStatus(program: Command, setting: CliSetting): void {
  program
    .command('status')
    .description('show what the box is doing')
    .addHelpText('after', '\nExample:\n  $ roadcase status')
    .action(async () => {
      const state = await setting.link().state()
      if (setting.isJson()) writeJson(setting.terminal, state)
      else setting.terminal.write(statusText(state, paintFor(setting.terminal)))
    })
}

const stamp = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'medium' })

/** A compact table: box, show, cue, devices, MQTT, lateness. */
export function statusText(state: BoxSnapshot, paint: Paint): string {
  const rows: Row[] = [
    ['Box', boxText(state, paint)],
    ...cardRows(state, paint),
    ['Show', showText(state, paint)],
    ['Cue', cueText(state)],
    ['Devices', devicesText(state, paint)],
    ...faultyRows(state, paint),
    ...printerRows(state, paint),
    ...powerRows(state, paint),
    ...clockRow(state.clock, paint),
    ...venueRows(state, paint),
    ['MQTT', brokerText(state, paint)],
    ...troubleRows(state, paint),
    ['Lateness', lateText(state)],
  ]
  return table(rows, paint)
}

function boxText({ info, board, availability }: BoxSnapshot, paint: Paint): string {
  const state = availability?.state ?? 'init'
  const name = info === null ? 'unnamed' : `${info.box} of ${info.tour}`
  return `${name}, ${board.title}, ${state === 'ready' ? paint.green(state) : paint.yellow(state)}`
}

/** As on the page. */
const CARD_WORDS = {
  'read-only': 'took no writes when the box started: nothing is kept over a restart; change it',
  full: 'was full when the box started: nothing is kept over a restart until there is room; free space',
} as const

/** Its own records, of which nothing is kept, would say so nowhere else before somebody does something. */
const cardRows = ({ info }: BoxSnapshot, paint: Paint): readonly Row[] =>
  info?.cardTrouble ? [['Card', paint.red(CARD_WORDS[info.cardTrouble])]] : []

function showText({ show, showState }: BoxSnapshot, paint: Paint): string {
  if (showState === null) return show?.name ?? 'none'
  const alarms = [
    showState.isPanic ? paint.red('PANIC') : null,
    showState.isBlackout ? paint.yellow('blackout') : null,
    Object.keys(showState.manual).length > 0
      ? paint.yellow(`by hand: ${Object.keys(showState.manual).join(', ')}`)
      : null,
  ]
  const armed = showState.isArmed ? paint.green('armed') : 'not armed'
  return [showState.name, armed, ...alarms.filter(alarm => alarm !== null)].join(', ')
}

function cueText({ show, showState }: BoxSnapshot): string {
  const cues = show?.cues ?? []
  return `${cueName(cues, showState?.current ?? null)}, next ${cueName(cues, showState?.next ?? null)}`
}

function devicesText({ devices }: BoxSnapshot, paint: Paint): string {
  if (devices.length === 0) return 'none'
  const counts = new Map<string, number>()
  for (const { state } of devices) counts.set(state, (counts.get(state) ?? 0) + 1)
  return [...counts]
    .map(([state, count]) =>
      state === 'faulty' ? paint.red(`${count} faulty`) : `${count} ${state}`,
    )
    .join(', ')
}

const faultyRows = ({ devices }: BoxSnapshot, paint: Paint): Row[] =>
  devices
    .filter(({ state }) => state === 'faulty')
    .map(({ device, message, code }) => [
      '',
      `${paint.red(device)}: ${message ?? 'faulty'}${code === null ? '' : ` (${code})`}`,
    ])

function brokerText({ broker }: BoxSnapshot, paint: Paint): string {
  if (broker === null) return 'not started'
  const { kind, url, isConnected, sinceWallMs, clients, waiting, dropped, refused } = broker
  const link = `${isConnected ? 'connected' : 'not connected'} since ${stamp.format(sinceWallMs)}`
  return [
    kind === 'embedded' ? 'broker of this box' : url,
    kind === 'embedded' ? null : isConnected ? paint.green(link) : paint.red(link),
    clients === null ? null : `${clients} client${clients === 1 ? '' : 's'}`,
    `${waiting} waiting`,
    dropped === 0 ? null : paint.yellow(`${dropped} dropped`),
    refused === 0 ? null : paint.yellow(`${refused} refused`),
  ]
    .filter(text => text !== null)
    .join(', ')
}

/** Why the link is down; when it is up again, what was the matter. */
function troubleRows({ broker }: BoxSnapshot, paint: Paint): readonly Row[] {
  if (!broker?.trouble) return []
  const { wallMs } = broker.trouble
  // Some of it is what the other side said, and must not move the cursor.
  const message = printable(broker.trouble.message)
  const text = broker.isConnected ? `until then: ${message}` : paint.red(message)
  return [['', `${text} (${stamp.format(wallMs)})`]]
}

function lateText({ late }: BoxSnapshot): string {
  if (late === null || late.count === 0) return 'nothing fired yet'
  const [p50, p99, max] = [late.p50, late.p99, late.max].map(value => value.toFixed(2))
  return `p50 ${p50} ms, p99 ${p99} ms, worst ${max} ms, of ${late.count}`
}
