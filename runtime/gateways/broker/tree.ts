/** The box's tree of topics, below `vb/<tour>/<box>`. */
import { type Topic, topics } from '../../topics.js'
import { isTopic } from './topic.js'

export interface Place {
  readonly tour: string
  readonly box: string
}

export const baseOf = ({ tour, box }: Place): string => `vb/${tour}/${box}`

/** Where others write to ask something of the box. */
export type Address =
  | { readonly kind: 'cue' }
  | { readonly kind: 'set'; readonly output: string }
  | { readonly kind: 'get'; readonly output: string }
  | { readonly kind: 'request'; readonly action: string }
  | { readonly kind: 'print' }
  | { readonly kind: 'decide' }

/** Null for a topic that is not a command to this box. */
export function addressOf(place: Place, topic: string): Address | null {
  if (topic === `vb/${place.tour}/all/cue`) return { kind: 'cue' }
  const base = `${baseOf(place)}/`
  if (!topic.startsWith(base)) return null
  const [first = '', second, ...more] = topic.slice(base.length).split('/')
  if (more.length > 0) return null
  return second === undefined ? wordOf(first) : pairOf(first, second)
}

const wordOf = (word: string): Address | null =>
  word === 'cue' || word === 'print' ? { kind: word } : null

function pairOf(first: string, second: string): Address | null {
  if (first === 'request') return { kind: 'request', action: second }
  if (first === 'print') return second === 'decide' ? { kind: 'decide' } : null
  return second === 'set' || second === 'get' ? { kind: second, output: first } : null
}

/** What a bridge to another broker has to subscribe to. */
export const commandFilters = (place: Place): readonly string[] => [
  `${baseOf(place)}/cue`,
  `vb/${place.tour}/all/cue`,
  `${baseOf(place)}/+/set`,
  `${baseOf(place)}/+/get`,
  `${baseOf(place)}/request/+`,
  `${baseOf(place)}/print`,
  `${baseOf(place)}/print/decide`,
]

/** The MQTT topic of a message of the bus; null for what stays inside the box. */
export function outwardTopic(
  place: Place,
  topic: Topic,
  payload: Readonly<Record<string, unknown>>,
): string | null {
  const { path } = topics[topic]
  if (path === null) return null
  const filled = path.replace(/\{(\w+)\}/g, (_, field: string) => String(payload[field] ?? ''))
  const full = `${baseOf(place)}/${filled}`
  return isTopic(full) ? full : null
}
