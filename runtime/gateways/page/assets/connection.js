/**
 * The line to the box: one stream of events in, commands out. When the stream breaks or falls silent the page says so
 * at once and tries again, first soon and then more seldom.
 */

import { BoxTime } from './box-time.js'

const SILENCE_MS_MAX = 12_000
const RETRY_MS_MIN = 400
const RETRY_MS_MAX = 8_000
const ANSWER_MS_MAX = 7_000
/** As many tickets to be looked at are shown. */
export const UNSETTLED_MAX = 20
const FAILED = { isAccepted: false, code: 'link.down' }

const events = [
  'box/availability',
  'box/info',
  'battery/state',
  'broker/state',
  'clock/state',
  'clock/wall',
  'timecode/state',
  'venue/state',
  'ota/state',
  'show/state',
  'cue/late',
  'cue/fired',
  'capture/taken',
  'command/answered',
  'device/state',
  'input/changed',
  'levels/sampled',
  'lines',
  'message/refused',
  'power/state',
  'print/answered',
  'print/changed',
  'printer/state',
]

const now = () => window.performance.now()
const boxTime = new BoxTime()

export class Connection {
  #source = null
  #heardMs = 0
  #retryMs = RETRY_MS_MIN
  #retryTimer = null
  #onState
  #onSnapshot
  #onEvent

  /**
   * @param onState hears `open`, `lost`, `locked` (the token is needed even to read)
   * @param onSnapshot hears the whole state each time the line is up again
   * @param onEvent hears (name, message) of each message after it
   */
  constructor({ onState, onSnapshot, onEvent }) {
    this.#onState = onState
    this.#onSnapshot = onSnapshot
    this.#onEvent = onEvent
  }

  start() {
    window.setInterval(() => this.#watch(), 1_000)
    window.addEventListener('online', () => this.open())
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden && this.#source === null) this.open()
    })
    this.open()
  }

  /** Opens the stream anew; also after a log-in, since the snapshot says what one may do. */
  open() {
    window.clearTimeout(this.#retryTimer)
    this.#source?.close()
    const source = new EventSource('/api/events')
    this.#source = source
    this.#heardMs = now()
    boxTime.forget()
    const listen = (name, listener) =>
      source.addEventListener(name, ({ data }) => {
        this.#heardMs = now()
        listener(JSON.parse(data))
      })
    listen('snapshot', snapshot => {
      this.#retryMs = RETRY_MS_MIN
      this.#onSnapshot(snapshot)
      this.#onState('open')
    })
    listen('beat', ({ monotonicMs }) => boxTime.hear(monotonicMs, now()))
    for (const event of events) listen(event, message => this.#onEvent(event, message))
    source.addEventListener('error', () => void this.#lose(source))
  }

  #watch() {
    if (this.#source !== null && now() - this.#heardMs > SILENCE_MS_MAX)
      void this.#lose(this.#source)
  }

  async #lose(source) {
    if (source !== this.#source) return
    source.close()
    this.#source = null
    this.#onState((await isLocked()) ? 'locked' : 'lost')
    if (this.#source !== null) return
    this.#retryTimer = window.setTimeout(
      () => this.open(),
      this.#retryMs * (0.75 + Math.random() / 2),
    )
    this.#retryMs = Math.min(RETRY_MS_MAX, this.#retryMs * 2)
  }
}

/** A stream does not tell why it failed; an ordinary request does. */
async function isLocked() {
  const reply = await request('GET', '/api/state', null).catch(() => null)
  return reply?.status === 401
}

/** @returns the last minutes of the clock, oldest first; null when the box does not answer */
export async function clockPoints() {
  const reply = await request('GET', '/api/clock', null).catch(() => null)
  if (reply?.status !== 200) return null
  const answer = await reply.json().catch(() => null)
  return answer?.points ?? null
}

const request = (method, path, body, headers = {}) =>
  window.fetch(path, {
    method,
    headers: body === null ? headers : { ...headers, 'content-type': 'application/json' },
    body: body === null ? null : JSON.stringify(body),
    signal: AbortSignal.timeout(ANSWER_MS_MAX),
  })

async function post(path, body, headers = {}) {
  try {
    const reply = await request('POST', path, body, headers)
    const boxMs = reply.headers.get('roadcase-now-ms')
    if (boxMs !== null) boxTime.hear(Number(boxMs), now())
    const answer = await reply.json()
    return { ...answer, isAccepted: reply.ok && answer.isAccepted !== false }
  } catch {
    return { ...FAILED, message: 'the box did not answer' }
  }
}

/** @returns null when logged in, or what was wrong */
export async function login(token) {
  const answer = await post('/api/login', { token })
  return answer.isOperator === true ? null : (answer.message ?? 'the box did not answer')
}

/** A token after # never reaches a server; it is taken out of the address before anything else happens. */
export function tokenFromAddress() {
  const token = new URLSearchParams(window.location.hash.slice(1)).get('token')
  if (token !== null) window.history.replaceState(null, '', window.location.pathname)
  return token
}

/** What makes the stage safe is asked again until it is answered; a GO that comes late does more harm than none. */
function triesFor({ action, on }) {
  if (action === 'panic') return 5
  return action === 'blackout' && on ? 3 : 1
}

/** What a dead link holds back still arrives after the page has given up: the box refuses it by this. */
function sentNow() {
  const boxMs = boxTime.read(now())
  return boxMs === null ? {} : { 'roadcase-sent-ms': Math.max(0, boxMs).toFixed(3) }
}

/** @returns `{isAccepted, code, message}`; never throws */
export async function command(asked) {
  const body = { id: newId(), ...asked }
  const tries = triesFor(asked)
  const headers = tries === 1 ? sentNow() : {}
  let answer = await post('/api/command', body, headers)
  for (let tried = 1; answer.code === FAILED.code && tried < tries; tried++) {
    await new Promise(resolve => window.setTimeout(resolve, RETRY_MS_MIN))
    answer = await post('/api/command', body, headers)
  }
  return answer
}

export const pressButton = (input, holdMs) =>
  post('/api/simulated/press', { input, holdMs }, sentNow())

/** @returns `{isAccepted, code, message}`; never throws. A date that comes late is another one */
export const setDate = wallMs => post('/api/clock/wall', { id: newId(), wallMs }, sentNow())

/** @returns `{isAccepted, code, message}`; never throws. Asked again until it is answered: the same id is one decision */
export async function decide(job, decision) {
  const body = { id: newId(), job, decision }
  const answer = await post('/api/print/decide', body)
  return answer.code === FAILED.code ? post('/api/print/decide', body) : answer
}

/** @returns tickets that may or may not be on paper, the newest first; null when the box does not answer */
export async function unsettledTickets() {
  const reply = await request('GET', `/api/jobs?state=unknown&limit=${UNSETTLED_MAX}`, null).catch(
    () => null,
  )
  return reply?.ok ? (await reply.json()).jobs : null
}

/** Not randomUUID: browsers have it on https only, and a venue's page is plain http. */
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return [...bytes].map(byte => byte.toString(16).padStart(2, '0')).join('')
}
