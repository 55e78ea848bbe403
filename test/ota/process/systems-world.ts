/** A publisher with the commands, and a box on real files in place of devices, put together as in a box. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { LinuxClock, ownAnchor } from '../../../drivers/linux/clock.js'
import { LinuxFiles } from '../../../drivers/linux/files.js'
import { FolderSource } from '../../../drivers/linux/folder-source.js'
import { LinuxKeys } from '../../../drivers/linux/keys.js'
import { FolderPieceSource } from '../../../drivers/linux/piece-folder.js'
import { LinuxPieceStore } from '../../../drivers/linux/piece-store.js'
import type { RaucCommands } from '../../../drivers/linux/rauc.js'
import { LinuxSlotDisk } from '../../../drivers/linux/slot-disk.js'
import { LinuxVerifier } from '../../../drivers/linux/verifier.js'
import { SimulatedLog } from '../../../drivers/simulated/log.js'
import { Fetcher } from '../../../ota/fetch/fetcher.js'
import { Shelf } from '../../../ota/fetch/shelf.js'
import { KeysTool, openRing } from '../../../ota/keys-cli.js'
import { buildOs } from '../../../ota/os-build.js'
import { type ComposedSystems, composeSystems } from '../../../ota/process/systems.js'
import { PublishTool } from '../../../ota/publish-cli.js'
import { TrustClient } from '../../../ota/tuf/trust-client.js'
import { Asked } from '../../../ota/updater/asked.js'
import { Holds } from '../../../ota/updater/holds.js'
import type { OrderLook } from '../../../ota/updater/parts.js'
import { SwitchedSource, TourOrders } from '../../../ota/updater/tour-orders.js'
import { checkUpdaterConfig, type UpdaterConfig } from '../../../ota/updater/updater-config.js'
import { keySource, publishOptions } from '../../../runtime/cli/key-options.js'
import type { Clock } from '../../../runtime/ports/clock.js'
import { type } from '../../cli/cli-world.js'
import { ascii, autobootText, smallOs } from '../os/os-world.js'
import { quietBox } from '../updater/os-updater-bench.js'
import { quietSlots } from '../updater/updater-bench.js'

const PARTITION_BYTES = { boot: 8 * 1024, root: 300 * 1024 } as const
const DEADLINE_MS = 20_000
export const system = smallOs('2.0.0')
const keys = new LinuxKeys()

export class Workshop {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  /** Keys for everybody, a repository, systems, and a tour. */
  async opens(): Promise<void> {
    for (const name of ['anna', 'build', 'online', 'dora'])
      await this.does(`keys create ${name} --no-passphrase`)
    await this.does('release init --root anna --releases build --online online')
    await this.does('release os --key build')
    await this.does('release tour summer --key dora')
  }

  async does(line: string): Promise<string> {
    const words = line.split(' ').map(word => word.replace(/^@/, `${this.#folder}/`))
    const own = ['--keys', join(this.#folder, 'keys')]
    const places = ['--repository', join(this.#folder, 'repository')]
    const isBuilding = words[1] === 'build-os'
    const more = isBuilding ? [] : words[0] === 'keys' ? own : [...own, ...places]
    const { exitCode, out, error } = await type([...words, ...more], {
      keys: async flags => new KeysTool(openRing(keySource(flags, {}))),
      publishing: async flags => new PublishTool(publishOptions(flags, {})),
      buildOs,
    })
    if (exitCode !== 0) throw new Error(`${line}: ${error}`)
    return out
  }
}

/** A card with two systems, of which a has been installed. */
export class Card {
  readonly folder: string
  readonly home: string

  constructor(folder: string) {
    this.folder = folder
    this.home = join(folder, 'home')
    for (const name of ['home/ota/trust', 'home/ota/objects', 'autoboot', 'chosen'])
      mkdirSync(join(folder, name), { recursive: true })
    for (const name of ['a', 'b'])
      for (const part of ['boot', 'root'] as const)
        writeFileSync(join(folder, `${part}-${name}`), Buffer.alloc(PARTITION_BYTES[part]))
    writeFileSync(join(folder, 'autoboot/autoboot.txt'), ascii(autobootText(2, 2)))
    this.start(2, 0)
  }

  /** As the firmware leaves it for Linux. */
  start(partition: number, flag: number): void {
    writeFileSync(join(this.folder, 'chosen/partition'), Buffer.of(0, 0, 0, partition))
    writeFileSync(join(this.folder, 'chosen/tryboot'), Buffer.of(0, 0, 0, flag))
    writeFileSync(join(this.folder, 'boot_id'), `boot of ${partition}\n`)
  }

  get autoboot(): string {
    return readFileSync(join(this.folder, 'autoboot/autoboot.txt'), 'utf8')
  }

  config(repository: string) {
    const place = (name: string, partition: number) => ({
      partition,
      boot: join(this.folder, `boot-${name}`),
      root: join(this.folder, `root-${name}`),
    })
    return checkUpdaterConfig({
      ...{ schemaVersion: 1, tour: 'summer', box: 'b1', sticks: [repository] },
      os: {
        kind: 'tryboot',
        autobootFolder: join(this.folder, 'autoboot'),
        ...{ a: place('a', 2), b: place('b', 3) },
      },
    })
  }
}

export interface BoxWishes {
  readonly os?: UpdaterConfig['os']
  /** Null: the machine's. */
  readonly clock?: Clock
  readonly rauc?: RaucCommands
  readonly gate?: readonly string[]
}

export function startBox(
  card: Pick<Card, 'home' | 'folder' | 'config'>,
  repository: string,
  { os, clock = new LinuxClock(ownAnchor()), rauc, gate = [] }: BoxWishes = {},
): ComposedSystems {
  const log = new SimulatedLog()
  const files = new LinuxFiles(join(card.home, 'ota'))
  const shelf = new Shelf(new LinuxPieceStore(join(card.home, 'ota/objects')), keys)
  const sources = [new FolderPieceSource(repository)]
  const fetcher = new Fetcher(
    { clock, log, shelf, sources: () => sources, neighbours: null },
    { seed: 1, bytesPerSecond: () => null, mayUseUplink: () => true, giveUpMs: 5_000 },
  )
  const composed = composeSystems(
    {
      ...{ clock, log, keys, fetcher, shelf, voice: null, lookAgain: () => {} },
      disk: new LinuxSlotDisk(card.home, null),
      calls: { dropCache: () => {} },
      holds: new Holds(clock, files),
      asked: new Asked(files, log, 'asked-os.json'),
      slots: { view: async () => quietSlots },
      freeBytes: async () => null,
      ...{ home: card.home, environment: {} },
      box: {
        look: async () => quietBox,
        remember: async () => {},
        gate: async () => gate,
      },
      machine: {
        deviceTree: join(card.folder, 'chosen'),
        bootIdFile: join(card.folder, 'boot_id'),
        commands: { onTrial: ['/bin/true'], plain: ['/bin/false'] },
        ...(rauc === undefined ? {} : { rauc }),
      },
    },
    {
      config: { ...card.config(repository), ...(os === undefined ? {} : { os }) },
      ...{ version: '1.0.0', architecture: 'arm64' },
    },
  )
  const stop = async (): Promise<void> => {
    await composed.stop()
    await shelf.closeAll()
  }
  return { ...composed, stop }
}

export async function ordersOf(card: Pick<Card, 'home'>, repository: string): Promise<OrderLook> {
  const clock = new LinuxClock(ownAnchor())
  const switched = new SwitchedSource()
  const files = new LinuxFiles(join(card.home, 'ota/trust'))
  const root = readFileSync(join(repository, 'metadata/1.root.json'))
  const trust = new TrustClient(
    { source: switched, files, clock, verifier: new LinuxVerifier(), log: new SimulatedLog() },
    { buildMs: 0, provisionedRoot: Uint8Array.from(root), keepsTime: () => true },
  )
  await trust.begin()
  const sources = [{ name: repository, source: new FolderSource(repository) }]
  const orders = new TourOrders(
    { trust, switched, files: new LinuxFiles(join(card.home, 'ota')), keys },
    {
      ...{ tour: 'summer', architecture: 'arm64', board: () => 'pi-4b' },
      sources: async () => sources,
    },
  )
  return orders.look()
}

/** @param pass time that is simulated, between two turns */
export async function until(
  box: ComposedSystems,
  look: OrderLook,
  isDone: () => boolean,
  pass: () => Promise<void> = async () => {},
): Promise<void> {
  const clock = new LinuxClock(ownAnchor())
  const endMs = clock.monotonicMs() + DEADLINE_MS
  while (!isDone()) {
    await box.turns.turn({ slots: quietSlots, box: quietBox, look })
    await pass()
    await new Promise(setImmediate)
    if (clock.monotonicMs() > endMs) throw new Error(JSON.stringify(box.turns.report()))
  }
}

export function workbench(t: Test): { folder: string; workshop: Workshop; repository: string } {
  const folder = mkdtempSync(join(tmpdir(), 'roadcase-systems-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  for (const part of ['boot', 'root'] as const)
    writeFileSync(join(folder, `${part}.img`), system.bytes[part])
  return { folder, workshop: new Workshop(folder), repository: join(folder, 'repository') }
}
