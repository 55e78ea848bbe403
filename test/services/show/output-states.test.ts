/** What is told of outputs to those who keep states. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import type { Messages } from '../../../runtime/topics.js'
import { Stage } from './stage.js'

const small = readFileSync('test/fixtures/shows/small.yaml', 'utf8')

async function started(show = small): Promise<Stage> {
  const stage = new Stage({ show })
  await stage.service.start()
  await stage.clock.advance(1000)
  return stage
}

const told = (stage: Stage, output: string): { atMs: number; level: number }[] =>
  stage.said
    .map(({ topic, payload, atMs }) => ({
      topic,
      atMs,
      payload: payload as Messages['output/state'],
    }))
    .filter(({ topic, payload }) => topic === 'output/state' && payload.output === output)
    .map(({ atMs, payload }) => ({ atMs, level: payload.level }))

t.test('every output of the box is told once when the show has started', async t => {
  const stage = await started()
  t.same(stage.heard('output/state'), [
    { output: 'color', kind: 'rgb', level: 0, parts: [0, 0, 0] },
    { output: 'front', kind: 'dimmer', level: 0.1, parts: [0.1] },
    { output: 'lamp', kind: 'switch', level: 0, parts: [0] },
  ])
})

t.test('a fade is told when it begins, twice a second, and where it ends', async t => {
  const stage = await started()
  await stage.ask({ action: 'go' })
  await stage.clock.advance(20_000)
  const front = told(stage, 'front')
  const times = front.map(({ atMs }) => atMs)
  t.equal(front.at(-1)?.level, 0.4)
  t.equal(front.length, 10, 'home, the beginning, and eight for four seconds')
  t.ok((times.at(-1) ?? 0) <= 5500, 'the end is told within half a second')
  t.ok(
    times.every((atMs, index) => index === 0 || atMs - (times[index - 1] ?? 0) >= 500),
    times.join(' '),
  )
})

t.test('the end of one fade is told while another goes on', async t => {
  const stage = await started(`apiVersion: show/v1
name: two
patch:
  short: {kind: dimmer, out: "dimmer#0"}
  long: {kind: dimmer, out: "dimmer#1"}
cues:
  - {id: "1", levels: {short: 100%}, fade: 200ms}
  - {id: "2", levels: {long: 100%}, fade: 60s}
`)
  await stage.ask({ action: 'fire', cue: '2' })
  await stage.ask({ action: 'fire', cue: '1' })
  await stage.clock.advance(2000)
  t.same(
    told(stage, 'short').map(({ level }) => level),
    [0, 0.2, 1],
  )
})

t.test('steps faster than that are thinned out, and the last one is told', async t => {
  const stage = await started(`apiVersion: show/v1
name: fast
patch: {strobe: {kind: switch, out: relay}}
cues:
  - id: "1"
    chase: {steps: [{strobe: on}, {strobe: off}], period: 100ms, until: 5s}
`)
  await stage.ask({ action: 'go' })
  await stage.clock.advance(20_000)
  const strobe = told(stage, 'strobe')
  t.ok(strobe.length > 5 && strobe.length <= 12, `${strobe.length} times in five seconds`)
  t.equal(strobe.at(-1)?.level, stage.light('relay').shown[0])
})

t.test('a switch is told as on or off, a color by its parts', async t => {
  const stage = await started()
  await stage.ask({ action: 'scene', scene: 'reveal' })
  await stage.clock.advance(5000)
  const last = new Map(stage.heard('output/state').map(state => [state.output, state]))
  t.match(last.get('lamp'), { level: 1, parts: [1] })
  t.match(last.get('color'), { level: 0.8, parts: [0.8, 0.4016, 0] })
})

t.test('after the end nothing is told', async t => {
  const stage = await started()
  await stage.ask({ action: 'go' })
  await stage.service.stop()
  const { length } = stage.heard('output/state')
  await stage.clock.advance(10_000)
  t.equal(stage.heard('output/state').length, length)
})
