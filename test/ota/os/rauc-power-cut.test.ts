/**
 * The life of a box with RAUC, with the power cut after every single call: to the records, the bundle, RAUC's partitions and
 * notes, and the variables of the boot loader. After each cut a whole system starts, none that did not pass its gate stays,
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
import { RaucWorld, type RaucWorldOptions, type SmallBundle, smallBundle } from './rauc-world.js'

const SEEDS = Number(process.env['SEEDS'] ?? 1)
/** Each machine is cut at points of its own; 1: at all of them. */
const EVERY = Number(process.env['EVERY'] ?? 9)

const systems: Systems<SmallBundle> = {
  factory: smallBundle('1.0.0'),
  second: smallBundle('1.1.0', { floor: '1.1.0' }),
  silent: smallBundle('1.2.0', { floor: '1.2.0' }),
  faulty: smallBundle('1.3.0', { floor: '1.3.0' }),
}
const { factory, second, silent, faulty } = systems
const all: readonly SmallBundle[] = [factory, second, silent, faulty]
const neverGood: readonly SmallBundle[] = [silent, faulty]
/** As images are made, and each version of RAUC and kind of boot loader once. */
const machines: readonly RaucWorldOptions[] = [
  { activates: true, notesPending: true, bootChooser: 'counts' },
  { activates: false, notesPending: false, bootChooser: 'counts' },
  { activates: true, notesPending: false, bootChooser: 'once' },
]

const reachedNothing = () => ({
  cuts: 0,
  tornSectors: 0,
  cutInTrial: 0,
  cutInWriting: 0,
  cameBack: 0,
  onTrial: 0,
  startedUnasked: 0,
  leftOverBundle: 0,
})
type Reached = ReturnType<typeof reachedNothing>

/** True: it came to its end. False: the power went. */
async function lived(
  world: RaucWorld,
  told: Told<SmallBundle>,
  calls: number,
  reached: Reached,
): Promise<boolean> {
  const start = (callsLeft: number): LivedBoot<SmallBundle> => {
    const { started, agent } = world.boot(callsLeft)
    const running = world.found(started, all)
    if (running === null) throw new Error(`${started} has no whole system`)
    return { running, isTrialBoot: !told.passed.has(running) && running !== factory, agent }
  }
  const ending = await live({ disk: world.disk, start }, { systems, told }, calls)
  if (ending === 'done') return true
  if (ending.isTrialBoot) reached.cutInTrial++
  return false
}

interface Seen {
  readonly running: SmallBundle | null
  /** What a plain reboot would start. */
  readonly next: SmallBundle | null
  readonly recorded: OsState
  readonly status: OsStatus
  readonly bundlesLeft: number
}

async function look(world: RaucWorld): Promise<Seen> {
  const { started, ports, agent } = world.boot()
  const recorded = (await new TwoRecords(ports, osRecords).read()) ?? nothingKnown
  const bundlesLeft = (await ports.bundles.list()).length
  const status = await (await agent()).status()
  const running = world.found(started, all)
  return { running, next: world.found(world.box.primary, all), recorded, status, bundlesLeft }
}

/** What must hold after any cut; what does not, in words. */
async function judge(world: RaucWorld, told: Told<SmallBundle>, reached: Reached) {
  const seen = await look(world)
  count(world, seen, reached)
  const { running, status } = seen
  const forgotten = [...told.refused].filter(one => !isRefused(status, one))
  const floor = told.good.image.floor ?? '0.0.0'
  const bads: readonly [boolean, string][] = [
    [running === null, 'what starts is not whole'],
    [forgotten.length > 0, 'a refusal is forgotten'],
    [compareVersions(status.floor ?? '0.0.0', floor) < 0, 'the floor fell'],
    [neverGood.some(({ image }) => image.floor === status.floor), 'the floor rose without a gate'],
  ]
  const problems = bads.flatMap(([isBad, what]) => (isBad ? what : []))
  return status.isTrial ? problems : [...problems, ...judgeAtHome(seen, told)]
}

function judgeAtHome({ running, next }: Seen, told: Told<SmallBundle>): string[] {
  const allowed = [factory, ...told.passed]
  const problems: string[] = []
  for (const [one, what] of [
    [running, 'runs'],
    [next, 'starts next'],
  ] as const) {
    const isAllowed = one !== null && allowed.includes(one)
    if (!isAllowed) problems.push(`${one?.image.version} ${what} without its gate`)
    else if (isOlder(one, told.good))
      problems.push(`${one.image.version} ${what}, a later was good`)
  }
  return problems
}

function count(
  { box }: RaucWorld,
  { recorded, status, bundlesLeft, running }: Seen,
  reached: Reached,
): void {
  reached.tornSectors += box.tornSectors
  const other = otherOs(status.running)
  const slot = status.slots[other]
  if (slot.kind === 'writing' && slot.image !== null) reached.cutInWriting++
  if (recorded.slots[status.running].kind === 'writing') reached.startedUnasked++
  if (bundlesLeft > 0) reached.leftOverBundle++
  if (slot.kind === 'written' && slot.attempts > 0) reached.cameBack++
  if (status.isTrial && running !== null) reached.onTrial++
}

const isOlder = (one: SmallBundle, other: SmallBundle): boolean =>
  compareVersions(one.image.version, other.image.version) < 0

/** A life that is cut once, and then goes on to its end. Null: it ended before that. */
async function cutLife(
  { seed, calls, machine }: { seed: number; calls: number; machine: RaucWorldOptions },
  reached: Reached,
): Promise<readonly string[] | null> {
  const random = randomFrom(seed * 100_003 + calls)
  const world = new RaucWorld(factory, { random, ...machine })
  const told = toldNothing(systems)
  const life: CutLife<SmallBundle> = {
    systems,
    told,
    lived: most => lived(world, told, most, reached),
    judge: () => judge(world, told, reached),
    cut: () => void reached.cuts++,
  }
  return cutOnce(life, calls)
}

/** Every point of one life; what went wrong, in words. */
async function sweep(
  { seed, machine }: { seed: number; machine: RaucWorldOptions },
  reached: Reached,
): Promise<readonly string[]> {
  const bads: string[] = []
  for (let calls = 1 + (machines.indexOf(machine) % EVERY); ; calls += EVERY) {
    const problems = await cutLife({ seed, calls, machine }, reached)
    if (problems === null) return bads
    const what = `SEED=${seed} ${JSON.stringify(machine)}, cut after ${calls}`
    bads.push(...problems.map(problem => `${what}: ${problem}`))
  }
}

t.test('a cut after any call leaves a whole system, and none stays without its gate', async t => {
  const reached = reachedNothing()
  const bads: string[] = []
  for (const machine of machines)
    for (let seed = 1; seed <= SEEDS; seed++)
      bads.push(...(await sweep({ seed, machine }, reached)))
  t.comment(reached)
  t.same(bads.slice(0, 20), [])
  t.ok(reached.cuts > (1_000 * SEEDS) / EVERY, `${reached.cuts} points`)
  // A torn sector is rare.
  const { tornSectors, ...often } = reached
  const expected = EVERY === 1 ? { tornSectors, ...often } : often
  for (const [name, times] of Object.entries(expected)) t.ok(times > 0, `${name}: ${times}`)
})
