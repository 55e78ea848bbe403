/** The commands around the keys that sign releases. None of them needs a box. */
import type { Command } from 'commander'
import { spokenKeyid } from '../../ota/keys/keyid.js'
import type { RingKey } from '../../ota/keys/ring.js'
import type { DraftReport } from '../../ota/keys-cli.js'
import type { KeyPlace } from '../ports/signing-keys.js'
import { CliFailure, exitCodes } from './failure.js'
import {
  type KeyFlags,
  namesIn,
  type RepositoryFlags,
  reasonIn,
  tell,
  wholeIn,
  withKeys,
  withRepository,
} from './key-options.js'
import type { CliSetting } from './setting.js'
import { type Row, table } from './table.js'
import { paintFor, printable, writeJson } from './terminal.js'

export function addKeys(program: Command, setting: CliSetting): void {
  const keys = program
    .command('keys')
    .description('the keys that sign releases: make, show and use them')
    .addHelpText('after', '\nExample:\n  $ roadcase keys create anna')
  addCreate(keys, setting)
  addAdopt(keys, setting)
  addExchange(keys, setting)
  addList(keys, setting)
  addSigning(keys, setting)
  addRotate(keys, setting)
}

const example = (words: string): string => `\nExample:\n  $ roadcase keys ${words}`

function addCreate(keys: Command, setting: CliSetting): void {
  withKeys(keys.command('create'))
    .description('make a key in a file, under a passphrase')
    .argument('<name>', 'what it is called here: the name of who holds it, or of a machine')
    .option('--no-passphrase', 'without one: for a machine that signs by itself')
    .addHelpText('after', example('create anna'))
    .action(async (name: string, flags: KeyFlags & { passphrase: boolean }) => {
      const tool = await setting.actions.keys(flags)
      tellKey(setting, await tool.create(name, !flags.passphrase))
    })
}

interface AdoptFlags extends KeyFlags {
  readonly agent?: string
  readonly token?: string
  readonly module?: string
  readonly id?: string
}

function addAdopt(keys: Command, setting: CliSetting): void {
  withKeys(keys.command('adopt'))
    .description(
      'use a key that is in an agent (ssh-agent, Ed25519) or on a token (PKCS#11, P-256)',
    )
    .argument('<name>', 'what it is called here')
    .option('--agent <key>', 'comment or fingerprint of the key, as "ssh-add -l" shows them')
    .option('--token <label>', 'label of the token')
    .option('--module <library>', 'the library that speaks to the token')
    .option('--id <id>', 'id of the key on the token, in hexadecimal')
    .addHelpText(
      'after',
      example('adopt bert --token ceremony --module /usr/lib/softhsm/libsofthsm2.so --id 01'),
    )
    .action(async (name: string, flags: AdoptFlags) => {
      const place = placeOf(flags)
      const tool = await setting.actions.keys(flags)
      tellKey(setting, await tool.adopt(name, place, flags.agent ?? null))
    })
}

function placeOf({ agent, token, module, id }: AdoptFlags): KeyPlace {
  if (agent !== undefined && token === undefined) return { in: 'agent' }
  if (agent === undefined && token !== undefined && module !== undefined && id !== undefined)
    return { in: 'token', token, module, id: id.toLowerCase() }
  throw new CliFailure(exitCodes.usage, 'give --agent, or --token with --module and --id')
}

function addExchange(keys: Command, setting: CliSetting): void {
  withKeys(keys.command('export'))
    .description('write the public half of a key, for those who let it sign')
    .argument('<name>')
    .addHelpText('after', example('export anna > anna.json'))
    .action(async (name: string, flags: KeyFlags) =>
      setting.terminal.write(await (await setting.actions.keys(flags)).export(name)),
    )
  withKeys(keys.command('import'))
    .description('take the public half of somebody else’s key')
    .argument('<file>', 'what "keys export" wrote there')
    .addHelpText('after', example('import anna.json'))
    .action(async (file: string, flags: KeyFlags) =>
      tellKey(setting, await (await setting.actions.keys(flags)).import(file)),
    )
}

function addList(keys: Command, setting: CliSetting): void {
  withKeys(keys.command('list'))
    .description('list the keys that are known here')
    .addHelpText('after', example('list'))
    .action(async (flags: KeyFlags) => {
      const all = await (await setting.actions.keys(flags)).list()
      if (setting.isJson()) writeJson(setting.terminal, all)
      else if (all.length === 0) setting.terminal.write(`no keys in ${flags.keys}\n`)
      else
        setting.terminal.write(
          table(
            all.map((key): Row => [key.name, keyText(key)]),
            paintFor(setting.terminal),
          ),
        )
    })
}

