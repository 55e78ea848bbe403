/**
 * Between the bus and MQTT, the same for both brokers: states and events out, commands in. It knows nothing of sockets:
 * what goes out is handed to an outlet, what comes in is handed to `receive`.
 */
import type { Bus } from '../../core/bus.js'
import { suggestion } from '../../core/nearest.js'
import type { Keys } from '../../ports/keys.js'
import { type Messages, type Payload, type Topic, topics } from '../../topics.js'
import { type CommandIn, readCommand } from './commands.js'
import { discoveryOf } from './home-assistant.js'
import type { RefusalReason, Refusals } from './refusals.js'
import { isTopic } from './topic.js'
import { type Address, addressOf, baseOf, outwardTopic, type Place } from './tree.js'

export interface Outgoing {
  readonly topic: string
  readonly payload: string
  readonly qos: 0 | 1
  readonly isRetained: boolean
}

export interface Received {
  readonly topic: string
  readonly payload: Uint8Array
  readonly client: string
  readonly isRetained: boolean
  /** The sender had tried before (DUP), under this identifier. */
  readonly isRepeated: boolean
  readonly messageId: number | null
  /** Waited in a queue while the box was away. */
  readonly isStale: boolean
  /** Kept by another broker, and told because we subscribed. */
  readonly isReplayed: boolean
}

/** `foreign` is not for the box; `refused` has been told on the bus. */
export type Reception = 'taken' | 'refused' | 'foreign'

export interface BridgeOptions {
  readonly place: Place
  readonly boot: number
  readonly homeAssistant: { readonly isEnabled: boolean; readonly prefix: string }
  /** Topics outside the box's tree that triggers of the show listen to. */
  readonly heardTopics: readonly string[]
}

type Availability = Payload<'box/availability'>['state']
type Outlet = (message: Outgoing) => void

const REPEATED =
  'it was sent again after a broken connection, and may have been done then: look, and send a new one, or send it with an id'
const STATES_MAX = 1_024
const REMEMBERED_MAX = 256
/** What is not the same twice as once. */
const STEPS: ReadonlySet<CommandIn['action']> = new Set(['go', 'back', 'fire'])

export class Bridge {
  readonly #bus: Bus<Messages>
  readonly #keys: Keys
  readonly #refusals: Refusals
  readonly #options: BridgeOptions
  /** The last of each state, for who asks and for a broker that was away. */
  readonly #states = new Map<string, Outgoing>()
  /** Commands without an id of their own, by who sent them under which identifier. */
  readonly #recent = new Set<string>()
  #availability: Availability = 'init'
  #outlet: Outlet = () => {}
  #cancels: (() => void)[] = []
  #discovery: Outgoing | null = null

  constructor(bus: Bus<Messages>, keys: Keys, refusals: Refusals, options: BridgeOptions) {
    this.#bus = bus
    this.#keys = keys
    this.#refusals = refusals
    this.#options = options
  }

