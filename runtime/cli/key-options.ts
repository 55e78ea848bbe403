/** Options that every command has that may sign. */
import { type Command, InvalidArgumentError } from 'commander'
import type { KeySource } from '../../ota/keys-cli.js'
import { expiringWords } from '../../ota/publish/expiring.js'
import type { PublishOptions, Told } from '../../ota/publish-cli.js'
import { CliFailure, exitCodes } from './failure.js'
import type { CliSetting } from './setting.js'
import { paintFor, printable, type Terminal, writeJson } from './terminal.js'

export interface KeyFlags {
  readonly keys: string
  readonly passphraseFile?: string
  readonly passphraseFd?: number
}

export interface RepositoryFlags extends KeyFlags {
  readonly repository: string
  readonly draft: string
  readonly timestampDays: number
  readonly snapshotDays: number
}

export const withKeys = (command: Command): Command =>
  command
    .option('--keys <folder>', 'folder of the keys', 'keys')
    .option('--passphrase-file <file>', 'its first line, instead of asking at the terminal')
    .option('--passphrase-fd <number>', 'the same, from an open descriptor', wholeIn(0, 1023))

export const withRepository = (command: Command): Command =>
  withKeys(command)
    .option('--repository <folder>', 'the folder that is served', 'repository')
    .option('--draft <file>', 'where a draft goes when signatures are missing', 'draft.json')
    .option('--timestamp-days <days>', 'how long the timestamp stands', wholeIn(1, 365), 14)
    .option('--snapshot-days <days>', 'how long the snapshot stands', wholeIn(1, 365), 60)

export function keySource(flags: KeyFlags, environment: NodeJS.ProcessEnv): KeySource {
  const { keys: folder, passphraseFile: file, passphraseFd: descriptor } = flags
  if (file !== undefined && descriptor !== undefined)
    throw new CliFailure(exitCodes.usage, 'give --passphrase-file or --passphrase-fd, not both')
  if (file !== undefined) return { folder, environment, passphrases: { from: 'file', file } }
  if (descriptor === undefined) return { folder, environment, passphrases: null }
  return { folder, environment, passphrases: { from: 'descriptor', descriptor } }
}

export function publishOptions(
  flags: RepositoryFlags,
  environment: NodeJS.ProcessEnv,
): PublishOptions {
  const { repository, draft: draftFile, timestampDays: timestamp, snapshotDays: snapshot } = flags
  const keys = keySource(flags, environment)
  return { repository, keys, draftFile, days: { timestamp, snapshot } }
}

/**
 * Says what became of a change.
 * @throws CliFailure when it waits for signatures: a script must not take it for published
 */
export function tell(setting: CliSetting, told: Told, done: string): void {
  say(setting, told, { done, undone: 'nothing to do: it is so already\n' })
  if (setting.isJson()) return
  if (told.waiting.length > 0) warn(setting.terminal, told.waiting)
  warnOfEnds(setting.terminal, told.expiring)
}

/**
 * As `tell`, for cron, which mails every line: nothing is said of a day on which nothing was due.
 * @throws CliFailure also when something ends soon that people have to sign
 */
export function tellDaily(setting: CliSetting, told: Told, done: string): void {
  say(setting, told, { done, undone: '' })
  const words = expiringWords(told.expiring)
  if (words.length > 0) throw new CliFailure(exitCodes.waiting, words.map(printable).join('\n  '))
}

/** What boxes take no more of, soon. */
export function warnOfEnds(terminal: Terminal, expiring: Told['expiring']): void {
  for (const words of expiringWords(expiring)) warn(terminal, [words])
}

const warn = (terminal: Terminal, words: readonly string[]): void =>
  terminal.writeError(`${paintFor(terminal).yellow(words.map(printable).join('\n  '))}\n`)

function say(
  { terminal, isJson }: CliSetting,
  told: Told,
  { done, undone }: { readonly done: string; readonly undone: string },
): void {
  const { isPublished, draftFile, words } = told
  if (isJson()) writeJson(terminal, told)
  else if (draftFile === null) {
    terminal.write(isPublished ? `${done}\n` : undone)
    for (const word of words) warn(terminal, [word])
  }
  if (draftFile === null) return
  const how = `have it signed with "roadcase keys sign ${draftFile}", then "roadcase release accept ${draftFile}"`
  throw new CliFailure(
    exitCodes.waiting,
    [
      `not published, signatures are missing; ${draftFile} waits for them`,
      ...words.map(printable),
      how,
    ].join('\n  '),
  )
}

export const wholeIn =
  (min: number, max: number) =>
  (text: string): number => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
    if (!(value >= min && value <= max))
      throw new InvalidArgumentError(`Write a whole number from ${min} to ${max}.`)
    return value
  }

/** Why root is to be weaker than it should be: it is read by all who sign. */
export function reasonIn({ weaker }: { weaker?: string }): string | null {
  if (weaker === undefined) return null
  const why = weaker.trim()
  if (why === '')
    throw new CliFailure(exitCodes.usage, 'say why: --weaker "the second key is a spare"')
  return why
}

/** `anna,bert` */
export const namesIn = (text: string): readonly string[] => {
  const names = text.split(',').map(name => name.trim())
  if (names.some(name => name === '')) throw new InvalidArgumentError('Write names like anna,bert.')
  return names
}
