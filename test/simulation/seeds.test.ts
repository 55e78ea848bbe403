/**
 * Goal: whatever happens to a box, in whatever order, it keeps what invariants.ts says. A failure names its seed: replay
 * it with SEED=<seed>; run more with SEEDS=<count>, from SEED on.
 */
import { Worker } from 'node:worker_threads'
import t from 'tap'
import type { Seeds, Stormed } from './storm-worker.js'

const ONE = process.env['SEED']
const FIRST = Number(ONE ?? 1)
const COUNT = Number(process.env['SEEDS'] ?? (ONE === undefined ? 130 : 1))
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
  const { reached, broken } = await storm({ first: FIRST, count: COUNT })
  for (const [seed, found] of broken) t.fail(`SEED=${seed} ${found[0]}`, { broken: found })
  t.comment(Object.fromEntries([...reached].sort()))
  const missed = COUNT < ENOUGH ? [] : dangers.filter(danger => !reached.get(danger))
  t.same(missed, [], 'every dangerous state was reached')
})

function storm(seeds: Seeds): Promise<Stormed> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./storm-worker.js', import.meta.url), { workerData: seeds })
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.once('exit', status => reject(new Error(`the storms ended with ${status}`)))
  })
}
