/** `docs/topics.md`, from the same table as the AsyncAPI document. */
import { jsonSchema, name, type Schema } from '../../core/schema.js'
import { cueId, requestId } from '../../core/shapes.js'
import { type Described, describedTopics } from './describe.js'
import { grants } from './grants.js'

const introduction = `# Topics

Written by \`npm run docs\` from \`runtime/topics.ts\`; do not edit. The same as AsyncAPI 3: \`asyncapi.json\`.

All topics of a box lie below \`vb/<tour>/<box>/\`. Payloads are JSON; people may send the short words given with each
command. MQTT 3.1.1; 1883 on the box itself, 8883 with a certificate, WebSocket at \`/mqtt\`.

\`\`\`
mosquitto_pub -u operator -P … -q 1 -t vb/demo/box-1/cue -m GO
mosquitto_sub -u operator -P … -v -t 'vb/demo/box-1/#'
\`\`\`

What to know:

- **A command that is refused is acknowledged and dropped.** The reason is published on \`refused\`: keep a
  \`mosquitto_sub\` on it while you try things. The connection stays.
- **Never retain a command.** It would be carried out at every start, so it is refused. A command that waited in a
  queue while the box was away is refused too.
- **PUBACK means kept.** A message with QoS 1 or 2 that has to survive is on disk before it is acknowledged. Messages
  with QoS 0, and everything the box itself retains, live in memory: the box tells its states anew at every start.
- **A command is done when \`response/<id>\` says so**, not when it is acknowledged.
- **\`availability\`** is \`init\`, \`ready\`, and \`sleeping\` after an orderly stop. When the box crashes, its own broker goes
  with it: a client learns it from the broken connection, and reads \`init\` when it gets through again. With an external
  broker the box leaves a will, and the broker says \`lost\`.
`

const headings = {
  state: '## States\n\nRetained: who subscribes is told at once how things are.',
  event:
    '## Events\n\nNot retained: they tell what happens while you listen, or wait in your session.',
  command: '## Commands\n\nWhat may be asked, with QoS 0 or 1, never retained.',
} as const

export function topicsPage(): string {
  const kinds = ['state', 'event', 'command'] as const
  return [
    introduction,
    ...kinds.flatMap(kind => [
      headings[kind],
      '',
      ...describedTopics.filter(topic => topic.kind === kind).map(section),
    ]),
    rightsTable(),
  ].join('\n')
}

function section({ address, qos, summary, payload, words }: Described): string {
  const rows = rowsOf(payload)
  return [
    `### \`${address.replace('vb/{tour}/{box}/', '…/')}\``,
    '',
    `${summary} QoS ${qos}.`,
    ...(words.some(word => word !== '')
      ? ['', `In words: ${words.map(word => `\`${word}\``).join(', ')}.`]
      : []),
    ...(rows.length === 0 ? [] : ['', '| field | value |', '|---|---|', ...rows]),
    '',
  ].join('\n')
}

type JsonSchema = Readonly<Record<string, unknown>>

function rowsOf(schema: JsonSchema): string[] {
  const required = Array.isArray(schema['required']) ? schema['required'] : []
  return Object.entries(isObject(schema['properties']) ? schema['properties'] : {}).map(
    ([field, value]) => {
      const option = required.includes(field) ? '' : ', may be left out'
      return `| \`${field}\` | ${isObject(value) ? wordsOf(value) : 'anything'}${option} |`
    },
  )
}

function wordsOf(schema: JsonSchema): string {
  const { type, items, additionalProperties } = schema
  const choices = choicesOf(schema)
  if (choices !== null) return choices
  if (isObject(items)) return `list of ${wordsOf(items)}`
  if (isObject(additionalProperties)) return `table of ${wordsOf(additionalProperties)}`
  if (isObject(schema['properties']))
    return `object with ${Object.keys(schema['properties'])
      .map(key => `\`${key}\``)
      .join(', ')}`
  if (Array.isArray(type)) return type.map(each => wordsOf({ ...schema, type: each })).join(' or ')
  if (type === 'number' || type === 'integer') return numberWords(schema, type)
  if (type === 'string') return textWords(schema)
  return type === 'boolean' ? 'true or false' : type === 'null' ? 'null' : 'anything'
}

function choicesOf(schema: JsonSchema): string | null {
  if (Array.isArray(schema['enum']))
    return schema['enum'].map(choice => `\`${JSON.stringify(choice)}\``).join(', ')
  const { anyOf } = schema
  if (Array.isArray(anyOf)) return anyOf.filter(isObject).map(wordsOf).join(' or ')
  return 'const' in schema ? `\`${JSON.stringify(schema['const'])}\`` : null
}

function numberWords({ minimum, maximum }: JsonSchema, type: 'number' | 'integer'): string {
  const word = type === 'integer' ? 'whole number' : 'number'
  const isPlain = typeof maximum === 'number' && Math.abs(maximum) <= 1e9
  return isPlain ? `${word} from ${String(minimum)} to ${String(maximum)}` : word
}

/** The patterns of the table in words; alternatives inside another must not end the cell. */
function textWords({ pattern, maxLength }: JsonSchema): string {
  const known = typeof pattern === 'string' ? knownPatterns.get(pattern) : undefined
  if (known !== undefined) return known
  if (typeof pattern === 'string') return `text like \`${pattern.replaceAll('|', '\\|')}\``
  return `text of at most ${String(maxLength)} characters`
}

const patternOf = (schema: Schema<unknown>): string => String(jsonSchema(schema)['pattern'])

const knownPatterns: ReadonlyMap<string, string> = new Map([
  [patternOf(name), 'name: lower-case letters, digits and dashes, at most 63'],
  [patternOf(cueId), 'cue: letters, digits, dots and dashes, at most 63'],
  [patternOf(requestId), 'id: letters, digits, dots, colons and dashes, at most 64'],
])

function rightsTable(): string {
  const list = (patterns: readonly string[]): string =>
    patterns.length === 0
      ? 'nothing'
      : patterns.map(pattern => `\`${readable(pattern)}\``).join(' ')
  return [
    '## Who may do what',
    '',
    'Denied unless it stands here. `<user>` is the user name, or the name in the certificate. The trees of gadgets',
    '(`<user>/#` and `+/<user>/#`) never reach into `vb/`, `$SYS/` or the tree of Home Assistant.',
    '',
    '| role | may publish | may subscribe to |',
    '|---|---|---|',
    ...Object.entries(grants).map(
      ([role, grant]) => `| ${role} | ${list(grant.publish)} | ${list(grant.subscribe)} |`,
    ),
    '',
  ].join('\n')
}

const readable = (pattern: string): string =>
  pattern
    .replace('%b', 'vb/<tour>/<box>')
    .replace('%t', 'vb/<tour>')
    .replace('%h', 'homeassistant')
    .replace('%u', '<user>')

const isObject = (value: unknown): value is JsonSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
