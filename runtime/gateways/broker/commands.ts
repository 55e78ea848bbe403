/**
 * Reads what people and machines write to the command topics. Pure: bytes in, a command or a reason out. A reason names
 * the path, the rule and the value, for whoever wrote it sits at another machine and sees nothing else.
 */
import { commandIn } from '../../core/command-shape.js'
import { ConfigError } from '../../core/errors.js'
import { nearest } from '../../core/nearest.js'
import { check, integer, name, number, type Of, object, optional } from '../../core/schema.js'
import { requestId } from '../../core/shapes.js'
import { topics } from '../../topics.js'
import { payloadJson, payloadText, quote, wrong } from './payload-text.js'
import { type PrintDecisionIn, type PrintIn, readDecision, readPrint } from './print-commands.js'
import type { Address } from './tree.js'

/** Commands are short; what is longer is not one. */
export const COMMAND_BYTES_MAX = 8_192

export type CommandIn = Of<typeof commandIn>
type Action = CommandIn['action']

export type Reading =
  | { readonly kind: 'command'; readonly command: CommandIn }
  | { readonly kind: 'get'; readonly output: string }
  | { readonly kind: 'print'; readonly request: PrintIn }
  | { readonly kind: 'decide'; readonly decision: PrintDecisionIn }
  | { readonly kind: 'refused'; readonly message: string }

/** What a sender writes to `…/<output>/set`; also `ON`, `OFF`, a number from 0 to 1, or a percentage. */
export const setIn = object({
  id: optional(requestId),
  level: number({ min: 0, max: 1 }),
  fadeMs: optional(integer({ min: 0, max: 86_400_000 })),
})

const { id: _, action: __, ...requestFields } = commandIn.shape
/** What a sender writes to `…/request/<action>`; the answer comes on `…/response/<tx>`. */
export const requestIn = object({ tx: requestId, ...requestFields })

const actions = topics['command/received'].payload.shape.action.options

/** What the action makes no sense without. */
const needed: { readonly [A in Action]?: readonly (keyof CommandIn)[] } = {
  goto: ['cue'],
  fire: ['cue'],
  scene: ['scene'],
  level: ['target', 'level'],
}

/** The word after the action, in the short form people type: `FIRE 12`, `SCENE warm`, `BLACKOUT off`. */
const spoken: { readonly [A in Action]?: (word: string) => Partial<CommandIn> | null } = {
  goto: cue => ({ cue }),
  fire: cue => ({ cue }),
  scene: scene => ({ scene }),
  clear: target => ({ target }),
  tempo: word => (/^off$/i.test(word) ? { on: false } : bpmOf(word)),
  blackout: word => (/^(on|off)$/i.test(word) ? { on: word.toLowerCase() === 'on' } : null),
}

/** `TEMPO 128`; whether it may be so is for the schema to say. */
const bpmOf = (word: string): Partial<CommandIn> | null =>
  /^\d{1,3}(\.\d{1,6})?$/.test(word) ? { bpm: Number(word) } : null

export function readCommand(address: Address, payload: Uint8Array): Reading {
  try {
    switch (address.kind) {
      case 'cue':
        return { kind: 'command', command: readCue(payloadText(payload, COMMAND_BYTES_MAX)) }
      case 'set':
        return {
          kind: 'command',
          command: readSet(address.output, payloadText(payload, COMMAND_BYTES_MAX)),
        }
      case 'get':
        return { kind: 'get', output: check(name, address.output, 'topic.output') }
      case 'print':
        return { kind: 'print', request: readPrint(payload) }
      case 'decide':
        return { kind: 'decide', decision: readDecision(payload) }
      case 'request':
        return {
          kind: 'command',
          command: readRequest(
            address.action,
            payload.length === 0 ? '' : payloadText(payload, COMMAND_BYTES_MAX),
          ),
        }
    }
  } catch (error) {
    if (error instanceof ConfigError) return { kind: 'refused', message: error.message }
    throw error
  }
}

function readCue(text: string): CommandIn {
  if (text.startsWith('{')) return complete(check(commandIn, payloadJson(text), 'payload'))
  const [word = '', argument, ...more] = text.split(/\s+/)
  const action = actionOf(word)
  if (more.length > 0) throw wrong(`must be an action and at most one word, is ${quote(text)}`)
  if (argument === undefined) return complete(check(commandIn, { action }, 'payload'))
  const fields = spoken[action]?.(argument)
  if (!fields)
    throw wrong(
      action === 'go'
        ? `GO takes no word, is ${quote(text)}; to run cue ${argument} write FIRE ${argument}`
        : `${action.toUpperCase()} cannot be followed by ${quote(argument)}`,
    )
  return complete(check(commandIn, { action, ...fields }, 'payload'))
}

function readSet(output: string, text: string): CommandIn {
  const target = check(name, output, 'topic.output')
  const { id, level, fadeMs } = check(
    setIn,
    text.startsWith('{') ? payloadJson(text) : { level: levelOf(text) },
    'payload',
  )
  return {
    action: 'level',
    target,
    level,
    ...(id === undefined ? {} : { id }),
    ...(fadeMs === undefined ? {} : { fadeMs }),
  }
}

function readRequest(word: string, text: string): CommandIn {
  const action = actionOf(word, 'topic.action')
  if (!text.startsWith('{'))
    throw wrong(`must be JSON such as {"tx":"1"}, is ${quote(text)}; a word alone goes to …/cue`)
  const { tx, ...fields } = check(requestIn, payloadJson(text), 'payload')
  return complete({ ...fields, id: tx, action })
}

function complete(command: CommandIn): CommandIn {
  const missing = (needed[command.action] ?? []).filter(field => command[field] === undefined)
  if (missing.length === 0) return command
  throw new ConfigError(
    missing.map(field => ({
      path: `payload.${field}`,
      message: `is missing: the action "${command.action}" needs it`,
      place: null,
    })),
  )
}

function actionOf(word: string, path = 'payload'): Action {
  const action = actions.find(known => known === word.toLowerCase())
  if (action) return action
  const meant = nearest(word, actions)
  const hint = meant === null ? '' : ` (did you mean "${meant}"?)`
  throw wrong(`must be one of ${actions.join(', ')}; is ${quote(word)}${hint}`, path)
}

function levelOf(text: string): number {
  if (/^on$/i.test(text)) return 1
  if (/^off$/i.test(text)) return 0
  const [, digits, percent] = /^([0-9]*\.?[0-9]+)\s*(%?)$/.exec(text) ?? []
  if (digits !== undefined) return percent === '%' ? Number(digits) / 100 : Number(digits)
  throw wrong(
    `must be ON, OFF, a number from 0 to 1, a percentage, or JSON such as {"level":0.5,"fadeMs":500}; is ${quote(text)}`,
  )
}
