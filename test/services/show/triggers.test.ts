/** What sets a show off from outside its buttons. */
import t from 'tap'
import { awaitedTimecodes, heardTopics } from '../../../runtime/services/show/triggers.js'
import { readShow, Stage } from './stage.js'

const show = `apiVersion: show/v1
name: heard
patch: {front: {kind: dimmer, out: dimmer}}
cues:
  - {id: "1", levels: {front: 10%}}
  - {id: "2", levels: {front: 20%}}
  - {id: "3", levels: {front: 30%}}
triggers:
  - {on: {mqtt: stage/any}, do: next, guard: {holdOff: 1s}}
  - {on: {mqtt: stage/door, payload: open}, do: {cue: "2"}}
  - {on: {mqtt: z2m/button, json: {action: single, battery: 80, ok: true}}, do: {cue: "3"}}
  - {on: {mqtt: stage/door, payload: help}, do: panic}
`

async function started(): Promise<Stage> {
  const stage = new Stage({ show })
  await stage.service.start()
  return stage
}

const fired = (stage: Stage): string[] => stage.heard('cue/fired').map(({ cue }) => cue)

async function say(
  stage: Stage,
  topic: string,
  payload: string,
  isRepeated = false,
): Promise<void> {
  stage.bus.publish('message/heard', { topic, payload, isRepeated })
  await stage.clock.advance(100)
}

t.test('the topics to listen to are known, each once', async t => {
  t.same(heardTopics(readShow(show)), ['stage/any', 'stage/door', 'z2m/button'])
})

t.test(
  'any message counts where nothing else is said, and not twice within the hold-off',
  async t => {
    const stage = await started()
    await say(stage, 'stage/any', '')
    await say(stage, 'stage/any', 'x')
    t.same(fired(stage), ['1'])
    await stage.clock.advance(1000)
    await say(stage, 'stage/any', 'x')
    t.same(fired(stage), ['1', '2'])
    t.match(stage.heard('cue/fired')[0], { origin: 'message:stage/any' })
  },
)

t.test('a text must be the one that is waited for, but for spaces around it', async t => {
  const stage = await started()
  await say(stage, 'stage/door', 'Open')
  await say(stage, 'stage/doors', 'open')
  t.same(fired(stage), [])
  await say(stage, 'stage/door', 'open\n')
  t.same(fired(stage), ['2'])
})

t.test('an object must hold the values that are waited for, and may hold others', async t => {
  const stage = await started()
  for (const payload of [
    'not json',
    'null',
    '[]',
    '"single"',
    '{"action":"single"}',
    '{"action":"single","battery":"80","ok":true}',
    '{"action":"double","battery":80,"ok":true}',
  ])
    await say(stage, 'z2m/button', payload)
  t.same(fired(stage), [])
  await say(stage, 'z2m/button', '{"action":"single","battery":80,"ok":true,"linkquality":9}')
  t.same(fired(stage), ['3'])
})

t.test('panic is heard again and again', async t => {
  const stage = await started()
  await say(stage, 'stage/door', 'help')
  t.match(stage.heard('show/state').at(-1), { isPanic: true })
  await stage.ask({ action: 'release' })
  await say(stage, 'stage/door', 'help')
  t.match(stage.heard('show/state').at(-1), { isPanic: true })
})

t.test('what may have been heard before sets off nothing but panic', async t => {
  const stage = await started()
  await say(stage, 'stage/any', '', true)
  await say(stage, 'stage/door', 'open', true)
  t.same(fired(stage), [])
  await say(stage, 'stage/door', 'help', true)
  t.match(stage.heard('show/state').at(-1), { isPanic: true })
})

const timed = `apiVersion: show/v1
name: timed
clock: {lead: 100ms}
patch: {front: {kind: dimmer, out: dimmer}}
cues:
  - {id: "1", levels: {front: 10%}}
  - {id: "2", levels: {front: 20%}, late: skip}
triggers:
  - {on: {timecode: "10:00:30:00"}, do: {cue: "1"}}
  - {on: {timecode: "10:00:30;12"}, do: {cue: "2"}}
  - {on: {timecode: "10:00:30:00"}, do: panic}
`

t.test('the timecodes to wait for are known, each once', async t => {
  t.same(awaitedTimecodes(readShow(timed)), ['10:00:30:00', '10:00:30;12'])
})

t.test('a cue at timecode fires at the moment that was told ahead, without a lead', async t => {
  const stage = new Stage({ show: timed.replace(/^.*do: panic.*\n/m, '') })
  await stage.service.start()
  const atShowMs = stage.clock.showTimeMs() + 180
  stage.bus.publish('timecode/passed', { position: '10:00:30:00', atShowMs })
  await stage.clock.advance(179)
  t.same(fired(stage), [])
  await stage.clock.advance(2)
  t.match(stage.heard('cue/fired'), [{ cue: '1', atShowMs, origin: 'timecode:10:00:30:00' }])
})

t.test(
  'a position that was just passed is on time, one much older is what the cue says',
  async t => {
    const stage = new Stage({ show: timed })
    await stage.service.start()
    await stage.clock.advance(10_000)
    const now = stage.clock.showTimeMs()
    stage.bus.publish('timecode/passed', { position: '10:00:30;12', atShowMs: now - 200 })
    await stage.clock.advance(1_000)
    t.match(stage.heard('cue/fired'), [{ cue: '2', atShowMs: now - 200 }])
    stage.bus.publish('timecode/passed', { position: '10:00:30;12', atShowMs: now + 500 })
    await stage.clock.advance(1)
    t.equal(fired(stage).length, 1)
  },
)
