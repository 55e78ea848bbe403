/** The service among simulated parts: what lights are told, and when; what is answered, and when. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { SimulatedStore } from '../../../drivers/simulated/store.js'
import { BoxError } from '../../../runtime/core/errors.js'
import { monotonicMs, showTimeMs } from '../../../runtime/core/time.js'
import type { ShowTimeMs } from '../../../runtime/ports/clock.js'
import type { Store } from '../../../runtime/ports/store.js'
import { ShowScale } from '../../../runtime/services/clock/show-scale.js'
import { fold } from '../../../runtime/services/show/fold.js'
import { levels } from '../../../runtime/services/show/levels.js'
import { initialState } from '../../../runtime/services/show/state.js'
import { fireOf, Stage, type StageOptions } from './stage.js'

const small = readFileSync('test/fixtures/shows/small.yaml', 'utf8')

async function started(options: Partial<StageOptions> = {}): Promise<Stage> {
  const stage = new Stage({ show: small, ...options })
  await stage.service.start()
  return stage
}

/** The end of a fade: when the light first showed its last level. */
const lastChange = (stage: Stage, light = 'dimmer'): { atMs: number; levels: readonly number[] } =>
  stage.light(light).applied.at(-1) ?? { atMs: -1, levels: [] }

t.test('lights are at home when the show has started', async t => {
  const stage = await started()
  t.same(stage.light('dimmer').shown, [0.1, 0, 0, 0])
  t.same(stage.light('relay').shown, [0])
  t.match(stage.heard('show/state'), [{ name: 'small', current: null, next: '1', isArmed: false }])
})

t.test(
  'GO changes the lights in the same turn, and is answered when it is on the disk',
  async t => {
    const stage = await started()
    await stage.clock.advance(1000)
    await stage.ask({ action: 'fire', cue: '2' })
    t.match(stage.heard('command/answered'), [{ isAccepted: true, code: null, origin: 'test' }])
    await stage.clock.advance(5000)
    t.match(stage.heard('cue/fired')[0], {
      cue: '2',
      origin: 'test',
      atShowMs: 1_001_000,
      lateMs: 0,
    })
    t.match(stage.heard('cue/late').at(-1), { count: 2 })
    t.match(stage.heard('cue/lateness'), [{ count: 1 }, { count: 1 }], 'of each cue')
  },
)

t.test('the last frame of a fade is its end, exactly and to the millisecond', async t => {
  const stage = await started()
  await stage.clock.advance(13)
  await stage.ask({ action: 'go' })
  await stage.clock.advance(6000)
  t.same(lastChange(stage), { atMs: 4013, levels: [0.4, 0.4, 0.4, 0.4] })
  const frames = stage.light('dimmer').applied.filter(({ atMs }) => atMs > 13)
  t.equal(frames.length, 161, '40 a second for four seconds')
})

t.test('frames are handed over ahead of time', async t => {
  const stage = await started()
  await stage.ask({ action: 'go' })
  const before = stage.light('dimmer').applied.length
  const handed = stage.light('dimmer').calls.filter(call => call === 'apply').length
  t.ok(handed - before >= 4, `${handed - before} frames wait in the light`)
})

t.test('a light that needs time is told as much earlier', async t => {
  const stage = await started({
    lights: [
      { name: 'dimmer', channelCount: 4, leadMs: 80 },
      { name: 'relay', channelCount: 1, isDimmable: false },
    ],
  })
  await stage.ask({ action: 'fire', cue: '4', atShowMs: 1_002_000 })
  await stage.clock.advance(1000)
  await stage.ask({ action: 'level', target: 'front', level: 1 })
  await stage.clock.advance(5000)
  t.same(lastChange(stage), { atMs: 1080, levels: [1, 0, 0, 0] })
})

