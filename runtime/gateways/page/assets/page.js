/** The page: what comes from the box changes the model, the model is drawn, and buttons and keys ask the box. */
import {
  Connection,
  clockPoints,
  command,
  decide,
  login,
  pressButton,
  tokenFromAddress,
  UNSETTLED_MAX,
  unsettledTickets,
} from './connection.js'
import { listenToDate } from './date.js'
import { byId, setClass, setText } from './dom.js'
import { apply, emptyModel, unsettledCount, withSnapshot } from './model.js'
import { render } from './view.js'
import { actionText } from './words.js'

const GO_GUARD_MS = 300
const ANSWER_SHOWN_MS = 8_000

let model = emptyModel
let link = { state: 'connecting', heardWallMs: null }
let isDrawing = false
let isLooking = false
let goMs = Number.NEGATIVE_INFINITY
let answerTimer = null

/** However much comes, it is drawn once per frame; a hidden page is not drawn at all. */
function draw() {
  if (isDrawing) return
  isDrawing = true
  window.requestAnimationFrame(() => {
    isDrawing = false
    render(model, link, { goTo, press, decide: settle })
  })
}

const connection = new Connection({
  onState: state => {
    link = { ...link, state }
    draw()
  },
  onSnapshot: snapshot => {
    model = withSnapshot(model, snapshot)
    void lookAtTickets()
    void lookAtClock()
    link = { ...link, heardWallMs: snapshot.wallMs }
    draw()
  },
  onEvent: (event, message) => {
    model = apply(model, event, message)
    if (event === 'printer/state') void lookAtTickets()
    if (message.wallMs !== undefined) link = { ...link, heardWallMs: message.wallMs }
    draw()
  },
})

/** Asks for the tickets themselves when the printers count others than are shown; one question at a time. */
async function lookAtTickets() {
  const count = Math.min(UNSETTLED_MAX, unsettledCount(model))
  if (isLooking || count === model.unsettled.length) return
  isLooking = true
  const unsettled = count === 0 ? [] : await unsettledTickets()
  isLooking = false
  if (unsettled === null) return
  model = { ...model, unsettled }
  draw()
}

async function lookAtClock() {
  if ((model.clock?.interface ?? null) === null) return
  const points = await clockPoints()
  if (points === null) return
  model = { ...model, clockPoints: points }
  draw()
}

async function settle(job, decision) {
  tell('decide', await decide(job, decision))
}

function say(text, isBad) {
  const answer = byId('answer')
  window.clearTimeout(answerTimer)
  setText(answer, text)
  setClass(answer, 'is-bad', isBad)
  answerTimer = window.setTimeout(() => setText(answer, ''), ANSWER_SHOWN_MS)
}

async function ask(asked) {
  tell(asked.action, await command(asked))
}

function tell(action, answer) {
  const word = actionText(action)
  if (answer.isAccepted) say('', false)
  else if (answer.code === 'link.down') say(`${word}: ${answer.message}. Look at the stage.`, true)
  else say(`${word} refused: ${answer.message ?? answer.code}`, true)
}

/** A finger that bounces, or a click beside a key, is one GO. */
function go(atMs) {
  if (atMs - goMs < GO_GUARD_MS) return
  goMs = atMs
  void ask({ action: 'go' })
}

const goTo = cue => void ask({ action: 'goto', cue })

async function press(input, holdMs) {
  tell('press', await pressButton(input, holdMs))
}

const mayOperate = () => link.state === 'open' && model.isOperator

function panic() {
  void ask({ action: 'panic' })
}

function listenToButtons() {
  const onClick = (id, task) =>
    byId(id).addEventListener('click', event => {
      // A click leaves the focus on the button, and the next Space would press it again instead of GO.
      if (event.detail > 0) event.currentTarget.blur()
      task(event)
    })
  onClick('go', event => go(event.timeStamp))
  onClick('back', () => void ask({ action: 'back' }))
  onClick('panic', panic)
  onClick('release', () => void ask({ action: 'release' }))
  onClick('arm', () => void ask({ action: model.showState?.isArmed ? 'disarm' : 'arm' }))
  onClick('blackout', () => void ask({ action: 'blackout', on: !model.showState?.isBlackout }))
  onClick('retry', () => connection.open())
}

/** Space belongs to a field or a button that has the focus, as anywhere; Escape is PANIC everywhere. */
function listenToKeys() {
  document.addEventListener('keydown', event => {
    if (event.repeat || event.ctrlKey || event.altKey || event.metaKey) return
    if (event.key === 'Escape') return panic()
    const focus = document.activeElement
    const isTaken = focus?.matches('input, textarea, select, button:not(#go), a') ?? false
    if (event.key !== ' ' || isTaken) return
    event.preventDefault()
    if (mayOperate()) go(event.timeStamp)
  })
}

function listenToLogin() {
  byId('login').addEventListener('submit', event => {
    event.preventDefault()
    void enter(byId('token').value)
  })
}

async function enter(token) {
  const problem = await login(token)
  setText(byId('login-problem'), problem ?? '')
  if (problem !== null) return
  byId('token').value = ''
  connection.open()
}

async function start() {
  listenToButtons()
  listenToKeys()
  listenToLogin()
  listenToDate()
  draw()
  const token = tokenFromAddress()
  if (token !== null) setText(byId('login-problem'), (await login(token)) ?? '')
  connection.start()
}

void start()
