import type { Bus } from '../../core/bus.js'
import type { Service } from '../../core/lifecycle.js'
import { Signal } from '../../core/signal.js'
import type { Cancel, Clock } from '../../ports/clock.js'
import type { Messages, Payload, Topic } from '../../topics.js'
import type { RecentEvent } from './api.js'

const DEVICES_MAX = 256
/** Printers, and battery packs. */
const NAMED_MAX = 32
const CUES_MAX = 1_000
const RECENT_MAX = 50

/** What the page is told of each message. */
export interface Mirrored {
  readonly topic: Topic
  /** A newer message of the same key makes an older one worthless; null when every one counts. */
  readonly key: string | null
  readonly wallMs: number
  readonly payload: unknown
}

/** Kept by name: the last payload of each of these is the state of the box. */
const stateTopics = [
  'box/availability',
  'box/info',
  'broker/state',
  'clock/state',
  'clock/house',
  'clock/wall',
  'power/state',
  'show/state',
  'cue/late',
  'telemetry/state',
  'timecode/state',
  'venue/state',
  'ota/state',
] as const satisfies readonly Topic[]
type StateTopic = (typeof stateTopics)[number]
type States = { readonly [T in StateTopic]: Payload<T> | null }

const eventTopics = [
  'cue/fired',
  'capture/taken',
  'input/changed',
  'command/answered',
  'print/answered',
  'print/changed',
  'message/refused',
] as const satisfies readonly Topic[]

/**
 * Remembers the latest of every state that services publish, the levels and the last events, since the bus itself
 * remembers nothing. Starts before the services, so that it hears their first word.
 */
export class Mirror implements Service {
  readonly name = 'mirror'
  readonly changed = new Signal<Mirrored>()
  readonly #clock: Clock
  readonly #bus: Bus<Messages>
  #states: States = nothingKnown
  readonly #devices = new Map<string, Payload<'device/state'>>()
  readonly #printers = new Map<string, Payload<'printer/state'>>()
  readonly #batteries = new Map<string, Payload<'battery/state'>>()
  readonly #lateCues = new Map<string, Payload<'cue/lateness'>>()
  #sample: Payload<'levels/sampled'> = { levels: {}, colors: {} }
  readonly #recent: RecentEvent[] = []
  #cancels: Cancel[] = []

  constructor({ clock, bus }: { clock: Clock; bus: Bus<Messages> }) {
    this.#clock = clock
    this.#bus = bus
  }

  async start(): Promise<void> {
    this.#cancels.push(
      ...stateTopics.map(topic =>
        this.#bus.subscribe(topic, payload => {
          this.#states = { ...this.#states, [topic]: payload }
          this.#tell(topic, topic, payload)
        }),
      ),
      ...eventTopics.map(topic =>
        this.#bus.subscribe(topic, payload => {
          this.#remember(topic, payload)
          this.#tell(topic, null, payload)
        }),
      ),
      this.#bus.subscribe('device/state', payload => this.#hearDevice(payload)),
      this.#bus.subscribe('printer/state', payload => {
        keep(this.#printers, payload.printer, payload)
        this.#tell('printer/state', `printer/${payload.printer}`, payload)
      }),
      this.#bus.subscribe('battery/state', payload => {
        keep(this.#batteries, payload.pack, payload)
        this.#tell('battery/state', `battery/${payload.pack}`, payload)
      }),
      this.#bus.subscribe('cue/lateness', payload =>
        keep(this.#lateCues, payload.cue, payload, CUES_MAX),
      ),
      this.#bus.subscribe('levels/sampled', payload => {
        this.#sample = payload
        this.#tell('levels/sampled', 'levels', payload)
      }),
    )
  }

  async stop(): Promise<void> {
    for (const cancel of this.#cancels) cancel()
    this.#cancels = []
  }

  state<T extends StateTopic>(topic: T): Payload<T> | null {
    return this.#states[topic]
  }

  devices(): readonly Payload<'device/state'>[] {
    return [...this.#devices.values()]
  }

  printers(): readonly Payload<'printer/state'>[] {
    return [...this.#printers.values()]
  }

  batteries(): readonly Payload<'battery/state'>[] {
    return [...this.#batteries.values()]
  }

  /** Of each cue that was fired, in the order of their first fires. */
  lateCues(): readonly Payload<'cue/lateness'>[] {
    return [...this.#lateCues.values()]
  }

  sample(): Payload<'levels/sampled'> {
    return this.#sample
  }

  /** At most 50, oldest first. */
  recent(): readonly RecentEvent[] {
    return [...this.#recent]
  }

  #hearDevice(payload: Payload<'device/state'>): void {
    const before = this.#devices.get(payload.device)
    if (before === undefined && this.#devices.size >= DEVICES_MAX) return
    this.#devices.set(payload.device, payload)
    const isNews = before?.state !== payload.state || before.code !== payload.code
    if (isNews) this.#remember('device/state', payload)
    this.#tell('device/state', `device/${payload.device}`, payload)
  }

  /** Accepted commands show in what they did; of answers and tickets only what went wrong is worth remembering. */
  #remember(topic: Topic, payload: object): void {
    const isAnswer = topic === 'command/answered' || topic === 'print/answered'
    if (isAnswer && 'isAccepted' in payload && payload.isAccepted) return
    if (topic === 'print/changed' && 'state' in payload && !isTrouble(payload.state)) return
    this.#recent.push({ wallMs: this.#clock.wallTimeMs(), topic, payload })
    if (this.#recent.length > RECENT_MAX) this.#recent.shift()
  }

  #tell(topic: Topic, key: string | null, payload: unknown): void {
    this.changed.emit({ topic, key, wallMs: this.#clock.wallTimeMs(), payload })
  }
}

/** Of a ticket: what a person should see. */
const isTrouble = (state: unknown): boolean =>
  state === 'unknown' || state === 'failed' || state === 'expired'

function keep<T>(table: Map<string, T>, name: string, state: T, max = NAMED_MAX): void {
  if (table.has(name) || table.size < max) table.set(name, state)
}

const nothingKnown: States = {
  'box/availability': null,
  'box/info': null,
  'broker/state': null,
  'clock/state': null,
  'clock/house': null,
  'clock/wall': null,
  'power/state': null,
  'show/state': null,
  'cue/late': null,
  'telemetry/state': null,
  'timecode/state': null,
  'venue/state': null,
  'ota/state': null,
}
