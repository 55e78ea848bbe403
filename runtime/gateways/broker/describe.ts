/** The documents about MQTT, made from the table of topics: `docs/asyncapi.json` and, in `describe-page.ts`, the page. */
import { commandIn } from '../../core/command-shape.js'
import { printDecisionIn, printIn } from '../../core/printing-topics.js'
import { jsonSchema, type Schema } from '../../core/schema.js'
import { topics } from '../../topics.js'
import { requestIn, setIn } from './commands.js'

export interface Described {
  /** Unique among all, and fit for a URL. */
  readonly id: string
  readonly address: string
  readonly kind: 'state' | 'event' | 'command'
  readonly qos: 0 | 1
  readonly summary: string
  /** JSON Schema, draft 7. */
  readonly payload: Readonly<Record<string, unknown>>
  /** Short forms that people type instead of JSON. */
  readonly words: readonly string[]
}

const described = (schema: Schema<unknown>): Readonly<Record<string, unknown>> =>
  jsonSchema(schema, 'draft-07')

const commands: readonly Described[] = [
  {
    id: 'cue',
    address: 'vb/{tour}/{box}/cue',
    kind: 'command',
    qos: 1,
    summary:
      'Asks something of the show. Answered on response/{id}; a cue without an id is given one.',
    payload: described(commandIn),
    words: ['GO', 'BACK', 'GOTO 12', 'FIRE 12', 'SCENE warm', 'BLACKOUT on', 'PANIC', 'RELEASE'],
  },
  {
    id: 'tour-cue',
    address: 'vb/{tour}/all/cue',
    kind: 'command',
    qos: 1,
    summary: 'The same, for every box of the tour.',
    payload: described(commandIn),
    words: ['GO', 'PANIC'],
  },
  {
    id: 'output-set',
    address: 'vb/{tour}/{box}/{output}/set',
    kind: 'command',
    qos: 1,
    summary: 'Sets an output or a group by hand.',
    payload: described(setIn),
    words: ['ON', 'OFF', '0.5', '50%'],
  },
  {
    id: 'output-get',
    address: 'vb/{tour}/{box}/{output}/get',
    kind: 'command',
    qos: 1,
    summary:
      'Asks for the state of a device to be published once more. The payload is not looked at.',
    payload: {},
    words: [''],
  },
  {
    id: 'request',
    address: 'vb/{tour}/{box}/request/{action}',
    kind: 'command',
    qos: 1,
    summary: 'The same as a cue, with the action in the topic and the answer on response/{tx}.',
    payload: described(requestIn),
    words: [],
  },
  {
    id: 'print',
    address: 'vb/{tour}/{box}/print',
    kind: 'command',
    qos: 1,
    summary:
      'Asks for a ticket. The same id, or key, again is the same ticket. Answered on response/{id} when it is on disk.',
    payload: described(printIn),
    words: [],
  },
  {
    id: 'print-decide',
    address: 'vb/{tour}/{box}/print/decide',
    kind: 'command',
    qos: 1,
    summary: 'Decides what becomes of a ticket that may or may not be on paper.',
    payload: described(printDecisionIn),
    words: [],
  },
]

/** Everything that can be seen on the broker, in the order of the table, commands last. */
export const describedTopics: readonly Described[] = [
  ...Object.entries(topics).flatMap(([topic, { path, kind, qos, summary, payload }]) =>
    path === null
      ? []
      : [
          {
            id: topic.replace('/', '-'),
            address: `vb/{tour}/{box}/${path}`,
            kind,
            qos,
            summary,
            payload: described(payload),
            words: [],
          },
        ],
  ),
  ...commands,
]

const parameters: Readonly<Record<string, string>> = {
  tour: 'Name of the tour.',
  box: 'Name of the box.',
  device: 'Name of a device of the box.',
  input: 'Name of an input of the box.',
  output: 'Name of an output, a group or a device.',
  id: 'The id of the command that is answered.',
  action: 'What is asked for.',
}

/** AsyncAPI 3.0.0. The application is the box: it sends states and events, and receives commands. */
export function asyncApi(version: string): Readonly<Record<string, unknown>> {
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Roadcase over MQTT',
      version,
      description: 'What a box publishes and what may be asked of it, over MQTT 3.1.1.',
    },
    defaultContentType: 'application/json',
    servers: {
      box: {
        host: 'localhost:1883',
        protocol: 'mqtt',
        protocolVersion: '3.1.1',
        description: 'The broker inside the box, on the box itself.',
      },
    },
    channels: entries(describedTopics, topic => [topic.id, channelOf(topic)]),
    operations: entries(describedTopics, topic => [
      `${topic.kind === 'command' ? 'receive' : 'send'}-${topic.id}`,
      operationOf(topic),
    ]),
    components: { messages: entries(describedTopics, topic => [topic.id, messageOf(topic)]) },
  }
}

function channelOf({ id, address, summary }: Described): object {
  const names = [...address.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name)
  return {
    address,
    summary,
    parameters: entries(names, name => [name, { description: parameters[name] ?? name }]),
    messages: { [id]: { $ref: `#/components/messages/${id}` } },
  }
}

function operationOf({ id, kind, qos, summary }: Described): object {
  return {
    action: kind === 'command' ? 'receive' : 'send',
    channel: { $ref: `#/channels/${id}` },
    summary,
    messages: [{ $ref: `#/channels/${id}/messages/${id}` }],
    bindings: { mqtt: { qos, retain: kind === 'state', bindingVersion: '0.2.0' } },
  }
}

function messageOf({ id, summary, payload, words }: Described): object {
  const text = { type: 'string', description: 'A word as people type it, in any case.' }
  return {
    name: id,
    summary,
    payload: words.length === 0 ? payload : { anyOf: [payload, text] },
    ...(words.length === 0 ? {} : { examples: words.map(word => ({ payload: word })) }),
  }
}

const entries = <T>(
  items: readonly T[],
  entry: (item: T) => readonly [string, unknown],
): Readonly<Record<string, unknown>> => Object.fromEntries(items.map(entry))
