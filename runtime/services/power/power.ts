import { BoxError, messageOf } from '../../core/errors.js'
import type { Service } from '../../core/lifecycle.js'
import { Records } from '../../core/records.js'
import { repeat } from '../../core/repeat.js'
import type { Cancel, MonotonicMs } from '../../ports/clock.js'
import type { Gauge, GaugeReading } from '../../ports/gauge.js'
import type { Change } from '../../ports/store.js'
import { batteryState, glanceOf } from './battery-state.js'
import { unknownPack } from './estimate-state.js'
import { GaugeReader } from './gauge-reader.js'
import { History, type HistoryPoint, type HistoryQuery } from './history.js'
import type { HistorySample } from './history-rows.js'
import { type Kept, kept, keptSchema, packFrom } from './kept.js'
import { cutsArmed, keptInTime } from './last-acts.js'
import { Outlooks } from './outlooks.js'
import { freshPack, heard, type Pack, viewOf, waited } from './pack.js'
import {
  freshPolicy,
  nextPolicy,
  type PolicyAction,
  type PolicySample,
  rankOf,
  refused,
} from './policy.js'
import type { PackOptions, PowerOptions, PowerPorts } from './power-options.js'
import { type PowerState, powerGlance } from './power-state.js'
import { RecordsWriter } from './records-writer.js'
import type { Part } from './whole.js'

const TABLE = 'power'
const LOOK_EVERY_MS = 1_000
const SAY_EVERY_MS = 30_000
const KEEP_EVERY_MS = 300_000
const EDGE_NOTHING = {
  percent: null,
  minutes: null,
  marginMillivolts: null,
  usualMarginMillivolts: null,
  isDischarging: null,
}

/** One pack's life in this service. */
interface Slot {
  readonly options: PackOptions
  pack: Pack
  /** What was last said of it, and when. */
  said: { readonly glance: string; readonly at: MonotonicMs } | null
}

/** Word of a line that power from outside came or went. */
interface Edge {
  readonly isExternal: boolean
  readonly at: MonotonicMs
}

/**
 * Knows what the box lives on and for how long, says so, and acts: it asks for less light, refuses prints, and takes the
 * machine down in order before the packs do it without.
 */
export class Power implements Service {
  readonly name = 'power'
  readonly #ports: PowerPorts
  readonly #gauges: ReadonlyMap<string, Gauge>
  readonly #options: PowerOptions
  readonly #records: Records<Kept>
  readonly #writer: RecordsWriter
  readonly #history: History
  readonly #outlooks: Outlooks
  #slots: readonly Slot[] = []
  readonly #edges = new Map<string, Edge>()
  #policy = freshPolicy
  #isArmed = false
  #isRunning = false
  #lookedAt: MonotonicMs | null = null
  #keptAt: MonotonicMs | null = null
  #said: { readonly glance: string; readonly at: MonotonicMs } | null = null
  #cancels: Cancel[] = []

  constructor(ports: PowerPorts, gauges: ReadonlyMap<string, Gauge>, options: PowerOptions) {
    this.#ports = ports
    this.#gauges = gauges
    this.#options = options
    this.#records = new Records(ports.store, TABLE, keptSchema)
    this.#writer = new RecordsWriter(ports.store, ports.log)
    this.#history = new History(ports.store)
    this.#outlooks = new Outlooks(options)
  }

