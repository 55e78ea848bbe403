/** What goes wrong, for how long, and which device must not be held to its word meanwhile. */
import type { SimulatedHost } from '../../drivers/simulated/host.js'
import { Pca9685Chip } from '../../drivers/simulated/pca9685-chip.js'
import type { Lights } from './lights.js'
import type { World } from './world.js'

/** Longest pause between two tries of a device, with its jitter, and the time to start it. */
const RETRY_MS_MAX = 40_000
/** A device is asked every two seconds, and a stuck bus takes its time to say no. */
const NOTICED_MS = 4_000

interface Fault {
  readonly untilMs: number
  /** What is wrong ends; the device comes back by itself. */
  readonly heal: () => void
  /** It lives on when the power goes. */
  readonly isOfDisk: boolean
}

interface Kind {
  readonly name: string
  /** Null for what is wrong with the disk. */
  readonly device: string | null
  readonly lastsMsMax: number
  /** How long the device may take to be tried again. */
  readonly comesBackMs: number
  /** Takes effect, and returns how to end it. */
  readonly begin: (host: SimulatedHost) => () => void
}

export class Faults {
  readonly #world: World
  readonly #lights: Lights
  readonly #random: () => number
  readonly #reach: (what: string) => void
  readonly #faults = new Map<string, Fault>()

  constructor(world: World, lights: Lights, random: () => number, reach: (what: string) => void) {
    this.#world = world
    this.#lights = lights
    this.#random = random
    this.#reach = reach
  }

  get count(): number {
    return this.#faults.size
  }

  begin(): void {
    const kind = this.#kinds[Math.floor(this.#random() * this.#kinds.length)]
    if (kind) this.#begin(kind, this.#world.host)
  }

  /** Something is wrong with a device before the box looks at it for the first time. */
  spoil(host: SimulatedHost): void {
    const kinds = this.#kinds.filter(({ device, name }) => device !== null && name !== 'noise')
    const kind = kinds[Math.floor(this.#random() * kinds.length)]
    if (!kind) return
    this.#reach('a device at fault when the box starts')
    this.#begin(kind, host)
  }

  #begin(kind: Kind, host: SimulatedHost): void {
    if (this.#faults.has(kind.name)) return
    const lastsMs = 100 + this.#random() * kind.lastsMsMax
    const { device } = kind
    if (device !== null) this.#lights.spoil(device)
    const heal = kind.begin(host)
    this.#faults.set(kind.name, {
      untilMs: this.#world.clock.monotonicMs() + lastsMs,
      heal: () => {
        heal()
        if (device !== null) this.#lights.heal(device, NOTICED_MS + kind.comesBackMs)
      },
      isOfDisk: kind.device === null,
    })
    this.#reach(`fault: ${kind.name}`)
  }

  /** Ends what is over. */
  look(): void {
    const nowMs = this.#world.clock.monotonicMs()
    for (const [name, { untilMs, heal }] of this.#faults)
      if (nowMs >= untilMs) {
        this.#faults.delete(name)
        heal()
      }
  }

  /** The power is gone, and with it what was wrong with the wires of that life. */
  forget(): void {
    for (const [name, { isOfDisk }] of this.#faults) if (!isOfDisk) this.#faults.delete(name)
  }

  healAll(): void {
    for (const { heal } of this.#faults.values()) heal()
    this.#faults.clear()
  }

  readonly #kinds: readonly Kind[] = [
    {
      name: 'the dimmer is unplugged',
      device: 'wash',
      lastsMsMax: 8_000,
      comesBackMs: RETRY_MS_MAX,
      begin: host => this.#unplug(host, false),
    },
    {
      name: 'the dimmer loses its supply',
      device: 'wash',
      lastsMsMax: 5_000,
      comesBackMs: RETRY_MS_MAX,
      begin: host => this.#unplug(host, true),
    },
    {
      name: 'the bus is stuck',
      device: 'wash',
      lastsMsMax: 6_000,
      comesBackMs: RETRY_MS_MAX,
      begin: host => {
        const bus = host.bus('header')
        bus.isStuck = true
        return () => {
          bus.isStuck = false
        }
      },
    },
    {
      name: 'noise',
      device: 'wash',
      lastsMsMax: 100,
      comesBackMs: RETRY_MS_MAX,
      begin: host => {
        const count = 1 + Math.floor(this.#random() * 5)
        host.bus('header').failNext(...new Array<'device.io'>(count).fill('device.io'))
        return () => host.bus('header').failNoMore()
      },
    },
    {
      name: 'a line is dead',
      device: 'lamp-left',
      lastsMsMax: 6_000,
      comesBackMs: RETRY_MS_MAX,
      begin: host => {
        const wire = host.wire('light-1')
        wire.fault = 'device.io'
        return () => {
          wire.fault = null
        }
      },
    },
    {
      name: 'the disk is full',
      device: null,
      lastsMsMax: 10_000,
      comesBackMs: RETRY_MS_MAX,
      begin: () => this.#spoilDisk('storage.full'),
    },
    {
      name: 'the disk fails',
      device: null,
      lastsMsMax: 4_000,
      comesBackMs: RETRY_MS_MAX,
      begin: () => this.#spoilDisk('storage.io'),
    },
    {
      name: 'the bus is slow',
      device: 'bus',
      lastsMsMax: 4_000,
      comesBackMs: 0,
      begin: host => {
        const bus = host.bus('header')
        bus.stretch = 2 + Math.floor(this.#random() * 8)
        return () => {
          bus.stretch = 1
        }
      },
    },
  ]

  #unplug(host: SimulatedHost, isReset: boolean): () => void {
    const chip = host.bus('header').chipAt(0x40)
    if (!(chip instanceof Pca9685Chip)) return () => {}
    chip.isPlugged = false
    return () => {
      if (isReset) chip.reset()
      chip.isPlugged = true
    }
  }

  #spoilDisk(fault: 'storage.full' | 'storage.io'): () => void {
    const { store, disk } = this.#world
    store.fault = fault
    disk.fault = fault
    return () => {
      store.fault = null
      disk.fault = null
    }
  }
}
