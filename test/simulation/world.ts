/**
 * A whole box made of memory and a seed: the real services and drivers on a simulated machine. Its disk loses power,
 * its chips can be unplugged, and its time moves only when told to. It lives as often as it is started: what a power cut
 * ends is never heard of again.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { simulated as board } from '../../boards/simulated.js'
import { linuxPictures } from '../../drivers/linux/pictures.js'
import { SimulatedClock } from '../../drivers/simulated/clock.js'
import { SimulatedDateKeepers } from '../../drivers/simulated/date-keepers.js'
import { SimulatedDisk } from '../../drivers/simulated/disk.js'
import { SimulatedFiles } from '../../drivers/simulated/files.js'
import { SimulatedHost, wellBehaved } from '../../drivers/simulated/host.js'
import { SimulatedKeys } from '../../drivers/simulated/keys.js'
import { SimulatedLog } from '../../drivers/simulated/log.js'
import { SimulatedNetwork } from '../../drivers/simulated/network.js'
import { Pca9685Chip } from '../../drivers/simulated/pca9685-chip.js'
import { SimulatedPowerSwitch } from '../../drivers/simulated/power-switch.js'
import { SimulatedStore } from '../../drivers/simulated/store.js'
import { SimulatedTimecodeLinks } from '../../drivers/simulated/timecode-links.js'
import { SimulatedVitals } from '../../drivers/simulated/vitals.js'
import { type Box, buildBox } from '../../runtime/box.js'
import { type BoxConfig, readBoxConfig } from '../../runtime/config.js'
import { readDocument } from '../../runtime/core/document.js'
import { startAll } from '../../runtime/core/lifecycle.js'
import { randomFrom } from '../../runtime/core/random.js'
import { Signal } from '../../runtime/core/signal.js'
import { after } from '../../runtime/core/time.js'
import type { Machine } from '../../runtime/machine.js'
import { ownTemplates } from '../../runtime/print-shop.js'
import { readTimeline, showAtZero } from '../../runtime/services/timeline.js'
import { plugChips } from '../../runtime/simulated-venue.js'
// What a box loads only when it is asked for takes real time, which a simulated box has none of.
import '../../runtime/services/timecode/timecode.js'
import { noTimeParts } from '../../runtime/time-parts.js'
import { type Payload, type ShowCommand, type Topic, topics } from '../../runtime/topics.js'
import { LifeClock } from './life-clock.js'

const EXAMPLE = 'docs/examples/first-night'
const NEVER = Number.POSITIVE_INFINITY
/** 2026-05-01T20:00:00Z: a show has a date. */
export const SHOW_START_MS = 1_777_665_600_000

export interface WorldOptions {
  readonly seed: number
  /** Text of the show; null for the example's. */
  readonly showText: string | null
  /** Text of box.json; the example's when left out. */
  readonly configText?: string
}

/** The templates that come with the runtime. */
const printShop = {
  templates: new Map((await ownTemplates()).map(template => [template.name, template])),
  images: new Map(),
}

export interface StartOptions {
  /** After how many calls to the store the power goes; each commit, read and sync is one. Never when left out. */
  readonly storeCalls?: number
  /** The same for the disk under the small files. */
  readonly fileCalls?: number
  /** What is wrong with the wires before anybody touches them. */
  readonly spoil?: (host: SimulatedHost) => void
}

interface Life {
  readonly boot: number
  readonly clock: LifeClock
  readonly host: SimulatedHost
  readonly timecodeLinks: SimulatedTimecodeLinks
  box: Box | null
  stopAll: () => Promise<void>
  isOver: boolean
}

type Hearing = (box: Box, life: Life) => void

