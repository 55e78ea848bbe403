import fc from 'fast-check'
import t from 'tap'
import {
  freshPolicy,
  GRACE_MS,
  nextPolicy,
  type PolicyAction,
  type PolicySample,
  type PolicyState,
  rankOf,
  refused,
  type Stage,
} from '../../../runtime/services/power/policy.js'
import { usualPolicy } from './usual-policy.js'

const options = usualPolicy

/** A box on a good pack. */
const calm: PolicySample = {
  elapsedMs: 1000,
  isExternal: false,
  isDischarging: true,
  percent: 80,
  minutes: 300,
  marginMillivolts: 600,
  usualMarginMillivolts: null,
  isArmed: false,
}
const mains: PolicySample = { ...calm, isExternal: true, isDischarging: false, minutes: null }
const unknown: PolicySample = {
  ...calm,
  isExternal: null,
  isDischarging: null,
  percent: null,
  minutes: null,
  marginMillivolts: null,
  usualMarginMillivolts: null,
}

interface Ran {
  readonly state: PolicyState
  readonly actions: readonly PolicyAction[]
  readonly stages: readonly Stage[]
  readonly phases: readonly PolicyState['phase'][]
}

function run(samples: readonly PolicySample[], from = freshPolicy, rules = options): Ran {
  let state = from
  const actions: PolicyAction[] = []
  const stages: Stage[] = []
  const phases: PolicyState['phase'][] = []
  for (const sample of samples) {
    const step = nextPolicy(state, sample, rules)
    state = step.state
    actions.push(...step.actions)
    stages.push(state.stage)
    phases.push(state.phase)
  }
  return { state, actions, stages, phases }
}

const times = (count: number, sample: PolicySample): PolicySample[] =>
  Array.from({ length: count }, () => sample)

const at = (stage: Stage): PolicyState => ({ ...freshPolicy, stage })
const kinds = (actions: readonly PolicyAction[]): string[] => actions.map(({ kind }) => kind)

t.test('the first word that mains is gone is believed', async t => {
  t.equal(run([{ ...calm, percent: 2 }]).state.stage, 'battery')
})

t.test(
  'each stage begins with the third sample below its limit, by percent or by minutes',
  async t => {
    const cases = [
      [{ percent: 29 }, 'warn'],
      [{ percent: 30 }, 'battery'],
      [{ minutes: 29 }, 'warn'],
      [{ percent: 19 }, 'shed'],
      [{ minutes: 14 }, 'shed'],
      [{ percent: 9 }, 'protect'],
      [{ minutes: 7 }, 'protect'],
      [{ percent: 4 }, 'shutdown'],
      [{ minutes: 2 }, 'shutdown'],
      [{ percent: null, minutes: 2 }, 'shutdown'],
      [{ percent: 25, minutes: 7 }, 'protect'],
      [{ marginMillivolts: -1 }, 'shutdown'],
      [{ marginMillivolts: 0 }, 'battery'],
    ] as const
    for (const [change, stage] of cases) {
      const low = { ...calm, ...change }
      t.equal(
        run(times(2, low), at('battery')).state.stage,
        'battery',
        `${JSON.stringify(change)} twice`,
      )
      t.equal(run(times(3, low), at('battery')).state.stage, stage, JSON.stringify(change))
    }
  },
)

t.test('one good sample in between begins the count anew', async t => {
  const low = { ...calm, percent: 4 }
  t.equal(run([low, low, calm, low, low], at('battery')).state.stage, 'battery')
})

t.test('samples that disagree make the mildest of the stages that all of them ask for', async t => {
  const asked = [25, 15, 4].map(percent => ({ ...calm, percent }))
  t.equal(run(asked, at('battery')).state.stage, 'warn')
})

