/** The updater of operating systems on a simulated machine with two of them, boot after boot. */
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { SimulatedFiles } from '../../../drivers/simulated/files.js'
import { SimulatedKeys } from '../../../drivers/simulated/keys.js'
import { SimulatedLog } from '../../../drivers/simulated/log.js'
import { checkOsDescription, type OsDescription, osImage } from '../../../ota/os/os-description.js'
import type { OsSystem } from '../../../ota/os/os-system.js'
import { PIECE_BYTES } from '../../../ota/release/description.js'
import { Asked } from '../../../ota/updater/asked.js'
import type { BoxView } from '../../../ota/updater/criteria.js'
import { Holds } from '../../../ota/updater/holds.js'
import type { OsLook, OsReport } from '../../../ota/updater/os-parts.js'
import { OsUpdater } from '../../../ota/updater/os-updater.js'
import type { OsVoice } from '../../../ota/updater/os-word.js'
import type { OrderLook } from '../../../ota/updater/parts.js'
import { checkUpdaterConfig } from '../../../ota/updater/updater-config.js'
import { BoxError } from '../../../runtime/core/errors.js'
import { FOREVER, OsWorld, type SmallOs, smallOs } from '../os/os-world.js'
import { type SmallBundle, smallBundle } from '../os/rauc-world.js'
import { quiet, quietSlots } from './updater-bench.js'

const TURN_MS = 500
const keys = new SimulatedKeys(() => 0.5)

export interface SignedOs extends SmallOs {
  readonly description: OsDescription
}

export function signedOs(version: string, more: object = {}): SignedOs {
  const small = smallOs(version)
  const part = ({ byteCount, sha256 }: { byteCount: number; sha256: string }) => ({
    ...{ byteCount, sha256 },
    object: objectOf(sha256),
  })
  const description = checkOsDescription({
    ...{ format: 1, product: 'roadcase-os', version, architecture: 'arm64', boards: ['pi-4b'] },
    images: { boot: part(small.image.boot), root: part(small.image.root) },
    ...{ floor: null, minimumRelease: null, notes: '' },
    ...more,
  })
  const { digest } = osImage(keys, description)
  return { ...small, description, image: { ...small.image, digest } }
}

export interface SignedBundle extends SmallBundle {
  readonly description: OsDescription
}

export function signedBundle(version: string): SignedBundle {
  const small = smallBundle(version)
  const { byteCount, sha256 } = small.image.bundle
  const object = { ...objectOf(sha256), byteCount }
  const description = checkOsDescription({
    ...{ format: 1, product: 'roadcase-os', version, architecture: 'arm64', boards: ['pi-4b'] },
    bundle: { byteCount, sha256, object },
    ...{ floor: null, minimumRelease: null, notes: '' },
  })
  const { digest } = osImage(keys, description)
  return { ...small, description, image: { ...small.image, digest } }
}

const objectOf = (sha256: string) => ({
  ...{ kind: 'full', from: null, target: `objects/${sha256}.full`, byteCount: 500, sha256 },
  ...{ pieceByteCount: PIECE_BYTES, pieces: 'A'.repeat(44) },
})

export const quietBox: BoxView = { ...quiet, board: 'pi-4b' }

export const lookOf = (os: Partial<OsLook>): OrderLook => ({
  isFresh: true,
  words: 'nothing',
  order: null,
  os: { words: 'nothing is ordered', order: null, isBoardUnknown: false, ...os },
})
export const orders = (
  { description }: Pick<SignedOs, 'description'>,
  isTimeKnown = true,
): OrderLook => lookOf({ order: { description, isTimeKnown } })

export class OsBench {
  readonly clock: SimulatedClock
  readonly log = new SimulatedLog()
  readonly files = new SimulatedFiles()
  readonly holds: Holds
  readonly did: string[] = []
  readonly factory: SmallOs
  readonly world: OsWorld
  readonly #config: object
  readonly #system: ((callsUntilPowerCut: number) => OsSystem) | null
  box: BoxView | null = quietBox
  slots = quietSlots
  look: OrderLook | null = null
  /** What the box says of itself, by the system that runs. */
  gate: (partition: number) => readonly string[] = () => []
  /** To the other boxes; a process has one of its own. Null: it is alone. */
  voice: OsVoice | null = null
  /** What becomes of a fetch. */
  fetch: () => Promise<void> = async () => {}
  /** What happens while the images are read before the reboot. */
  remember: () => Promise<void> = async () => {}
  roomBytes = 1e9
  partition: number | null = null
  updater: OsUpdater

  constructor(
    factory: SmallOs,
    options: {
      readonly config?: object
      readonly world?: OsWorld
      readonly clock?: SimulatedClock
      /** Of another machine than `world`, which is booted for it. */
      readonly system?: (callsUntilPowerCut: number) => OsSystem
    } = {},
  ) {
    this.clock = options.clock ?? new SimulatedClock({ showStartMs: 1.8e12, driftPpm: 0 })
    this.holds = new Holds(this.clock, this.files)
    this.factory = factory
    this.#config = options.config ?? {}
    this.#system = options.system ?? null
    this.world = options.world ?? new OsWorld(factory)
    this.updater = this.boot()
  }

  /** Power goes and comes back. */
  boot(callsUntilPowerCut: number = FOREVER): OsUpdater {
    const system = this.#system?.(callsUntilPowerCut) ?? this.#bootWorld(callsUntilPowerCut)
    const { partition } = this
    const { clock, log, holds, files } = this
    this.updater = new OsUpdater(
      {
        ...{ clock, log, keys, holds, system },
        asked: new Asked(files, log, 'asked-os.json'),
        voice: this.voice,
        lookAgain: () => void this.did.push('look'),
        box: {
          look: async () => this.box,
          remember: () => this.remember(),
          gate: async () => this.gate(partition ?? 0),
        },
        objects: {
          bring: async description => {
            this.did.push(`bring ${description.version}`)
            await this.fetch()
            const all = [...this.known, ...this.knownBundles]
            const found = all.find(({ image }) => image.version === description.version)
            if (found === undefined) throw new BoxError('fetch.unavailable', 'nobody has it')
            return found.source
          },
          drop: async () => void this.did.push('drop'),
          roomBytes: async () => this.roomBytes,
        },
      },
      {
        config: checkUpdaterConfig({
          ...{ schemaVersion: 1, tour: 't', box: 'b', gate: { deadlineSeconds: 20 } },
          ...this.#config,
        }),
        version: '1.0.0',
        architecture: 'arm64',
      },
    )
    return this.updater
  }

  #bootWorld(callsUntilPowerCut: number): OsSystem {
    const { partition, agent } = this.world.boot(callsUntilPowerCut)
    this.partition = partition
    this.world.isAppOnTrial = this.slots.isOnTrial
    return agent
  }

  known: readonly SignedOs[] = []
  knownBundles: readonly SignedBundle[] = []

  async turn(): Promise<void> {
    await this.turnNow()
    await this.clock.advance(TURN_MS)
  }

  /** As `turn`, but time is somebody else's. */
  async turnNow(): Promise<void> {
    const { box, look } = this
    await this.updater.turn({ slots: this.slots, box, look })
  }

  async turns(count: number): Promise<OsReport> {
    for (let turn = 0; turn < count && !this.isDown; turn++) await this.turn()
    return this.updater.report()
  }

  /** It reboots by itself, or waits for somebody who has asked it to. */
  get isDown(): boolean {
    return this.world.firmware.isGoingDown
  }

  get running(): SmallOs | null {
    return this.world.found(this.partition, [this.factory, ...this.known])
  }
}
