/** The date of the box: what is known of it, and how a person sets it where nobody else has. */
import { setDate } from './connection.js'
import { byId, setClass, setDisabled, setHidden, setText } from './dom.js'
import { dateText, isSettable, sourceText, wallBoundText } from './words-clock.js'

/** What was asked and not confirmed yet: a date, or `null` for that of this device; undefined when nothing was. */
let asked

export function renderDate({ wall, isOperator }, link) {
  setHidden(byId('date-card'), wall === null)
  if (wall === null) return
  setText(byId('date-bound'), wallBoundText(wall))
  setText(byId('date-shown'), dateText(wall.wallMs))
  setText(byId('date-text'), sourceText(wall))
  setClass(byId('date-card'), 'is-bad', !wall.isUtcKnown)
  const maySet = isOperator && isSettable(wall)
  setHidden(byId('date-form'), !maySet || asked !== undefined)
  setHidden(byId('date-sure'), !maySet || asked === undefined)
  for (const id of ['date-set', 'date-yes']) setDisabled(byId(id), link.state !== 'open')
}

export function listenToDate() {
  byId('date-form').addEventListener('submit', event => {
    event.preventDefault()
    question(fieldMs())
  })
  byId('date-yes').addEventListener('click', () => void confirm())
  byId('date-no').addEventListener('click', () => close())
}

/** @returns null where nothing was entered; in the time zone of this device */
function fieldMs() {
  const { value } = byId('date-field')
  return value === '' ? null : new window.Date(value).getTime()
}

const deviceMs = () => window.Date.now()

function question(ms) {
  asked = ms
  const box = byId('box').textContent
  const date = dateText(ms ?? deviceMs())
  setText(
    byId('date-question'),
    ms === null
      ? `Set the date of ${box} to that of this device, now ${date}?`
      : `Set the date of ${box} to ${date}?`,
  )
  say('', false)
  show()
  // A second click, or Enter, changes nothing.
  byId('date-no').focus()
}

function show() {
  setHidden(byId('date-form'), asked !== undefined)
  setHidden(byId('date-sure'), asked === undefined)
}

function close() {
  asked = undefined
  show()
}

async function confirm() {
  const ms = asked ?? deviceMs()
  close()
  const { isAccepted, message, code } = await setDate(ms)
  if (isAccepted) byId('date-field').value = ''
  say(isAccepted ? 'The date is set.' : `Not set: ${message ?? code}.`, !isAccepted)
}

function say(text, isBad) {
  setText(byId('date-answer'), text)
  setClass(byId('date-answer'), 'is-bad', isBad)
}
