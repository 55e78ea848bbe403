/** `roadcase ota`: which release runs, which one is ordered, what stands in the way, and what a person does about it. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { HOLD_MINUTES_MAX, type OtaReply, type OtaRequest } from '../core/ota-control.js'
import { CliFailure, exitCodes } from './failure.js'
import { followApply, rollBack } from './ota-follow.js'
import { askSoon, type OtaLink } from './ota-link.js'
import { criteriaText, everyCriterion, stateText } from './ota-text.js'
import type { CliSetting } from './setting.js'
import { paintFor, printable, writeJson } from './terminal.js'
import { durationMs } from './words.js'

const MS_PER_MINUTE = 60_000
const HOLD_MINUTES_DEFAULT = 12 * 60
const OWNER = 'operator'

export function addOta(program: Command, setting: CliSetting, home: string): void {
  const ota = program
    .command('ota')
    .description('releases and operating systems: what runs, what is ordered, what is in the way')
    .option('--home <folder>', 'folder of the slots (or ROADCASE_HOME)', home)
    .addHelpText('after', '\nExample:\n  $ roadcase ota why')
  const link = (): OtaLink => setting.actions.otaLink(ota.opts<{ home: string }>().home)
  const asking: Asking = { setting, link }
  addReading(ota, asking)
  addApply(ota, asking)
  addHold(ota, asking)
  addWaysBack(ota, asking)
}

interface Asking {
  readonly setting: CliSetting
  readonly link: () => OtaLink
}

function addReading(ota: Command, asking: Asking): void {
  ota
    .command('status')
    .description('show which release runs, which one is ordered, and how far it is')
    .addHelpText('after', '\nExample:\n  $ roadcase ota status')
    .action(async () => {
      const reply = await askSoon(asking.link(), { ask: 'status' })
      const { setting } = asking
      if (setting.isJson()) writeJson(setting.terminal, reply.state)
      else setting.terminal.write(stateText(reply.state, paintFor(setting.terminal)))
    })
  ota
    .command('why')
    .description(
      'list everything that a release has to meet before it runs, and what it does not meet',
    )
    .addHelpText('after', '\nExample:\n  $ roadcase ota why')
    .action(async () => {
      const reply = await askSoon(asking.link(), { ask: 'why' })
      const { setting } = asking
      if (setting.isJson()) writeJson(setting.terminal, everyCriterion(reply))
      else setting.terminal.write(criteriaText(reply, paintFor(setting.terminal)))
    })
  ota
    .command('check')
    .description('look at the repository now')
    .addHelpText('after', '\nExample:\n  $ roadcase ota check')
    .action(async () => {
      const reply = await askSoon(asking.link(), { ask: 'check' })
      say(asking, reply)
      checkReached(reply)
    })
}

function addApply(ota: Command, asking: Asking): void {
  ota
    .command('apply')
    .description(
      'take the release that is ordered as soon as nothing is in the way, and show how it goes',
    )
    .option(
      '--force <reason>',
      'overrule holds, battery and the state of the fleet; never an armed show',
    )
    .option('--owner <name>', 'who forces it', OWNER)
    .option('--no-follow', 'do not wait for it')
    .addHelpText('after', '\nExample:\n  $ roadcase ota apply --force "security, agreed with Kim"')
    .action(async (options: { force?: string; owner: string; follow: boolean }) => {
      const force =
        options.force === undefined ? null : { owner: options.owner, reason: options.force }
      const reply = await askSoon(asking.link(), { ask: 'apply', force })
      if (!options.follow || asking.setting.isJson()) say(asking, reply)
      else await follow(asking, force !== null)
    })
}

function addHold(ota: Command, asking: Asking): void {
  ota
    .command('hold')
    .argument('[reason]', 'why')
    .description('keep new releases from running for a while; they are still fetched')
    .addOption(
      new Option('--for <duration>', 'how long, in whole minutes: 90m, 12h, at most 14 days')
        .argParser(minutes)
        .default(HOLD_MINUTES_DEFAULT, '12h'),
    )
    .option('--owner <name>', 'who holds', OWNER)
    .option('--release <hold>', 'end a hold: its name is in "roadcase ota status"')
    .addHelpText('after', '\nExample:\n  $ roadcase ota hold "rehearsal until noon" --for 3h')
    .action(async (reason: string | undefined, options: HoldOptions) =>
      say(asking, await askSoon(asking.link(), holdRequest(reason, options))),
    )
}

interface HoldOptions {
  readonly for: number
  readonly owner: string
  readonly release?: string
}

function holdRequest(reason: string | undefined, options: HoldOptions): OtaRequest {
  if (options.release !== undefined) return { ask: 'unhold', id: options.release }
  if (reason === undefined)
    throw new CliFailure(exitCodes.usage, 'say why: roadcase ota hold "rehearsal until noon"')
  return { ask: 'hold', owner: options.owner, reason, minutes: options.for }
}

function addWaysBack(ota: Command, asking: Asking): void {
  ota
    .command('rollback')
    .argument('<reason>', 'why, for those who read it tomorrow')
    .description(
      'go back to the release before, now; this one is not taken again until it is cleared',
    )
    .option('--os', 'to the other operating system instead: the box reboots', false)
    .addHelpText('after', '\nExample:\n  $ roadcase ota rollback "lamps flicker"')
    .action(async (reason: string, { os }: { os: boolean }) => {
      const link = asking.link()
      const back = os ? askSoon(link, { ask: 'rollback-os', reason }) : rollBack(link, reason)
      say(asking, await back)
    })
  ota
    .command('clear')
    .argument('<release>', 'version, or the beginning of its digest')
    .description('let a release or an operating system that failed here be tried again')
    .addHelpText('after', '\nExample:\n  $ roadcase ota clear 1.5.0')
    .action(async (release: string) =>
      say(asking, await askSoon(asking.link(), { ask: 'clear', release })),
    )
}

/** What was found is told already; a program hears it by the exit code. @throws CliFailure */
function checkReached({ state }: OtaReply): void {
  if (state?.checked?.isFresh) return
  const known = state?.ordered ? `, so ${state.ordered.version} is what is known to be ordered` : ''
  throw new CliFailure(exitCodes.unreachable, `no repository was reached and believed${known}`)
}

function say({ setting }: Asking, reply: OtaReply): void {
  const paint = paintFor(setting.terminal)
  const text = `${printable(reply.words)}\n${stateText(reply.state, paint)}`
  if (setting.isJson()) writeJson(setting.terminal, reply)
  else setting.terminal.write(text)
}

async function follow({ setting, link }: Asking, isForced: boolean): Promise<void> {
  const { terminal } = setting
  await followApply(link(), { terminal, paint: paintFor(terminal), isForced })
}

function minutes(text: string): number {
  const count = durationMs(text) / MS_PER_MINUTE
  if (!Number.isInteger(count) || count < 1 || count > HOLD_MINUTES_MAX)
    throw new InvalidArgumentError('Write whole minutes or hours, from 1m to 14 days (336h).')
  return count
}
