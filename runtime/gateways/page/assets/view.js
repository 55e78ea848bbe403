/** Draws the model. Every function may be called again at any time with any model. */
import { renderClock } from './clock.js'
import { renderTimecode, renderVenue } from './company.js'
import { renderDate } from './date.js'
import {
  byId,
  make,
  renderList,
  setAttribute,
  setClass,
  setDisabled,
  setHidden,
  setText,
} from './dom.js'
import { cueOf, devicesOf, inputsOf, lampsOf } from './model.js'
import { renderRelease } from './release.js'
import { renderPower, renderPrinters } from './supplies.js'
import {
  brokerFigures,
  brokerText,
  cardText,
  deviceText,
  eventText,
  inputText,
  millisecondsText,
  percentText,
  timeText,
} from './words.js'
import { absenceText } from './words-release.js'

const LATE_MS_BAD = 20

const linkWords = {
  connecting: 'Connecting',
  open: 'Connected',
  lost: 'Box lost',
  locked: 'Locked',
}

/** @param actions what the buttons inside lists do: `goTo(cue)`, `press(input, holdMs)`,
 *   `decide(job, decision)` */
export function render(model, link, actions) {
  renderTop(model, link)
  renderBanners(model, link)
  renderStage(model, link)
  renderCues(model, link, actions)
  renderLamps(model)
  renderInputs(model, link, actions)
  renderPins(model)
  renderLate(model)
  renderDevices(model)
  renderBroker(model)
  renderClock(model)
  renderDate(model, link)
  renderTimecode(model)
  renderVenue(model)
  renderRelease(model)
  renderPower(model)
  renderPrinters(model, link, actions.decide)
  renderRecent(model)
}

function renderTop(model, link) {
  const { info, showState } = model
  const box = info?.box ?? 'Roadcase'
  setText(byId('box'), box)
  setText(byId('where'), [info?.tour, model.board.title].filter(Boolean).join(' · '))
  if (document.title !== box) document.title = box
  const isArmed = showState?.isArmed ?? false
  setText(byId('armed'), isArmed ? 'Armed' : 'Not armed')
  setClass(byId('armed'), 'good', isArmed)
  setHidden(byId('blackout-badge'), !showState?.isBlackout)
  setText(byId('role'), model.isOperator ? 'Operator' : 'View only')
  const isAsleep = link.state === 'open' && model.availability?.state !== 'ready'
  setText(
    byId('link'),
    isAsleep ? `Box: ${model.availability?.state ?? 'starting'}` : linkWords[link.state],
  )
  setClass(byId('link'), 'good', link.state === 'open' && !isAsleep)
  setClass(byId('link'), 'bad', link.state === 'lost')
  setAttribute(document.body, 'data-link', link.state)
}

function renderBanners(model, link) {
  setHidden(byId('lost'), link.state !== 'lost')
  setText(
    byId('lost-since'),
    link.heardWallMs === null
      ? 'Trying to reach it.'
      : `What you see is from ${timeText(link.heardWallMs)}. Trying again. ${absenceText(model.ota ?? null)}`,
  )
  setHidden(byId('panic-banner'), !model.showState?.isPanic)
  setAttribute(document.body, 'data-panic', String(model.showState?.isPanic ?? false))
  setHidden(
    byId('login'),
    link.state === 'locked' ? false : link.state !== 'open' || model.isOperator,
  )
}

function renderStage(model, link) {
  const { show, showState } = model
  setText(byId('show-name'), show?.name ?? showState?.name ?? 'none loaded')
  renderCueLine('current', cueOf(model, showState?.current))
  renderCueLine('next', cueOf(model, showState?.next))
  const mayOperate = link.state === 'open' && model.isOperator
  for (const id of ['go', 'back', 'release', 'arm', 'blackout']) setDisabled(byId(id), !mayOperate)
  // The page may be wrong about the line; PANIC is worth trying.
  setDisabled(byId('panic'), !model.isOperator)
  setText(byId('arm'), showState?.isArmed ? 'Disarm' : 'Arm')
  setAttribute(byId('arm'), 'aria-pressed', String(showState?.isArmed ?? false))
  setText(byId('blackout'), showState?.isBlackout ? 'End blackout' : 'Blackout')
  setAttribute(byId('blackout'), 'aria-pressed', String(showState?.isBlackout ?? false))
}

function renderCueLine(which, cue) {
  setText(byId(`${which}-id`), cue?.id ?? '–')
  setText(byId(`${which}-name`), cue?.name ?? '')
}

function renderCues(model, link, actions) {
  const list = byId('cues')
  const { current, next, running = [] } = model.showState ?? {}
  renderList(list, model.show?.cues ?? [], {
    keyOf: cue => cue.id,
    create: cue => {
      const button = make('button', 'cue-line', [make('b'), make('span', 'name'), make('i')])
      button.type = 'button'
      button.addEventListener('click', () => actions.goTo(cue.id))
      return make('li', '', [button])
    },
    update: (item, cue) => {
      const [button] = item.children
      const [id, name, mark] = button.children
      setText(id, cue.id)
      setText(name, cue.name)
      setText(mark, cue.id === current ? 'now' : cue.id === next ? 'next' : '')
      setAttribute(button, 'aria-current', cue.id === current ? 'step' : 'false')
      setAttribute(button, 'aria-label', `Make cue ${cue.id} ${cue.name} the next one`)
      setClass(item, 'is-current', cue.id === current)
      setClass(item, 'is-next', cue.id === next)
      setClass(item, 'is-running', running.includes(cue.id))
      setDisabled(button, link.state !== 'open' || !model.isOperator)
    },
  })
  keepInSight(list, next ?? current)
}

