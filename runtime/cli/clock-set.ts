/** `roadcase clock set`: a person says what the date is, where the box knows nothing better. */
import { type Command, InvalidArgumentError } from 'commander'
import { LinuxClock, ownAnchor } from '../../drivers/linux/clock.js'
import type { CliSetting } from './setting.js'
import { writeJson } from './terminal.js'

/** `2026-11-22 19:30`, in the time of this machine; with `Z` or `+01:00` at its end, in that. */
const FORM = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})?$/
const EXAMPLE = '2026-11-22T19:30:00Z'

export function addClockSet(program: Command, setting: CliSetting): void {
  const clock =
    program.commands.find(command => command.name() === 'clock') ??
    program.command('clock').description('the time of the box')
  clock
    .command('set')
    .description('say what the date is, where the box knows nothing better')
    .argument('[time]', `like ${EXAMPLE}; this machine's date when left out`, dateMs)
    .addHelpText('after', `\nExample:\n  $ roadcase clock set ${EXAMPLE}`)
    .action((wallMs: number | undefined) => setDate(setting, wallMs ?? ownDateMs()))
}

async function setDate(setting: CliSetting, wallMs: number): Promise<void> {
  const answer = await setting.link().setDate({ wallMs })
  if (setting.isJson()) writeJson(setting.terminal, answer)
  else setting.terminal.write(`it is ${written(wallMs)} on the box now\n`)
}

const ownDateMs = (): number => new LinuxClock(ownAnchor()).wallTimeMs()

// biome-ignore lint/style/noRestrictedGlobals: writes a moment that is given, and asks no clock
const written = (wallMs: number): string => new Date(wallMs).toISOString()

function dateMs(text: string): number {
  // biome-ignore lint/style/noRestrictedGlobals: reads a moment that was typed, and asks no clock
  const value = FORM.test(text) ? Date.parse(text.replace(' ', 'T')) : Number.NaN
  if (Number.isNaN(value)) throw new InvalidArgumentError(`Write a date like ${EXAMPLE}.`)
  return value
}
