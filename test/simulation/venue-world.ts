/**
 * Boxes of one venue on a simulated network: the real show and the real venue service on each, lights that remember, and a
 * disk that outlives its box. Boxes are killed, stand still, are cut off and come back; time moves only when told.
 */
import { SimulatedClock } from '../../drivers/simulated/clock.js'
import { SimulatedKeys } from '../../drivers/simulated/keys.js'
import { SimulatedLog } from '../../drivers/simulated/log.js'
import { SimulatedNetwork } from '../../drivers/simulated/network.js'
import { SimulatedStore } from '../../drivers/simulated/store.js'
import { SimulatedVenueLink, SimulatedVenueNetwork } from '../../drivers/simulated/venue-link.js'
import { Bus } from '../../runtime/core/bus.js'
import { randomFrom } from '../../runtime/core/random.js'
import { after, monotonicMs } from '../../runtime/core/time.js'
import type { Cancel, Clock, MonotonicMs } from '../../runtime/ports/clock.js'
import type { Store } from '../../runtime/ports/store.js'
import type { VenueLink } from '../../runtime/ports/venue-link.js'
import { Show } from '../../runtime/services/show/show.js'
import { Venue } from '../../runtime/services/venue/venue.js'
import type { Messages, Payload, ShowCommand } from '../../runtime/topics.js'
import { RecordingLight, readShow } from '../services/show/stage.js'
import { LifeClock } from './life-clock.js'

const SHOW_START_MS = 1_777_665_600_000
/** Of the venue: a box that has gone mad has it, too. */
export const KEY = new Uint8Array(32).fill(7)
export const BOXES_MAX = 5

export const venueShow = (): string => {
  const boxes = Array.from({ length: BOXES_MAX }, (_, index) => `box-${index + 1}`)
  return `
apiVersion: show/v1
name: venue
patch:
${boxes.map(box => `  ${box}: {kind: dimmer, out: "${box}/dimmer#0", onLost: hold}`).join('\n')}
groups: {all: [${boxes.join(', ')}]}
scenes:
  half: {all: 50%}
  full: {all: 100%}
cues:
  - {id: "1", scene: half, fade: 200ms}
  - {id: "2", scene: full, fade: 100ms, follow: {after: 2s, go: "3"}}
  - {id: "3", levels: {all: 30%}, fade: 100ms}
  - {id: "4", levels: {all: 70%}, fade: 0s, do: [{mqtt: {topic: stage/four, payload: now}, at: 300ms}]}
  - {id: "5", levels: {all: off}, fade: 1s, follow: {after: 500ms, go: "1"}}
  - {id: "6", scene: full, fade: 0s}
triggers:
  - {on: "go:press", do: next}
  - {on: {timecode: "10:00:00:00"}, do: next}
`
}

/** Time as a process sees it that now and then stands still: what is due meanwhile is late, and nothing is lost. */
class StallingClock implements Clock {
  readonly #life: LifeClock
  readonly #world: SimulatedClock
  #until: MonotonicMs = monotonicMs(0)

  constructor(world: SimulatedClock, life: LifeClock) {
    this.#world = world
    this.#life = life
  }

  stall(ms: number): void {
    this.#until = after(this.#world.monotonicMs(), ms)
  }

  monotonicMs(): MonotonicMs {
    return this.#life.monotonicMs()
  }

  showTimeMs(): ReturnType<Clock['showTimeMs']> {
    return this.#life.showTimeMs()
  }

  wallTimeMs(): ReturnType<Clock['wallTimeMs']> {
    return this.#life.wallTimeMs()
  }

  monotonicToShow(at: MonotonicMs): ReturnType<Clock['showTimeMs']> {
    return this.#life.monotonicToShow(at)
  }

  showToMonotonic(at: ReturnType<Clock['showTimeMs']>): MonotonicMs {
    return this.#life.showToMonotonic(at)
  }

  showErrorMs(): number {
    return 0.1
  }

  runAt(at: MonotonicMs, task: () => void): Cancel {
    let cancel = this.#life.runAt(at, () => {
      cancel = this.whenAwake(task)
    })
    return () => cancel()
  }

  whenAwake(task: () => void): Cancel {
    const restMs = this.#until - this.#world.monotonicMs()
    if (restMs > 0) return this.#life.runAt(after(this.#life.monotonicMs(), restMs), task)
    task()
    return () => {}
  }
}

