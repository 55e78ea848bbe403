/**
 * What each request of the NUT protocol is answered, pure: docs/net-protocol.txt of NUT 2.8 (protocol 1.3), and upsd
 * itself where that is silent. Whatever would change something is refused.
 */
import { nutQuoted } from '../../core/nut-line.js'
import { descriptions, type NutValue, type NutVariables } from './nut-variables.js'

/** What one client has said of itself. Its password is not kept: everybody may read, and nobody may change. */
export interface NutClient {
  hasUsername: boolean
  hasPassword: boolean
  isLoggedIn: boolean
}

export interface NutView {
  /** What the one UPS of this server is called. */
  readonly ups: string
  readonly description: string
  readonly version: string
  /** Null: nothing was heard of the power yet. */
  readonly variables: NutVariables | null
  /** Addresses of those who have logged in. */
  readonly logins: readonly string[]
}

/** Lines to send, and whether that was all. */
export interface NutAnswer {
  readonly lines: readonly string[]
  readonly isEnd: boolean
}

const PROTOCOL = '1.3'
const say = (...lines: readonly string[]): NutAnswer => ({ lines, isEnd: false })
const refuse = (code: string): NutAnswer => say(`ERR ${code}`)
const ok = say('OK')

/** @param words of one line, at least one */
export function nutAnswer(words: readonly string[], client: NutClient, view: NutView): NutAnswer {
  const [command = '', ...args] = words
  switch (command.toUpperCase()) {
    case 'VER':
      return alone(args, `Roadcase ${view.version} - read-only NUT server`)
    case 'NETVER':
    case 'PROTVER':
      return alone(args, PROTOCOL)
    case 'HELP':
      return alone(
        args,
        'Commands: HELP VER NETVER PROTVER GET LIST LOGIN LOGOUT USERNAME PASSWORD',
      )
    case 'STARTTLS':
      return refuse('FEATURE-NOT-CONFIGURED')
    case 'GET':
      return get(args, view)
    case 'LIST':
      return list(args, view)
    case 'USERNAME':
    case 'PASSWORD':
      return introduce(command.toUpperCase(), args, client)
    case 'LOGOUT':
      return args.length > 0 ? refuse('INVALID-ARGUMENT') : { lines: ['OK Goodbye'], isEnd: true }
    case 'LOGIN':
    case 'PRIMARY':
    case 'MASTER':
    case 'FSD':
    case 'SET':
    case 'INSTCMD':
      return asKnown(command.toUpperCase(), args, client, view)
    default:
      return refuse('UNKNOWN-COMMAND')
  }
}

function alone(args: readonly string[], line: string): NutAnswer {
  return args.length > 0 ? refuse('INVALID-ARGUMENT') : say(line)
}

function introduce(command: string, args: readonly string[], client: NutClient): NutAnswer {
  if (args.length !== 1) return refuse('INVALID-ARGUMENT')
  const key = command === 'USERNAME' ? 'hasUsername' : 'hasPassword'
  if (client[key]) return refuse(`ALREADY-SET-${command}`)
  client[key] = true
  return ok
}

/** What upsd lets only those do who have said who they are. Here they may log in, as upsmon does, and no more. */
function asKnown(
  command: string,
  args: readonly string[],
  client: NutClient,
  view: NutView,
): NutAnswer {
  if (!client.hasUsername) return refuse('USERNAME-REQUIRED')
  if (!client.hasPassword) return refuse('PASSWORD-REQUIRED')
  const isSet = command === 'SET'
  const ups = isSet ? args[1] : args[0]
  if (ups === undefined) return refuse('INVALID-ARGUMENT')
  if (isSet && args[0]?.toUpperCase() === 'TRACKING') return refuse('FEATURE-NOT-CONFIGURED')
  if (!isSame(ups, view.ups)) return refuse('UNKNOWN-UPS')
  if (command === 'INSTCMD') return refuse('CMD-NOT-SUPPORTED')
  if (command !== 'LOGIN') return refuse('ACCESS-DENIED')
  if (client.isLoggedIn) return refuse('ALREADY-LOGGED-IN')
  client.isLoggedIn = true
  return ok
}

