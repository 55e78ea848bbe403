/**
 * A whole box made of memory and a seed: the real services and drivers on a simulated machine. Its disk loses power,
 * its chips can be unplugged, and its time moves only when told to.
 */
import { readFileSync } from 'node:fs'
import { simulated as board } from '../../boards/simulated.js'
import { SimulatedClock } from '../../drivers/simulated/clock.js'
import { SimulatedDisk } from '../../drivers/simulated/disk.js'
import { SimulatedFiles } from '../../drivers/simulated/files.js'
import { SimulatedHost, wellBehaved } from '../../drivers/simulated/host.js'
import { SimulatedKeys } from '../../drivers/simulated/keys.js'
import { SimulatedLog } from '../../drivers/simulated/log.js'
import { SimulatedNetwork } from '../../drivers/simulated/network.js'
import { Pca9685Chip } from '../../drivers/simulated/pca9685-chip.js'
import { SimulatedStore } from '../../drivers/simulated/store.js'
import { SimulatedVitals } from '../../drivers/simulated/vitals.js'
import { type Box, buildBox } from '../../runtime/box.js'
import { readBoxConfig } from '../../runtime/config.js'
import { readDocument } from '../../runtime/core/document.js'
import { startAll } from '../../runtime/core/lifecycle.js'
import { randomFrom } from '../../runtime/core/random.js'
import type { Machine } from '../../runtime/machine.js'
import { plugChips } from '../../runtime/simulated-venue.js'
import type { Payload, ShowCommand } from '../../runtime/topics.js'

const EXAMPLE = 'docs/examples/first-night'
/** 2026-05-01T20:00:00Z: a show has a date. */
export const SHOW_START_MS = 1_777_665_600_000

export interface WorldOptions {
  readonly seed: number
  /** Text of the show; null for the example's. */
  readonly showText: string | null
}

/** The parts that outlive a power cut: the disk, the wires and the time of day. */
export class World {
  readonly clock = new SimulatedClock({ showStartMs: SHOW_START_MS, driftPpm: 0 })
  readonly store: SimulatedStore
  readonly log = new SimulatedLog()
  readonly random: () => number
  readonly #options: WorldOptions
  readonly #disk = new SimulatedDisk()
  /** One line per change of the far side: what an audience would see. */
  readonly trace: string[] = []
  readonly fired: Payload<'cue/fired'>[] = []
  readonly answered: Payload<'command/answered'>[] = []
  readonly captured: Payload<'capture/taken'>[] = []
  host: SimulatedHost
  #box: Box | null = null
  #stopAll: () => Promise<void> = async () => {}
  #boot = 0
  #commands = 0

  constructor(options: WorldOptions) {
    this.#options = options
    this.random = randomFrom(options.seed)
    this.store = new SimulatedStore(this.random)
    this.host = this.#newHost()
  }

  get box(): Box {
    if (this.#box === null) throw new Error('the box is not started')
    return this.#box
  }

  async start(): Promise<void> {
    const boot = ++this.#boot
    const machine: Machine = {
      board,
      clock: this.clock,
      log: this.log,
      store: this.store,
      files: new SimulatedFiles(this.#disk.boot({ callsUntilPowerCut: Number.POSITIVE_INFINITY })),
      keys: new SimulatedKeys(this.random),
      network: new SimulatedNetwork(this.clock),
      vitals: new SimulatedVitals(),
      host: this.host,
      bootId: `boot-${boot}`,
      simulated: this.host,
      onOutputsLost() {},
    }
    const { value, locate } = readDocument(
      readFileSync(`${EXAMPLE}/box.json`, 'utf8'),
      'box',
      'config.invalid',
    )
    const config = readBoxConfig(value, locate)
    const showText = this.#options.showText ?? readFileSync(`${EXAMPLE}/show.yaml`, 'utf8')
    const box = buildBox(machine, { config, showText, boot, version: '0.0.0' })
    plugChips(this.host, this.clock, box.fitted)
    this.#box = box
    box.bus.subscribe('cue/fired', message => this.fired.push(message))
    box.bus.subscribe('command/answered', message => this.answered.push(message))
    box.bus.subscribe('capture/taken', message => this.captured.push(message))
    const starting = startAll(this.clock, this.log, [...box.services, box.presence])
    await this.until(starting)
    this.#stopAll = await starting
  }

  /** An orderly end. */
  async stop(): Promise<void> {
    const stopping = this.#stopAll()
    await this.until(stopping)
    this.#box = null
  }

  /**
   * Somebody pulled the plug: nothing of this life is ever heard of again, wires fall to their safe states, chips
   * forget, and what the disk had not synced is gone or there by chance.
   */
  async cutPower(offMs: number): Promise<void> {
    this.store.cutPower()
    this.host = this.#newHost()
    this.#box = null
    this.clock.forget()
    this.store.boot({ callsUntilPowerCut: Number.POSITIVE_INFINITY })
    await this.clock.advance(offMs)
  }

  /** Asks something of the show, as a console would. Returns the request's id. */
  command(command: Omit<ShowCommand, 'id' | 'origin'>): string {
    const id = `request-${this.#boot}-${++this.#commands}`
    this.box.bus.publish('command/received', { id, origin: 'world', ...command })
    return id
  }

  /** What each channel of the PCA9685 puts out, 0..1 of full light, and every output line. */
  seen(): {
    readonly dimmer: readonly number[]
    readonly lines: Readonly<Record<string, boolean>>
  } {
    const chip = this.host.bus('header').chipAt(0x40)
    const outputs = board.lines.filter(line => line.direction === 'out')
    return {
      dimmer: chip instanceof Pca9685Chip ? chip.duties() : [],
      lines: Object.fromEntries(outputs.map(({ name }) => [name, this.host.wire(name).isActive])),
    }
  }

  /** Moves time until the work is done. */
  async until(work: Promise<unknown>): Promise<void> {
    let isDone = false
    const done = work.finally(() => {
      isDone = true
    })
    done.catch(() => {})
    for (let step = 0; step < 10_000 && !isDone; step++) await this.clock.advance(1)
    await done
  }

  #newHost(): SimulatedHost {
    const host = new SimulatedHost(board, this.clock, { ...wellBehaved, isI2cTimed: true })
    host.onLineChange(({ name, isActive, at }) => {
      const line = board.lines.find(candidate => candidate.name === name)
      if (line?.direction === 'out') this.trace.push(`${at.toFixed(3)} ${name} ${isActive}`)
    })
    return host
  }
}
