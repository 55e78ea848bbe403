/**
 * The life of a box whose updater brings it a system that does not pass and one that does, with the power cut at calls to
 * the records, the partitions and what chooses: autoboot.txt and the firmware, or RAUC and its boot loader. What does not pass
 * fails its gate, or the machine does not even say there that it runs. The gate takes every thirteenth of them, or twenty-ninth;
 * EVERY=1 takes all.
 */
import t from 'tap'
import type { SimulatedSlotDisk } from '../../../drivers/simulated/slot-disk.js'
import { RaucSystem } from '../../../ota/os/rauc-system.js'
import { randomFrom } from '../../../runtime/core/random.js'
import { FOREVER, OsWorld, smallOs } from '../os/os-world.js'
import { RaucWorld, type RaucWorldOptions, smallBundle } from '../os/rauc-world.js'
import { OsBench, orders, signedBundle, signedOs } from './os-updater-bench.js'

const every = (usual: number): number => Number(process.env['EVERY'] ?? usual)
const BOOTS_MAX = 20
const TURNS_MAX = 400

type Runs = 'factory' | 'faulty' | 'second' | null

interface LifeBox {
  readonly bench: OsBench
  readonly disk: SimulatedSlotDisk
  /** What was started last. */
  runs(): Runs
  /** The machine says nothing of itself in this boot, or it does. */
  fallSilent(isSilent: boolean): void
  /** What a plain reboot would start. */
  next(): Runs
  isDown(): boolean
  order(which: 'faulty' | 'second'): void
  /** What does not hold after a cut, in words. */
  judge(): string[]
}

const factory = smallOs('1.0.0')
const systems = { faulty: signedOs('1.9.0'), second: signedOs('2.0.0') }

/** What is wrong with the system that does not pass: `silent`: there is no RAUC in it, or autoboot.txt is not mounted. */
type Fault = 'gate' | 'silent'

function trybootBox(seed: number): LifeBox {
  const world = new OsWorld(factory, { random: randomFrom(seed), keepsFlag: seed % 2 === 0 })
  const bench = new OsBench(factory, { world })
  bench.known = [systems.faulty, systems.second]
  const nameOf = (partition: number | null): Runs => {
    const found = world.found(partition, [factory, ...bench.known])
    if (found === null) return null
    return found === factory ? 'factory' : found === systems.faulty ? 'faulty' : 'second'
  }
  bench.gate = partition => (nameOf(partition) === 'faulty' ? ['devices: 1 is silent'] : [])
  const next = (): Runs => nameOf(world.usualPartition())
  const { autoboot } = world.firmware
  return {
    ...{ bench, disk: world.disk, next },
    runs: () => nameOf(bench.partition),
    fallSilent: isSilent => {
      world.firmware.isUnmounted = isSilent
    },
    isDown: () => world.firmware.isGoingDown,
    order: which => {
      bench.look = orders(systems[which])
    },
    judge: () => {
      const problems = [false, true]
        .filter(
          hasTrialFlag => nameOf(world.firmware.wouldStart({ hasTrialFlag, autoboot })) === null,
        )
        .map(hasTrialFlag => `nothing whole starts, flag ${hasTrialFlag}`)
      return next() === 'faulty' ? [...problems, 'what failed stays'] : problems
    },
  }
}

const installed = smallBundle('1.0.0')
const bundles = { faulty: signedBundle('1.9.0'), second: signedBundle('2.0.0') }

function raucBox(seed: number, machine: RaucWorldOptions): LifeBox {
  const world = new RaucWorld(installed, { random: randomFrom(seed), ...machine })
  const nameOf = (root: Parameters<typeof world.found>[0]): Runs => {
    const found = world.found(root, [installed, bundles.faulty, bundles.second])
    if (found === null) return null
    return found === installed ? 'factory' : found === bundles.faulty ? 'faulty' : 'second'
  }
  let runs: Runs = null
  const bench = new OsBench(factory, {
    clock: world.clock,
    config: { os: { kind: 'rauc' } },
    system: calls => {
      const { started, ports } = world.boot(calls)
      runs = nameOf(started)
      return new RaucSystem(ports)
    },
  })
  bench.knownBundles = [bundles.faulty, bundles.second]
  bench.gate = () => (runs === 'faulty' ? ['devices: 1 is silent'] : [])
  return {
    ...{ bench, disk: world.disk },
    runs: () => runs,
    fallSilent: isSilent => {
      world.box.isMissing = isSilent
    },
    next: () => nameOf(world.box.primary),
    isDown: () => world.box.isGoingDown,
    order: which => {
      bench.look = orders(bundles[which])
    },
    // A trial is started as often as the boot loader counts; a system that is not whole, never.
    judge: () => [],
  }
}

