/**
 * What is done against rot, with the power cut after every single call to the disk: a copy of the running release is
 * written, a file rots in one slot and then in both, what is mended is mended, by the updater and by the launcher. After
 * each cut a complete slot starts, and the rest comes about.
 */
import t from 'tap'
import { SimulatedSlotDisk } from '../../../drivers/simulated/slot-disk.js'
import { HALF_FILE } from '../../../ota/slots/mending.js'
import { atOnce, fullProblem } from '../../../ota/slots/slot-check.js'
import { otherSlot, type SlotName, slotNames } from '../../../ota/slots/slot-state.js'
import { randomFrom } from '../../../runtime/core/random.js'
import { anyTime, type Boot, bootOf, unhurried } from './simulated-slots.js'
import { type SmallRelease, smallRelease } from './small-release.js'

const FOREVER = Number.POSITIVE_INFINITY
const SEED = Number(process.env['SEED'] ?? 1)
/** The gate takes a part of the cuts, by the seed; `EVERY=1` takes all. */
const EVERY = Number(process.env['EVERY'] ?? 11)
const CALLS_MAX = 2_000
const VICTIMS = ['program/main.js', 'assets/a/picture', 'bin/tool', 'manifest'] as const

const made = (version: string) =>
  smallRelease({ version, floor: null, behaviour: 'good', launcher: null })
const [zero, one, two] = [made('0.9.0'), made('1.0.0'), made('1.1.0')]

interface Reached {
  cuts: number
  cutWhileCopying: number
  cutWithHalfAFile: number
  mended: number
  copies: number
}

interface Box {
  readonly disk: SimulatedSlotDisk
  readonly random: () => number
  readonly hasRotten: boolean
  /** What runs, and is in both slots in the end. */
  readonly wanted: SmallRelease
}

/** What the slot beside the one that runs holds. */
type Beside = 'empty' | 'failed' | 'given-back' | 'below-floor'

/** Slot a as a card is written; what is beside 1.0.0 as `beside` says. */
async function newBox(random: () => number, beside: Beside): Promise<Box> {
  const disk = new SimulatedSlotDisk(random)
  const boot = bootOf(disk, { callsUntilPowerCut: FOREVER, random })
  const first = beside === 'below-floor' ? zero : one
  await boot.installer(first).install('slots/a', unhurried.progress, unhurried.isCancelled)
  await boot.disk.syncTree('slots/a')
  await boot.choose()
  if (beside === 'below-floor') await keep(boot, { ...one, floor: '1.0.0' })
  if (beside === 'given-back') await keep(boot, { ...two, floor: null })
  if (beside === 'failed') {
    await boot.agent('a').install(two.release, boot.installer(two), unhurried)
    await boot.agent('a').activate()
  }
  const isBack = beside === 'failed' || beside === 'given-back'
  if (isBack) await boot.agent('b').rollBack('lamps flicker')
  return { disk, random, hasRotten: false, wanted: one }
}

/** Into slot b, and found good. */
async function keep(boot: Boot, next: SmallRelease & { floor: string | null }): Promise<void> {
  const release = { ...next.release, floor: next.floor }
  await boot.agent('a').install(release, boot.installer(next), unhurried)
  await boot.agent('a').activate()
  await boot.choose()
  await boot.agent('b').markGood()
}

/** One evening: the box starts, and its updater has time. */
async function evening(boot: Boot): Promise<SlotName> {
  const chosen = await boot.choose()
  if (chosen === null) throw new Error('no slot starts')
  const { care } = boot.agent(chosen.slot)
  for (const name of slotNames) await care.audit(name, atOnce, anyTime)
  await care.copy(anyTime)
  return chosen.slot
}

async function judge({ disk, random, hasRotten, wanted }: Box): Promise<string[]> {
  const boot = bootOf(disk, { callsUntilPowerCut: FOREVER, random })
  const chosen = await boot.choose()
  if (chosen === null) return ['no slot starts']
  const { slot, release } = chosen
  const check = { from: 'disk', pause: atOnce } as const
  const problem = await fullProblem(boot.choice, slot, release.digest, check)
  const problems = problem === null ? [] : [`${slot} is started, and ${problem}`]
  if (release.version !== wanted.release.version) problems.push(`${release.version} is started`)
  const { slots } = (await boot.choice.store.read()) ?? {}
  const other = slots?.[otherSlot(slot)]
  // What rots may be called good until somebody looks; what is copied may not, until it is whole.
  if (hasRotten || other?.kind !== 'good') return problems
  const early = await fullProblem(boot.choice, otherSlot(slot), other.release.digest, check)
  return early === null ? problems : [...problems, `it is called good, and ${early}`]
}

