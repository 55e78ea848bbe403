/**
 * A battery made of numbers: it drains, charges, sags, warms to nothing and ages as packs do. It has curves of its own,
 * varied by a seed: whoever estimates its charge must not know them.
 */
import { randomFrom } from '../../runtime/core/random.js'
import {
  type BatteryChemistry,
  type BatteryKind,
  batteryKinds,
  voltsAlong,
} from './battery-curves.js'

export interface BatteryOptions {
  readonly chemistry: BatteryChemistry
  /** In series. */
  readonly cells: number
  /** Printed on it. */
  readonly milliampHours: number
  /** When new, at 25 °C, in the middle of its charge; of the whole pack. */
  readonly milliohms: number
  /** What is left of its capacity by age. 0..1 */
  readonly health: number
  readonly celsius: number
  /** 0..1 */
  readonly charge: number
  /** Varies the curve; the same seed is the same pack. */
  readonly seed: number
}

/** What is connected to it. */
export interface BatteryLoad {
  /** What the box and the board itself take from it. */
  readonly milliwatts: number
  /** Its highest current; null: no charger. */
  readonly chargerMilliamps: number | null
}

/** Resistance grows by so much for each kelvin below 25 °C. */
const COLD_RESISTANCE = 0.03
const AGE_RESISTANCE = 1.5
/** The slow part of its sag, as a share of its resistance, and how long it takes. */
const SLOW_SHARE = 0.45
const SLOW_SECONDS = 90
/** From here on a charger lifts the voltage towards its own. */
const TOP_CHARGE = 0.96
/** Ends the charge when the current has fallen to so much of the capacity an hour. */
const TAPER_SHARE = 0.03

export class BatteryPack {
  readonly #options: BatteryOptions
  readonly #kind: BatteryKind
  readonly #weights: readonly number[]
  readonly #bump: (charge: number) => number
  #celsius: number
  #ampHours: number
  /** Of the whole pack. */
  #slowVolts = 0
  #surfaceVolts = 0
  #amps = 0
  #volts: number
  #isFull = false

  constructor(options: BatteryOptions) {
    const random = randomFrom(options.seed)
    this.#options = options
    this.#kind = batteryKinds[options.chemistry]
    this.#weights = mixture(this.#kind.tables.length, random)
    this.#bump = bumps(this.#kind.bumpVolts, random)
    this.#celsius = options.celsius
    this.#ampHours = options.charge * this.fullAmpHours
    this.#volts = this.#openVolts()
  }

  /** What it holds when full, as it is now: at this temperature and age. */
  get fullAmpHours(): number {
    const { milliampHours, health } = this.#options
    const kelvinBelow = Math.max(0, 25 - this.#celsius)
    return (milliampHours / 1000) * health * (1 - this.#kind.coldLossPerKelvin * kelvinBelow)
  }

  /** The truth. 0..1 */
  get charge(): number {
    return Math.min(1, Math.max(0, this.#ampHours / this.fullAmpHours))
  }

  get volts(): number {
    return this.#volts
  }

  /** Into the pack is positive. */
  get amps(): number {
    return this.#amps
  }

  get celsius(): number {
    return this.#celsius
  }

  /** A warmer or colder pack holds more or less; what share it is charged stays. */
  set celsius(celsius: number) {
    const { charge } = this
    this.#celsius = celsius
    this.#ampHours = charge * this.fullAmpHours
  }

  /** Lets so much time pass. Steps beyond a minute are too coarse for its slow side. */
  step(seconds: number, load: BatteryLoad): void {
    this.#amps = this.#currentFor(load)
    const efficiency = this.#amps > 0 ? this.#kind.efficiency : 1
    this.#ampHours += (this.#amps * efficiency * seconds) / 3600
    this.#ampHours = Math.min(this.fullAmpHours, Math.max(0, this.#ampHours))
    const target = this.#amps * this.#ohms() * SLOW_SHARE
    this.#slowVolts = target + (this.#slowVolts - target) * Math.exp(-seconds / SLOW_SECONDS)
    const { surfaceSeconds } = this.#kind
    const surface = this.#amps > 0 ? this.#topVolts() : 0
    const fading = Math.exp(-seconds / (surface > this.#surfaceVolts ? 30 : surfaceSeconds))
    this.#surfaceVolts = surface + (this.#surfaceVolts - surface) * fading
    this.#volts = Math.max(0, this.#insideVolts() + this.#amps * this.#ohms())
  }

  #currentFor({ milliwatts, chargerMilliamps }: BatteryLoad): number {
    const inside = this.#insideVolts()
    if (chargerMilliamps === null) {
      this.#isFull = false
      return -drawn(milliwatts / 1000, inside, this.#ohms())
    }
    const top = this.#kind.chargeVolts * this.#options.cells
    const constant = Math.min(chargerMilliamps / 1000, (top - inside) / this.#ohms())
    if (constant < TAPER_SHARE * this.fullAmpHours) this.#isFull = true
    // A charger that has ended the charge feeds the box from the mains and leaves the pack alone.
    return this.#isFull ? 0 : Math.max(0, constant)
  }

  #insideVolts(): number {
    return this.#openVolts() + this.#slowVolts + this.#surfaceVolts
  }

  #topVolts(): number {
    const share = Math.max(0, (this.charge - TOP_CHARGE) / (1 - TOP_CHARGE))
    const top = this.#kind.chargeVolts * this.#options.cells
    return Math.max(0, top - this.#openVolts()) * share
  }

  #ohms(): number {
    const { milliohms, health } = this.#options
    const cold = 1 + COLD_RESISTANCE * Math.max(0, 25 - this.#celsius)
    const age = 1 + AGE_RESISTANCE * (1 - health)
    return (milliohms / 1000) * cold * age * (1 + 1.3 * Math.exp(-this.charge / 0.06))
  }

  #openVolts(): number {
    const { charge } = this
    const cell = this.#kind.tables.reduce(
      (sum, table, index) => sum + (this.#weights[index] ?? 0) * voltsAlong(table, charge),
      0,
    )
    return (cell + this.#bump(charge)) * this.#options.cells
  }
}

/** The current at which a constant power is drawn, or as much as there is. */
function drawn(watts: number, volts: number, ohms: number): number {
  const root = volts ** 2 - 4 * ohms * watts
  return root <= 0 ? volts / (2 * ohms) : (volts - Math.sqrt(root)) / (2 * ohms)
}

function mixture(count: number, random: () => number): readonly number[] {
  const shares = Array.from({ length: count }, () => -Math.log(1 - random() * 0.999))
  const sum = shares.reduce((total, share) => total + share, 0)
  return shares.map(share => share / sum)
}

/** A few gentle waves, none at the ends. */
function bumps(volts: number, random: () => number): (charge: number) => number {
  const waves = [1, 2, 3].map(count => ({ count, size: (random() * 2 - 1) / count }))
  return charge =>
    volts *
    waves.reduce((sum, { count, size }) => sum + size * Math.sin(Math.PI * count * charge), 0)
}
