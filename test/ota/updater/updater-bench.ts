/** An updater among parts that do what a test says, on simulated time. */
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { SimulatedFiles } from '../../../drivers/simulated/files.js'
import { SimulatedLog } from '../../../drivers/simulated/log.js'
import { checkDescription, type ReleaseDescription } from '../../../ota/release/description.js'
import { Asked } from '../../../ota/updater/asked.js'
import type { BoxView } from '../../../ota/updater/criteria.js'
import { Holds } from '../../../ota/updater/holds.js'
import type {
  OrderLook,
  OtaState,
  SlotView,
  SlotWork,
  TransferProgress,
} from '../../../ota/updater/parts.js'
import type { Together } from '../../../ota/updater/together.js'
import { Updater } from '../../../ota/updater/updater.js'
import { checkUpdaterConfig } from '../../../ota/updater/updater-config.js'
import { BoxError } from '../../../runtime/core/errors.js'

export const digestOf = (version: string): string =>
  version.replaceAll(/\D/g, '').padEnd(64, 'a').slice(0, 64)

export function releaseOf(version: string): ReleaseDescription {
  const sha256 = digestOf(version)
  const object = {
    kind: 'full',
    from: null,
    target: `objects/${sha256}.full`,
    byteCount: 500,
    sha256,
    pieceByteCount: 262_144,
    pieces: 'A'.repeat(44),
  }
  return checkDescription({
    format: 1,
    product: 'roadcase',
    version,
    architecture: 'x64',
    boards: null,
    manifest: { sha256, byteCount: 100 },
    treeByteCount: 10_000_000,
    treeFileCount: 2,
    floor: null,
    minimumUpdater: null,
    notes: '',
    objects: [object],
  })
}

export const orderOf = (version: string, isTogether = false): OrderLook => ({
  isFresh: true,
  words: `${version} is ordered`,
  order: { description: releaseOf(version), isTogether, isTimeKnown: true },
})

export const quiet: BoxView = {
  board: 'simulated',
  isReady: true,
  isUtcKnown: true,
  isArmed: false,
  isPanic: false,
  runningCues: 0,
  power: null,
}

export const quietSlots: SlotView = {
  slot: 'a',
  contents: null,
  running: { digest: digestOf('1.0.0'), version: '1.0.0' },
  previous: null,
  prepared: null,
  isOnTrial: false,
  isRestartDue: false,
  formats: null,
  floor: null,
  refused: [],
  trouble: null,
}

/** Slots as a box has them; what it does is noted. */
export class StandInSlots implements SlotWork {
  state = quietSlots
  readonly did: string[] = []
  room: number | null = 1e9
  /** Prepares when it is told to. */
  go: { resolve(): void; reject(error: Error): void } | null = null
  tell: ((progress: TransferProgress) => void) | null = null
  isCancelled: (() => boolean) | null = null
  /** What happens at that very moment. */
  whileActivating: () => void = () => {}

  async view(): Promise<SlotView> {
    return this.state
  }

  prepare(
    { manifest, version }: ReleaseDescription,
    tell: (progress: TransferProgress) => void,
    isCancelled: () => boolean,
  ): Promise<void> {
    this.did.push(`prepare ${version}`)
    this.tell = tell
    this.isCancelled = isCancelled
    return new Promise<void>((resolve, reject) => {
      this.go = {
        resolve: () => {
          this.state = { ...this.state, prepared: { digest: manifest.sha256, version } }
          resolve()
        },
        reject,
      }
    })
  }

  async activate(): Promise<void> {
    this.did.push('activate')
    this.whileActivating()
  }

  async withdraw(): Promise<void> {
    this.did.push('withdraw')
  }

  async markGood(): Promise<void> {
    this.did.push('good')
    this.state = { ...this.state, isOnTrial: false }
  }

  async takeLauncher(): Promise<void> {
    this.did.push('launcher')
  }

  async rollBack(reason: string): Promise<void> {
    this.did.push(`back: ${reason}`)
  }

  async clear(digest: string): Promise<void> {
    this.did.push(`clear ${digest.slice(0, 3)}`)
  }

  async roomBytes(): Promise<number | null> {
    return this.room
  }
}

export function updaterBench(
  options: {
    readonly config?: object
    readonly together?: Together | null
    /** What another updater of the same box has left. */
    readonly files?: SimulatedFiles
  } = {},
) {
  const clock = new SimulatedClock({ showStartMs: 1.8e12, driftPpm: 0 })
  const log = new SimulatedLog()
  const slots = new StandInSlots()
  const files = options.files ?? new SimulatedFiles()
  const holds = new Holds(clock, files)
  const told: OtaState[] = []
  const launcher: string[] = []
  const world = {
    look: orderOf('1.0.0'),
    recalled: null as OrderLook | null,
    looks: 0,
    /** How often the box was asked how it is now. */
    asked: 0,
    box: quiet as BoxView | null,
    gate: [] as readonly string[],
    fault: null as Error | null,
  }
  const updater = new Updater(
    {
      clock,
      log,
      slots,
      holds,
      asked: new Asked(files, log),
      together: options.together ?? null,
      fleet: () => null,
      orders: {
        recall: async () => world.recalled,
        look: async () => {
          world.looks++
          if (world.fault !== null) throw world.fault
          return world.look
        },
      },
      launcher: {
        gate: (unmet, deadlineMs) => void launcher.push(`gate ${unmet.join()} ${deadlineMs}`),
        passed: () => void launcher.push('passed'),
        restart: why => void launcher.push(`restart: ${why}`),
      },
      box: {
        view: async () => world.box,
        look: async () => {
          world.asked++
          return world.box
        },
        remember: async () => {},
        silence: () => null,
        gate: async () => world.gate,
        showTime: async () => ({ nowMs: clock.showTimeMs(), errorMs: 0 }),
        tell: async state => void told.push(state),
      },
    },
    {
      config: checkUpdaterConfig({ schemaVersion: 1, tour: 't', box: 'b', ...options.config }),
      version: '1.0.0',
      architecture: 'x64',
      chance: 0,
    },
  )
  const last = (): OtaState | undefined => told.at(-1)
  const end = (): Promise<void> => {
    // What is under way never ends by itself here.
    slots.go?.reject(new BoxError('link.down', 'the test is over'))
    return updater.stop()
  }
  return { end, clock, files, log, slots, holds, told, launcher, world, updater, last, quiet }
}
