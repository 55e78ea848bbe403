/**
 * The whole life of two slots with the power cut after every single call to the disk: installation, trial, floor, a
 * launcher that is replaced, a release that fails, the way back. After each cut some complete slot starts, what was
 * acknowledged holds, and the rest can be done again.
 */
import t from 'tap'
import { SimulatedSlotDisk } from '../../../drivers/simulated/slot-disk.js'
import { compareVersions } from '../../../ota/release/version-order.js'
import { atOnce, fullProblem } from '../../../ota/slots/slot-check.js'
import { type SlotName, type State, trialSlot } from '../../../ota/slots/slot-state.js'
import { randomFrom } from '../../../runtime/core/random.js'
import { type Boot, bootOf, unhurried } from './simulated-slots.js'
import { type SmallRelease, smallRelease } from './small-release.js'

const FOREVER = Number.POSITIVE_INFINITY
/** One life is several hundred calls; each is cut after each of them, by as many seeds. */
const SEEDS = Number(process.env['SEEDS'] ?? 1)
const BOOTS_MAX = 12

const launcher = (text: string): Uint8Array => new TextEncoder().encode(`launcher ${text}`)
const first = smallRelease({
  version: '1.0.0',
  floor: null,
  behaviour: 'good',
  launcher: launcher('1'),
})
const second = smallRelease({
  version: '1.1.0',
  floor: '1.0.0',
  behaviour: 'good',
  launcher: launcher('2'),
})
const bad = smallRelease({
  version: '1.2.0',
  floor: '1.2.0',
  behaviour: 'crash',
  launcher: launcher('3'),
})
const below = smallRelease({ version: '0.9.0', floor: null, behaviour: 'good', launcher: null })

/** What the box has been told "done" for, so far: it survives cuts, since people remember. */
interface Told {
  floor: string | null
  good: string | null
  refused: Set<string>
  steps: number
}

interface Reached {
  cuts: number
  tornFiles: number
  lostNames: number
  tornRecords: number
  cutWhileInstalling: number
  cutInTrial: number
  cutInLauncher: number
  exhausted: number
}

/** A new box: one slot, laid by hand, as a card is written. */
async function newBox(random: () => number): Promise<SimulatedSlotDisk> {
  const disk = new SimulatedSlotDisk(random)
  const boot = bootOf(disk, { callsUntilPowerCut: FOREVER, random })
  await boot.installer(first).install('slots/a', unhurried.progress, unhurried.isCancelled)
  await boot.disk.syncTree('slots/a')
  await boot.disk.writeSynced('launcher.mjs', launcher('1'))
  const chosen = await boot.choose()
  if (chosen?.slot !== 'a') throw new Error('the new box does not start')
  return disk
}

/**
 * What a box does of its own accord at a boot, one step after the other: each looks at the state, so that it goes on
 * where the last boot was cut.
 */
async function live(boot: Boot, told: Told): Promise<boolean> {
  for (;;) {
    const candidate = await boot.choose()
    if (candidate === null) throw new Error('no slot starts')
    const state = await boot.choice.store.read()
    if (state === null) throw new Error('no state after a start')
    const isDone = await step(boot, told, candidate.slot, state)
    told.steps++
    if (isDone) return true
  }
}

async function step(boot: Boot, told: Told, running: SlotName, state: State): Promise<boolean> {
  const agent = boot.agent(running)
  const trial = trialSlot(state)
  if (trial === running) return tryOut(boot, told, running, state.slots[running])
  const isSecondGood = told.good === second.release.digest
  if (isSecondGood) await agent.takeLauncher()
  if (isRefused(state, bad.release.digest)) told.refused.add(bad.release.digest)
  if (told.refused.size > 0) return true
  const wanted = isSecondGood ? bad : second
  await agent.install(wanted.release, boot.installer(wanted), unhurried)
  await agent.activate()
  return false
}

async function tryOut(
  boot: Boot,
  told: Told,
  running: SlotName,
  slot: State['slots'][SlotName],
): Promise<boolean> {
  if (slot.kind !== 'trial') throw new Error('a trial is on')
  // A release that crashes says nothing: the launcher starts it again, until its attempts are used up.
  if (slot.release.digest === bad.release.digest) return false
  const agent = boot.agent(running)
  await agent.markGood()
  told.good = slot.release.digest
  told.floor = slot.release.floor
  await agent.takeLauncher()
  return false
}

const isRefused = (state: State, digest: string): boolean =>
  state.refused.some(one => one.digest === digest)

