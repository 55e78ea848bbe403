/**
 * The life of a box that gets new operating systems, with the power cut after every single call: to the records, the
 * partitions, autoboot.txt and the firmware. After each cut a whole system starts, none that did not pass its gate stays,
 * nothing acknowledged is lost, and the life comes to its end afterwards.
 */
import t from 'tap'
import { osRecords } from '../../../ota/os/os-record.js'
import { nothingKnown, type OsState, otherOs } from '../../../ota/os/os-state.js'
import type { OsStatus } from '../../../ota/os/os-system.js'
import { compareVersions } from '../../../ota/release/version-order.js'
import { TwoRecords } from '../../../ota/slots/two-records.js'
import { randomFrom } from '../../../runtime/core/random.js'
import {
  type CutLife,
  cutOnce,
  isRefused,
  type LivedBoot,
  live,
  type Systems,
  type Told,
  toldNothing,
} from './os-life.js'
import { OsWorld, type SmallOs, smallOs } from './os-world.js'

const SEEDS = Number(process.env['SEEDS'] ?? 1)

const systems: Systems<SmallOs> = {
  factory: smallOs('1.0.0'),
  second: smallOs('1.1.0', '1.1.0'),
  silent: smallOs('1.2.0', '1.2.0'),
  faulty: smallOs('1.3.0', '1.3.0'),
}
const { factory, second, silent, faulty } = systems
const all: readonly SmallOs[] = [factory, second, silent, faulty]
const neverGood: readonly SmallOs[] = [silent, faulty]

const reachedNothing = () => ({
  cuts: 0,
  tornSectors: 0,
  tornAutoboot: 0,
  noBeginning: 0,
  halfWritten: 0,
  flagKept: 0,
  flagLost: 0,
  cutInTrial: 0,
  digitBeforeRecord: 0,
  cameBack: 0,
})
type Reached = ReturnType<typeof reachedNothing>

/** True: it came to its end. False: the power went. */
async function lived(world: OsWorld, told: Told<SmallOs>, calls: number, reached: Reached) {
  const start = (callsLeft: number): LivedBoot<SmallOs> => {
    const { partition, agent } = world.boot(callsLeft)
    const running = world.found(partition, all)
    if (running === null) throw new Error(`partition ${partition} has no whole system`)
    const isTrialBoot = partition !== world.usualPartition()
    return { running, isTrialBoot, agent: async () => agent }
  }
  const ending = await live({ disk: world.disk, start }, { systems, told }, calls)
  if (ending === 'done') return true
  if (ending.isTrialBoot) reached.cutInTrial++
  return false
}

/** What must hold after any cut; what does not, in words. */
async function judge(world: OsWorld, told: Told<SmallOs>, reached: Reached): Promise<string[]> {
  const { firmware } = world
  const { autoboot } = firmware
  const start = (hasTrialFlag: boolean, text: Uint8Array | null): SmallOs | null =>
    world.found(firmware.wouldStart({ hasTrialFlag, autoboot: text }), all)
  const [usual, stray, fallback] = [
    start(false, autoboot),
    start(true, autoboot),
    start(false, null),
  ]
  const { partition, agent, ports } = world.boot()
  const running = world.found(partition, all)
  const { hasTrialFlag } = await ports.firmware.booted()
  const recorded = await new TwoRecords(ports, osRecords).read()
  const status = await agent.status()
  count({ world, status, recorded, reached, hasTrialFlag })
  const forgotten = [...told.refused].filter(one => !isRefused(status, one))
  const floor = told.good.image.floor ?? '0.0.0'
  const allowed = [factory, ...told.passed]
  const name = usual?.image.version
  const bads: readonly [boolean, string][] = [
    [running === null, 'what starts is not whole'],
    [stray === null, 'a stray wish for a trial starts what is not whole'],
    [fallback === null, 'without autoboot.txt something starts that is not whole'],
    [usual === null || !allowed.includes(usual), `${name} stays without its gate`],
    [usual !== null && isOlder(usual, told.good), `${name} stays, and a later one was good`],
    [running !== usual && !hasTrialFlag, 'a trial without a wish'],
    [forgotten.length > 0, 'a refusal is forgotten'],
    [compareVersions(status.floor ?? '0.0.0', floor) < 0, 'the floor fell'],
    [neverGood.some(({ image }) => image.floor === status.floor), 'the floor rose without a gate'],
  ]
  return bads.flatMap(([isBad, what]) => (isBad ? what : []))
}

const isOlder = (one: SmallOs, other: SmallOs): boolean =>
  compareVersions(one.image.version, other.image.version) < 0

interface Counted {
  readonly world: OsWorld
  readonly status: OsStatus
  readonly recorded: OsState | null
  readonly reached: Reached
  readonly hasTrialFlag: boolean
}

function count({ world, status, recorded, reached, hasTrialFlag }: Counted): void {
  const other = otherOs(status.running)
  const before = recorded ?? nothingKnown
  const isWriting = before.slots[other].kind === 'writing'
  if (isWriting && !world.hasHead(world.numbers[other])) reached.noBeginning++
  if (isWriting && world.found(world.numbers[other], all) === null) reached.halfWritten++
  if (hasTrialFlag) reached.flagKept++
  if (before.slots[other].kind === 'trial' && !hasTrialFlag) reached.flagLost++
  const slot = status.slots[other]
  if (slot.kind === 'written' && slot.attempts > 0) reached.cameBack++
  if (before.slots[status.running].kind !== 'trial') return
  if (status.slots[status.running].kind === 'good') reached.digitBeforeRecord++
}

/** A life that is cut once, and then goes on to its end. Null: it ended before that. */
async function cutLife(
  { seed, calls, keepsFlag }: { seed: number; calls: number; keepsFlag: boolean },
  reached: Reached,
): Promise<readonly string[] | null> {
  const random = randomFrom(seed * 100_003 + calls)
  const world = new OsWorld(factory, { random, keepsFlag, walks: keepsFlag })
  const told = toldNothing(systems)
  const life: CutLife<SmallOs> = {
    systems,
    told,
    lived: most => lived(world, told, most, reached),
    judge: () => judge(world, told, reached),
    cut: () => {
      reached.cuts++
      reached.tornAutoboot += world.firmware.tornWrites
      reached.tornSectors += world.tornSectors
    },
  }
  return cutOnce(life, calls)
}

/** Every point of one life; what went wrong, in words. */
async function sweep(
  { seed, keepsFlag }: { seed: number; keepsFlag: boolean },
  reached: Reached,
): Promise<readonly string[]> {
  const bads: string[] = []
  for (let calls = 1; ; calls++) {
    const problems = await cutLife({ seed, calls, keepsFlag }, reached)
    if (problems === null) return bads
    const what = `SEED=${seed} ${keepsFlag ? 'flag kept' : 'flag lost'}, cut after ${calls}`
    bads.push(...problems.map(problem => `${what}: ${problem}`))
  }
}

t.test(
  'a cut after any call leaves a whole system that starts, and none without its gate',
  async t => {
    const reached = reachedNothing()
    const bads: string[] = []
    for (const keepsFlag of [false, true])
      for (let seed = 1; seed <= SEEDS; seed++)
        bads.push(...(await sweep({ seed, keepsFlag }, reached)))
    t.comment(reached)
    t.same(bads.slice(0, 20), [])
    t.ok(reached.cuts > 400 * SEEDS, `${reached.cuts} points`)
    for (const [name, times] of Object.entries(reached)) t.ok(times > 0, `${name}: ${times}`)
  },
)
