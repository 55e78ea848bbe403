/** How things are said to people. */
import { ticketText } from './words-supplies.js'

const clock = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
})

export const timeText = wallMs => clock.format(wallMs)

const weekClock = new Intl.DateTimeFormat(undefined, {
  weekday: 'short',
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
})

/** Of what may be days ago. */
export const dayTimeText = wallMs => weekClock.format(wallMs)

/** Without the unit. */
export function millisecondsText(value) {
  if (value === undefined || value === null) return '–'
  return value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)
}

export const percentText = level => `${Math.round(level * 100)} %`

const inputWords = { press: 'pressed', release: 'let go', 'long-press': 'held' }
export const inputText = event => (event === null ? 'quiet' : inputWords[event])

const stateWords = { starting: 'starting', ready: 'ready', faulty: 'faulty', stopped: 'stopped' }
export const deviceText = device =>
  device.state === 'faulty'
    ? (device.message ?? device.code ?? stateWords.faulty)
    : stateWords[device.state]

/** @returns why the card took nothing, and what to do; as in `roadcase status` */
export const cardText = trouble =>
  trouble === 'full'
    ? 'was full when the box started: nothing is kept over a restart until there is room; free space'
    : 'took no writes when the box started: nothing is kept over a restart; change it'

/** @returns which broker it is, and since when it is reached or not */
export function brokerText({ kind, url, isConnected, sinceWallMs, trouble }) {
  if (kind === 'embedded') return `broker of this box, since ${dayTimeText(sinceWallMs)}`
  const state = `${isConnected ? 'connected' : 'not connected'} since ${dayTimeText(sinceWallMs)}`
  const why =
    trouble === null
      ? ''
      : isConnected
        ? `; last trouble ${dayTimeText(trouble.wallMs)}: ${trouble.message}`
        : `: ${trouble.message}`
  return `${url}, ${state}${why}`
}

/** @returns what waits, and what went wrong if anything did */
export function brokerFigures({ clients, waiting, dropped, refused }) {
  return [
    clients === null ? null : countText(clients, 'client'),
    `${waiting} waiting`,
    dropped === 0 ? null : `${dropped} dropped`,
    refused === 0 ? null : `${refused} refused`,
  ]
    .filter(text => text !== null)
    .join(', ')
}

const countText = (count, word) => `${count} ${word}${count === 1 ? '' : 's'}`

/** @returns one line about something that happened, and whether it is bad news */
export function eventText({ topic, payload }) {
  switch (topic) {
    case 'cue/fired':
      return { text: `Cue ${payload.cue} fired${lateText(payload.lateMs)}`, isBad: false }
    case 'capture/taken':
      return payload.refused === null
        ? { text: `${payload.device} took a picture`, isBad: false }
        : { text: `${payload.device}: no picture (${payload.refused})`, isBad: true }
    case 'input/changed':
      return { text: `${payload.input} ${inputText(payload.event)}`, isBad: false }
    case 'print/changed':
      return { text: ticketText(payload), isBad: true }
    case 'print/answered':
    case 'command/answered':
      return { text: `Refused: ${payload.message ?? payload.code}`, isBad: true }
    case 'message/refused':
      return { text: `${refusedText(payload)} refused: ${payload.message}`, isBad: true }
    case 'device/state':
      return {
        text: `${payload.device} ${deviceText(payload)}`,
        isBad: payload.state === 'faulty',
      }
    default:
      return { text: topic, isBad: false }
  }
}

/** Not every refusal is of a message: a client may not have got in at all. */
const refusedText = ({ topic, client }) =>
  topic === '' ? `MQTT client ${client}` : `Message to ${topic}`

function lateText(lateMs) {
  if (lateMs === null) return ''
  if (lateMs < 0.005) return ', on time'
  return `, ${millisecondsText(lateMs)} ms late`
}

const actionWords = {
  go: 'GO',
  back: 'BACK',
  goto: 'Next cue',
  panic: 'PANIC',
  release: 'Release',
  arm: 'Arm',
  disarm: 'Disarm',
  blackout: 'Blackout',
  press: 'Press',
  decide: 'Ticket',
}
export const actionText = action => actionWords[action] ?? action
