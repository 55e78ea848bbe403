/**
 * Who may do what. Denied unless a line below allows it. `%u` is the user (or the name in the certificate), `%b` the
 * tree of this box, `%t` the tree of the tour, `%h` the prefix of Home Assistant.
 */

import type { brokerRole } from '../../config.js'
import type { Of } from '../../core/schema.js'
import { contains, isFilter, isTopic, matches, startsWild } from './topic.js'

export type BrokerRole = Of<typeof brokerRole>

interface Grant {
  readonly publish: readonly string[]
  readonly subscribe: readonly string[]
}

const everythingShown = ['%t/#', '%h/#', '$SYS/broker/#'] as const

/** The table of docs/topics.md, "Who may do what", is made from this one. */
export const grants: { readonly [R in BrokerRole]: Grant } = {
  /** A page or a phone that looks. */
  view: { publish: [], subscribe: everythingShown },
  /** A technician, the page of an operator, Home Assistant. */
  operate: {
    publish: [
      '%b/cue',
      '%t/all/cue',
      '%b/+/set',
      '%b/+/get',
      '%b/request/+',
      '%b/print',
      '%b/print/decide',
      // The updater of this very box.
      '%b/ota/have',
      '%b/ota/stage',
      '%h/status',
    ],
    subscribe: everythingShown,
  },
  /** A lamp, a sensor, a bridge such as zigbee2mqtt: its own tree, and one level deeper (`wled/lamp-1/…`). */
  driver: {
    publish: ['%u/#', '+/%u/#', '%b/gadget/%u/#'],
    subscribe: [
      '%u/#',
      '+/%u/#',
      '%b/gadget/%u/#',
      '%b/availability',
      '%b/show/state',
      '%b/cue/fired',
      '%b/refused',
      '%t/all/cue',
    ],
  },
  /** Another box of the tour, which brings its own tree. */
  box: { publish: ['%t/%u/#', '%t/all/cue'], subscribe: ['%t/#'] },
  /** The hub of the tour. */
  hub: {
    publish: [
      '%t/+/cue',
      '%t/+/+/set',
      '%t/+/+/get',
      '%t/+/request/+',
      '%t/+/print',
      '%t/+/print/decide',
      '%t/all/#',
    ],
    subscribe: ['%t/#', '$SYS/broker/#'],
  },
}

export interface Rights {
  /** For who was refused: filters of what would have been allowed. */
  readonly publishes: readonly string[]
  readonly subscribes: readonly string[]
  mayPublish(topic: string): boolean
  /** Decides a SUBSCRIBE: the whole filter must lie within one grant. */
  maySubscribe(filter: string): boolean
  /** Decides each message that is about to be sent, live, retained or queued. */
  mayRead(topic: string): boolean
}

export interface Surroundings {
  readonly tour: string
  readonly box: string
  readonly homeAssistantPrefix: string
}

/** Names that can stand in a pattern without changing its meaning. */
const SAFE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
export const isSafeName = (name: string): boolean => SAFE_NAME.test(name)

export function rightsOf(role: BrokerRole, user: string, around: Surroundings): Rights {
  const { tour, box, homeAssistantPrefix } = around
  const own = `vb/${tour}/${box}`
  const reserved = new Set(['vb', homeAssistantPrefix.split('/')[0] ?? homeAssistantPrefix])
  const fill = (pattern: string): string =>
    pattern
      .replace('%b', own)
      .replace('%t', `vb/${tour}`)
      .replace('%h', homeAssistantPrefix)
      .replace('%u', user)
  /** `+/%u/#` and `%u/#` are for trees of gadgets: neither the tour's tree nor Home Assistant's is one. */
  const isForeign = (pattern: string, first: string): boolean =>
    (pattern.startsWith('%u') || startsWild(pattern)) && (reserved.has(first) || startsWild(first))
  const isWithin = (patterns: readonly string[], text: string, test: typeof matches): boolean =>
    isSafeName(user) &&
    patterns.some(
      pattern => !isForeign(pattern, text.split('/')[0] ?? '') && test(fill(pattern), text),
    )
  const grant = grants[role]
  return {
    publishes: grant.publish.map(fill),
    subscribes: grant.subscribe.map(fill),
    mayPublish: topic =>
      isTopic(topic) &&
      !(role === 'box' && topic.startsWith(`${own}/`)) &&
      isWithin(grant.publish, topic, matches),
    maySubscribe: filter => isFilter(filter) && isWithin(grant.subscribe, filter, contains),
    mayRead: topic => isWithin(grant.subscribe, topic, matches),
  }
}