t.test('a stage is left when it is better by the margin, and not before', async t => {
  const cases = [
    ['warn', { percent: 32.9 }, 'warn'],
    ['warn', { percent: 33 }, 'battery'],
    ['warn', { percent: 60, minutes: 37 }, 'warn'],
    ['warn', { percent: 60, minutes: 38 }, 'battery'],
    ['warn', { percent: 60, minutes: null }, 'battery'],
    ['shed', { percent: 22.9 }, 'shed'],
    ['shed', { percent: 23 }, 'warn'],
    ['protect', { percent: 60 }, 'battery'],
    ['protect', { percent: 14 }, 'shed'],
  ] as const
  for (const [stage, change, next] of cases) {
    const better = { ...calm, ...change }
    t.equal(run(times(2, better), at(stage)).state.stage, stage)
    t.equal(
      run(times(3, better), at(stage)).state.stage,
      next,
      `${stage} ${JSON.stringify(change)}`,
    )
  }
})

t.test('what nobody knows neither raises a stage nor takes one back', async t => {
  for (const stage of ['mains', 'battery', 'warn', 'shed', 'protect'] as const)
    t.equal(run(times(100, unknown), at(stage)).state.stage, stage)
  const onlyFed = { ...unknown, isExternal: false }
  t.equal(run(times(100, onlyFed), at('shed')).state.stage, 'shed', 'no charge is known')
  t.equal(
    run(times(100, onlyFed), at('mains')).state.stage,
    'battery',
    'but mains is known to be gone',
  )
})

t.test('unknown samples in between do not hide that the others agree', async t => {
  const low = { ...calm, percent: 15 }
  t.equal(run([low, unknown, low, unknown, low], at('battery')).state.stage, 'shed')
})

t.test('mains takes every stage back, with the third sample', async t => {
  for (const stage of ['battery', 'warn', 'shed', 'protect'] as const) {
    const low = { ...mains, percent: 2 }
    t.equal(run(times(2, low), at(stage)).state.stage, stage)
    t.equal(run(times(3, low), at(stage)).state.stage, 'mains')
  }
})

t.test('a charger too weak for the load is no mains once the packs are low', async t => {
  const weak = { ...calm, isExternal: true, percent: 15 }
  t.equal(run(times(3, weak)).state.stage, 'shed')
  t.equal(run(times(9, { ...weak, percent: 80 })).state.stage, 'mains')
  t.equal(run(times(9, { ...weak, percent: 2 })).state.stage, 'protect', 'and powers nothing off')
})

t.test('the shutdown waits its grace, then happens once', async t => {
  const low = { ...calm, percent: 4 }
  const { actions, state } = run(times(200, low), at('battery'))
  t.same(actions, [
    { kind: 'stage', from: 'battery', to: 'shutdown' },
    { kind: 'shutdown-begun', cause: 'charge', graceMs: GRACE_MS },
    { kind: 'shut-down', cause: 'charge' },
  ])
  t.equal(state.phase, 'done')
  const steps = run(times(3 + GRACE_MS / 1000 - 1, low), at('battery'))
  t.notOk(kinds(steps.actions).includes('shut-down'), 'not a second early')
})

t.test('mains that comes back within the grace calls the shutdown off', async t => {
  const low = { ...calm, percent: 4 }
  const { actions, state } = run([...times(20, low), ...times(40, mains)], at('battery'))
  t.same(kinds(actions), ['stage', 'shutdown-begun', 'stage', 'shutdown-cancelled'])
  t.equal(state.stage, 'mains')
})

t.test('mains in the very last sample is enough', async t => {
  const low = { ...calm, percent: 4 }
  const begun = run(times(3 + GRACE_MS / 1000 - 1, low), at('battery')).state
  const { actions, state } = run([mains, mains, mains], begun)
  t.same(kinds(actions), ['stage', 'shutdown-cancelled'])
  t.equal(state.stage, 'mains')
})

t.test('a fresh pack within the grace calls the shutdown off', async t => {
  const low = { ...calm, percent: 4, marginMillivolts: -50 }
  const { actions, state } = run([...times(20, low), ...times(3, calm)], at('battery'))
  t.ok(kinds(actions).includes('shutdown-cancelled'))
  t.equal(state.stage, 'battery')
})

t.test('silence within the grace does not call it off', async t => {
  const low = { ...calm, percent: 4 }
  const { actions } = run([...times(5, low), ...times(60, unknown)], at('battery'))
  t.equal(kinds(actions).filter(kind => kind === 'shut-down').length, 1)
})

