/** The list of parts in start order: reading it from top to bottom is reading the boot. */

import type { BoxConfig } from './config.js'
import { Bus } from './core/bus.js'
import { hexOf } from './core/hex.js'
import type { Service } from './core/lifecycle.js'
import { randomFrom } from './core/random.js'
import { type Fitted, fitDevices, knownDevices } from './fitting.js'
import type { Machine } from './machine.js'
import type { PrintShop } from './print-shop.js'
import type { HouseClock } from './services/clock/house-clock.js'
import { VenueClock } from './services/clock/venue-clock.js'
import { Devices } from './services/devices.js'
import { Inputs } from './services/inputs.js'
import { LightCap } from './services/light-cap.js'
import { Power } from './services/power/power.js'
import { Presence } from './services/presence.js'
import { Printing } from './services/printing/printing.js'
import { checkShow } from './services/show/check-show.js'
import { type CheckedShow, ownOutputs } from './services/show/checked-show.js'
import { Show } from './services/show/show.js'
import { awaitedTimecodes, heardTopics } from './services/show/triggers.js'
import { Telemetry } from './services/telemetry.js'
import { Metronome } from './services/tempo/metronome.js'
import { Timeline } from './services/timeline.js'
import type { Venue } from './services/venue/venue.js'
import { tempoLamp } from './tempo-lamp.js'
import type { Messages, Payload } from './topics.js'
import { floorWallMs } from './version.js'
import { buildWallClock } from './wall-service.js'

const TELEMETRY_MS = 10_000
const LAG_MS_MAX = 50

export interface BoxOptions {
  readonly config: BoxConfig
  /** Text of the show document, or null for a box without a show. */
  readonly showText: string | null
  /** How often this box has been started, this time included. */
  readonly boot: number
  readonly version: string
  readonly printShop: PrintShop
}

/** Everything that a box is, before it is started: gateways are put between `services` and `presence`. */
export interface Box {
  readonly bus: Bus<Messages>
  readonly show: CheckedShow | null
  readonly fitted: readonly Fitted[]
  readonly about: Payload<'box/info'>
  /** MQTT topics that triggers of the show listen to. */
  readonly heardTopics: readonly string[]
  readonly printing: Printing
  /** Null where box.json says nothing of power. */
  readonly power: Power | null
  readonly venueClock: VenueClock
  readonly services: readonly Service[]
  readonly presence: Service
  /** Outputs were made safe behind the show's back: every output is started anew and told what it shows. */
  restoreOutputs(): Promise<void>
}

/**
 * Puts the parts together and touches nothing. What box.json does not ask for is not even loaded.
 * @throws ConfigError for devices that do not fit the board, and for a show that does not fit the devices
 */
export async function buildBox(machine: Machine, options: BoxOptions): Promise<Box> {
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
    packs: config.power?.packs.map(({ name }) => name) ?? [],
    cardTrouble: machine.cardTrouble,
    outputs: show
      ? ownOutputs(show, config.box).map(({ name, kind }) => ({ output: name, kind }))
      : [],
  }
  const inputs = fitted.flatMap(part => (part.kind === 'input' ? [part.device] : []))
  const devices = new Devices(clock, log, bus, fitted, {
    retryMsMin: 1_000,
    retryMsMax: 10_000,
    random: randomFrom(boot),
  })
  const cap = new LightCap(clock, log, bus)
  const printing = buildPrinting(machine, bus, options, fitted)
  const power = buildPower(machine, bus, options, fitted)
  const venueClock = await buildClock(machine, bus, options)
  const venue = await buildVenue(machine, bus, config)
  const services: Service[] = [
    new Timeline(clock, log, files, { bootId: machine.bootId }),
    buildWallClock(machine, bus, config.clock.ntp, boot),
    venueClock,
    ...(await houseClocks(machine, bus, options)),
    devices,
    // Before what it says anything to.
    cap,
    printing,
    ...(power ? [power] : []),
    // Before the show, which says once what the tempo is.
    ...(await tempoServices(machine, bus, options, fitted, show, cap)),
    ...showServices(machine, bus, options, fitted, show, { cap, venue }),
    // After what it says anything to.
    ...(venue ? [venue] : []),
    ...(await timecodeServices(machine, bus, config, show)),
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
    printing,
    power,
    venueClock,
    services,
    presence,
    restoreOutputs,
  }
}

function readShow(
  { keys }: Machine,
  { config, showText, printShop }: BoxOptions,
  fitted: readonly Fitted[],
): CheckedShow | null {
  if (showText === null) return null
  return checkShow(showText, {
    keys,
    box: config.box,
    devices: knownDevices(config, fitted),
    templates: [...printShop.templates.keys()],
  })
}

async function buildClock(
  { clock, log, files, keys, timeline, ptpLink, bootId }: Machine,
  bus: Bus<Messages>,
  { config, version }: BoxOptions,
): Promise<VenueClock> {
  const { tour, box, clock: wanted } = config
  const { domain = 0, isPreferred = false, isFollowOnly = false } = wanted.ptp ?? {}
  const sharing = ptpLink === null ? null : await import('./services/clock/share-time.js')
  return new VenueClock(
    { clock, log, bus, files, timeline, link: ptpLink, shareTime: sharing?.shareTime ?? null },
    {
      ptp: { domain, isPreferred, isFollowOnly },
      description: { product: 'Roadcase', revision: version, name: `${tour}/${box}` },
      random: randomFrom(seedOf(keys)),
      bootId,
      floorMs: floorWallMs,
      newTimeline: () => hexOf(keys.randomBytes(8)),
    },
  )
}

