/**
 * Goal: the boxes of a venue take a release all or none. A failure names its seed: replay it with SEED=<seed>; run more
 * with SEEDS=<count>.
 */
import t from 'tap'
import {
  type HeardWord,
  nextVenueDeed,
  VENUE_TERMS,
  type VenueView,
  type VenueWord,
} from '../../../ota/updater/venue-switch.js'
import { type Faults, STEP_MS, VenueWorld } from './venue-switch-world.js'

const ONE = process.env['SEED']
const FIRST = Number(ONE ?? 1)
const COUNT = Number(process.env['SEEDS'] ?? (ONE === undefined ? 150 : 1))

const calm: Faults = {
  loss: 0,
  delayMsMax: 200,
  failing: [],
  powerCut: 0,
  partition: 0,
  hold: 0,
  jump: 0,
  quietAfterMs: 0,
}
const stormy: Faults = {
  ...calm,
  loss: 0.2,
  delayMsMax: 900,
  powerCut: 0.001,
  partition: 0.003,
  hold: 0.001,
  jump: 0.001,
  quietAfterMs: 600_000,
}
const stages = (world: VenueWorld): string[] => world.members.map(({ kept }) => kept.stage)

t.test('on a quiet evening all boxes switch at one moment and keep it', async t => {
  const world = new VenueWorld(7, 5, calm)
  world.run(120_000)
  t.same(stages(world), ['good', 'good', 'good', 'good', 'good'])
  const switched = world.members.map(({ switchedAtMs }) => switchedAtMs ?? Number.NaN)
  t.ok(Math.max(...switched) - Math.min(...switched) <= STEP_MS, switched.join())
})

t.test('one box whose gate fails takes all others back', async t => {
  const world = new VenueWorld(7, 5, { ...calm, failing: ['box-4'] })
  world.run(120_000)
  t.same(stages(world), ['failed', 'failed', 'failed', 'failed', 'failed'])
  t.equal(world.reached.get('back for the others'), 4)
  world.run(3_600_000)
  t.equal(world.reached.get('switch'), 5, 'and it is not tried again')
})

t.test(
  'whatever happens, none keeps what another cannot run; all are alike in the end',
  async t => {
    const reached = new Map<string, number>()
    for (let seed = FIRST; seed < FIRST + COUNT; seed++) {
      const problems = storm(seed, reached)
      if (problems.length > 0) t.fail(`SEED=${seed}`, { problems })
    }
    t.comment(Object.fromEntries([...reached].sort()))
    const missed = COUNT < 100 ? [] : dangers.filter(danger => !reached.get(danger))
    t.same(missed, [], 'every dangerous state was reached')
  },
)

const dangers = [
  'parted',
  'withdraw',
  'gate failed',
  'back for the others',
  'jump while committed',
  'jump while agreed',
  'jump while trial',
  'jump while passed',
  'cut while agreed',
  'cut while committed',
  'cut while trial',
  'cut while passed',
]

function storm(seed: number, reached: Map<string, number>): readonly string[] {
  const failing = seed % 3 === 0 ? [`box-${(seed % 4) + 1}`] : []
  const world = new VenueWorld(seed, 4, { ...stormy, failing })
  world.run(stormy.quietAfterMs + 1_200_000)
  for (const [what, count] of world.reached) reached.set(what, (reached.get(what) ?? 0) + count)
  const keeps = stages(world).filter(stage => stage === 'good').length
  const wanted = failing.length > 0 ? 0 : 4
  return keeps === wanted ? world.broken : [...world.broken, stages(world).join(' ')]
}

const word = (box: string, changes: Partial<VenueWord>): VenueWord => ({
  box,
  digest: 'd',
  stage: 'prepared',
  at: null,
  obstacle: null,
  showMs: 1_000_000,
  ...changes,
})
const view = (own: Partial<VenueWord>, other: Partial<VenueWord>, ageMs = 0): VenueView => ({
  own: word('a', own),
  members: ['a', 'b'],
  heard: new Map<string, HeardWord>([['b', { word: word('b', other), ageMs }]]),
  showNowMs: 1_000_000,
  committedMs: null,
  trialMs: 0,
})

t.test('a box waits, with a reason, for one that cannot', async t => {
  const next = (seen: VenueView): unknown => nextVenueDeed(seen, VENUE_TERMS)
  t.same(next(view({}, {}, 9_000)), { kind: 'wait', why: 'b was heard 9 s ago' })
  t.same(next(view({}, { showMs: 1_095_000 })), {
    kind: 'wait',
    why: 'b has another show time, 95 s ahead: the boxes have no common clock',
  })
  t.same(next({ ...view({}, {}), heard: new Map() }), { kind: 'wait', why: 'b has not been heard' })
  t.same(next(view({}, { obstacle: 'a show is armed' })), {
    kind: 'wait',
    why: 'b cannot: a show is armed',
  })
  t.same(next(view({}, { digest: 'e' })), { kind: 'wait', why: 'b is to run another release' })
  t.same(next(view({}, { digest: null })), {
    kind: 'wait',
    why: 'b knows of nothing that is ordered',
  })
  t.same(next(view({}, {})), { kind: 'agree', at: 1_010_000 })
  t.same(next(view({ stage: 'agreed', at: 1_000_500 }, { stage: 'agreed', at: 1_000_500 })), {
    kind: 'commit',
    at: 1_000_500,
  })
  const far = { stage: 'agreed', at: 1_000_500, showMs: 995_000 } as const
  t.match(next(view({ stage: 'agreed', at: 1_000_500 }, far)), { kind: 'withdraw' })
  t.match(next(view({ stage: 'agreed', at: 1_000_500 }, {})), { kind: 'withdraw' })
  t.match(next(view({ stage: 'agreed', at: 1_000_500, obstacle: 'hold' }, {})), {
    kind: 'withdraw',
    why: 'hold',
  })
})
