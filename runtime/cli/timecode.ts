/** The commands around timecode: what the box follows and sends. */
import type { Command } from 'commander'
import type { BoxSnapshot } from '../gateways/page/api.js'
import type { CliSetting } from './setting.js'
import { type Row, table } from './table.js'
import { type Paint, paintFor, writeJson } from './terminal.js'

type TimecodeState = NonNullable<BoxSnapshot['timecode']>

export function addTimecode(program: Command, setting: CliSetting): void {
  const timecode = program
    .command('timecode')
    .description('show the timecode that the box follows and sends')
    .addHelpText('after', '\nExample:\n  $ roadcase timecode')
  timecode.action(async () => {
    const { timecode: state = null } = await setting.link().state()
    if (setting.isJson()) writeJson(setting.terminal, state)
    else setting.terminal.write(timecodeText(state, paintFor(setting.terminal)))
  })
}

/** @param state null where box.json names no timecode */
export function timecodeText(state: TimecodeState | null, paint: Paint): string {
  if (state === null) return 'this box follows and sends no timecode\n'
  const rows: Row[] = [
    ['Follows', sourceText(state, paint)],
    ...(state.position === null ? [] : [['Position', positionText(state)] satisfies Row]),
    ['Lost', `${state.lostCount} times, ${state.jumpCount} jumps`],
    ...state.outputs.map(
      ({ kind, rate, position, trouble }): Row => [
        'Sends',
        [
          `${kind} at ${rate}`,
          position ?? 'not running',
          trouble === null ? null : paint.red(printable(trouble)),
        ]
          .filter(part => part !== null)
          .join(', '),
      ],
    ),
  ]
  return table(rows, paint)
}

function sourceText({ source, state, rate, trouble }: TimecodeState, paint: Paint): string {
  if (source === null) return 'nothing'
  const colour = state === 'locked' ? paint.green : state === 'lost' ? paint.red : paint.yellow
  return [source, colour(state), rate, trouble === null ? null : paint.red(printable(trouble))]
    .filter(part => part !== null)
    .join(', ')
}

function positionText({ position, speed, jitterMs }: TimecodeState): string {
  const percent = speed === null ? '' : `, speed ${(speed * 100).toFixed(3)} %`
  return `${position}${percent}${jitterMs === null ? '' : `, jitter ${jitterMs.toFixed(2)} ms`}`
}

/** Some of it is what the system said, and must not move the cursor. */
const printable = (text: string): string => text.replace(/\p{Cc}/gu, ' ')