t.test('whatever a light is told belongs to the moment at which it shows it', async t => {
  for (const leadMs of [0, 80]) {
    const stage = await started({ lights: [{ name: 'dimmer', channelCount: 4, leadMs }] })
    let state = initialState(stage.show, 1_000_000)
    let from = 0
    let compared = 0
    for (const [index, cue] of ['1', '4', '3', '1'].entries()) {
      await stage.clock.advance(1500)
      const atMs = stage.clock.showTimeMs()
      const deed = fireOf(cue, `fire-${index}`)
      state = fold(stage.show, state, { atMs, t0Ms: atMs, deed }).state
      await stage.ask({ action: 'fire', cue, id: deed.id })
      await stage.clock.advance(1200)
      const { applied } = stage.light('dimmer')
      for (const shown of applied
        .slice(from)
        .filter(change => change.atMs >= atMs - 1e6 + leadMs)) {
        const [red, green, blue, front] = levels(stage.show, state, showTimeMs(shown.atMs + 1e6))
        compared++
        if (
          [front, red, green, blue].some(
            (level = 9, i) => Math.abs(level - (shown.levels[i] ?? 9)) > 1e-9,
          )
        )
          t.fail(`lead ${leadMs}, at ${shown.atMs}: ${shown.levels.join(' ')}`)
      }
      from = applied.length
    }
    t.ok(compared > 100, `${compared} frames`)
  }
})

t.test('a switched lamp changes in the middle of its fade, not at the next frame', async t => {
  const stage = await started()
  await stage.clock.advance(3)
  await stage.ask({ action: 'scene', scene: 'reveal', fadeMs: 1011 })
  await stage.clock.advance(2000)
  const [, change] = stage.light('relay').applied
  t.same(change?.levels, [1])
  t.ok(Math.abs((change?.atMs ?? 0) - 508.5) <= 0.1, `${change?.atMs}`)
})

t.test('a new cue takes back what the old one had planned', async t => {
  const stage = await started()
  await stage.ask({ action: 'go' })
  await stage.clock.advance(2000)
  await stage.ask({ action: 'level', target: 'all', level: 0 })
  const from = stage.light('dimmer').applied.length
  await stage.clock.advance(5000)
  t.same(
    stage
      .light('dimmer')
      .applied.slice(from)
      .filter(({ levels }) => levels.some(level => level > 0)),
    [],
  )
  t.same(stage.light('dimmer').shown, [0, 0, 0, 0])
})

t.test('nothing is done while nothing changes', async t => {
  const stage = await started()
  await stage.ask({ action: 'go' })
  await stage.clock.advance(10_000)
  const calls = stage.light('dimmer').calls.length
  const said = stage.said.length
  await stage.clock.advance(3_600_000)
  t.equal(stage.light('dimmer').calls.length, calls)
  t.equal(stage.said.length, said)
})

t.test('setting the wall clock by a day in the middle of a fade moves nothing', async t => {
  const ends = []
  for (const stepMs of [0, 86_400_000, -86_400_000]) {
    const stage = await started()
    await stage.ask({ action: 'go' })
    await stage.clock.advance(2000)
    stage.clock.stepWall(stepMs)
    await stage.clock.advance(10_000)
    ends.push(JSON.stringify(stage.light('dimmer').applied))
  }
  t.equal(ends[1], ends[0])
  t.equal(ends[2], ends[0])
  t.match(ends[0], /"atMs":4000,"levels":\[0\.4,0\.4,0\.4,0\.4\]}]$/)
})

