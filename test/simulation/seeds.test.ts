/**
 * Goal: whatever happens to a box, in whatever order, it keeps what invariants.ts says. A failure names its seed: replay
 * it with SEED=<seed>; run more with SEEDS=<count>, from SEED on.
 */
import t from 'tap'
import { type Reached, Storm } from './storm.js'

const ONE = process.env['SEED']
const FIRST = Number(ONE ?? 1)
const COUNT = Number(process.env['SEEDS'] ?? (ONE === undefined ? 200 : 1))
/** So many seeds reach every dangerous state there is. */
const ENOUGH = 100

/** A simulation that never comes near an edge proves nothing. */
const dangers: readonly string[] = [
  'a button pressed',
  'a command asked twice',
  'a command while the disk fails',
  'a commit kept without its answer',
  'a commit lost before its answer',
  'a device at fault when the box starts',
  'a faulty dimmer seen dark',
  'a goto while a follow waits',
  'a jump',
  'a light held against the show at rest',
  'a light held against the show in a fade',
  'a light seen in panic',
  'a lost name of a file',
  'a newer leader while something is scheduled',
  'a power cut before an answer',
  'a power cut beside a fault',
  'a power cut in a fade',
  'a power cut while the box starts',
  'a torn file',
  'an old epoch',
  'away for longer than half a day',
  'back with a clock that had stood still',
  'fault: a line is dead',
  'fault: noise',
  'fault: the bus is slow',
  'fault: the bus is stuck',
  'fault: the dimmer is unplugged',
  'fault: the dimmer loses its supply',
  'fault: the disk fails',
  'fault: the disk is full',
  'panic beside a fault',
  'the wall clock steps by a day in a fade',
]

t.setTimeout(Math.max(300, COUNT * 2) * 1000)
t.test('whatever happens to a box, it keeps its promises', async t => {
  const reached: Reached = new Map()
  for (let seed = FIRST; seed < FIRST + COUNT; seed++) {
    const broken = await new Storm(seed, reached).run()
    if (broken.length > 0) t.fail(`SEED=${seed} ${broken[0]}`, { broken })
  }
  t.comment(Object.fromEntries([...reached].sort()))
  const missed = COUNT < ENOUGH ? [] : dangers.filter(danger => !reached.get(danger))
  t.same(missed, [], 'every dangerous state was reached')
})
