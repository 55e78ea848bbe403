/**
 * The life of a box whose updater brings it a system that does not pass and one that does, with the power cut at calls to
 * the records, the partitions, autoboot.txt and the firmware. The gate takes every thirteenth of them; EVERY=1 takes all.
 */
import t from 'tap'
import { randomFrom } from '../../../runtime/core/random.js'
import { FOREVER, OsWorld, smallOs } from '../os/os-world.js'
import { OsBench, orders, signedOs } from './os-updater-bench.js'

const EVERY = Number(process.env['EVERY'] ?? 13)
const BOOTS_MAX = 20
const TURNS_MAX = 400
const factory = smallOs('1.0.0')
const faulty = signedOs('1.9.0')
const second = signedOs('2.0.0')

function newBox(seed: number): OsBench {
  const world = new OsWorld(factory, { random: randomFrom(seed), keepsFlag: seed % 2 === 0 })
  const box = new OsBench(factory, { world })
  box.known = [faulty, second]
  box.look = orders(faulty)
  box.gate = partition =>
    world.found(partition, [factory, faulty, second]) === faulty ? ['devices: 1 is silent'] : []
  return box
}

/** True: it came to its end. False: the power went. */
async function live(box: OsBench, calls: number): Promise<boolean> {
  let left = calls
  for (let boots = 0; boots < BOOTS_MAX; boots++) {
    box.boot(left)
    let isCut = false
    box.world.disk.powerCut.listen(() => {
      isCut = true
    })
    if (box.running === null) throw new Error(`partition ${box.partition} has no whole system`)
    const isDone = await liveOnce(box, () => isCut)
    if (isCut) return false
    if (isDone) return true
    left -= box.world.disk.calls
  }
  throw new Error('it does not come to its end')
}

async function liveOnce(box: OsBench, isCut: () => boolean): Promise<boolean> {
  for (let turn = 0; turn < TURNS_MAX; turn++) {
    await turnOrCut(box, isCut)
    if (isCut() || box.isDown) return false
    const { phase, refused } = box.updater.report()
    if (refused.length > 0 && box.running === factory) box.look = orders(second)
    if (phase === 'idle' && box.running === second) return true
  }
  throw new Error(`it stands still: ${JSON.stringify(box.updater.report())}`)
}

/** A call from before the cut never returns. */
async function turnOrCut(box: OsBench, isCut: () => boolean): Promise<void> {
  let isOver = false
  const turned = box.turn().then(() => {
    isOver = true
  })
  while (!isOver && !isCut()) await Promise.race([turned, new Promise(setImmediate)])
}

async function cutLife(calls: number): Promise<string[] | null> {
  const box = newBox(calls)
  const { world } = box
  if (await live(box, calls)) return null
  const { autoboot } = world.firmware
  const all = [factory, faulty, second]
  const problems: string[] = []
  for (const hasTrialFlag of [false, true])
    if (world.found(world.firmware.wouldStart({ hasTrialFlag, autoboot }), all) === null)
      problems.push(`nothing whole starts, flag ${hasTrialFlag}`)
  if (world.found(world.usualPartition(), all) === faulty) problems.push('what failed stays')
  if (!(await live(box, FOREVER))) problems.push('the power went by itself')
  if (world.found(world.usualPartition(), all) !== second) problems.push('the end is another one')
  return problems
}

t.test('wherever the power goes, a whole system starts, and the one that passes stays', async t => {
  const bads: string[] = []
  let points = 0
  for (let calls = 1; ; calls += EVERY) {
    const problems = await cutLife(calls)
    if (problems === null) break
    points++
    bads.push(...problems.map(problem => `cut after ${calls}: ${problem}`))
  }
  t.comment(`${points} points`)
  t.same(bads.slice(0, 20), [])
  t.ok(points * EVERY > 150, `${points} points`)
})