  async start(): Promise<void> {
    const { clock, log, bus } = this.#ports
    this.#slots = await Promise.all(
      this.#options.packs.map(async options => ({
        options,
        pack: await this.#remembered(options),
        said: null,
      })),
    )
    await this.#openHistory()
    this.#isRunning = true
    this.#cancels = [
      bus.subscribe('show/state', ({ isArmed }) => {
        this.#isArmed = isArmed
      }),
      repeat(clock, LOOK_EVERY_MS, async () => this.#look()),
    ]
    for (const [name, gauge] of this.#gauges) {
      const reader = new GaugeReader(clock, log, gauge, readings => this.#hear(name, readings))
      reader.start()
      this.#cancels.push(
        () => reader.stop(),
        gauge.onExternal((isExternal, at) => this.#feel(name, { isExternal, at })),
      )
    }
  }

  async stop(): Promise<void> {
    for (const cancel of this.#cancels.splice(0)) cancel()
    if (!this.#isRunning) return
    this.#isRunning = false
    await this.#writer.write([...this.#history.take(), ...this.#toKeep()])
  }

  /** @throws BoxError `request.invalid` for a span that is none, and those of the store */
  history(query: HistoryQuery): Promise<readonly HistoryPoint[]> {
    return this.#history.read(query)
  }

  async #remembered(options: PackOptions): Promise<Pack> {
    try {
      const found = await this.#records.read(`pack/${options.name}`)
      return packFrom(found, options, this.#ports.clock.wallTimeMs())
    } catch (error) {
      if (!(error instanceof BoxError)) throw error
      this.#ports.log.warn('power.forgotten', { pack: options.name, error: messageOf(error) })
      return freshPack(unknownPack(options), 0)
    }
  }

  async #openHistory(): Promise<void> {
    const { clock, log } = this.#ports
    try {
      await this.#writer.write(await this.#history.open(clock.wallTimeMs()))
    } catch (error) {
      if (!(error instanceof BoxError)) throw error
      log.warn('power.history-lost', { error: messageOf(error) })
    }
  }

  #hear(gauge: string, readings: readonly GaugeReading[]): void {
    for (const slot of this.#slots) {
      const { options } = slot
      const reading = options.gauge === gauge ? readings[options.channel] : undefined
      if (reading === undefined) continue
      const { pack, swap } = heard(slot.pack, reading, options)
      const { lessons } = slot.pack.estimate.knowledge
      slot.pack = pack
      if (swap !== null) this.#noteSwap(slot, swap)
      else if (pack.estimate.knowledge.lessons > lessons) this.#noteLesson(slot)
    }
  }

  #noteSwap({ options, pack }: Slot, cause: string): void {
    this.#ports.log.info('battery.swapped', { pack: options.name, cause, swaps: pack.swaps })
    this.#keptAt = null
  }

  #noteLesson({ options, pack }: Slot): void {
    const { capacityShare } = pack.estimate.knowledge
    const milliampHours = Math.round(capacityShare * options.milliampHours)
    this.#ports.log.info('battery.learned', { pack: options.name, milliampHours })
    this.#keptAt = null
  }

  /** A line says it before the next reading does. */
  #feel(gauge: string, edge: Edge): void {
    if (!this.#isRunning) return
    this.#edges.set(gauge, edge)
    const isExternal = this.#outlooks.feel(this.#parts(this.#ports.clock.monotonicMs()))
    this.#step({ ...EDGE_NOTHING, elapsedMs: 0, isExternal, isArmed: this.#isArmed })
    this.#sayPower()
  }

  #look(): void {
    const now = this.#ports.clock.monotonicMs()
    const elapsedMs = this.#lookedAt === null ? 0 : now - this.#lookedAt
    this.#lookedAt = now
    for (const slot of this.#slots) slot.pack = waited(slot.pack, now, slot.options)
    const parts = this.#parts(now)
    const outlook = this.#outlooks.look(parts, elapsedMs)
    this.#step({ ...outlook.sample, elapsedMs, isArmed: this.#isArmed })
    for (const [index, slot] of this.#slots.entries()) this.#sayPack(slot, parts[index])
    this.#sayPower()
    this.#remember(now, parts)
  }

  #parts(now: MonotonicMs): readonly Part[] {
    return this.#slots.map(({ options, pack }) => {
      const view = viewOf(pack, now, options)
      const edge = this.#edges.get(options.gauge)
      // A reading may be older than the word of the line, or know nothing of the mains.
      const isNewer = pack.reading === null || (edge !== undefined && edge.at > pack.reading.at)
      const told = edge?.isExternal ?? null
      return {
        view: { ...view, isExternal: isNewer ? told : (view.isExternal ?? told) },
        model: options,
        knowledge: pack.estimate.knowledge,
      }
    })
  }

  #step(sample: PolicySample): void {
    const { state, actions } = nextPolicy(this.#policy, sample, this.#options.policy)
    this.#policy = state
    for (const action of actions) this.#act(action)
  }

  #act(action: PolicyAction): void {
    const { log } = this.#ports
    switch (action.kind) {
      case 'stage': {
        const { from, to } = action
        const level = rankOf(to) > rankOf('battery') ? 'warn' : 'info'
        log[level]('power.stage', { from, to })
        this.#sayPower()
        return
      }
      case 'shutdown-begun':
        log.error('power.shutting-down', { cause: action.cause, graceMs: action.graceMs })
        return
      case 'shutdown-cancelled':
        log.info('power.shutdown-cancelled')
        return
      case 'shutdown-forbidden':
        log.error('power.shutdown-forbidden', { cause: action.cause })
        return
      case 'shut-down':
        void this.#goDown(action.cause)
    }
  }

  /** Everything to the disk, the boards told to cut their power when the machine is down, and then the machine. */
  async #goDown(cause: string): Promise<void> {
    const { clock, log, powerSwitch } = this.#ports
    log.error('power.off', { cause })
    const changes = [...this.#history.take(), ...this.#toKeep()]
    await keptInTime(clock, log, this.#writer.write(changes))
    await cutsArmed(clock, log, this.#gauges.values())
    try {
      await powerSwitch.shutDown()
    } catch (error) {
      if (!(error instanceof BoxError)) throw error
      log.error('power.not-off', { error: messageOf(error) })
      this.#policy = refused(this.#policy)
    }
  }

  #sayPack(slot: Slot, part: Part | undefined): void {
    if (part === undefined) return
    const { clock, bus } = this.#ports
    const state = batteryState(slot.options, part.view, slot.pack.swaps)
    const glance = glanceOf(state)
    const now = clock.monotonicMs()
    if (slot.said?.glance === glance && now - slot.said.at < SAY_EVERY_MS) return
    slot.said = { glance, at: now }
    bus.publish('battery/state', state)
  }

  #sayPower(): void {
    const { clock, bus } = this.#ports
    const state: PowerState = this.#outlooks.stateOf(this.#policy.stage, clock.wallTimeMs())
    const glance = powerGlance(state)
    const now = clock.monotonicMs()
    const isOld = this.#said === null || now - this.#said.at >= SAY_EVERY_MS
    if (this.#said?.glance === glance && !isOld) return
    this.#said = { glance, at: now }
    bus.publish('power/state', state)
  }

  #remember(now: MonotonicMs, parts: readonly Part[]): void {
    const stageRank = rankOf(this.#policy.stage)
    const samples = new Map<string, HistorySample>([
      ['all', { ...this.#outlooks.sampled(), stageRank }],
      ...(parts.length < 2 ? [] : parts).map(({ view }, index): [string, HistorySample] => [
        this.#options.packs[index]?.name ?? '',
        {
          percent: view.percent,
          millivolts: view.millivolts,
          milliwatts:
            view.millivolts === null || view.milliamps === null
              ? null
              : (view.millivolts * view.milliamps) / 1000,
          stageRank,
        },
      ]),
    ])
    const changes = this.#history.add(this.#ports.clock.wallTimeMs(), samples)
    const isDue = this.#keptAt === null || now - this.#keptAt >= KEEP_EVERY_MS
    if (changes.length === 0) return
    void this.#writer.write(isDue ? [...changes, ...this.#toKeep()] : changes)
    if (isDue) this.#keptAt = now
  }

  #toKeep(): readonly Change[] {
    const wallMs = this.#ports.clock.wallTimeMs()
    return this.#slots.map(({ options, pack }) =>
      this.#records.put(`pack/${options.name}`, kept(pack, options, wallMs)),
    )
  }
}