/** One, where box.json names the house's clock. */
async function houseClocks(
  { clock, log, keys, houseLink, bootId }: Machine,
  bus: Bus<Messages>,
  { config, version }: BoxOptions,
): Promise<HouseClock[]> {
  const { tour, box, clock: wanted } = config
  if (houseLink === null || wanted.house === null) return []
  const description = { product: 'Roadcase', revision: version, name: `${tour}/${box}` }
  const random = randomFrom(seedOf(keys))
  const { domain } = wanted.house
  const { HouseClock } = await import('./services/clock/house-clock.js')
  return [
    new HouseClock({ clock, log, bus, link: houseLink }, { domain, description, random, bootId }),
  ]
}

/** Boxes that were started as often as each other must not ask at the same moments. */
const seedOf = (keys: Machine['keys']): number => Number.parseInt(hexOf(keys.randomBytes(4)), 16)

/** Null where nobody said what the box runs on. */
function buildPower(
  { clock, log, store, powerSwitch }: Machine,
  bus: Bus<Messages>,
  { config }: BoxOptions,
  fitted: readonly Fitted[],
): Power | null {
  if (config.power === null) return null
  const gauges = fitted.flatMap(part => (part.kind === 'gauge' ? [part.device] : []))
  const { packs, policy, showEnds } = config.power
  return new Power(
    { clock, log, bus, store, powerSwitch },
    new Map(gauges.map(gauge => [gauge.name, gauge])),
    { packs, policy, showEnds, timeZone: null },
  )
}

/** Also where there is no printer: whoever asks for a ticket is told so. */
function buildPrinting(
  { clock, log, store, keys, pictures }: Machine,
  bus: Bus<Messages>,
  { config, printShop }: BoxOptions,
  fitted: readonly Fitted[],
): Printing {
  const printers = fitted.flatMap(part => (part.kind === 'printer' ? [part.device] : []))
  const { tour, box, printing } = config
  return new Printing(
    { clock, log, bus, store, keys, pictures },
    {
      tour,
      box,
      ...printShop,
      printers: new Map(printers.map(printer => [printer.name, printer])),
      rollMillimetres: new Map(
        Object.entries(printing.rollMetres).map(([printer, metres]) => [printer, metres * 1000]),
      ),
      queuedMax: printing.queuedMax,
      keptDays: printing.keptDays,
      keptMax: printing.keptMax,
    },
  )
}

/** Null for a box that box.json puts among no others. */
async function buildVenue(
  { clock, log, keys, venue }: Machine,
  bus: Bus<Messages>,
  { tour, box, venue: wanted }: BoxConfig,
): Promise<Venue | null> {
  if (venue === null || wanted === null) return null
  const { canLead, isPreferred } = wanted
  const { link, key } = venue
  const { Venue } = await import('./services/venue/venue.js')
  return new Venue({ clock, log, bus, keys, link }, { tour, box, key, canLead, isPreferred })
}

/** Beats are the show's. */
async function tempoServices(
  { clock, log, sound }: Machine,
  bus: Bus<Messages>,
  { config }: BoxOptions,
  fitted: readonly Fitted[],
  show: CheckedShow | null,
  cap: LightCap,
): Promise<readonly Service[]> {
  const lamp = tempoLamp(config, fitted, show)
  if (config.show === null) return []
  const { planAheadMs } = config.show
  const { flashMs, accentLevel, level, click } = config.tempo
  const metronome = new Metronome(clock, log, bus, lamp && cap.over(lamp), {
    planAheadMs,
    flashMs,
    accentLevel,
    level,
  })
  if (sound === null || click === null) return [metronome]
  const { Click } = await import('./services/tempo/click.js')
  return [metronome, new Click(clock, log, bus, sound, click)]
}

function showServices(
  { clock, log, store, keys, network }: Machine,
  bus: Bus<Messages>,
  { config }: BoxOptions,
  fitted: readonly Fitted[],
  show: CheckedShow | null,
  { cap, venue }: { readonly cap: LightCap; readonly venue: Venue | null },
): readonly Service[] {
  if (show === null || config.show === null) return []
  const lights = fitted.flatMap(part => (part.kind === 'light' ? [part.device] : []))
  const captures = fitted.flatMap(part => (part.kind === 'capture' ? [part.device] : []))
  const { planAheadMs, framesPerSecond, leadMs } = config.show
  return [
    new Show(
      { clock, log, bus, store, keys, network, company: venue },
      {
        lights: new Map(lights.map(device => [device.name, cap.over(device)])),
        captures: new Map(captures.map(device => [device.name, device])),
      },
      show,
      { box: config.box, planAheadMs, framesPerSecond, leadMs },
    ),
  ]
}

/** One, where box.json names timecode to follow or to send. */
async function timecodeServices(
  { clock, log, files, timecodeLinks: links }: Machine,
  bus: Bus<Messages>,
  { timecode }: BoxConfig,
  show: CheckedShow | null,
): Promise<readonly Service[]> {
  const isAsked = timecode.in !== null || timecode.out.length > 0
  if (links === null || !isAsked) return []
  const { Timecode } = await import('./services/timecode/timecode.js')
  const awaited = show ? awaitedTimecodes(show) : []
  return [new Timecode({ clock, log, bus, files, links }, timecode, awaited)]
}
