/** The list of parts in start order: reading it from top to bottom is reading the boot. */

import type { BoxConfig } from './config.js'
import { Bus } from './core/bus.js'
import type { Service } from './core/lifecycle.js'
import { randomFrom } from './core/random.js'
import { type Fitted, fitDevices, knownDevices } from './fitting.js'
import type { Machine } from './machine.js'
import { Devices } from './services/devices.js'
import { Inputs } from './services/inputs.js'
import { Presence } from './services/presence.js'
import { checkShow } from './services/show/check-show.js'
import { type CheckedShow, ownOutputs } from './services/show/checked-show.js'
import { Show } from './services/show/show.js'
import { heardTopics } from './services/show/triggers.js'
import { Telemetry } from './services/telemetry.js'
import { Timeline } from './services/timeline.js'
import type { Messages, Payload } from './topics.js'

const TELEMETRY_MS = 10_000
const LAG_MS_MAX = 50

export interface BoxOptions {
  readonly config: BoxConfig
  /** Text of the show document, or null for a box without a show. */
  readonly showText: string | null
  /** How often this box has been started, this time included. */
  readonly boot: number
  readonly version: string
}

/** Everything that a box is, before it is started: gateways are put between `services` and `presence`. */
export interface Box {
  readonly bus: Bus<Messages>
  readonly show: CheckedShow | null
  readonly fitted: readonly Fitted[]
  readonly about: Payload<'box/info'>
  /** MQTT topics that triggers of the show listen to. */
  readonly heardTopics: readonly string[]
  readonly services: readonly Service[]
  readonly presence: Service
  /** Outputs were made safe behind the show's back: every output is started anew and told what it shows. */
  restoreOutputs(): Promise<void>
}

/**
 * Puts the parts together and touches nothing.
 * @throws ConfigError for devices that do not fit the board, and for a show that does not fit the devices
 */
export function buildBox(machine: Machine, options: BoxOptions): Box {
  const { board, clock, log, files, host, vitals } = machine
  const { config, boot, version } = options
  const bus = new Bus<Messages>()
  const fitted = fitDevices(config, host, clock)
  const show = readShow(machine, options, fitted)
  const about = {
    tour: config.tour,
    box: config.box,
    board: board.name,
    version,
    boot,
    show: show && { name: show.name, digest: show.digest },
    devices: fitted.map(({ device, driver, kind }) => ({ device: device.name, driver, kind })),
    outputs: show
      ? ownOutputs(show, config.box).map(({ name, kind }) => ({ output: name, kind }))
      : [],
  }
  const inputs = fitted.flatMap(part => (part.kind === 'input' ? [part.device] : []))
  const devices = new Devices(clock, log, bus, fitted, {
    retryMsMin: 1_000,
    retryMsMax: 30_000,
    random: randomFrom(boot),
  })
  const services: Service[] = [
    new Timeline(clock, log, files, { bootId: machine.bootId }),
    devices,
    ...showServices(machine, bus, options, fitted, show),
    new Inputs(clock, bus, inputs, config.chords),
    new Telemetry(clock, log, bus, vitals, { everyMs: TELEMETRY_MS, lagMsMax: LAG_MS_MAX }),
  ]
  const presence = new Presence(bus, about)
  const restoreOutputs = (): Promise<void> => devices.restartOutputs()
  return {
    bus,
    show,
    fitted,
    about,
    heardTopics: show ? heardTopics(show) : [],
    services,
    presence,
    restoreOutputs,
  }
}

function readShow(
  { keys }: Machine,
  { config, showText }: BoxOptions,
  fitted: readonly Fitted[],
): CheckedShow | null {
  if (showText === null) return null
  return checkShow(showText, { keys, box: config.box, devices: knownDevices(config, fitted) })
}

function showServices(
  { clock, log, store, keys, network }: Machine,
  bus: Bus<Messages>,
  { config }: BoxOptions,
  fitted: readonly Fitted[],
  show: CheckedShow | null,
): readonly Service[] {
  if (show === null || config.show === null) return []
  const lights = fitted.flatMap(part => (part.kind === 'light' ? [part.device] : []))
  const captures = fitted.flatMap(part => (part.kind === 'capture' ? [part.device] : []))
  const { planAheadMs, framesPerSecond, leadMs } = config.show
  return [
    new Show(
      { clock, log, bus, store, keys, network },
      {
        lights: new Map(lights.map(device => [device.name, device])),
        captures: new Map(captures.map(device => [device.name, device])),
      },
      show,
      { box: config.box, planAheadMs, framesPerSecond, leadMs },
    ),
  ]
}
