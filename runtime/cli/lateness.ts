/** `roadcase lateness`: whether the cues were on time, one line a cue. */
import type { Command } from 'commander'
import type { LatenessAnswer } from '../gateways/page/api.js'
import type { CliSetting } from './setting.js'
import { type Paint, paintFor, writeJson } from './terminal.js'

/** A person who looks for it sees this. */
const LATE_MS_BAD = 20
const WIDTH = 9

export function addLateness(program: Command, setting: CliSetting): void {
  program
    .command('lateness')
    .description('how late each cue was whenever it was fired, since the box started')
    .addHelpText('after', '\nExample:\n  $ roadcase lateness')
    .action(async () => {
      const cues = await setting.link().lateness()
      if (setting.isJson()) writeJson(setting.terminal, { cues })
      else setting.terminal.write(latenessText(cues, paintFor(setting.terminal)))
    })
}

const heads = ['fires', 'last', 'p50', 'p99', 'worst'] as const

/** Milliseconds; in the order of the first fires. */
export function latenessText(cues: LatenessAnswer['cues'], paint: Paint): string {
  if (cues.length === 0) return 'nothing fired yet\n'
  const width = Math.max('cue'.length, ...cues.map(({ cue }) => cue.length))
  const head = [...heads.map(text => text.padStart(WIDTH)), '  milliseconds'].join('')
  const rows = cues.map(({ cue, count, last, p50, p99, max }) => {
    const worst = max.toFixed(2).padStart(WIDTH)
    const cells = [last, p50, p99].map(ms => ms.toFixed(2).padStart(WIDTH)).join('')
    const fires = String(count).padStart(WIDTH)
    return `${cue.padEnd(width)}${fires}${cells}${max > LATE_MS_BAD ? paint.red(worst) : worst}\n`
  })
  return `${paint.dim(`${'cue'.padEnd(width)}${head}`)}\n${rows.join('')}`
}