/** A clock whose timeline can be set while the show runs. */
class SettableClock extends SimulatedClock {
  #byMs = 0
  constructor() {
    super({ showStartMs: 1_000_000, driftPpm: 0 })
  }
  setTimeline(byMs: number): void {
    this.#byMs += byMs
  }
  override monotonicToShow(at: Parameters<SimulatedClock['monotonicToShow']>[0]): ShowTimeMs {
    return showTimeMs(super.monotonicToShow(at) + this.#byMs)
  }
  override showToMonotonic(at: ShowTimeMs): ReturnType<SimulatedClock['showToMonotonic']> {
    return super.showToMonotonic(showTimeMs(at - this.#byMs))
  }
}

t.test('setting the timeline anew in the middle of a fade moves nothing', async t => {
  for (const byMs of [86_400_000, -86_400_000, 37_000]) {
    const clock = new SettableClock()
    const stage = await started({ clock })
    await stage.ask({ action: 'fire', cue: '2' })
    await clock.advance(400)
    clock.setTimeline(byMs)
    await clock.advance(60_000)
    const { applied } = stage.light('dimmer')
    t.ok(
      applied.some(({ atMs, levels }) => atMs === 1000 && levels[0] === 1),
      `${byMs}: its end`,
    )
    t.match(stage.heard('cue/fired')[1], { cue: '3', atShowMs: 1_003_000 + byMs }, 'its follow')
    t.ok(stage.log.events('warn').includes('show.timeline-set'))
  }
})

t.test('steering the timeline a little moves the fade with it', async t => {
  const clock = new SettableClock()
  const stage = await started({ clock })
  await stage.ask({ action: 'go' })
  await clock.advance(1000)
  clock.setTimeline(5)
  await clock.advance(10_000)
  t.equal(lastChange(stage).atMs, 3995)
})

/** Its cue 2 is a cut. */
const cutting = small.replace('{up: 1s, down: 2s, delay: {color: 500ms}}', '0s')

t.test('what is planned moves at once when the venue clock says that it stepped', async t => {
  const clock = new SettableClock()
  const stage = await started({ show: cutting, clock, options: { planAheadMs: 1200 } })
  await stage.ask({ action: 'fire', cue: '2', atShowMs: 1_000_900 })
  await clock.advance(100)
  clock.setTimeline(300)
  stage.bus.publish('clock/stepped', { byMs: 300 })
  await clock.advance(2000)
  t.match(stage.light('relay').applied.at(-1), { atMs: 600, levels: [1] })
})

t.test('what is planned a second ahead keeps up with the fastest slew', async t => {
  const at = monotonicMs
  for (const aheadMs of [300, 700, 1000, 1100, 1180]) {
    const showNs = 1_000_000_000_000n
    const scale = new ShowScale({ at: at(0), showNs, learnedPpm: 0, continued: null })
    const clock = new SimulatedClock({ showStartMs: 1_000_000, driftPpm: 0 })
    clock.follow(scale)
    const stage = await started({ show: cutting, clock, options: { planAheadMs: 1200 } })
    const t0 = showTimeMs(1_000_000 + 10 + aheadMs)
    await stage.ask({ action: 'fire', cue: '2', atShowMs: t0 })
    await clock.advance(10)
    const estimate = {
      at: at(10),
      masterNs: showNs + 30_000_000n,
      ratePpm: 0,
      rateDeviationPpm: 0.1,
      delayNs: 50_000,
      boundNs: 60_000,
      deviationNs: 1,
    }
    t.equal(scale.follow(estimate, at(10), 'slew').kind, 'slewed')
    await clock.advance(3000)
    const firedMs = stage.light('relay').applied.at(-1)?.atMs ?? 0
    const wrongMs = Math.abs(firedMs - scale.monotonicAt(t0))
    t.ok(aheadMs < 1000 || Math.abs(aheadMs + 10 - scale.monotonicAt(t0)) > 0.45, 'it matters')
    t.ok(wrongMs < 0.5, `${wrongMs} ms`)
  }
})

t.test(
  'the same command is carried out once and answered the same, after a restart too',
  async t => {
    const store = new SimulatedStore()
    const stage = await started({ store })
    await stage.ask({ action: 'go', id: 'A' })
    await stage.ask({ action: 'go', id: 'A' })
    t.equal(stage.heard('command/answered').length, 2)
    t.equal(stage.heard('show/state').at(-1)?.current, '1')
    await stage.service.stop()
    const again = await started({ store, clock: stage.clock })
    await again.ask({ action: 'go', id: 'A' })
    t.same(again.heard('command/answered'), [stage.heard('command/answered')[0]])
    t.equal(again.heard('show/state').at(-1)?.current, '1')
  },
)

t.test('a refusal says why, and is repeated as it was', async t => {
  const stage = await started()
  await stage.ask({ action: 'fire', cue: '9', id: 'A' })
  await stage.ask({ action: 'go', id: 'A' })
  const [first, second] = stage.heard('command/answered')
  t.match(first, { isAccepted: false, code: 'command.invalid' })
  t.same(second, first)
})

t.test('a full disk does not stop the lights, and the answer says what is missing', async t => {
  const store = new SimulatedStore()
  const stage = await started({ store })
  store.fault = 'storage.full'
  const id = await stage.ask({ action: 'go' })
  t.match(stage.answer(id), {
    isAccepted: false,
    code: 'storage.full',
    message: /^done, but not kept over a restart/,
  })
  await stage.clock.advance(4000)
  t.same(stage.light('dimmer').shown, [0.4, 0.4, 0.4, 0.4])
  await stage.ask({ action: 'go', id })
  t.equal(stage.heard('show/state').at(-1)?.current, '1', 'and it is not done twice')
  store.fault = null
  await stage.clock.advance(120_000)
  t.ok(stage.log.events().includes('show.journal-recovered'))
  await stage.service.stop()
  const again = await started({ store, clock: stage.clock })
  t.equal(again.heard('show/state').at(-1)?.current, '1', 'once there is room it is kept')
})

/** A store that answers nothing but errors: the card is gone. */
const noStore: Store = {
  commit: () => Promise.reject(new BoxError('storage.io', 'no card')),
  read: () => Promise.reject(new BoxError('storage.io', 'no card')),
  scan: () => Promise.reject(new BoxError('storage.io', 'no card')),
}

t.test('panic works without a disk and without being armed, within 300 ms', async t => {
  const stage = await started({ store: noStore })
  await stage.ask({ action: 'scene', scene: 'reveal', fadeMs: 0 })
  await stage.clock.advance(1000)
  stage.press('red')
  await stage.clock.advance(300)
  t.same(stage.light('dimmer').shown, [0.5, 0, 0, 0])
  t.same(stage.light('relay').shown, [0])
  await stage.ask({ action: 'go' })
  t.match(stage.heard('command/answered').at(-1), { isAccepted: false, code: 'command.refused' })
  stage.press('red', 'long-press')
  await stage.clock.advance(1500)
  t.equal(stage.light('dimmer').shown[0], 1)
})

t.test('a disk that never answers does not keep the show waiting', async t => {
  const never: Store = {
    commit: () => new Promise(() => {}),
    read: () => new Promise(() => {}),
    scan: () => new Promise(() => {}),
  }
  const stage = new Stage({ show: small, store: never })
  const start = stage.service.start()
  await stage.clock.advance(10_000)
  await start
  const id = await stage.ask({ action: 'go' })
  await stage.clock.advance(20_000)
  t.same(stage.light('dimmer').shown, [0.4, 0.4, 0.4, 0.4])
  t.match(stage.answer(id), { isAccepted: false, code: 'storage.io' })
})

t.test('buttons do what the show says, from the moment of the contact', async t => {
  const stage = await started()
  await stage.clock.advance(1000)
  stage.press('go', 'press', 20)
  t.match(stage.heard('show/state').at(-1), { current: '1' })
  stage.press('go', 'press', 0)
  t.match(stage.heard('show/state').at(-1), { current: '1' }, 'its hold-off is not over')
  await stage.clock.advance(250)
  stage.press('go')
  stage.press('go', 'release')
  await stage.clock.advance(600)
  t.match(stage.heard('cue/fired'), [
    { cue: '1', atShowMs: 1_000_980, origin: 'input:go' },
    { cue: '2', atShowMs: 1_001_250 },
  ])
  stage.press('back')
  t.match(stage.heard('show/state').at(-1), { current: '1', next: '2' })
  stage.press('foot')
  t.match(stage.heard('show/state').at(-1), { current: '2' })
})

t.test('the blackout button takes its own blackout back, by the hardware too', async t => {
  const stage = await started()
  stage.press('dark')
  t.ok(stage.light('dimmer').isDark)
  t.match(stage.heard('show/state').at(-1), { isBlackout: true })
  stage.press('dark')
  t.notOk(stage.light('dimmer').isDark)
  t.same(stage.light('dimmer').shown, [0.1, 0, 0, 0])
})

t.test('a panic that leaves light on opens a hardware blackout again', async t => {
  const stage = await started()
  await stage.ask({ action: 'blackout' })
  t.ok(stage.light('dimmer').isDark)
  await stage.ask({ action: 'panic' })
  await stage.clock.advance(300)
  t.same(stage.light('dimmer').shown, [0.5, 0, 0, 0])
})

t.test('actions happen at their offsets, pictures with the lead that the camera needs', async t => {
  const stage = await started()
  await stage.ask({ action: 'fire', cue: '2' })
  await stage.clock.advance(3000)
  t.same(stage.camera.calls, [
    { calledMs: 500, atMs: 1000 },
    { calledMs: 700, atMs: 1200 },
  ])
  t.match(stage.heard('capture/taken'), [
    {
      device: 'camera',
      cue: '2',
      plannedShowMs: 1_001_000,
      closedShowMs: 1_001_000,
      refused: null,
    },
    { cue: '2', closedShowMs: 1_001_200 },
  ])
  t.same(stage.heard('message/requested'), [
    { topic: 'stage/reveal', payload: 'hello', qos: 1, isRetained: false },
  ])
  t.match(stage.network.requests, [{ method: 'POST', url: 'http://media.test/play', body: '{}' }])
  t.equal(stage.said.find(({ topic }) => topic === 'message/requested')?.atMs, 100)
})

t.test('panic takes back pictures and messages that were still to come', async t => {
  const stage = await started()
  await stage.ask({ action: 'fire', cue: '2' })
  await stage.clock.advance(150)
  await stage.ask({ action: 'panic' })
  await stage.clock.advance(5000)
  t.same(stage.camera.calls, [])
  t.same(stage.network.requests, [])
  t.equal(stage.heard('cue/fired').length, 1, 'nor does the follow come')
})

t.test('a request that fails is told to the log and to nobody else', async t => {
  const stage = await started()
  stage.network.link = { isUp: false, delayMs: 0, status: 0 }
  await stage.ask({ action: 'fire', cue: '2' })
  await stage.clock.advance(3000)
  t.ok(stage.log.events('warn').includes('show.request-failed'))
})

t.test(
  'what was due while the box was away is not done afterwards, what is to come is',
  async t => {
    const store = new SimulatedStore()
    const stage = await started({ store })
    await stage.ask({ action: 'fire', cue: '2' })
    await stage.clock.advance(50)
    await stage.service.stop()
    await stage.clock.advance(100)
    const again = await started({ store, clock: stage.clock })
    await stage.clock.advance(3000)
    t.same(again.heard('message/requested'), [])
    t.equal(again.network.requests.length, 1)
    t.equal(again.camera.calls.length, 2)
  },
)

t.test(
  'after a power cut in the middle of a fade, its end is where it would have been',
  async t => {
    const store = new SimulatedStore()
    const stage = await started({ store: store.boot({ callsUntilPowerCut: 50 }) })
    await stage.ask({ action: 'go' })
    await stage.clock.advance(2000)
    store.cutPower()
    await stage.clock.advance(1000)
    const again = await started({
      store: store.boot({ callsUntilPowerCut: 50 }),
      clock: stage.clock,
    })
    const shown = again.light('dimmer').shown.map(level => Math.round(level * 1e9) / 1e9)
    t.same(shown, [0.325, 0.3, 0.3, 0.3], 'at once where it is by now')
    await stage.clock.advance(5000)
    t.same(lastChange(again), { atMs: 4000, levels: [0.4, 0.4, 0.4, 0.4] })
  },
)

t.test('a lamp that is late is measured', async t => {
  const stage = await started()
  stage.light('dimmer').lateMs = 7
  await stage.clock.advance(100)
  await stage.ask({ action: 'fire', cue: '3' })
  await stage.clock.advance(1000)
  t.match(stage.heard('cue/fired'), [{ cue: '3', lateMs: 7 }])
  t.match(stage.heard('cue/late').at(-1), { count: 1, max: 7 })
})

t.test('milliseconds are published to the microsecond', async t => {
  const clock = new SimulatedClock({ showStartMs: 1_000_000.123456, driftPpm: 37.7 })
  const stage = await started({ clock })
  stage.light('dimmer').lateMs = 7.123456
  await stage.clock.advance(100)
  stage.press('foot')
  await stage.clock.advance(8000)
  t.match(stage.heard('cue/fired')[0], { cue: '2', lateMs: 7.123 })
  const found = stage.said.flatMap(({ topic, payload }) =>
    Object.entries(payload).flatMap(([key, value]) =>
      typeof value === 'number' && (key.endsWith('Ms') || topic === 'cue/late')
        ? [{ topic, key, value }]
        : [],
    ),
  )
  t.same(
    found.filter(({ value }) => value !== Math.round(value * 1000) / 1000),
    [],
  )
  const kinds = new Set(found.map(({ topic, key }) => `${topic} ${key}`))
  for (const kind of ['cue/fired lateMs', 'cue/fired atShowMs', 'cue/late p99'])
    t.ok(kinds.has(kind), kind)
  for (const kind of ['capture/taken plannedShowMs', 'capture/taken closedShowMs'])
    t.ok(kinds.has(kind), kind)
})

t.test('what an older leader had scheduled is off the lights and out of the list', async t => {
  const store = new SimulatedStore()
  const stage = await started({ store })
  await stage.ask({ action: 'fire', cue: '4', epoch: 1, atShowMs: 1_000_050 })
  await stage.ask({ action: 'level', target: 'lamp', level: 0, epoch: 2 })
  await stage.clock.advance(1000)
  t.same(stage.heard('cue/fired'), [])
  t.same(stage.light('dimmer').shown, [0.1, 0, 0, 0], 'frames that were planned for it too')
  t.match(stage.heard('show/state').at(-1), { current: null, epoch: 2 })
  t.match(stage.log.lines.find(({ event }) => event === 'show.leader-new')?.facts, {
    epoch: 1,
  })
  t.match(stage.log.lines.findLast(({ event }) => event === 'show.leader-new')?.facts, {
    epoch: 2,
    takenBack: 1,
  })
  await stage.service.stop()
  const again = await started({ store, clock: stage.clock })
  const id = await again.ask({ action: 'go', epoch: 1, id: 'old' })
  t.match(again.answer(id), { code: 'command.refused' }, 'after a restart too')
})

t.test('a goto outlives a restart, and its GO shows the whole look of the list', async t => {
  const store = new SimulatedStore()
  const stage = await started({ store })
  await stage.ask({ action: 'fire', cue: '2' })
  await stage.clock.advance(500)
  await stage.ask({ action: 'goto', cue: '4' })
  await stage.clock.advance(10_000)
  t.match(stage.heard('show/state').at(-1), { current: '2', next: '4' }, 'the follow does not come')
  await stage.ask({ action: 'goto', cue: '1' })
  await stage.service.stop()
  const again = await started({ store, clock: stage.clock })
  await again.ask({ action: 'go', id: 'jump' })
  await again.clock.advance(5000)
  t.match(again.heard('show/state').at(-1), { current: '1', next: '2' })
  t.same(again.light('dimmer').shown, [0.4, 0.4, 0.4, 0.4])
})

t.test('a fade that begins too gently to be seen is not late for that', async t => {
  const stage = await started()
  stage.light('dimmer').steps = 50
  await stage.clock.advance(100)
  await stage.ask({ action: 'go' })
  await stage.clock.advance(1000)
  t.match(stage.heard('cue/fired'), [{ cue: '1', lateMs: 0 }])
  t.ok((stage.said.find(({ topic }) => topic === 'cue/fired')?.atMs ?? 0) > 150)
})

t.test('a cue that changes nothing has no lateness', async t => {
  const stage = await started()
  await stage.ask({ action: 'fire', cue: '4' })
  await stage.clock.advance(10_000)
  await stage.ask({ action: 'fire', cue: '4' })
  await stage.clock.advance(1000)
  t.same(
    stage.heard('cue/fired').map(({ lateMs }) => lateMs),
    [0, null],
  )
})

const sayDimmer = (stage: Stage, state: 'faulty' | 'ready'): void =>
  stage.bus.publish('device/state', {
    device: 'dimmer',
    driver: 'any',
    kind: 'light',
    state,
    code: null,
    message: null,
  })

t.test('a light that comes back gets its present levels at once', async t => {
  const stage = await started()
  await stage.ask({ action: 'go' })
  await stage.clock.advance(1000)
  sayDimmer(stage, 'faulty')
  const { length } = stage.light('dimmer').calls
  await stage.clock.advance(1000)
  t.notOk(stage.light('dimmer').calls.slice(length).includes('apply'), 'it is left alone')
  await stage.clock.advance(5000)
  sayDimmer(stage, 'ready')
  t.same(lastChange(stage), { atMs: 7000, levels: [0.4, 0.4, 0.4, 0.4] })
  const again = stage.light('dimmer').calls.length
  sayDimmer(stage, 'ready')
  t.equal(stage.light('dimmer').calls.length, again, 'said again, it changes nothing')
})

t.test('a light that was away when a blackout ended is not dark when it comes back', async t => {
  const stage = await started()
  await stage.ask({ action: 'blackout', on: true })
  t.equal(stage.light('dimmer').isDark, true)
  sayDimmer(stage, 'faulty')
  await stage.ask({ action: 'blackout', on: false })
  sayDimmer(stage, 'ready')
  t.equal(stage.light('dimmer').isDark, false)
  await stage.ask({ action: 'blackout', on: true })
  sayDimmer(stage, 'faulty')
  sayDimmer(stage, 'ready')
  t.equal(stage.light('dimmer').isDark, true, 'and one that comes back in a blackout is')
})

t.test(
  'what follows a cue that was joined late is due at once, when its moment is over',
  async t => {
    const stage = await started()
    await stage.clock.advance(10_000)
    await stage.ask({ action: 'fire', cue: '2', atShowMs: 1_006_500 })
    await stage.clock.advance(10)
    t.match(stage.heard('cue/fired'), [
      { cue: '2', atShowMs: 1_006_500 },
      { cue: '3', atShowMs: 1_009_500 },
    ])
  },
)

t.test('a scheduled cue happens at its moment, exactly', async t => {
  const stage = await started()
  await stage.ask({ action: 'fire', cue: '4', atShowMs: 1_005_000.25 })
  await stage.clock.advance(4999)
  t.equal(stage.heard('show/state').at(-1)?.current, null)
  await stage.clock.advance(10_000)
  t.match(stage.heard('cue/fired'), [{ cue: '4', atShowMs: 1_005_000.25, lateMs: 0 }])
  t.equal(lastChange(stage).atMs, 7000.25)
})

t.test('an armed show keeps its appointments', async t => {
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const show = small.replace('name: Dark,', 'name: Dark, at: "1970-01-01T01:00:00Z",')
  const stage = await started({ show, clock })
  await clock.advance(10_000)
  await stage.ask({ action: 'arm' })
  t.match(stage.heard('show/state').at(-1), { isArmed: true })
  await clock.advance(3_590_000 + 5)
  t.match(stage.heard('show/state').at(-1), { current: '4' })
  await clock.advance(1000)
  t.match(stage.heard('cue/fired'), [{ cue: '4', atShowMs: 3_600_000, origin: 'clock' }])
})

t.test('a box that was away for its appointment joins it', async t => {
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const store = new SimulatedStore()
  const show = small.replace('name: Doors,', 'name: Doors, at: "1970-01-01T00:00:10Z",')
  const stage = await started({ show, clock, store })
  await stage.ask({ action: 'arm' })
  await stage.service.stop()
  await clock.advance(12_000)
  const again = await started({ show, clock, store })
  await clock.advance(100)
  t.match(again.heard('show/state').at(-1), { current: '1', isArmed: true })
  await clock.advance(5000)
  t.equal(lastChange(again).atMs, 14_000, 'and its fade ends as if nothing had happened')
})

t.test('levels are shown to the page while they change, at most 25 times a second', async t => {
  const stage = await started()
  await stage.clock.advance(1000)
  const before = stage.heard('levels/sampled').length
  await stage.ask({ action: 'go' })
  await stage.clock.advance(10_000)
  const samples = stage.heard('levels/sampled').slice(before)
  t.ok(samples.length > 90 && samples.length <= 102, `${samples.length} in four seconds`)
  t.same(samples.at(-1), {
    levels: { color: 0.4, front: 0.4, lamp: 0.4 },
    colors: { color: [0.4, 0.4, 0.4] },
  })
})

t.test(
  'outputs go where the patch says when the leader is lost, and that outlives a restart',
  async t => {
    const store = new SimulatedStore()
    const stage = await started({ store })
    await stage.ask({ action: 'scene', scene: 'reveal', fadeMs: 0 })
    stage.service.noteLeader(true)
    await stage.clock.advance(5000)
    t.same(stage.light('relay').shown, [0])
    await stage.service.stop()
    const again = await started({ store, clock: stage.clock })
    await stage.clock.advance(10_000)
    t.same(again.light('dimmer').shown, [1, 0.4, 0.4, 0.4])
  },
)

t.test('somebody who answers an answer with a command waits for his turn', async t => {
  const stage = await started()
  const seen: string[] = []
  stage.bus.subscribe('show/state', ({ current }) => {
    seen.push(`state ${current}`)
    if (current === '1')
      stage.bus.publish('command/received', { id: 'B', origin: 'x', action: 'go' })
  })
  await stage.ask({ action: 'go', id: 'A' })
  await stage.clock.advance(600)
  t.same(seen.slice(0, 2), ['state 1', 'state 2'])
  t.match(stage.answer('A'), { isAccepted: true })
  t.match(stage.answer('B'), { isAccepted: true })
})

t.test('a stopped show does nothing any more, and may be stopped twice', async t => {
  const stage = await started()
  await stage.ask({ action: 'fire', cue: '2' })
  await stage.service.stop()
  await stage.service.stop()
  const { length } = stage.light('dimmer').calls
  const said = stage.said.length
  stage.press('go')
  await stage.ask({ action: 'go' })
  await stage.clock.advance(60_000)
  t.equal(stage.light('dimmer').calls.length, length)
  t.equal(stage.said.length, said)
})

t.test('the same evening gives the same lights, to the last frame', async t => {
  const evening = async (): Promise<string> => {
    const stage = await started()
    for (const action of ['go', 'go', 'go', 'back', 'go', 'panic', 'release', 'go'] as const) {
      await stage.ask({ action })
      await stage.clock.advance(1777)
    }
    return JSON.stringify([stage.said, stage.light('dimmer').applied])
  }
  t.equal(await evening(), await evening())
})