/** What must hold after any cut; what does not, in words. */
async function judge(disk: SimulatedSlotDisk, told: Told, random: () => number): Promise<string[]> {
  const boot = bootOf(disk, { callsUntilPowerCut: FOREVER, random })
  const before = await boot.choice.store.read()
  const candidate = await boot.choose()
  const state = await boot.choice.store.read()
  if (candidate === null || state === null) return ['no slot starts']
  const { digest, version } = candidate.release
  const check = { from: 'disk', pause: atOnce } as const
  const problem = await fullProblem(boot.choice, candidate.slot, digest, check)
  const found = await boot.disk.read('launcher.mjs', 1_000)
  const words = new TextDecoder().decode(found ?? new Uint8Array())
  const isBelowTaken = told.floor !== null && !(await refuses(boot, candidate.slot, below))
  const late = [told.good, bad.release.digest]
  const forgotten = [...told.refused].filter(one => !isRefused(state, one))
  const fell = compareVersions(state.floor ?? '0.0.0', told.floor ?? '0.0.0') < 0
  const bads: readonly [boolean, string][] = [
    [before === null, 'both records are gone'],
    [problem !== null, `${version} is started, and ${problem}`],
    [fell, `the floor fell from ${told.floor} to ${state.floor}`],
    [state.floor === bad.release.floor, 'the floor rose by a release that was never good'],
    [forgotten.length > 0, 'a refusal is forgotten'],
    [told.good !== null && !late.includes(digest), `${version} runs, and a later one was good`],
    [!/^launcher [12]$/.test(words), `the launcher is "${words}"`],
    [isBelowTaken, 'a release below the floor is taken'],
  ]
  return bads.flatMap(([isBad, what]) => (isBad ? what : []))
}

async function refuses(boot: Boot, running: SlotName, wanted: SmallRelease): Promise<boolean> {
  return (await boot.agent(running).whyNot(wanted.release)).length > 0
}

/** A life that is cut once, after `callsUntilPowerCut`, and then goes on to its end. Null: it ended before that. */
async function cutLife(
  seed: number,
  callsUntilPowerCut: number,
  reached: Reached,
): Promise<readonly string[] | null> {
  const random = randomFrom(seed * 100_003 + callsUntilPowerCut)
  const disk = await newBox(random)
  const told: Told = { floor: null, good: null, refused: new Set(), steps: 0 }
  let isCut = false
  disk.powerCut.listen(({ tornFiles, lostNames }) => {
    if (!isCut) reached.cuts++
    isCut = true
    reached.tornFiles += tornFiles
    reached.lostNames += lostNames
  })
  const boot = bootOf(disk, { callsUntilPowerCut, random })
  isCut = false
  const ended = await untilCut(live(boot, told), () => isCut)
  if (ended) return null
  await count(disk, reached, random)
  const problems = await judge(disk, told, random)
  for (let boots = 0; boots < BOOTS_MAX; boots++) {
    const next = bootOf(disk, { callsUntilPowerCut: FOREVER, random })
    if (await live(next, told)) break
  }
  problems.push(...(await judge(disk, told, random)))
  if (told.good !== second.release.digest) problems.push('the good release was never reached')
  if (told.refused.size === 0) problems.push('the bad release was never refused')
  return problems
}

async function count(
  disk: SimulatedSlotDisk,
  reached: Reached,
  random: () => number,
): Promise<void> {
  const boot = bootOf(disk, { callsUntilPowerCut: FOREVER, random })
  const state = await boot.choice.store.read()
  if (boot.log.events().length > 0) reached.tornRecords++
  await boot.choice.store.repair()
  if (boot.log.events().includes('slots.record-repaired')) reached.tornRecords++
  if (state === null) return
  const kinds = [state.slots.a.kind, state.slots.b.kind]
  if (kinds.includes('installing')) reached.cutWhileInstalling++
  if (kinds.includes('trial')) reached.cutInTrial++
  if (disk.has('launcher.next.mjs') || disk.has('launcher.previous.next.mjs'))
    reached.cutInLauncher++
  if (kinds.includes('failed')) reached.exhausted++
}

/** True: it came to its end. A call from before the cut never returns, so the life just stands still. */
async function untilCut(life: Promise<boolean>, isCut: () => boolean): Promise<boolean> {
  let isEnded = false
  const ended = life.then(() => {
    isEnded = true
  })
  while (!isEnded && !isCut()) await Promise.race([ended, turn()])
  return isEnded
}

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

t.test(
  'a cut after any call leaves a slot that starts, and nothing acknowledged is lost',
  async t => {
    const reached: Reached = {
      cuts: 0,
      tornFiles: 0,
      lostNames: 0,
      tornRecords: 0,
      cutWhileInstalling: 0,
      cutInTrial: 0,
      cutInLauncher: 0,
      exhausted: 0,
    }
    const bads: string[] = []
    let points = 0
    for (let seed = 1; seed <= SEEDS; seed++)
      for (let calls = 1; ; calls++) {
        const problems = await cutLife(seed, calls, reached)
        if (problems === null) break
        points++
        for (const problem of problems) bads.push(`SEED=${seed} cut after ${calls}: ${problem}`)
      }
    t.comment(`${points} points`, reached)
    t.same(bads.slice(0, 20), [])
    t.ok(points > 100 * SEEDS, `${points} points`)
    for (const [name, times] of Object.entries(reached)) t.ok(times > 0, `${name}: ${times}`)
  },
)
