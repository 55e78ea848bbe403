/**
 * Goal: whatever happens to the boxes of a venue, no fire happens twice, what was accepted happens everywhere, and when it
 * is quiet all show the same. A failure names its seed: replay it with SEED=<seed>; run more with SEEDS=<count>.
 */
import t from 'tap'
import { storm } from './venue-storm.js'

const ONE = process.env['SEED']
const FIRST = Number(ONE ?? 1)
const COUNT = Number(process.env['SEEDS'] ?? (ONE === undefined ? 60 : 1))
const ENOUGH = 50

/** A simulation that never comes near an edge proves nothing. */
const dangers: readonly string[] = [
  'a box came back',
  'a command asked of two boxes',
  'a fire accepted',
  'a fire that all must see',
  'a leader killed',
  'a network healed',
  'a network parted',
  'a panic',
  'a stall',
  'a stall longer than a lease',
  'something decided apart was dropped',
]

t.setTimeout(Math.max(170, COUNT * 3) * 1000)
t.test('whatever happens to a venue, its boxes keep their promises', async t => {
  const reached = new Map<string, number>()
  const takeOverMs: number[] = []
  for (let seed = FIRST; seed < FIRST + COUNT; seed++) {
    const stormed = await storm(seed)
    for (const [what, count] of stormed.reached) reached.set(what, (reached.get(what) ?? 0) + count)
    takeOverMs.push(...stormed.takeOverMs)
    if (stormed.broken.length > 0)
      t.fail(`SEED=${seed} ${stormed.broken[0]}`, { broken: stormed.broken })
  }
  t.comment(Object.fromEntries([...reached].sort()))
  const sorted = takeOverMs.sort((a, b) => a - b)
  t.comment(`${sorted.length} take-overs, the longest ${Math.round(sorted.at(-1) ?? 0)} ms`)
  const missed = COUNT < ENOUGH ? [] : dangers.filter(danger => !reached.get(danger))
  t.same(missed, [], 'every dangerous state was reached')
})