/** True: it came to its end. False: the power went. */
async function live(box: LifeBox, calls: number, fault: Fault): Promise<boolean> {
  let left = calls
  for (let boots = 0; boots < BOOTS_MAX; boots++) {
    box.bench.boot(left)
    box.fallSilent(fault === 'silent' && box.runs() === 'faulty')
    let isCut = false
    const cancel = box.disk.powerCut.listen(() => {
      isCut = true
    })
    if (box.runs() === null) throw new Error('no whole system has started')
    const isDone = await liveOnce(box, () => isCut)
    cancel()
    if (isCut) return false
    if (isDone) return true
    left -= box.disk.calls
  }
  throw new Error('it does not come to its end')
}

async function liveOnce(box: LifeBox, isCut: () => boolean): Promise<boolean> {
  for (let turn = 0; turn < TURNS_MAX; turn++) {
    await turnOrCut(box.bench, isCut)
    if (isCut() || box.isDown()) return false
    const { phase, refused } = box.bench.updater.report()
    needHome(box)
    if (refused.length > 0 && box.runs() === 'factory') box.order('second')
    if (phase === 'idle' && box.runs() === 'second') return true
  }
  throw new Error(`it stands still: ${JSON.stringify(box.bench.updater.report())}`)
}

/** At rest what runs is what a plain reboot starts. */
function needHome({ bench, runs, next }: LifeBox): void {
  const { phase, systems: known } = bench.updater.report()
  const isAtRest = known !== null && (phase === 'idle' || phase === 'waiting')
  if (isAtRest && next() !== runs()) throw new Error(`${runs()} runs, next is ${next()}, ${phase}`)
}

/** A call from before the cut never returns. */
async function turnOrCut(bench: OsBench, isCut: () => boolean): Promise<void> {
  let isOver = false
  const turned = bench.turn().then(() => {
    isOver = true
  })
  while (!isOver && !isCut()) await Promise.race([turned, new Promise(setImmediate)])
}

interface Sweep {
  readonly step: number
  readonly fault?: Fault
  /** Told what ran when the power went. */
  readonly wasCut?: (runs: Runs) => void
}

/** Null: it ended before the cut. */
async function cutLife(
  box: LifeBox,
  calls: number,
  { fault = 'gate', wasCut = () => {} }: Sweep,
): Promise<string[] | null> {
  box.order('faulty')
  if (await live(box, calls, fault)) return null
  wasCut(box.runs())
  const problems = box.judge()
  if (!(await live(box, FOREVER, fault))) problems.push('the power went by itself')
  if (box.next() !== 'second') problems.push('the end is another one')
  return problems
}

async function sweep(make: (seed: number) => LifeBox, options: Sweep): Promise<[number, string[]]> {
  const bads: string[] = []
  for (let calls = 1, points = 0; ; calls += options.step, points++) {
    const problems = await cutLife(make(calls), calls, options).catch((error: Error) => [
      error.message,
    ])
    if (problems === null) return [points, bads]
    bads.push(...problems.map(problem => `cut after ${calls}: ${problem}`))
    if (bads.length > 20) return [points, bads]
  }
}

t.test('wherever the power goes, a whole system starts, and the one that passes stays', async t => {
  const step = every(13)
  const [points, bads] = await sweep(trybootBox, { step })
  t.comment(`${points} points`)
  t.same(bads, [])
  t.ok(points * step > 150, `${points} points`)
})

t.test('as much holds with RAUC, whatever its version and its boot loader', async t => {
  const step = every(29)
  for (const machine of [
    { activates: true, notesPending: true, bootChooser: 'counts' },
    { activates: false, notesPending: false, bootChooser: 'counts' },
    { activates: true, notesPending: false, bootChooser: 'once' },
  ] as const) {
    const [points, bads] = await sweep(seed => raucBox(seed, machine), { step })
    t.comment(`${points} points`)
    t.same(bads, [], JSON.stringify(machine))
    t.ok(points * step > 150, `${points} points`)
  }
})

t.test('a system on which the machine never says what runs is left by itself', async t => {
  const step = every(13)
  const rauc = (machine: RaucWorldOptions) => (seed: number) => raucBox(seed, machine)
  let cutInSilence = 0
  const wasCut = (runs: Runs): void => {
    if (runs === 'faulty') cutInSilence++
  }
  for (const [what, make] of [
    ['tryboot', trybootBox],
    ['counts', rauc({ activates: true, notesPending: true, bootChooser: 'counts' })],
    ['once', rauc({ activates: true, notesPending: false, bootChooser: 'once' })],
  ] as const) {
    const [points, bads] = await sweep(make, { step, fault: 'silent', wasCut })
    t.comment(`${what}: ${points} points`)
    t.same(bads, [], what)
    t.ok(points * step > 150, `${points} points`)
  }
  t.ok(cutInSilence > 8, `${cutInSilence} of them while nobody could judge`)
})
