/** How power and printers are told to people. */

const stageWords = {
  mains: 'on mains',
  battery: 'on battery',
  warn: 'on battery, low',
  shed: 'on battery: lights are dimmed to last longer',
  protect: 'nearly empty: no new tickets',
  shutdown: 'empty: the box is switching itself off',
}

/** @returns what the box runs on, and for how long */
export const powerText = ({ stage, forecast }) =>
  [stageWords[stage] ?? stage, forecast].filter(Boolean).join('; ')

const methodWords = {
  gauge: 'by its gauge',
  coulomb: 'counted',
  voltage: 'by its voltage',
  none: '',
}

const troubleWords = {
  stuck: 'its gauge says the same all the time',
  overflow: 'more current than its gauge can measure',
  implausible: 'its gauge says what cannot be',
  reset: 'its gauge has forgotten its settings',
  'not-ready': 'its gauge has measured nothing yet',
  'no-pack': 'no pack is in',
  silent: 'its gauge does not answer',
  unfamiliar: 'its gauge is of a version that is not known here',
}

export function batteryText({ percent, method, millivolts, milliamps, troubles }) {
  return [
    percent === null ? 'charge unknown' : `${Math.round(percent)} % ${methodWords[method] ?? ''}`,
    millivolts === null ? null : `${(millivolts / 1000).toFixed(2)} V`,
    milliamps === null ? null : `${(milliamps / 1000).toFixed(2)} A`,
    ...troubles.map(trouble => troubleWords[trouble] ?? trouble),
  ]
    .filter(text => text !== null)
    .join(', ')
}

const hindranceWords = {
  absent: 'not there: is it on, is its cable in?',
  busy: 'printing',
  offline: 'offline',
  'paper-end': 'out of paper',
  'cover-open': 'its cover is open',
  error: 'reports an error',
  power: 'waits: too little power',
}

export function printerText({ isReady, hindrance, paper, error }) {
  if (!isReady && hindrance !== 'busy')
    return error === 'cutter' ? 'its cutter is stuck' : (hindranceWords[hindrance] ?? 'not ready')
  const state = hindrance === 'busy' ? 'printing' : 'ready'
  return paper === 'near-end' ? `${state}, paper near its end` : state
}

export function printerFigures({ queued, sending, sent, confirmed, failed, expired, ticketsLeft }) {
  return [
    `${queued + sending} waiting`,
    `${confirmed + sent} printed`,
    failed === 0 ? null : `${failed} failed`,
    expired === 0 ? null : `${expired} expired`,
    ticketsLeft === null ? null : `paper for ${ticketsLeft}`,
  ]
    .filter(text => text !== null)
    .join(', ')
}

/** Why a person has to look. */
export const jobText = ({ printer, kind, message }) =>
  [`${kind} on ${printer}: look whether it is on paper`, message].filter(Boolean).join('; ')

const stateWords = {
  unknown: 'may or may not be on paper: look',
  failed: 'will not be printed',
  expired: 'came too late to be printed',
}

/** @returns one line about a ticket that needs a look */
export const ticketText = ({ serial, state, message }) =>
  `Ticket ${serial} ${stateWords[state] ?? state}${message === null ? '' : `: ${message}`}`