t.test(
  'while a show is armed an empty pack stops at protect, and the voltage powers off',
  async t => {
    const armed = { ...calm, isArmed: true, percent: 0, minutes: 0 }
    t.equal(run(times(500, armed), at('battery')).state.stage, 'protect')
    const dying = { ...armed, marginMillivolts: -10 }
    const { actions } = run(times(40, dying), at('protect'))
    t.same(actions.at(-1), { kind: 'shut-down', cause: 'voltage' })
  },
)

t.test('a show that is armed within the grace stays on', async t => {
  const low = { ...calm, percent: 4 }
  const armed = { ...low, isArmed: true }
  const { actions, state } = run([...times(10, low), ...times(60, armed)], at('battery'))
  t.same(kinds(actions), ['stage', 'shutdown-begun', 'stage', 'shutdown-cancelled'])
  t.equal(state.stage, 'protect')
})

t.test('a dip of the voltage shorter than the samples is no reason', async t => {
  const dip = { ...calm, marginMillivolts: -300 }
  const { stages } = run([dip, dip, calm, dip, dip, calm, dip, dip], at('battery'))
  t.same([...new Set(stages)], ['battery'])
})

t.test('a peak of the load may hold the voltage down for a while, but not for long', async t => {
  const peak = { ...calm, marginMillivolts: -100, usualMarginMillivolts: 250 }
  const cases = [
    [times(15, peak), 'shed'],
    [[...times(15, peak), calm, ...times(15, peak)], 'shed'],
    [times(17, peak), 'shed'],
    [times(18, peak), 'shutdown'],
    // So deep that the converter behind it may drop out.
    [times(3, { ...peak, marginMillivolts: -251 }), 'shutdown'],
    // The load of always is too much.
    [times(3, { ...peak, usualMarginMillivolts: -1 }), 'shutdown'],
    // Nobody measures the load.
    [times(3, { ...peak, usualMarginMillivolts: null }), 'shutdown'],
  ] as const
  const shedding = (sample: PolicySample): PolicySample => ({ ...sample, percent: 19 })
  for (const [samples, stage] of cases)
    for (const isArmed of [false, true]) {
      const lived = samples.map(sample => ({ ...shedding(sample), isArmed }))
      t.equal(run(lived, at('shed')).state.stage, stage, `${lived.length} samples`)
    }
})

t.test('a pack that recovers between the peaks of its load is as empty as before', async t => {
  const empty = { ...calm, percent: 6, minutes: 4, isArmed: true }
  const peak = times(3, { ...empty, marginMillivolts: -20 })
  const rest = times(10, { ...empty, marginMillivolts: 220 })
  const { stages, actions } = run(
    [...peak, ...rest, ...peak, ...rest, ...peak, ...rest],
    at('protect'),
  )
  t.same(
    stages.filter((stage, index) => stage !== stages[index - 1]),
    ['protect', 'shutdown'],
  )
  t.equal(kinds(actions).filter(kind => kind === 'shut-down').length, 1)
})

t.test('a fresh pack ends what the voltage has begun, of any chemistry', async t => {
  const begun = run(times(3, { ...calm, marginMillivolts: -20, percent: 2 }), at('battery')).state
  for (const fresh of [
    { percent: null, minutes: null, marginMillivolts: 300 },
    { percent: 95, marginMillivolts: 150 },
  ]) {
    const { state } = run(times(6, { ...calm, ...fresh }), begun)
    t.not(state.stage, 'shutdown', JSON.stringify(fresh))
  }
})

t.test('a low voltage with mains present is a pack that is being charged', async t => {
  const charging = { ...mains, percent: 3, marginMillivolts: -200 }
  t.equal(run(times(100, charging)).state.stage, 'mains')
  const drained = { ...charging, isDischarging: true }
  t.equal(run(times(100, drained)).actions.at(-1)?.kind, 'shut-down', 'unless it goes on draining')
})

t.test('a box that may not switch itself off says so once, and stays on', async t => {
  const rules = { ...options, mayShutDown: false }
  const low = { ...calm, percent: 1, marginMillivolts: -500 }
  const { actions, state } = run(times(300, low), at('battery'), rules)
  t.same(kinds(actions), ['stage', 'shutdown-forbidden'])
  t.equal(state.stage, 'shutdown')
})

