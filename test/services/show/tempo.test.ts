import t from 'tap'
import { stepShow } from '../tempo/step-show.js'
import { Stage } from './stage.js'

const SHOW = `
apiVersion: show/v1
name: beats
patch: {lamp: {kind: dimmer, out: dimmer}}
cues:
  - {id: "1", levels: {lamp: 100%}, tempo: {bpm: 120}}
  - {id: "2", levels: {lamp: 50%}}
  - {id: "3", levels: {lamp: 20%}, tempo: {bpm: 90, beatsPerBar: 3, continue: true}}
  - {id: "4", levels: {lamp: 0%}, tempo: "off"}
`

async function started(options = {}): Promise<Stage> {
  const stage = new Stage({ show: SHOW, options })
  await stage.service.start()
  stage.said.length = 0
  return stage
}

const pieces = (stage: Stage) => stage.heard('tempo/state').at(-1)?.pieces

t.test('a cue lays the grid at its own moment, and one that says nothing leaves it', async t => {
  const stage = await started()
  await stage.ask({ action: 'fire', cue: '1', atShowMs: 1_000_000 })
  t.match(pieces(stage), [
    { fromMs: 1_000_000, grid: { bpm: 120, beatsPerBar: 4, beats: 0, bars: 0 } },
  ])
  const told = stage.heard('tempo/state').length
  await stage.clock.advance(500)
  await stage.ask({ action: 'fire', cue: '2' })
  t.equal(stage.heard('tempo/state').length, told, 'no news')
  await stage.ask({ action: 'fire', cue: '4' })
  t.same(pieces(stage), [{ fromMs: 0, grid: null }])
})

t.test('what is planned is told before it is due, so that nobody is late for it', async t => {
  const stage = await started({ leadMs: 200 })
  await stage.ask({ action: 'tempo', bpm: 100 })
  t.match(pieces(stage), [{ grid: null }, { fromMs: 1_000_200, grid: { bpm: 100, beats: 0 } }])
  await stage.clock.advance(200)
  t.match(pieces(stage), [{ fromMs: 1_000_200, grid: { bpm: 100, beats: 0 } }])
  t.equal(pieces(stage)?.length, 1)
})

t.test('by hand it goes on counting, unless it is asked to begin again', async t => {
  const stage = await started()
  await stage.ask({ action: 'tempo', bpm: 60, beatsPerBar: 3 })
  await stage.clock.advance(2_500)
  await stage.ask({ action: 'tempo', bpm: 120 })
  t.match(pieces(stage), [{ grid: { bpm: 120, beats: 2.5, beatsPerBar: 3 } }])
  await stage.ask({ action: 'tempo', bpm: 120, restart: true })
  t.match(pieces(stage), [{ grid: { beats: 0, bars: 0 } }])
  await stage.ask({ action: 'tempo', on: false })
  t.match(pieces(stage), [{ grid: null }])
})

t.test('a tempo without its number is refused, and says so', async t => {
  const stage = await started()
  const id = await stage.ask({ action: 'tempo' })
  t.match(stage.answer(id), {
    isAccepted: false,
    code: 'command.invalid',
    message: 'bpm is missing',
  })
})

t.test('going back to a cue leaves the tempo alone', async t => {
  const stage = await started()
  await stage.ask({ action: 'fire', cue: '1' })
  await stage.ask({ action: 'fire', cue: '2' })
  await stage.ask({ action: 'tempo', bpm: 77 })
  await stage.ask({ action: 'back' })
  t.match(pieces(stage), [{ grid: { bpm: 77 } }])
})

t.test('a timeline that is set takes the beats with it', async t => {
  const stage = await started()
  await stage.ask({ action: 'fire', cue: '1', atShowMs: 1_000_000 })
  stepShow(stage.clock, 3_600_000)
  await stage.ask({ action: 'level', target: 'lamp', level: 1 })
  t.match(pieces(stage), [{ fromMs: 4_600_000, grid: { fromMs: 4_600_000, beats: 0 } }])
})
