import t from 'tap'
import { randomFrom } from '../../../../runtime/core/random.js'
import { monotonicMs } from '../../../../runtime/core/time.js'
import {
  type Estimate,
  type Finding,
  PathFilter,
} from '../../../../runtime/services/clock/ptp/path-filter.js'

const MASTER_NS = 1_790_000_000_000_000_000n

interface PathOptions {
  readonly ppm: number
  /** What queues add to a way, in ns. */
  readonly there: () => number
  readonly back: () => number
  readonly everyMs: number
}

/** A master that runs faster than the own clock by `ppm`, behind a path of 50 us each way. */
class Path {
  readonly filter: PathFilter
  readonly findings: Finding[] = []
  nowMs = 5000
  stepNs = 0
  readonly #options: PathOptions

  constructor(options: Partial<PathOptions>, learnedPpm: number | null = null) {
    this.#options = { ppm: 0, there: () => 0, back: () => 0, everyMs: 125, ...options }
    this.filter = new PathFilter(learnedPpm)
  }

  /** Of the master, at a moment of the own clock. */
  truthNs(atMs: number): bigint {
    const ns = atMs * (1e6 + this.#options.ppm) + this.stepNs
    return MASTER_NS + BigInt(Math.round(ns))
  }

  run(forMs: number): void {
    const { there, back, everyMs } = this.#options
    for (const untilMs = this.nowMs + forMs; this.nowMs < untilMs; this.nowMs += everyMs) {
      const requestMs = this.nowMs + 40
      const finding = this.filter.add({
        syncSentNs: this.truthNs(this.nowMs) - BigInt(Math.round(50_000 + there())),
        syncReceived: monotonicMs(this.nowMs),
        requestSent: monotonicMs(requestMs),
        requestReceivedNs: this.truthNs(requestMs) + BigInt(Math.round(50_000 + back())),
      })
      if (finding) this.findings.push(finding)
    }
  }

  last(): Estimate {
    const finding = this.findings.filter(({ kind }) => kind === 'estimate').at(-1)
    if (finding?.kind !== 'estimate') throw new Error('there is no estimate')
    return finding.estimate
  }

  /** How far the last estimate is from the truth, in ns. */
  errorNs(): number {
    const { at, masterNs } = this.last()
    return Number(masterNs - this.truthNs(at))
  }
}

const exponential = (seed: number, meanNs: number): (() => number) => {
  const random = randomFrom(seed)
  return () => -meanNs * Math.log(1 - random())
}

t.test('a quiet path is found to the nanosecond, with its rate and its length', async t => {
  const path = new Path({ ppm: 37 })
  path.run(20_000)
  t.ok(Math.abs(path.errorNs()) < 5)
  t.ok(Math.abs(path.last().ratePpm - 37) < 0.001)
  t.ok(Math.abs(path.last().delayNs - 50_000) < 5)
  t.equal(path.findings.length, 19, 'each second that has passed')
})

t.test('what a queue adds to a way is filtered away, and the bound holds the truth', async t => {
  for (let seed = 1; seed <= 20; seed++) {
    const queues = { there: exponential(seed, 20_000), back: exponential(seed + 100, 20_000) }
    const path = new Path({ ppm: -50, ...queues })
    path.run(40_000)
    t.ok(Math.abs(path.errorNs()) < 3000, `${path.errorNs()} ns`)
    t.ok(Math.abs(path.last().ratePpm + 50) < 0.3, `${path.last().ratePpm} ppm`)
    for (const finding of path.findings)
      if (finding.kind === 'estimate') {
        const { at, masterNs, boundNs } = finding.estimate
        t.ok(Math.abs(Number(masterNs - path.truthNs(at))) <= boundNs)
      }
  }
})

t.test('a way that is long for seconds in one direction only moves nothing', async t => {
  let isBusy = false
  const path = new Path({ ppm: 20, there: () => (isBusy ? 800_000 : 0) })
  path.run(20_000)
  isBusy = true
  path.run(8000)
  t.ok(Math.abs(path.errorNs()) < 2000, `${path.errorNs()} ns`)
  t.notOk(path.findings.some(({ kind }) => kind === 'stepped'))
})

t.test('one stamp that is far off is not believed', async t => {
  let wrongNs = 0
  const path = new Path({ ppm: 20, there: () => wrongNs })
  path.run(20_000)
  wrongNs = -300_000
  path.run(250)
  wrongNs = 0
  path.run(5000)
  t.ok(Math.abs(path.errorNs()) < 100, `${path.errorNs()} ns`)
  t.notOk(path.findings.some(({ kind }) => kind === 'stepped'))
})

t.test('a step of the master is told, with its size, and never smeared', async t => {
  for (const stepNs of [500_000, -500_000, 3.6e12, -3.6e12]) {
    const path = new Path({ ppm: 20 })
    path.run(20_000)
    path.stepNs = stepNs
    const before = path.findings.length
    path.run(4000)
    const after = path.findings.slice(before)
    const steps = after.filter(({ kind }) => kind === 'stepped')
    t.equal(steps.length, 1)
    const [step] = steps
    t.ok(step?.kind === 'stepped' && Math.abs(step.byNs - stepNs) < 60_000)
    t.ok(Math.abs(path.errorNs()) < 2000, `${path.errorNs()} ns`)
    t.ok(Math.abs(path.last().ratePpm - 20) < 1, 'the rate is as good as before')
  }
})

t.test('a rate that was learned is as good as known from the first second', async t => {
  const learned = new Path(
    { ppm: 42, there: exponential(3, 20_000), back: exponential(4, 20_000) },
    42,
  )
  learned.run(2500)
  t.ok(Math.abs(learned.last().ratePpm - 42) < 1.5, `${learned.last().ratePpm}`)
})

t.test('a slow master is followed too: one exchange every two seconds', async t => {
  const path = new Path({ ppm: 30, everyMs: 2000 })
  path.run(60_000)
  t.ok(Math.abs(path.errorNs()) < 100)
  t.ok(Math.abs(path.last().ratePpm - 30) < 0.01)
})

t.test('a clock that is faster than any crystal is not followed', async t => {
  const path = new Path({ ppm: 5000 })
  path.run(10_000)
  t.notOk(
    path.findings.some(one => one.kind === 'estimate' && Math.abs(one.estimate.ratePpm) > 500),
  )
})
