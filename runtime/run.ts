/** One life of a box: opens the machine, puts the parts together, starts them, and leaves everything safe at the end. */
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { LinuxFiles } from '../drivers/linux/files.js'
import type { LinuxLog } from '../drivers/linux/log.js'
import type { SimulatedHost } from '../drivers/simulated/host.js'
import { countBoot } from './boot-count.js'
import { type Box, buildBox } from './box.js'
import type { Control } from './cli/control.js'
import type { BoxConfig } from './config.js'
import { ControlNote } from './control-note.js'
import { BoxError } from './core/errors.js'
import { type Service, startAll } from './core/lifecycle.js'
import { EmbeddedBroker } from './gateways/broker/embedded-broker.js'
import type { ExternalBroker } from './gateways/broker/external-broker.js'
import { hashPassword } from './gateways/broker/password.js'
import { NutServer } from './gateways/nut/nut-server.js'
import type { ShowDescription } from './gateways/page/api.js'
import { Mirror } from './gateways/page/mirror.js'
import { PageGateway } from './gateways/page/page-gateway.js'
import { jobSource } from './job-source.js'
import { type BoxDocuments, loadBox } from './load.js'
import { type OpenMachine, openMachine } from './machine.js'
import { type Operator, readOrMakeOperator } from './operator.js'
import { Rehearsal } from './rehearsal.js'
import { type CheckedShow, ownOutputs } from './services/show/checked-show.js'
import { plugChips, simulatedBoard } from './simulated-venue.js'
import { packageFolder, packageVersion } from './version.js'

export interface RunOptions {
  /** box.json; the show's file is found beside it. */
  readonly configFile: string
  /** Null: found out from the machine. */
  readonly boardName: string | null
  readonly stateFolder: string
  readonly log: LinuxLog
}

export interface RunningBox {
  /** Of the page, on this machine. */
  readonly url: string
  /** Port of the broker on this machine; null when the broker is somebody else's. */
  readonly mqttPort: number | null
  readonly operator: Operator
  readonly tour: string
  readonly box: string
  readonly boardTitle: string
  readonly show: { readonly name: string; readonly cueCount: number } | null
  /** The far side of the wires, where they are simulated. */
  readonly simulated: SimulatedHost | null
  /** Outputs to their safe states at once. Never throws. */
  safeNow(): void
  stop(): Promise<void>
}

/**
 * Runs the box until `stop`.
 * @throws ConfigError for what a person wrote wrong; BoxError for a port that is taken, a disk that is full
 */
export async function runBox(options: RunOptions): Promise<RunningBox> {
  const { configFile, boardName, stateFolder, log } = options
  const documents = await loadBox(configFile)
  await makeStateFolder(stateFolder)
  const { config, venueKey } = documents
  const machine = await openMachine({ boardName, stateFolder, config, venueKey, log })
  try {
    return await startBox(machine, documents, options)
  } catch (error) {
    await machine.close()
    throw error
  }
}

async function makeStateFolder(stateFolder: string): Promise<void> {
  try {
    await mkdir(stateFolder, { recursive: true, mode: 0o700 })
  } catch (cause) {
    const problem = `the state folder ${stateFolder} cannot be made: name another with --state`
    throw new BoxError('storage.io', problem, { cause })
  }
}