t.test(
  'a shutdown that the system refused is not asked for again until things were better',
  async t => {
    const low = { ...calm, percent: 4 }
    const done = run(times(40, low), at('battery')).state
    const after = run(times(300, low), refused(done))
    t.same(after.actions, [])
    const again = run([...times(3, calm), ...times(40, low)], after.state)
    t.equal(kinds(again.actions).filter(kind => kind === 'shut-down').length, 1)
  },
)

const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> =>
  fc.oneof({ weight: 5, arbitrary }, { weight: 1, arbitrary: fc.constant(null) })

const anySample: fc.Arbitrary<PolicySample> = fc.record({
  elapsedMs: fc.integer({ min: 500, max: 5_000 }),
  isExternal: maybe(fc.boolean()),
  isDischarging: maybe(fc.boolean()),
  percent: maybe(fc.integer({ min: 0, max: 40 })),
  minutes: maybe(fc.integer({ min: 0, max: 60 })),
  marginMillivolts: maybe(fc.integer({ min: -100, max: 300 })),
  usualMarginMillivolts: maybe(fc.integer({ min: -100, max: 300 })),
  isArmed: fc.boolean(),
})

/** Runs of one sample, as life has them. */
const anyEvening = fc
  .array(fc.tuple(anySample, fc.integer({ min: 1, max: 45 })), { minLength: 1, maxLength: 12 })
  .map(runs => runs.flatMap(([sample, count]) => times(count, sample)))

/** Samples in a row, up to each, in which the packs carried the box below the limit. */
function lowInARow(samples: readonly PolicySample[]): number[] {
  let low = 0
  return samples.map(({ marginMillivolts: margin, isExternal, isDischarging }) => {
    const isOnPacks = isExternal !== true || isDischarging === true
    if (margin !== null) low = margin < 0 && isOnPacks ? low + 1 : 0
    return low
  })
}

t.test('an armed show is powered off by nothing but three low voltages in a row', async t => {
  let reached = 0
  fc.assert(
    fc.property(anyEvening, samples => {
      const low = lowInARow(samples)
      const off = run(samples).phases.indexOf('done')
      if (off === -1 || !samples[off]?.isArmed) return true
      reached++
      return low.slice(0, off + 1).some(count => count >= options.samples)
    }),
    { numRuns: 2_000, seed: 7 },
  )
  t.ok(reached > 20, `${reached} armed boxes were powered off by their voltage`)
})

t.test('from mains to shutdown takes three samples at least, and the power goes once', async t => {
  let reached = 0
  fc.assert(
    fc.property(anyEvening, samples => {
      const { stages, actions } = run(samples)
      for (const [index, stage] of stages.entries()) {
        if (stage !== 'shutdown' || stages[index - 1] === 'shutdown') continue
        reached++
        const fed = stages.slice(0, index).lastIndexOf('mains')
        const arrived = stages.slice(0, fed + 1).findLastIndex(other => other !== 'mains')
        if (index - arrived < options.samples) return false
      }
      return kinds(actions).filter(kind => kind === 'shut-down').length <= 1
    }),
    { numRuns: 2_000, seed: 8 },
  )
  t.ok(reached > 100, `${reached} shutdowns`)
})

t.test('a charge that wavers around a limit changes the stage once', async () => {
  fc.assert(
    fc.property(
      fc.constantFrom(30, 20, 10),
      fc.array(fc.double({ min: -1.4, max: 1.4, noNaN: true }), { minLength: 50, maxLength: 300 }),
      (limit, noise) => {
        const samples = noise.map(by => ({ ...calm, percent: limit + by, minutes: null }))
        const { stages } = run(samples, at('battery'))
        const changes = stages.filter((stage, index) => index > 0 && stage !== stages[index - 1])
        const ranks = stages.map(rankOf)
        const isRising = ranks.every(
          (rank, index) => index === 0 || rank >= (ranks[index - 1] ?? 0),
        )
        return changes.length <= 2 && isRising
      },
    ),
    { numRuns: 500, seed: 9 },
  )
})