/** What a box's process hears only when it does not stand still. */
function stalling(link: SimulatedVenueLink, clock: StallingClock): VenueLink {
  return {
    interfaceName: link.interfaceName,
    open: () => link.open(),
    close: () => link.close(),
    send: (datagram, address) => link.send(datagram, address),
    request: (address, question) => link.request(address, question),
    onRequest: answer => link.onRequest(answer),
    onDatagram: listener =>
      link.onDatagram((datagram, from) => {
        clock.whenAwake(() => listener(datagram, from))
      }),
    onLost: listener => link.onLost(listener),
  }
}

export interface Fired extends Payload<'cue/fired'> {
  readonly box: string
  readonly heardMs: number
}

export interface VenueBoxLife {
  readonly bus: Bus<Messages>
  readonly clock: StallingClock
  readonly life: LifeClock
  readonly wire: SimulatedVenueLink
  readonly show: Show
  readonly venue: Venue
  readonly light: RecordingLight
}

export interface VenueWorldOptions {
  readonly seed: number
  readonly boxes: number
  /** Of datagrams, 0..1. */
  readonly loss: number
  readonly doubles: number
  readonly delayMs: { readonly min: number; readonly max: number }
  readonly isPreferred?: (box: string) => boolean
  /** Of the venue, where none is named. */
  readonly keyOf?: (box: string) => Uint8Array
}

export class VenueWorld {
  readonly clock = new SimulatedClock({ showStartMs: SHOW_START_MS, driftPpm: 0 })
  readonly random: () => number
  readonly network: SimulatedVenueNetwork
  readonly log = new SimulatedLog()
  readonly names: readonly string[]
  readonly fired: Fired[] = []
  readonly answered: (Payload<'command/answered'> & { readonly box: string })[] = []
  readonly messages: { readonly box: string; readonly topic: string; readonly atMs: number }[] = []
  readonly states = new Map<string, Payload<'venue/state'>>()
  readonly shows = new Map<string, Payload<'show/state'>>()
  readonly leads: { readonly box: string; readonly atMs: number; readonly epoch: number }[] = []
  readonly dropped: { readonly box: string; readonly ids: readonly string[] }[] = []
  /** What a write takes on the disk of a box; nothing where none is named. */
  readonly slowMs = new Map<string, number>()
  /** Ways that nothing takes any more: `box-1 to box-2`. */
  readonly cut = new Set<string>()
  /** What a way takes beside what all take, in ms; null: this datagram is lost. */
  extraMs: (from: string, to: string) => number | null = () => 0
  readonly #options: VenueWorldOptions
  readonly #stores: ReadonlyMap<string, SimulatedStore>
  readonly #wholes = new Map<string, () => unknown>()
  readonly #lives = new Map<string, VenueBoxLife>()
  #ids = 0

  constructor(options: VenueWorldOptions) {
    const { seed, boxes, loss, doubles, delayMs } = options
    this.#options = options
    this.random = randomFrom(seed)
    const random = randomFrom(seed + 1_000_003)
    const wayMs = (): number => delayMs.min + random() * (delayMs.max - delayMs.min)
    this.network = new SimulatedVenueNetwork(this.clock, (from, to) => {
      if (this.cut.has(`${from} to ${to}`) || random() < loss) return []
      const extraMs = this.extraMs(from, to)
      if (extraMs === null) return []
      const once = (): number => wayMs() + extraMs
      return random() < doubles ? [once(), once()] : [once()]
    })
    this.names = Array.from({ length: boxes }, (_, index) => `box-${index + 1}`)
    this.#stores = new Map(this.names.map(name => [name, new SimulatedStore(this.random)]))
  }

  /** Of the show that all play. */
  get digest(): string {
    return readShow(venueShow(), 'box-1').digest
  }

  /** What outlives the box of that name. */
  disk(name: string): SimulatedStore {
    const disk = this.#stores.get(name)
    if (!disk) throw new Error(`no ${name}`)
    return disk
  }