function addSigning(keys: Command, setting: CliSetting): void {
  withKeys(keys.command('inspect'))
    .description('tell what a draft would change, and whose signatures are missing')
    .argument('<draft>')
    .addHelpText('after', example('inspect draft.json'))
    .action(async (draft: string, flags: KeyFlags) => {
      const report = await (await setting.actions.keys(flags)).inspect(draft)
      tellWords(setting, report.words)
      tellDraft(setting, report)
    })
  withKeys(keys.command('sign'))
    .description('add the signatures to a draft that this machine can give')
    .argument('<draft>')
    .option('--key <names>', 'only these keys', namesIn)
    .addHelpText('after', example('sign draft.json --key anna'))
    .action(async (draft: string, flags: KeyFlags & { key?: readonly string[] }) => {
      const tool = await setting.actions.keys(flags)
      const show = (words: readonly string[]): void => tellWords(setting, words)
      tellDraft(setting, await tool.sign(draft, flags.key ?? null, show))
    })
}

interface RotateFlags extends RepositoryFlags {
  readonly add?: readonly string[]
  readonly remove?: readonly string[]
  readonly threshold?: number
  readonly lost: boolean
  readonly weaker?: string
}

function addRotate(keys: Command, setting: CliSetting): void {
  withRepository(keys.command('rotate'))
    .description('give roles other keys, or another threshold')
    .argument('<roles>', 'root, targets, snapshot, timestamp; or releases, os, or a tour', namesIn)
    .option('--add <names>', 'keys that shall sign for it', namesIn)
    .option('--remove <names>', 'keys that shall not any more, by name or id', namesIn)
    .option('--threshold <count>', 'how many must sign; as it was when left out', wholeIn(1, 32))
    .option('--weaker <why>', 'for root and targets: let no more than half of the keys be enough')
    .option('--lost', 'those who held the keys that go cannot sign any more', false)
    .addHelpText('after', example('rotate timestamp,snapshot --add server-2 --remove server-1'))
    .action(async (roles: readonly string[], flags: RotateFlags) => {
      const { add = [], remove = [], threshold = null, lost: isOldKeyLost } = flags
      const whyWeaker = reasonIn(flags)
      if (add.length === 0 && remove.length === 0 && threshold === null)
        throw new CliFailure(exitCodes.usage, 'give --add, --remove or --threshold')
      const tool = await setting.actions.publishing(flags)
      tell(
        setting,
        await tool.rotate({ roles, add, remove, threshold, isOldKeyLost, whyWeaker }),
        `other keys stand for ${roles.join(' and ')} now`,
      )
    })
}

const keyText = ({ key, keyid, place }: RingKey): string =>
  `${spokenKeyid(keyid)}, ${key.keytype}, ${placeText(place)}`

function placeText(place: KeyPlace): string {
  switch (place.in) {
    case 'file':
      return `in ${place.file}`
    case 'agent':
      return 'in an agent'
    case 'token':
      return `on the token ${printable(place.token)}, id ${place.id}`
    case 'elsewhere':
      return 'with somebody else'
  }
}

function tellKey({ terminal, isJson }: CliSetting, key: RingKey): void {
  if (isJson()) writeJson(terminal, key)
  else terminal.write(`${key.name}: ${keyText(key)}\n`)
}

/** Before a passphrase is asked for: who types it has read what it is for. */
function tellWords({ terminal, isJson }: CliSetting, words: readonly string[]): void {
  if (!isJson()) terminal.write(words.map(word => `${printable(word)}\n`).join(''))
}

function tellDraft({ terminal, isJson }: CliSetting, report: DraftReport): void {
  if (isJson()) {
    writeJson(terminal, report)
    return
  }
  const paint = paintFor(terminal)
  const { missing, troubles } = report
  for (const trouble of troubles) terminal.writeError(`${paint.yellow(printable(trouble))}\n`)
  terminal.write(
    missing.length === 0 ? paint.green('all signatures are there\n') : 'still missing:\n',
  )
  terminal.write(missing.map(lack => `  ${printable(lack)}\n`).join(''))
}
