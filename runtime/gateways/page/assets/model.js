/** What the page knows of the box: a snapshot, and then one message after the other. Pure functions. */

const RECENT_MAX = 50
const CLOCK_POINTS_MAX = 600
const SECOND_MS = 1_000

export const emptyModel = {
  isOperator: false,
  board: { name: '', title: '' },
  show: null,
  availability: null,
  info: null,
  showState: null,
  late: null,
  broker: null,
  clock: null,
  wall: null,
  /** Of its last minutes, oldest first; asked for once, and then continued. */
  clockPoints: [],
  timecode: null,
  venue: null,
  ota: null,
  power: null,
  batteries: [],
  printers: [],
  /** Tickets that may or may not be on paper; asked for when there are some. */
  unsettled: [],
  devices: [],
  levels: {},
  colors: {},
  lines: null,
  recent: [],
  /** Number of the next line of `recent`: two things that happened may be alike in everything else. */
  serial: 0,
}

/** @returns the model that begins with a snapshot; lines of an earlier one are not taken for its own */
export function withSnapshot({ serial, unsettled, clockPoints }, snapshot) {
  const recent = snapshot.recent.map((event, index) => ({ ...event, serial: serial + index }))
  const kept = { unsettled, clockPoints }
  return { ...emptyModel, ...snapshot, ...kept, recent, serial: serial + recent.length }
}

const stateFields = {
  'box/availability': 'availability',
  'box/info': 'info',
  'show/state': 'showState',
  'cue/late': 'late',
  'broker/state': 'broker',
  'clock/wall': 'wall',
  'power/state': 'power',
  'timecode/state': 'timecode',
  'venue/state': 'venue',
  'ota/state': 'ota',
}

/** Lists of states, each known by a name of its own. */
const namedFields = {
  'printer/state': ['printers', 'printer'],
  'battery/state': ['batteries', 'pack'],
}

const looksBad = ['unknown', 'failed', 'expired']

const eventTopics = ['cue/fired', 'capture/taken', 'input/changed', 'message/refused']

/** @returns the model after a message of the stream */
export function apply(model, event, { wallMs, payload }) {
  const field = stateFields[event]
  if (field) return { ...model, [field]: payload }
  const named = namedFields[event]
  if (named) return { ...model, [named[0]]: withNamed(model[named[0]], named[1], payload) }
  if (event === 'levels/sampled')
    return { ...model, levels: payload.levels, colors: payload.colors }
  if (event === 'clock/state') return withClock(model, payload)
  if (event === 'lines') return { ...model, lines: payload.lines }
  if (event === 'device/state') return withDevice(model, payload, wallMs)
  const isAnswer = event === 'command/answered' || event === 'print/answered'
  const isRefusal = isAnswer && !payload.isAccepted
  const isBadTicket = event === 'print/changed' && looksBad.includes(payload.state)
  if (isRefusal || isBadTicket || eventTopics.includes(event))
    return withRecent(model, event, wallMs, payload)
  return model
}

/** A state is told at every change, a point stands for a second. */
function withClock(model, clock) {
  const { clockPoints } = model
  const passedMs = clock.wallMs - (clockPoints.at(-1)?.wallMs ?? 0)
  const isNext = passedMs > SECOND_MS / 2 || passedMs < 0
  const points = isNext ? [...clockPoints, clock].slice(-CLOCK_POINTS_MAX) : clockPoints
  return { ...model, clock, clockPoints: points }
}

const withNamed = (list, key, payload) =>
  list.some(known => known[key] === payload[key])
    ? list.map(known => (known[key] === payload[key] ? payload : known))
    : [...list, payload]

/** @returns how many tickets a person has to look at, as the printers say */
export const unsettledCount = ({ printers }) =>
  printers.reduce((sum, { unknown }) => sum + unknown, 0)

function withDevice(model, payload, wallMs) {
  const before = model.devices.find(device => device.device === payload.device)
  const devices = before
    ? model.devices.map(device => (device === before ? payload : device))
    : [...model.devices, payload]
  const isNews = before?.state !== payload.state || before?.code !== payload.code
  const next = { ...model, devices }
  return isNews ? withRecent(next, 'device/state', wallMs, payload) : next
}

const withRecent = (model, topic, wallMs, payload) => ({
  ...model,
  recent: [...model.recent, { serial: model.serial, topic, wallMs, payload }].slice(-RECENT_MAX),
  serial: model.serial + 1,
})

/** @returns the cue of that id, with its name where the show gives one; null when there is none */
export function cueOf(model, id) {
  if (id === null || id === undefined) return null
  return model.show?.cues.find(cue => cue.id === id) ?? { id, name: '' }
}

/** @returns devices as announced, with their state once they have said one */
export function devicesOf(model) {
  const announced = (model.info?.devices ?? []).filter(
    ({ device }) => !model.devices.some(known => known.device === device),
  )
  return [
    ...model.devices,
    ...announced.map(device => ({ ...device, state: 'starting', code: null, message: null })),
  ]
}

/** @returns inputs, with what they last said: chords and contacts speak too, and are no devices */
export function inputsOf(model) {
  const names = new Set(
    devicesOf(model)
      .filter(device => device.kind === 'input')
      .map(device => device.device),
  )
  const canPress = new Set(names)
  const last = new Map()
  for (const { topic, payload } of model.recent)
    if (topic === 'input/changed') {
      names.add(payload.input)
      last.set(payload.input, payload.event)
    }
  return [...names].map(name => ({
    name,
    event: last.get(name) ?? null,
    isPressable: model.lines !== null && canPress.has(name),
  }))
}

const WARM_WHITE = [255, 214, 160]

/** @returns for each output its level and the colour a person would see, as three numbers of 0..255 */
export function lampsOf(model) {
  const outputs =
    model.show?.outputs ??
    Object.keys(model.levels).map(name => ({ name, kind: 'light', device: '', channels: [] }))
  return outputs.map(output => {
    const device = model.devices.find(known => known.device === output.device) ?? null
    const color = colorOf(model.colors[output.name]) ?? WARM_WHITE
    return {
      ...output,
      level: model.levels[output.name] ?? 0,
      color,
      isFaulty: device?.state === 'faulty',
    }
  })
}

/** Hue only: brightness is the output's level. */
function colorOf(levels) {
  if (!levels) return null
  const [red, green, blue, white = 0] = levels
  const parts = [red, green, blue].map(part => Math.min(1, part + white))
  const brightest = Math.max(...parts)
  return brightest === 0 ? null : parts.map(part => Math.round((part / brightest) * 255))
}
