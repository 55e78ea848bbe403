import t from 'tap'
import { randomFrom } from '../../../../runtime/core/random.js'
import { monotonicMs } from '../../../../runtime/core/time.js'
import { rootDistanceMs, select } from '../../../../runtime/services/clock/wall/ntp-select.js'
import type { Heard } from '../../../../runtime/services/clock/wall/ntp-source.js'

const NOW = monotonicMs(1_000)
const BASE_MS = 1.79e12
const VENUES = 3_000

let hosts = 0
const heard = (differenceMs: number, delayMs = 20, changes: Partial<Heard> = {}): Heard => {
  const address = `192.0.2.${++hosts}`
  return {
    host: address,
    address,
    leap: 0,
    stratum: 2,
    rootDelayMs: 0,
    rootDispersionMs: 1,
    best: { at: NOW, differenceMs: BASE_MS + differenceMs, delayMs, dispersionMs: 0 },
    jitterMs: 0.5,
    dispersionMs: 0.5,
    ...changes,
  }
}

const ahead = (sources: readonly Heard[]): number | null => {
  const selected = select(sources, NOW, 0)
  return selected === null ? null : selected.differenceMs - BASE_MS
}

t.test('who is alone is believed', async t => {
  t.equal(ahead([heard(3)]), 3)
  t.equal(ahead([]), null)
})

t.test('two that agree are believed, two that do not are not', async t => {
  t.ok(Math.abs((ahead([heard(1), heard(2)]) ?? 9) - 1.5) < 0.01)
  t.equal(ahead([heard(0), heard(1_000)]), null)
})

t.test('more than half must agree', async t => {
  const liars = [heard(5_000), heard(-9_000)]
  t.ok(Math.abs(ahead([heard(0), heard(1), heard(2), ...liars]) ?? 9_999) < 3)
  t.equal(ahead([heard(0), heard(1), ...liars]), null)
  const together = [heard(5_000), heard(5_001), heard(0)]
  t.ok(Math.abs((ahead(together) ?? 0) - 5_000) < 2, 'who lies in a majority is believed')
})

t.test('one that says it is exact and is alone with that is a falseticker', async t => {
  const exact = heard(500, 0.1, { rootDispersionMs: 0, dispersionMs: 0, jitterMs: 0 })
  const selected = select([exact, heard(0), heard(2)], NOW, 0)
  t.notOk(selected?.believed.includes(exact.address))
})

t.test('the nearer one counts more, and the lower stratum is passed on', async t => {
  const near = heard(0, 2, { stratum: 3 })
  const far = heard(10, 200, { stratum: 2 })
  const selected = select([near, far], NOW, 0)
  t.ok((selected?.differenceMs ?? 0) - BASE_MS < 3)
  t.equal(selected?.leader.address, far.address)
})

t.test('one that may be more than a second and a half off is not believed', async t => {
  t.equal(ahead([heard(0, 4_000)]), null)
})

t.test('what was heard a while ago is taken on at the rate of the date', async t => {
  const old = heard(0)
  const then = { ...old, best: { ...old.best, at: monotonicMs(NOW - 100_000) } }
  const selected = select([then], NOW, 20)
  t.ok(Math.abs((selected?.differenceMs ?? 0) - BASE_MS - 2) < 0.01)
})

t.test('in any venue where most tell the truth, the truth is within the bound', async t => {
  const random = randomFrom(5)
  let [wrongCount, liarCount] = [0, 0]
  for (let venue = 0; venue < VENUES; venue++) {
    const honest = 2 + Math.floor(random() * 5)
    const liars = Math.floor(random() * honest)
    const truth = Array.from({ length: honest }, () => {
      const one = heard(0, 5 + 100 * random())
      // As far off as a way that is longer one way than the other can make it.
      const offMs = (2 * random() - 1) * (rootDistanceMs(one) - 2)
      return { ...one, best: { ...one.best, differenceMs: BASE_MS + offMs } }
    })
    const lies = Array.from({ length: liars }, () => heard((random() - 0.5) * 1e6))
    liarCount += liars
    const selected = select([...truth, ...lies], NOW, 0)
    if (selected === null) wrongCount++
    else if (Math.abs(selected.differenceMs - BASE_MS) > 110) wrongCount++
  }
  t.ok(liarCount > VENUES)
  t.equal(wrongCount, 0)
})