  /** Publishes `init`; commands are taken from the moment the bus says `ready`. */
  start(outlet: Outlet): void {
    this.#outlet = outlet
    this.#cancels = outwardTopics.map(topic =>
      this.#bus.subscribe(topic, payload => this.#tell(topic, payload)),
    )
    this.#cancels.push(
      this.#bus.subscribe('box/availability', ({ state }) => {
        this.#availability = state
      }),
      this.#bus.subscribe('box/info', info => this.#discover(info)),
      this.#bus.subscribe('message/requested', request => this.#publishRequested(request)),
    )
    this.#say('init')
  }

  /** Publishes `sleeping` and lets go of the bus. */
  stop(): void {
    if (this.#cancels.length === 0) return
    if (this.#availability !== 'sleeping') this.#say('sleeping')
    for (const cancel of this.#cancels) cancel()
    this.#cancels = []
  }

  /** Everything that must be retained at the broker, as it stands. */
  states(): readonly Outgoing[] {
    return [...this.#states.values(), ...(this.#discovery ? [this.#discovery] : [])]
  }

  receive(received: Received): Reception {
    const { prefix } = this.#options.homeAssistant
    if (received.topic === `${prefix}/status`) this.#greetHomeAssistant(received)
    const address = addressOf(this.#options.place, received.topic)
    if (!address) return this.#hear(received)
    const reason = this.#reasonAgainst(received)
    if (reason !== null) return this.#refuse(received, 'command.refused', reason)
    return this.#obey(address, received)
  }

  #obey(address: Address, received: Received): Reception {
    const reading = readCommand(address, received.payload)
    switch (reading.kind) {
      case 'refused':
        return this.#refuse(received, 'command.invalid', reading.message)
      case 'get':
        return this.#answer(reading.output, received)
      case 'command':
        return this.#command(reading.command, received)
      case 'print':
        return this.#once(reading.request.id, received, id =>
          this.#bus.publish('print/requested', {
            ...reading.request,
            id,
            origin: originOf(received),
          }),
        )
      case 'decide':
        return this.#once(reading.decision.id, received, id =>
          this.#bus.publish('print/decided', {
            ...reading.decision,
            id,
            origin: originOf(received),
          }),
        )
    }
  }

  /** What has an id is one thing however often it comes; without one, what may have been done is not done again. */
  #once(id: string | undefined, received: Received, publish: (id: string) => void): Reception {
    if (id === undefined && (this.#isKnown(received) || received.isRepeated))
      return this.#refuse(received, 'command.refused', REPEATED)
    publish(id ?? this.#newId())
    return 'taken'
  }

  #reasonAgainst({ isRetained, isStale }: Received): string | null {
    if (isRetained)
      return 'a retained command would be carried out at every start: publish it without retain'
    if (isStale) return 'the command was sent while the box was away'
    if (this.#availability !== 'ready')
      return `the box is not ready: its availability is "${this.#availability}"`
    return null
  }

  /** What nobody waited for is nobody's fault: old messages are passed over without a word. */
  #hear(received: Received): Reception {
    const { topic, payload, isReplayed, isStale, isRepeated } = received
    if (!this.hears(topic) || isReplayed || isStale) return 'foreign'
    if (this.#availability !== 'ready') return 'foreign'
    const text = textOf(payload)
    if (text !== null) this.#bus.publish('message/heard', { topic, payload: text, isRepeated })
    return 'foreign'
  }

  /** False for the box's own tree: a show that listens to itself would not end. */
  hears(topic: string): boolean {
    const { place, heardTopics } = this.#options
    return heardTopics.includes(topic) && !topic.startsWith(`${baseOf(place)}/`)
  }

  #command(command: CommandIn, received: Received): Reception {
    const reason = command.id === undefined ? this.#reasonAgainstAgain(command, received) : null
    if (reason !== null) return this.#refuse(received, 'command.refused', reason)
    this.#bus.publish('command/received', {
      ...command,
      id: command.id ?? this.#newId(),
      origin: originOf(received),
    })
    return 'taken'
  }

  /**
   * A bare GO has no id, and what is sent again after a broken connection must not fire twice. What a former life of the
   * box may have carried out is not known here; a GO too few is mended by a hand, a GO too many by nobody.
   */
  #reasonAgainstAgain({ action }: CommandIn, received: Received): string | null {
    if (this.#isKnown(received)) return 'this command was already carried out'
    if (!received.isRepeated || !STEPS.has(action)) return null
    return 'it was sent again after a broken connection, and may have been carried out then: look at the stage, and send a new one, or send commands with an id'
  }

  #newId(): string {
    return `mqtt-${Buffer.from(this.#keys.randomBytes(10)).toString('hex')}`
  }

  #isKnown({ client, messageId, topic, payload, isRepeated }: Received): boolean {
    if (messageId === null) return false
    const key = [client, messageId, topic, this.#keys.sha256Hex(payload)].join('\n')
    const isKnown = isRepeated && this.#recent.has(key)
    this.#recent.delete(key)
    this.#recent.add(key)
    const [oldest] = this.#recent
    if (this.#recent.size > REMEMBERED_MAX && oldest !== undefined) this.#recent.delete(oldest)
    return isKnown
  }

  #answer(output: string, received: Received): Reception {
    const base = baseOf(this.#options.place)
    const state = this.#states.get(`${base}/${output}/state`)
    if (!state) {
      const known = [...this.#states.keys()].flatMap(topic => stateOf(base, topic) ?? [])
      const message = `topic.output: there is no "${output}" here${suggestion(output, known)}`
      return this.#refuse(received, 'command.invalid', message)
    }
    this.#outlet(state)
    return 'taken'
  }

  #refuse({ topic, client }: Received, reason: RefusalReason, message: string): Reception {
    this.#refusals.note(reason, { topic, client, message })
    return 'refused'
  }

  #tell(topic: Topic, payload: Readonly<Record<string, unknown>>): void {
    const outward = outwardTopic(this.#options.place, topic, payload)
    if (outward === null) return
    const { qos, kind } = topics[topic]
    const isRetained = kind === 'state'
    this.#send({ topic: outward, payload: JSON.stringify(payload), qos, isRetained })
  }

  #send(message: Outgoing): void {
    const isKept = this.#states.has(message.topic) || this.#states.size < STATES_MAX
    if (message.isRetained && isKept) this.#states.set(message.topic, message)
    this.#outlet(message)
  }

  #say(state: Availability): void {
    this.#availability = state
    this.#tell('box/availability', { state, boot: this.#options.boot })
  }

  #discover(info: Payload<'box/info'>): void {
    const { isEnabled, prefix } = this.#options.homeAssistant
    const { topic, payload } = discoveryOf(info, prefix)
    this.#discovery = { topic, payload: isEnabled ? payload : '', qos: 1, isRetained: true }
    this.#outlet(this.#discovery)
  }

  /** It has started again, and may have forgotten us. */
  #greetHomeAssistant({ payload, isRetained }: Received): void {
    const isOnline = Buffer.from(payload).toString('latin1') === 'online'
    if (isOnline && !isRetained && this.#discovery) this.#outlet(this.#discovery)
  }

  #publishRequested({ topic, payload, qos, isRetained }: Payload<'message/requested'>): void {
    const { place } = this.#options
    // Not its own command topics: a cue that fires itself would never end.
    const isAllowed =
      isTopic(topic) &&
      !topic.startsWith('$') &&
      !topic.startsWith(`${baseOf(place)}/`) &&
      addressOf(place, topic) === null
    if (isAllowed) this.#outlet({ topic, payload, qos, isRetained })
    else
      this.#refusals.note('publish.denied', {
        topic,
        client: 'show',
        message: 'a cue may publish to any topic but $ topics, this box and commands to it',
      })
  }
}

const originOf = ({ client }: Received): string => `mqtt:${client}`.slice(0, 128)

/** The word before `/state`; null for other topics. */
function stateOf(base: string, topic: string): string | null {
  const [name = '', end, ...more] = topic.slice(base.length + 1).split('/')
  return end === 'state' && more.length === 0 ? name : null
}

const HEARD_BYTES_MAX = 8_192

function textOf(payload: Uint8Array): string | null {
  if (payload.length > HEARD_BYTES_MAX) return null
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(payload)
  } catch {
    // Bytes that are not text are no message to a show.
    return null
  }
}

const isOutward = (topic: Topic): boolean => topics[topic].path !== null

const outwardTopics: readonly Topic[] = Object.keys(topics)
  .filter((topic): topic is Topic => topic in topics)
  .filter(isOutward)
