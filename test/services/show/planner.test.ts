import t from 'tap'
import { Stage } from './stage.js'

const PLAN_AHEAD_MS = 1_200
const FRAME_MS = 25

const show = JSON.stringify({
  apiVersion: 'show/v1',
  name: 'long',
  patch: { front: { kind: 'dimmer', out: 'front#0' }, back: { kind: 'dimmer', out: 'back#0' } },
  cues: [
    { id: '1', levels: { front: '100%', back: '100%' }, fade: '60s' },
    {
      id: '2',
      levels: { front: 'off', back: 'off' },
      fade: '0s',
      follow: { after: '5s', go: '1' },
    },
  ],
})

/** Who was told what when: what is planned here for a light, and how far ahead that was. */
async function onStage() {
  const stage = new Stage({
    show,
    lights: [
      { name: 'front', channelCount: 1 },
      { name: 'back', channelCount: 1 },
    ],
    options: { planAheadMs: PLAN_AHEAD_MS },
  })
  const told: { readonly light: string; readonly aheadMs: number; readonly atMs: number }[] = []
  for (const light of stage.lights.values()) {
    const apply = light.apply.bind(light)
    light.apply = (levels, at) => {
      told.push({ light: light.name, aheadMs: at - stage.clock.monotonicMs(), atMs: at })
      apply(levels, at)
    }
  }
  await stage.service.start()
  t.teardown(() => stage.service.stop())
  const farthest = (): number[] =>
    [...stage.lights.keys()].map(name =>
      Math.max(...told.filter(({ light }) => light === name).map(({ atMs }) => atMs)),
    )
  return { stage, told, farthest }
}

t.test(
  'at every moment the lights have been told of all that comes in the time promised',
  async t => {
    const { stage, farthest } = await onStage()
    await stage.ask({ action: 'go' })
    await stage.clock.advance(100)
    for (let passedMs = 0; passedMs < 5_000; passedMs += 7) {
      await stage.clock.advance(7)
      const until = stage.clock.monotonicMs() + PLAN_AHEAD_MS - FRAME_MS
      const tooNear = farthest().filter(atMs => atMs < until)
      if (tooNear.length > 0) t.fail(`at ${stage.clock.monotonicMs()} told until ${tooNear}`)
    }
    t.ok(Math.max(...farthest()) < stage.clock.monotonicMs() + PLAN_AHEAD_MS + 100, 'and not more')
  },
)

t.test('a follow is told of as early as a fade', async t => {
  const { stage, told } = await onStage()
  await stage.ask({ action: 'fire', cue: '2' })
  await stage.clock.advance(5_000 - PLAN_AHEAD_MS - 10)
  told.length = 0
  await stage.clock.advance(100)
  t.ok(told.some(({ aheadMs }) => aheadMs > PLAN_AHEAD_MS - 100))
})

t.test('after a GO every light hears of its first frames before any hears of its last', async t => {
  const { stage, told } = await onStage()
  told.length = 0
  await stage.ask({ action: 'go' })
  const other = told.findIndex(({ light }) => light !== told[0]?.light)
  t.ok(other > 1, `${other}`)
  t.ok(told.slice(0, other).every(({ aheadMs }) => aheadMs <= 200))
})
