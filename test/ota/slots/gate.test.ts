import t from 'tap'
import { SimulatedBoxApi, wellBox } from '../../../drivers/simulated/box-api.js'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import {
  type GateOutcome,
  judge,
  nothingMore,
  runGate,
  unmet,
  usualGate,
} from '../../../ota/slots/gate.js'
import type { BoxReport } from '../../../runtime/ports/box-api.js'

const silent = (name: string) => ({ name, isAnswering: false, problem: 'device.absent' })

for (const { what, report, needs, found } of [
  { what: 'a well box', report: {}, needs: {}, found: [] },
  {
    what: 'not ready',
    report: { isReady: false },
    needs: {},
    found: ['ready: it is not ready yet'],
  },
  {
    what: 'a silent device',
    report: { devices: [silent('front'), silent('back')] },
    needs: { faultyBefore: ['back'] },
    found: ['devices: 1 do not answer: front (device.absent)'],
  },
  {
    what: 'a device that was silent before',
    report: { devices: [silent('front')] },
    needs: { faultyBefore: ['front'] },
    found: [],
  },
  {
    what: 'a broker that says nothing',
    report: { isBrokerLooping: false },
    needs: {},
    found: ['broker: no message came back'],
  },
  { what: "somebody else's broker", report: { isBrokerLooping: null }, needs: {}, found: [] },
  {
    what: 'a clock that is off',
    report: { clock: { isSound: false, words: 'follows nobody' } },
    needs: {},
    found: ['clock: follows nobody'],
  },
  {
    what: 'a clock that was off before',
    report: { clock: { isSound: false, words: 'follows nobody' } },
    needs: { isClockNeeded: false },
    found: [],
  },
  {
    what: 'a box that should hear others, and see a hub',
    report: { peersHeard: 1, isHubSeen: false },
    needs: { peersMin: 2, isHubNeeded: true },
    found: ['peers: 1 of 2 other boxes are heard', 'hub: not seen'],
  },
])
  t.test(`the gate on ${what}`, async t => {
    t.same(unmet(judge({ ...wellBox, ...report }, { ...nothingMore, ...needs })), found)
  })

async function outcomeOf(
  told: (atMs: number) => BoxReport | null,
): Promise<{ outcome: GateOutcome; tookMs: number }> {
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const box = new SimulatedBoxApi(null)
  const running = runGate({ box, clock }, { ...usualGate, needs: nothingMore }, () => {
    box.told = told(clock.monotonicMs())
  })
  let tookMs = -1
  void running.then(() => {
    tookMs = clock.monotonicMs()
  })
  for (let second = 0; second < 90 && tookMs < 0; second++) await clock.advance(1_000)
  return { outcome: await running, tookMs }
}

t.test('a box must be well for five seconds on end', async t => {
  const { outcome, tookMs } = await outcomeOf(atMs => (atMs >= 3_000 ? wellBox : null))
  t.ok(outcome.isPassed)
  t.ok(tookMs >= 8_000 && tookMs <= 10_000, `${tookMs}`)
})

t.test('one that is well every other moment never is', async t => {
  const isWell = (atMs: number): boolean => Math.floor(atMs / 3_000) % 2 === 0
  const { outcome, tookMs } = await outcomeOf(atMs => (isWell(atMs) ? wellBox : null))
  t.notOk(outcome.isPassed)
  t.ok(tookMs >= 60_000 && tookMs <= 61_500, `${tookMs}`)
})

t.test('one that does not answer is told so in words', async t => {
  const { outcome } = await outcomeOf(() => null)
  t.same(unmet(outcome.criteria), ['ready: the box does not answer: the box is not there'])
})
