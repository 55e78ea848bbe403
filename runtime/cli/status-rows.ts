/** What the status table says of printers and of power. */
import type { BoxSnapshot } from '../gateways/page/api.js'
import type { Row } from './table.js'
import type { Paint } from './terminal.js'

/** One row a printer, none where there is none. */
export const printerRows = ({ printers }: BoxSnapshot, paint: Paint): Row[] =>
  printers.map(printer => ['Printer', printerText(printer, paint)])

function printerText(printer: BoxSnapshot['printers'][number], paint: Paint): string {
  const { isReady, hindrance, queued, unknown, sent, confirmed, failed, ticketsLeft } = printer
  const state = isReady ? paint.green('ready') : paint.red(hindrance ?? 'not ready')
  return [
    `${printer.printer} ${state}`,
    printer.paper === 'near-end' ? paint.yellow('paper near its end') : null,
    ticketsLeft === null ? null : `paper for ${ticketsLeft} tickets`,
    `${queued} waiting`,
    `${confirmed + sent} printed`,
    failed === 0 ? null : paint.yellow(`${failed} failed`),
    unknown === 0 ? null : paint.red(`${unknown} to be looked at: roadcase jobs --only unknown`),
  ]
    .filter(text => text !== null)
    .join(', ')
}

/** None where the box does not know what it runs on. */
export function powerRows({ power, batteries }: BoxSnapshot, paint: Paint): Row[] {
  if (power === null) return []
  const { stage, percent, forecast } = power
  const isWell = stage === 'mains' || stage === 'battery'
  const text = [
    isWell ? paint.green(stage) : paint.red(stage),
    percent === null ? 'charge unknown' : `${Math.round(percent)} %`,
    forecast,
  ]
  return [
    ['Power', text.filter(part => part !== null).join(', ')],
    ...batteries.map((battery): Row => ['', batteryText(battery)]),
  ]
}

function batteryText(battery: BoxSnapshot['batteries'][number]): string {
  const { pack, percent, millivolts, milliamps, method, troubles } = battery
  return [
    pack,
    percent === null ? 'charge unknown' : `${Math.round(percent)} % by ${method}`,
    millivolts === null ? null : `${(millivolts / 1000).toFixed(2)} V`,
    milliamps === null ? null : `${(milliamps / 1000).toFixed(2)} A`,
    ...troubles,
  ]
    .filter(text => text !== null)
    .join(', ')
}