/** Scrolls the list, never the page, and only when the cue changes: a person may be reading elsewhere. */
function keepInSight(list, id) {
  if (list.dataset.inSight === (id ?? '')) return
  list.dataset.inSight = id ?? ''
  const item = [...list.children].find(child => child.dataset.key === id)
  if (item) list.scrollTo({ top: item.offsetTop - list.clientHeight / 2, behavior: 'smooth' })
}

function renderLamps(model) {
  renderList(byId('outputs'), lampsOf(model), {
    keyOf: lamp => lamp.name,
    create: () => {
      const lamp = make('span', 'lamp')
      lamp.setAttribute('aria-hidden', 'true')
      const bar = make('meter', 'bar')
      bar.max = 1
      const words = make('div', 'words', [make('b'), make('small')])
      return make('li', 'output', [lamp, words, make('span', 'percent'), bar])
    },
    update: (item, output) => {
      const [lamp, words, percent, bar] = item.children
      const [name, kind] = words.children
      setText(name, output.name)
      setText(kind, output.isFaulty ? `${output.kind}, device faulty` : output.kind)
      setText(percent, percentText(output.level))
      setAttribute(bar, 'aria-label', `${output.name} level`)
      if (bar.value !== output.level) bar.value = output.level
      lamp.style.setProperty('--level', String(output.level))
      item.style.setProperty('--color', output.color.join(' '))
      setClass(item, 'is-faulty', output.isFaulty)
      setAttribute(item, 'data-level', output.level.toFixed(3))
    },
  })
}

function renderInputs(model, link, actions) {
  renderList(byId('inputs'), inputsOf(model), {
    keyOf: input => input.name,
    create: input => {
      const press = make('button', 'press', [make('b'), make('small')])
      const hold = make('button', 'hold', ['hold 2 s'])
      for (const button of [press, hold]) button.type = 'button'
      press.addEventListener('click', () => actions.press(input.name, 150))
      hold.addEventListener('click', () => actions.press(input.name, 2_000))
      return make('li', 'input', [press, hold])
    },
    update: (item, input) => {
      const [press, hold] = item.children
      const [name, said] = press.children
      setText(name, input.name)
      setText(said, inputText(input.event))
      const isClosed = input.event === 'press' || input.event === 'long-press'
      setClass(item, 'is-active', isClosed)
      const canPress = input.isPressable && link.state === 'open' && model.isOperator
      setDisabled(press, !canPress)
      setDisabled(hold, !canPress)
      setHidden(hold, !input.isPressable)
    },
  })
}

function renderPins(model) {
  setHidden(byId('pins-card'), model.lines === null)
  renderList(byId('pins'), model.lines ?? [], {
    keyOf: line => line.name,
    create: () => make('li', 'pin', [make('i'), make('b'), make('small')]),
    update: (item, line) => {
      const [, name, place] = item.children
      setText(name, line.name)
      const pin = line.headerPin === null ? '' : `pin ${line.headerPin}, `
      setText(place, `${pin}${line.direction}, ${line.isActive ? 'active' : 'idle'}`)
      setClass(item, 'is-active', line.isActive)
    },
  })
}

function renderLate({ late }) {
  const known = late && late.count > 0 ? late : null
  setText(byId('late-p50'), millisecondsText(known?.p50))
  setText(byId('late-p99'), millisecondsText(known?.p99))
  setText(byId('late-max'), millisecondsText(known?.max))
  setText(byId('late-count'), String(late?.count ?? '–'))
  setClass(byId('late-p99'), 'is-bad', (known?.p99 ?? 0) > LATE_MS_BAD)
  setClass(byId('late-max'), 'is-bad', (known?.max ?? 0) > LATE_MS_BAD)
}

function renderDevices(model) {
  renderList(byId('devices'), devicesOf(model), {
    keyOf: device => device.device,
    create: () => make('li', 'device', [make('i'), make('b'), make('small'), make('p')]),
    update: (item, device) => {
      const [, name, driver, state] = item.children
      setText(name, device.device)
      setText(driver, device.driver)
      setText(state, deviceText(device))
      setAttribute(item, 'data-state', device.state)
    },
  })
}

/** What the box itself stands on: its card where that fails, and the broker. */
function renderBroker({ broker, info }) {
  const card = info?.cardTrouble
    ? [{ name: 'Card', figures: '', text: cardText(info.cardTrouble), isWell: false }]
    : []
  const state = broker && {
    ...{ name: 'MQTT', figures: brokerFigures(broker), text: brokerText(broker) },
    isWell: broker.isConnected,
  }
  renderList(byId('broker'), state === null ? card : [...card, state], {
    keyOf: ({ name }) => name,
    create: () => make('li', 'device', [make('i'), make('b'), make('small'), make('p')]),
    update: (item, { name, figures, text, isWell }) => {
      const [, title, small, fares] = item.children
      setText(title, name)
      setText(small, figures)
      setText(fares, text)
      setAttribute(item, 'data-state', isWell ? 'ready' : 'faulty')
    },
  })
}

function renderRecent(model) {
  renderList(byId('recent'), [...model.recent].reverse(), {
    keyOf: event => event.serial,
    create: event => {
      const { text, isBad } = eventText(event)
      const item = make('li', isBad ? 'is-bad' : '', [make('time'), make('span')])
      setText(item.children[0], timeText(event.wallMs))
      setText(item.children[1], text)
      return item
    },
    update: () => {},
  })
}
