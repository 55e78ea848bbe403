/** Power and printers: what the box runs on, what is on paper, and the tickets that a person must look at. */
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
import { batteryText, jobText, powerText, printerFigures, printerText } from './words-supplies.js'

const line = () => make('li', 'device', [make('i'), make('b'), make('small'), make('p')])

export function renderPower({ power, batteries }) {
  setHidden(byId('power-card'), power === null)
  if (power === null) return
  const { stage, percent } = power
  const isWell = stage === 'mains' || stage === 'battery'
  setText(byId('power-percent'), percent === null ? '?' : `${Math.round(percent)} %`)
  setText(byId('power-text'), powerText(power))
  setClass(byId('power-card'), 'is-bad', !isWell)
  renderList(byId('batteries'), batteries, {
    keyOf: ({ pack }) => pack,
    create: line,
    update: (item, battery) => {
      const [, name, figures, state] = item.children
      setText(name, battery.pack)
      setText(figures, battery.gauge)
      setText(state, batteryText(battery))
      setAttribute(item, 'data-state', battery.troubles.length > 0 ? 'faulty' : 'ready')
    },
  })
}

/** @param decide hears (job, decision) */
export function renderPrinters({ printers, unsettled, isOperator }, link, decide) {
  setHidden(byId('printers-card'), printers.length === 0)
  renderList(byId('printers'), printers, {
    keyOf: ({ printer }) => printer,
    create: line,
    update: (item, printer) => {
      const [, name, figures, state] = item.children
      setText(name, printer.printer)
      setText(figures, printerFigures(printer))
      setText(state, printerText(printer))
      setAttribute(item, 'data-state', printer.isReady ? 'ready' : 'faulty')
    },
  })
  setHidden(byId('unsettled-part'), unsettled.length === 0)
  const mayDecide = link.state === 'open' && isOperator
  renderList(byId('unsettled'), unsettled, {
    keyOf: ({ id }) => id,
    create: ({ id }) => make('li', 'ticket', [make('b'), make('small'), choices(id, decide)]),
    update: (item, job) => {
      const [serial, about, buttons] = item.children
      setText(serial, job.serial)
      setText(about, jobText(job))
      for (const button of buttons.children) setDisabled(button, !mayDecide)
    },
  })
}

const decisions = [
  ['confirm', 'It is on paper'],
  ['reprint', 'Print again'],
  ['discard', 'Void'],
]

function choices(job, decide) {
  const buttons = decisions.map(([decision, text]) => {
    const button = make('button', decision, [text])
    button.type = 'button'
    button.addEventListener('click', () => decide(job, decision))
    return button
  })
  return make('div', 'choices', buttons)
}