/** The parts that outlive a power cut: the disk, the wires and the time of day. */
export class World {
  readonly clock = new SimulatedClock({ showStartMs: SHOW_START_MS, driftPpm: 0 })
  readonly store: SimulatedStore
  readonly disk: SimulatedDisk
  readonly log = new SimulatedLog()
  readonly random: () => number
  readonly config: BoxConfig
  readonly showText: string
  /** One line per change of the far side: what an audience would see. */
  readonly trace: string[] = []
  readonly fired: Payload<'cue/fired'>[] = []
  readonly answered: Payload<'command/answered'>[] = []
  readonly captured: Payload<'capture/taken'>[] = []
  /** The last moment of a life: the power goes. What store and disk meet is theirs to tell. */
  readonly ending = new Signal<void>()
  readonly #hearings: Hearing[] = []
  readonly #digest = createHash('sha256')
  #life: Life
  #boot = 0
  #commands = 0

  constructor(options: WorldOptions) {
    this.random = randomFrom(options.seed)
    this.store = new SimulatedStore(this.random)
    this.disk = new SimulatedDisk(this.random)
    const configText = options.configText ?? readFileSync(`${EXAMPLE}/box.json`, 'utf8')
    const { value, locate } = readDocument(configText, 'box', 'config.invalid')
    this.config = readBoxConfig(value, locate)
    this.showText = options.showText ?? readFileSync(`${EXAMPLE}/show.yaml`, 'utf8')
    this.#life = { ...this.#newLife(), isOver: true }
    this.store.powerCut.listen(() => this.#end())
    this.disk.powerCut.listen(() => this.#end())
    this.hear('cue/fired', message => this.fired.push(message))
    this.hear('command/answered', message => this.answered.push(message))
    this.hear('capture/taken', message => this.captured.push(message))
  }

  get isOn(): boolean {
    return !this.#life.isOver
  }

  get boot(): number {
    return this.#boot
  }

  /** What hangs on the wires: of the present life, or of nobody. */
  get host(): SimulatedHost {
    return this.#life.host
  }

  /** The networks and ports of timecode of the present life. */
  get timecodeLinks(): SimulatedTimecodeLinks {
    return this.#life.timecodeLinks
  }

  /** The box's own clock. */
  get ownClock(): LifeClock {
    return this.#life.clock
  }

  get box(): Box {
    if (this.#life.box === null) throw new Error('the box is not started')
    return this.#life.box
  }

  /** Hears a message in this life and all that come. Before the services do, when asked for before the start. */
  hear<T extends Topic>(topic: T, listener: (message: Payload<T>) => void): void {
    this.#hearings.push((box, life) => {
      box.bus.subscribe(topic, message => {
        if (!life.isOver) listener(message)
      })
    })
  }

  /** Every message and every change of a line goes into `digest()`. */
  record(): void {
    for (const topic of Object.keys(topics) as Topic[])
      this.hear(topic, message => this.note(topic, message))
  }

  note(what: string, facts: unknown): void {
    this.#digest.update(`${this.clock.monotonicMs()} ${what} ${JSON.stringify(facts)}\n`)
  }

  digest(): string {
    for (const line of this.trace) this.#digest.update(line)
    return this.#digest.digest('hex')
  }

  /** True when the box is up; false when the power went meanwhile. */
  async start(options: StartOptions = {}): Promise<boolean> {
    const { storeCalls = NEVER, fileCalls = NEVER, spoil = () => {} } = options
    if (this.isOn) throw new Error('the box is on already')
    this.#boot++
    const life = this.#newLife()
    const store = this.store.boot({ callsUntilPowerCut: storeCalls })
    const files = new SimulatedFiles(this.disk.boot({ callsUntilPowerCut: fileCalls }))
    this.#life = life
    const machine: Machine = {
      board,
      clock: life.clock,
      timeline: { follow: () => {} },
      ...noTimeParts(life.clock, new SimulatedDateKeepers()),
      timecodeLinks: life.timecodeLinks,
      log: this.log,
      store,
      cardTrouble: null,
      files,
      keys: new SimulatedKeys(this.random),
      network: new SimulatedNetwork(life.clock),
      vitals: new SimulatedVitals(),
      pictures: linuxPictures,
      powerSwitch: new SimulatedPowerSwitch(this.log),
      host: life.host,
      bootId: `boot-${life.boot}`,
      simulated: life.host,
      onOutputsLost() {},
    }
    await this.until(this.#startOn(machine, life, spoil))
    return !life.isOver
  }

  async #startOn(
    machine: Machine,
    life: Life,
    spoil: (host: SimulatedHost) => void,
  ): Promise<void> {
    const saved = await readTimeline(machine.files, this.log)
    const { bootId } = machine
    const [monotonic, wall] = [life.clock.monotonicMs(), life.clock.wallTimeMs()]
    life.clock.setShowAtZero(showAtZero(saved, { bootId, monotonic, wall }))
    const { config, showText } = this
    const box = await buildBox(machine, {
      config,
      showText,
      boot: life.boot,
      version: '0.0.0',
      printShop,
    })
    plugChips(life.host, life.clock, box.fitted, config.power)
    spoil(life.host)
    life.box = box
    for (const hearing of this.#hearings) hearing(box, life)
    life.stopAll = await startAll(life.clock, this.log, [...box.services, box.presence])
  }

  /** An orderly end. */
  async stop(): Promise<void> {
    await this.until(this.#life.stopAll())
    this.#life.isOver = true
    this.#life.clock.end()
  }

  /**
   * Somebody pulled the plug: nothing of this life is ever heard of again, wires fall to their safe states, chips
   * forget, and what the disk had not synced is gone or there by chance.
   */
  async cutPower(offMs: number): Promise<void> {
    this.store.cutPower()
    await this.clock.advance(offMs)
  }

  /** Asks something of the show, as a console would. Returns the request's id. */
  command(command: Omit<ShowCommand, 'id' | 'origin'>): string {
    const id = `request-${this.#boot}-${++this.#commands}`
    this.ask({ id, ...command })
    return id
  }

  ask(command: Omit<ShowCommand, 'origin'>): void {
    this.box.bus.publish('command/received', { origin: 'world', ...command })
  }

  /** A finger on a button. */
  press(line: string, holdMs: number): void {
    const { host, clock } = this.#life
    host.wire(line).setActive(true)
    clock.runAt(after(clock.monotonicMs(), holdMs), () => host.wire(line).setActive(false))
  }

  get dimmer(): Pca9685Chip | null {
    const chip = this.host.bus('header').chipAt(0x40)
    return chip instanceof Pca9685Chip ? chip : null
  }

  /** What each channel of the PCA9685 puts out, 0..1 of full light, and every output line. */
  seen(): {
    readonly dimmer: readonly number[]
    readonly lines: Readonly<Record<string, boolean>>
  } {
    const outputs = board.lines.filter(line => line.direction === 'out')
    return {
      dimmer: this.dimmer?.duties() ?? [],
      lines: Object.fromEntries(outputs.map(({ name }) => [name, this.host.wire(name).isActive])),
    }
  }

  /** Moves time until the work is done, or the power goes. */
  async until(work: Promise<unknown>): Promise<void> {
    const life = this.#life
    let isDone = false
    const note = (): void => {
      isDone = true
    }
    work.then(note, note)
    for (let step = 0; step < 40_000 && !isDone && !life.isOver; step++) await this.clock.advance(1)
    if (isDone) await work
    else if (!life.isOver) throw new Error('the work did not end within 40 s')
  }

  #newLife(): Life {
    const clock = new LifeClock(this.clock)
    const host = new SimulatedHost(board, clock, { ...wellBehaved, isI2cTimed: true })
    const life: Life = {
      boot: this.#boot,
      clock,
      host,
      timecodeLinks: new SimulatedTimecodeLinks(clock),
      box: null,
      stopAll: async () => {},
      isOver: false,
    }
    host.onLineChange(({ name, isActive }) => {
      const line = board.lines.find(candidate => candidate.name === name)
      if (line?.direction !== 'out' || life.isOver) return
      this.trace.push(`${this.clock.monotonicMs().toFixed(3)} ${name} ${isActive}`)
    })
    return life
  }

  /** The dark comes at once, to the disk, the wires and the code. */
  #end(): void {
    const life = this.#life
    if (life.isOver) return
    this.ending.emit()
    life.isOver = true
    life.clock.end()
    this.clock.forget()
    this.store.cutPower()
    this.disk.cutPower()
    this.#life = { ...this.#newLife(), isOver: true }
  }
}
