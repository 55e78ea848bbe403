/** The commands around timecode: what the box follows and sends. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { readLabel, type TimecodeRate, timecodeRates } from '../core/timecode.js'
import type { BoxSnapshot } from '../gateways/page/api.js'
import type { Stretch } from '../services/timecode/ltc-report.js'
import type { CliSetting } from './setting.js'
import { type Row, table } from './table.js'
import { type Paint, paintFor, printable, writeJson } from './terminal.js'
import { generateLtc, readLtc } from './timecode-files.js'

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
  addGenerate(timecode, setting)
  addRead(timecode, setting)
}

interface GenerateFlags {
  readonly rate: TimecodeRate
  readonly start: string
  readonly seconds: number
  readonly sampleRate: number
}

const GENERATE = 'roadcase timecode generate --rate 25 --start 10:00:00:00 --seconds 60 ltc.wav'
const READ = 'roadcase timecode read ltc.wav'

function addGenerate(timecode: Command, { terminal, isJson }: CliSetting): void {
  timecode
    .command('generate')
    .description('write linear timecode (LTC) into a sound file; needs no box')
    .argument('<file>', 'a WAV file of 16 bits, one channel')
    .addOption(
      new Option('--rate <rate>', 'frames a second').choices([...timecodeRates]).default('25'),
    )
    .option('--start <timecode>', 'its first frame', timecodeWord, '00:00:00:00')
    .option('--seconds <count>', 'how long it is', wholeIn(1, 86_400), 60)
    .option('--sample-rate <count>', 'samples a second', wholeIn(8_000, 192_000), 48_000)
    .addHelpText('after', `\nExample:\n  $ ${GENERATE}`)
    .action(async (file: string, flags: GenerateFlags) => {
      const made = await generateLtc({ ...flags, file })
      if (isJson()) writeJson(terminal, made)
      else terminal.write(`${file}: ${made.from} to ${made.to}, ${made.frameCount} frames\n`)
    })
}

function addRead(timecode: Command, setting: CliSetting): void {
  const { terminal, isJson } = setting
  timecode
    .command('read')
    .description('tell the linear timecode (LTC) in a sound file; needs no box')
    .argument('<file>', 'a WAV file of 16 bits')
    .option('--channel <number>', 'which one, from 1', wholeIn(1, 64), 1)
    .addHelpText('after', `\nExample:\n  $ ${READ}`)
    .action(async (file: string, { channel }: { channel: number }) => {
      const found = await readLtc(file, channel)
      if (isJson()) writeJson(terminal, found)
      else terminal.write(found.length === 0 ? 'no timecode\n' : found.map(stretchText).join(''))
    })
}

function stretchText(stretch: Stretch): string {
  const { rate, from, to, frameCount, fromMs, toMs, speed, isReverse } = stretch
  const [begin, end] = [fromMs, toMs].map(ms => (ms / 1000).toFixed(3))
  const way = isReverse ? ', backwards' : ''
  return `${begin} s to ${end} s: ${from} to ${to} at ${rate}, ${frameCount} frames, speed ${(speed * 100).toFixed(2)} %${way}\n`
}

function timecodeWord(text: string): string {
  if (readLabel(text) === null) throw new InvalidArgumentError('Write a timecode like 10:00:00:00.')
  return text
}

const wholeIn =
  (min: number, max: number) =>
  (text: string): number => {
    const value = Number(text)
    if (!Number.isInteger(value) || value < min || value > max)
      throw new InvalidArgumentError(`Write a whole number from ${min} to ${max}.`)
    return value
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