function get(args: readonly string[], view: NutView): NutAnswer {
  const [what = '', ups, name] = args
  const topic = what.toUpperCase()
  if (topic === 'TRACKING') return ups === undefined ? say('OFF') : refuse('FEATURE-NOT-CONFIGURED')
  if (ups === undefined) return refuse('INVALID-ARGUMENT')
  if (topic === 'VAR' && name?.toLowerCase().startsWith('server.')) return ofServer(ups, name, view)
  if (!isSame(ups, view.ups)) return refuse('UNKNOWN-UPS')
  if (topic === 'UPSDESC') return say(`UPSDESC ${ups} ${nutQuoted(view.description)}`)
  if (view.variables === null) return refuse('DATA-STALE')
  if (topic === 'NUMLOGINS') return say(`NUMLOGINS ${ups} ${view.logins.length}`)
  return name === undefined
    ? refuse('INVALID-ARGUMENT')
    : ofVariable(topic, ups, name, view.variables)
}

function ofServer(ups: string, name: string, { version }: NutView): NutAnswer {
  const values: Readonly<Record<string, string>> = {
    'server.info': `Roadcase ${version} - read-only NUT server`,
    'server.version': version,
  }
  const value = values[name.toLowerCase()]
  return value === undefined
    ? refuse('VAR-NOT-SUPPORTED')
    : say(`VAR ${ups} ${name} ${nutQuoted(value)}`)
}

function ofVariable(topic: string, ups: string, name: string, variables: NutVariables): NutAnswer {
  if (topic === 'CMDDESC') return say(`CMDDESC ${ups} ${name} "Description unavailable"`)
  if (topic === 'DESC') {
    const known = descriptions.get(name.toLowerCase()) ?? 'Description unavailable'
    return say(`DESC ${ups} ${name} ${nutQuoted(known)}`)
  }
  if (topic !== 'VAR' && topic !== 'TYPE') return refuse('INVALID-ARGUMENT')
  const value = variables.get(name.toLowerCase())
  if (value === undefined) return refuse('VAR-NOT-SUPPORTED')
  return say(
    topic === 'VAR'
      ? `VAR ${ups} ${name} ${nutQuoted(String(value))}`
      : `TYPE ${ups} ${name} ${typeOf(value)}`,
  )
}

const typeOf = (value: NutValue): string =>
  typeof value === 'number' ? 'NUMBER' : `STRING:${value.length}`

function list(args: readonly string[], view: NutView): NutAnswer {
  const [what = '', ups, name] = args
  const topic = what.toUpperCase()
  if (topic === 'UPS') return listed('UPS', [`UPS ${view.ups} ${nutQuoted(view.description)}`])
  if (ups === undefined) return refuse('INVALID-ARGUMENT')
  if (!isSame(ups, view.ups)) return refuse('UNKNOWN-UPS')
  if (topic === 'CLIENT')
    return listed(
      `CLIENT ${ups}`,
      view.logins.map(address => `CLIENT ${ups} ${address}`),
    )
  if (view.variables === null) return refuse('DATA-STALE')
  switch (topic) {
    case 'VAR':
      return listed(
        `VAR ${ups}`,
        [...view.variables].map(([key, value]) => `VAR ${ups} ${key} ${nutQuoted(String(value))}`),
      )
    case 'RW':
    case 'CMD':
      return listed(`${topic} ${ups}`, [])
    case 'ENUM':
    case 'RANGE':
      if (name === undefined) return refuse('INVALID-ARGUMENT')
      if (!view.variables.has(name.toLowerCase())) return refuse('VAR-NOT-SUPPORTED')
      return listed(`${topic} ${ups} ${name}`, [])
    default:
      return refuse('INVALID-ARGUMENT')
  }
}

const listed = (query: string, lines: readonly string[]): NutAnswer =>
  say(`BEGIN LIST ${query}`, ...lines, `END LIST ${query}`)

/** As upsd compares them. */
const isSame = (name: string, ups: string): boolean => name.toLowerCase() === ups.toLowerCase()