async function startBox(
  opened: OpenMachine,
  documents: BoxDocuments,
  { configFile, stateFolder }: RunOptions,
): Promise<RunningBox> {
  const { board, clock, log, files, keys } = opened
  const { config, show } = documents
  const operator = await readOrMakeOperator(files, keys)
  const { boot, store, trouble } = await countBoot(opened.store, log)
  const machine = { ...opened, store, cardTrouble: opened.cardTrouble ?? trouble }
  const version = packageVersion
  const { printShop } = documents
  const box = await buildBox(machine, {
    config,
    showText: show?.text ?? null,
    boot,
    version,
    printShop,
  })
  if (machine.simulated) plugChips(machine.simulated, clock, box.fitted, config.power)
  const mirror = new Mirror({ clock, bus: box.bus })
  const broker = await buildBroker(machine, documents, box, operator, dirname(configFile))
  const page = buildPage(machine, documents, box, operator, mirror)
  // Before anything starts: a start that takes too long loses the outputs, too.
  machine.onOutputsLost(() => void box.restoreOutputs())
  const note = new ControlNote(files, log, stateFolder)
  const stopAll = await startAll(clock, log, [
    mirror,
    broker,
    ...nutServers(machine, config, box),
    ...box.services,
    page,
    new Rehearsal(machine),
    box.presence,
  ])
  try {
    const mqttPort = broker instanceof EmbeddedBroker ? broker.ports().tcp : null
    const control: Control = { url: page.url, token: operator.token, mqttPort }
    await note.write(control)
  } catch (error) {
    await stopAll()
    throw error
  }
  log.info('box.ready', { board: board.name, boot, url: page.url, uptimeMs: clock.monotonicMs() })
  return {
    url: page.url,
    mqttPort: broker instanceof EmbeddedBroker ? broker.ports().tcp : null,
    operator,
    tour: config.tour,
    box: config.box,
    boardTitle: board.title,
    show: box.show && { name: box.show.name, cueCount: box.show.cues.length },
    simulated: machine.simulated,
    safeNow: () => machine.safeNow(),
    stop: async () => {
      await stopAll()
      await machine.close()
      // Last: the outputs are safe by now.
      await note.remove()
    },
  }
}

async function buildBroker(
  { clock, log, store, keys }: OpenMachine,
  { config }: BoxDocuments,
  { bus, about, heardTopics }: Box,
  operator: Operator,
  folder: string,
): Promise<EmbeddedBroker | ExternalBroker> {
  const { tour, box, broker, homeAssistant } = config
  const files = new LinuxFiles(folder)
  if (broker.kind === 'external') {
    // The MQTT client costs memory that a box with its own broker does not spend.
    const { ExternalBroker } = await import('./gateways/broker/external-broker.js')
    return new ExternalBroker(
      { clock, log, bus, keys, files },
      { tour, box, boot: about.boot, config: broker, homeAssistant, heardTopics },
    )
  }
  const { username, password } = operator
  const credentials = [
    { username, role: 'operate' as const, passwordHash: await hashPassword(password) },
  ]
  return new EmbeddedBroker(
    { clock, log, bus, store, keys, files },
    { tour, box, boot: about.boot, config: broker, credentials, homeAssistant, heardTopics },
  )
}

/** One, where box.json wants it. */
function nutServers(
  { board, clock, log }: OpenMachine,
  config: BoxConfig,
  { bus }: Box,
): Service[] {
  const { power, box } = config
  if (power === null || power.nut === null) return []
  const options = { box, model: board.title, version: packageVersion, power, listen: power.nut }
  return [new NutServer(clock, log, bus, options)]
}

function buildPage(
  machine: OpenMachine,
  { config }: BoxDocuments,
  { bus, show, fitted, printing, power, venueClock }: Box,
  operator: Operator,
  mirror: Mirror,
): Service & Pick<PageGateway, 'url'> {
  const { board, clock, keys, log, simulated } = machine
  return new PageGateway(
    { clock, keys, log, bus, mirror },
    {
      config: config.page,
      assetsFolder: join(packageFolder, 'runtime/gateways/page/assets'),
      operatorToken: operator.token,
      hostNames: [`${config.box}.local`],
      board: { name: board.name, title: board.title },
      show: show && describeShow(show, config.box),
      simulated: simulated && simulatedBoard(simulated, board, clock, fitted),
      logs: log,
      jobs: fitted.some(({ kind }) => kind === 'printer') ? jobSource(printing) : null,
      history: power,
      clock: venueClock,
    },
  )
}

function describeShow(show: CheckedShow, box: string): ShowDescription {
  return {
    name: show.name,
    digest: show.digest,
    cues: show.cues.map(({ id, name }) => ({ id, name })),
    outputs: ownOutputs(show, box).map(({ name, kind, device, channels }) => ({
      name,
      kind,
      device,
      channels: channels === null ? [] : range(channels.first, channels.last),
    })),
  }
}

const range = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index)