  /** As the box would tell it to another. */
  wholeOf(name: string): unknown {
    return JSON.parse(JSON.stringify(this.#wholes.get(name)?.() ?? null))
  }

  get living(): readonly string[] {
    return this.names.filter(name => this.#lives.has(name))
  }

  life(name: string): VenueBoxLife {
    const life = this.#lives.get(name)
    if (!life) throw new Error(`${name} is off`)
    return life
  }

  async start(name: string): Promise<void> {
    const lifeClock = new LifeClock(this.clock)
    const bornMs = Math.floor(this.clock.monotonicMs())
    lifeClock.setShowAtZero(after(this.clock.monotonicToShow(monotonicMs(0)), bornMs))
    const clock = new StallingClock(this.clock, lifeClock)
    const bus = new Bus<Messages>()
    const light = new RecordingLight(clock, 'dimmer', { channelCount: 1 })
    const disk = this.disk(name).boot({ callsUntilPowerCut: Number.POSITIVE_INFINITY })
    const store: Store = {
      read: (table, key) => disk.read(table, key),
      scan: (table, range) => disk.scan(table, range),
      commit: async changes => {
        await this.#pass(this.slowMs.get(name) ?? 0)
        await disk.commit(changes)
      },
    }
    const keys = new SimulatedKeys(this.random)
    const { log } = this
    const wire = new SimulatedVenueLink(this.network, name)
    const link = stalling(wire, clock)
    const venue = new Venue(
      { clock, log, bus, keys, link },
      {
        tour: 'tour',
        box: name,
        key: this.#options.keyOf?.(name) ?? KEY,
        canLead: true,
        isPreferred: this.#options.isPreferred?.(name) ?? false,
      },
    )
    const join = venue.join.bind(venue)
    venue.join = player => {
      this.#wholes.set(name, () => player.whole())
      join(player)
    }
    const show = new Show(
      { clock, log, bus, store, keys, network: new SimulatedNetwork(clock), company: venue },
      { lights: new Map([['dimmer', light]]), captures: new Map() },
      readShow(venueShow(), name),
      { box: name, planAheadMs: 100, framesPerSecond: 40, leadMs: 0 },
    )
    const life = { bus, clock, life: lifeClock, wire, show, venue, light }
    this.#lives.set(name, life)
    this.#hear(name, bus, () => this.#lives.get(name) === life)
    const starting = show.start().then(() => venue.start())
    await this.until(starting)
  }

  #pass(ms: number): Promise<void> {
    if (ms === 0) return Promise.resolve()
    const at = after(this.clock.monotonicMs(), ms)
    return new Promise(resolve => void this.clock.runAt(at, resolve))
  }

  #hear(box: string, bus: Bus<Messages>, isIts: () => boolean): void {
    const now = (): number => this.clock.monotonicMs()
    const hear = <T extends keyof Messages>(topic: T, note: (payload: Messages[T]) => void): void =>
      void bus.subscribe(topic, payload => {
        if (isIts()) note(payload)
      })
    hear('cue/fired', fired => this.fired.push({ ...fired, box, heardMs: now() }))
    hear('command/answered', answer => this.answered.push({ ...answer, box }))
    hear('message/requested', ({ topic }) => this.messages.push({ box, topic, atMs: now() }))
    hear('venue/state', state => this.states.set(box, state))
    hear('show/state', state => this.shows.set(box, state))
    hear('venue/dropped', ({ ids }) => this.dropped.push({ box, ids }))
    hear('venue/leader-changed', ({ role, epoch }) => {
      if (role === 'leading') this.leads.push({ box, atMs: now(), epoch })
    })
  }

  /** Somebody pulls its plug. */
  kill(name: string): void {
    const { life, wire } = this.life(name)
    life.end()
    void wire.close()
    this.#lives.delete(name)
    this.states.delete(name)
    this.disk(name).cutPower()
  }

  async stop(name: string): Promise<void> {
    const { show, venue } = this.life(name)
    await this.until(venue.stop().then(() => show.stop()))
    this.#lives.delete(name)
    this.states.delete(name)
  }

  async startAll(): Promise<void> {
    for (const name of this.names) await this.start(name)
    await this.clock.advance(2_000)
  }

  ask(name: string, command: Omit<ShowCommand, 'id' | 'origin'> & { id?: string }): string {
    const id = command.id ?? `ask-${++this.#ids}`
    this.life(name).bus.publish('command/received', { ...command, id, origin: 'test' })
    return id
  }

  press(name: string): void {
    const { bus, clock } = this.life(name)
    bus.publish('input/changed', {
      input: 'go',
      event: 'press',
      atShowMs: clock.showTimeMs(),
      source: 'kernel',
    })
  }

  /** Who leads, as each living box says. */
  leaders(): ReadonlySet<string | null> {
    return new Set(this.living.map(name => this.states.get(name)?.leader ?? null))
  }

  isAccepted(id: string): boolean {
    return this.answered.some(answer => answer.id === id && answer.isAccepted)
  }

  async until(work: Promise<unknown>): Promise<void> {
    let isDone = false
    void work.then(() => {
      isDone = true
    })
    for (let step = 0; step < 20_000 && !isDone; step++) await this.clock.advance(1)
    await work
  }
}