/** Both slots hold the release, every byte of it, and nothing lies about. */
async function judgeEnd({ disk, random, wanted }: Box): Promise<string[]> {
  const boot = bootOf(disk, { callsUntilPowerCut: FOREVER, random })
  const state = await boot.choice.store.read()
  const check = { from: 'disk', pause: atOnce } as const
  const problems: string[] = []
  for (const name of slotNames) {
    const slot = state?.slots[name]
    if (slot?.kind !== 'good') problems.push(`slot ${name} is ${slot?.kind}`)
    const problem = await fullProblem(boot.choice, name, wanted.release.digest, check)
    if (problem !== null) problems.push(`in the end slot ${name}: ${problem}`)
  }
  if (disk.has(HALF_FILE)) problems.push('half a file is left')
  return problems
}

/** A deed that is cut, and evenings after it until all is well. Null: it ended before the cut. */
async function cutDeed(
  box: Box,
  callsUntilPowerCut: number,
  reached: Reached,
): Promise<readonly string[] | null> {
  const { disk, random } = box
  let isCut = false
  const stop = disk.powerCut.listen(() => {
    isCut = true
  })
  const boot = bootOf(disk, { callsUntilPowerCut, random })
  isCut = false
  let isEnded = false
  const ended = evening(boot).then(() => {
    isEnded = true
  })
  const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))
  while (!isEnded && !isCut) await Promise.race([ended, turn()])
  stop()
  if (boot.log.events().includes('slot.mended')) reached.mended++
  if (boot.log.events().includes('slot.copied')) reached.copies++
  if (!isEnded) {
    reached.cuts++
    const look = bootOf(disk, { callsUntilPowerCut: FOREVER, random })
    const state = await look.choice.store.read()
    const isCopying = slotNames.some(name => state?.slots[name].kind === 'installing')
    if (isCopying) reached.cutWhileCopying++
    if (disk.has(HALF_FILE)) reached.cutWithHalfAFile++
  }
  const problems = await judge(box)
  const next = bootOf(disk, { callsUntilPowerCut: FOREVER, random })
  await evening(next)
  await evening(bootOf(disk, { callsUntilPowerCut: FOREVER, random }))
  problems.push(...(await judge(box)), ...(await judgeEnd(box)))
  return isEnded && problems.length === 0 ? null : problems
}

const deeds: readonly { name: string; begin: (random: () => number) => Promise<Box> }[] = [
  { name: 'a copy into an empty slot', begin: random => newBox(random, 'empty') },
  { name: 'a copy over a release that failed', begin: random => newBox(random, 'failed') },
  {
    name: 'a copy over a release that was given back',
    begin: random => newBox(random, 'given-back'),
  },
  { name: 'a copy over one below the floor', begin: random => newBox(random, 'below-floor') },
  {
    name: 'what runs rots beyond mending, beside a release that was given back',
    begin: async random => {
      const box = await newBox(random, 'given-back')
      box.disk.rot('slots/a/program/main.js', { isCached: false })
      return { ...box, hasRotten: true, wanted: two }
    },
  },
  ...VICTIMS.flatMap(victim =>
    [true, false].map(isChosen => ({
      name: `${victim} rots in the slot that ${isChosen ? 'runs' : 'does not run'}`,
      begin: async (random: () => number) => {
        const box = await copied(random)
        box.disk.rot(`slots/${isChosen ? 'a' : 'b'}/${victim}`, { isCached: false })
        return { ...box, hasRotten: true }
      },
    })),
  ),
  {
    name: 'both slots rot, in different files',
    begin: async random => {
      const box = await copied(random)
      box.disk.rot('slots/a/program/main.js', { isCached: false })
      box.disk.rot('slots/b/program/updater.js', { isCached: false })
      return { ...box, hasRotten: true }
    },
  },
]

async function copied(random: () => number): Promise<Box> {
  const box = await newBox(random, 'empty')
  await evening(bootOf(box.disk, { callsUntilPowerCut: FOREVER, random }))
  return box
}

/** All cuts of a deed, or the part of them that this run takes. */
async function cutAll({ name, begin }: (typeof deeds)[number], reached: Reached) {
  const bads: string[] = []
  for (let calls = 1 + (SEED % EVERY); ; calls += EVERY) {
    const random = randomFrom(SEED * 100_003 + calls)
    const problems = await cutDeed(await begin(random), calls, reached)
    if (problems === null) return bads
    for (const problem of problems) bads.push(`${name}, cut after ${calls}: ${problem}`)
    if (calls > CALLS_MAX) throw new Error(`${name} does not end: ${bads.join(', ')}`)
  }
}

t.setTimeout(600_000)
t.test('a cut after any call leaves a slot that starts, and both are whole in the end', async t => {
  const reached = { cuts: 0, cutWhileCopying: 0, cutWithHalfAFile: 0, mended: 0, copies: 0 }
  const bads: string[] = []
  for (const deed of deeds) bads.push(...(await cutAll(deed, reached)))
  t.comment(reached)
  t.same(bads.slice(0, 20), [])
  for (const [what, times] of Object.entries(reached)) t.ok(times > 0, `${what}: ${times}`)
})
