/**
 * A run-through before the doors open. The first GO of an evening is the one that everybody sees, and by itself it would
 * be the slowest: nothing that it passes through has run yet, and all of it is compiled while the house waits. So the
 * same parts first play a small show of their own on simulated ground, asked by a client of a broker of their own.
 * Nothing of it comes near a wire, the disk, a socket or the tour's show.
 */
import { type Duplex, duplexPair } from 'node:stream'
import { generate, type Packet } from 'mqtt-packet'
import { simulated as board } from '../boards/simulated.js'
import { SimulatedDateKeepers } from '../drivers/simulated/date-keepers.js'
import { SimulatedFiles } from '../drivers/simulated/files.js'
import { SimulatedHost } from '../drivers/simulated/host.js'
import { SimulatedLog } from '../drivers/simulated/log.js'
import { SimulatedNetwork } from '../drivers/simulated/network.js'
import { SimulatedPowerSwitch } from '../drivers/simulated/power-switch.js'
import { SimulatedStore } from '../drivers/simulated/store.js'
import { SimulatedVitals } from '../drivers/simulated/vitals.js'
import { type Box, buildBox } from './box.js'
import { type BoxConfig, readBoxConfig } from './config.js'
import { messageOf } from './core/errors.js'
import { type Service, startAll, within } from './core/lifecycle.js'
import { createEngine, type Engine } from './gateways/broker/engine.js'
import { closeEngine, openEngine, receive } from './gateways/broker/engine-life.js'
import type { Machine } from './machine.js'
import type { Clock } from './ports/clock.js'
import { plugChips } from './simulated-venue.js'
import { noTimeParts } from './time-parts.js'

/** Where the curve is flat: the first round takes as long as the three others. */
const ROUNDS = 4
const EDGE_MS_MAX = 1_000
/** A rehearsal must not keep a box from its show: what is not over by then goes on beside it. */
const REHEARSAL_MS_MAX = 10_000
const NAME = 'rehearsal'
const LAMP = 'light-1'
const BUTTON = 'go-button'

const CONFIG = {
  schemaVersion: 1,
  tour: NAME,
  box: 'box',
  devices: [
    { name: 'lamp', driver: 'gpio-light', options: { line: LAMP } },
    { name: 'wash', driver: 'pca9685-light', options: { bus: 'header', address: 64 } },
    { name: 'go', driver: 'button', options: { line: BUTTON, debounceMs: 0 } },
  ],
  broker: { kind: 'embedded' },
  show: { file: 'show.yaml' },
}

const SHOW = `
apiVersion: show/v1
name: rehearsal
patch: {lamp: {kind: switch, out: lamp}, wash: {kind: dimmer, out: wash}}
cues:
  - {id: "1", levels: {lamp: on, wash: 100%}, fade: 1ms}
  - {id: "2", levels: {lamp: off, wash: 0%}}
triggers:
  - {on: "go:press", do: {cue: "1"}, guard: {holdOff: 0}}
  - {on: "go:release", do: {cue: "2"}, guard: {holdOff: 0}}
`

/** Started when the outputs show what they must, and before anybody is told that the box is ready. */
export class Rehearsal implements Service {
  readonly name = 'rehearsal'
  readonly #machine: Machine

  constructor(machine: Machine) {
    this.#machine = machine
  }

  /** Never rejects: a box whose rehearsal fails is slow once, and no worse. */
  async start(): Promise<void> {
    const { clock, log } = this.#machine
    const startedMs = clock.monotonicMs()
    try {
      await within(clock, REHEARSAL_MS_MAX, 'the rehearsal did not end', rehearse(this.#machine))
      log.info('rehearsal.done', { tookMs: Math.round(clock.monotonicMs() - startedMs) })
    } catch (error) {
      log.warn('rehearsal.failed', { error: messageOf(error) })
    }
  }

  async stop(): Promise<void> {}
}

async function rehearse(machine: Machine): Promise<void> {
  const { clock } = machine
  const host = new SimulatedHost(board, clock)
  const log = new SimulatedLog()
  const twin: Machine = {
    ...machine,
    board,
    host,
    simulated: host,
    timeline: { follow: () => {} },
    ...noTimeParts(clock, new SimulatedDateKeepers()),
    log,
    store: new SimulatedStore(),
    files: new SimulatedFiles(),
    network: new SimulatedNetwork(clock),
    vitals: new SimulatedVitals(),
    powerSwitch: new SimulatedPowerSwitch(log),
    onOutputsLost() {},
  }
  const config = readBoxConfig(CONFIG)
  const box = await buildBox(twin, {
    config,
    showText: SHOW,
    boot: 1,
    version: '',
    printShop: { templates: new Map(), images: new Map() },
  })
  plugChips(host, clock, box.fitted, null)
  const engine = buildEngine(twin, box, config)
  const [near, far] = duplexPair()
  let stopAll = async (): Promise<void> => {}
  try {
    await openEngine(engine)
    stopAll = await startAll(clock, twin.log, [...box.services, box.presence])
    receive(engine, far, {
      address: NAME,
      certificate: { name: NAME, serial: NAME, validTo: null },
    })
    enter(near)
    for (let round = 0; round < ROUNDS; round++) await play(clock, host, near, round)
  } finally {
    await stopAll()
    await closeEngine(engine, () => near.destroy())
  }
}

function buildEngine(twin: Machine, { bus, about }: Box, config: BoxConfig): Engine {
  const { broker, homeAssistant } = config
  if (broker.kind !== 'embedded') throw new Error('the rehearsal has a broker of its own')
  return createEngine(
    { ...twin, bus },
    {
      place: about,
      boot: about.boot,
      homeAssistant,
      heardTopics: [],
      limits: broker.limits,
      credentials: [{ username: NAME, role: 'operate', passwordHash: null }],
      boxes: [],
      reasonAgainst: () => null,
    },
  )
}

/** A client that listens to all, on a connection without a socket. */
function enter(desk: Duplex): void {
  desk.resume()
  send(desk, {
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clean: true,
    clientId: NAME,
    keepalive: 60,
  })
  send(desk, {
    cmd: 'subscribe',
    messageId: 1,
    subscriptions: [{ topic: `vb/${NAME}/#`, qos: 1 }],
  })
}

const send = (desk: Duplex, packet: Packet): void => void desk.write(generate(packet))

/** On by MQTT and by the button, off in between. */
async function play(clock: Clock, host: SimulatedHost, desk: Duplex, round: number): Promise<void> {
  const fire = (cue: string, messageId: number): void =>
    send(desk, {
      cmd: 'publish',
      topic: `vb/${NAME}/box/cue`,
      payload: JSON.stringify({ action: 'fire', cue }),
      qos: 1,
      messageId,
      retain: false,
      dup: false,
    })
  await edge(clock, host, true, () => fire('1', round * 2 + 2))
  await edge(clock, host, false, () => fire('2', round * 2 + 3))
  await edge(clock, host, true, () => host.drive(BUTTON, false))
  await edge(clock, host, false, () => host.drive(BUTTON, true))
}

/** Until the lamp's line is as wanted. */
async function edge(
  clock: Clock,
  host: SimulatedHost,
  isActive: boolean,
  act: () => void,
): Promise<void> {
  const came = new Promise<void>(resolve => {
    const cancel = host.onLineChange(change => {
      if (change.name !== LAMP || change.isActive !== isActive) return
      cancel()
      resolve()
    })
  })
  act()
  await within(clock, EDGE_MS_MAX, 'the lamp did not follow', came)
}
