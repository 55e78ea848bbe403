/** A whole box follows a tape: its lamps change at the moments that the tape says. */
import t from 'tap'
import { after } from '../../runtime/core/time.js'
import { writeArtTimeCode } from '../../runtime/services/timecode/art-timecode.js'
import { World } from './world.js'

const HOUR_10 = 10 * 3600 * 25

const showText = `apiVersion: show/v1
name: taped
clock: {lead: 300ms}
patch: {lamp: {kind: switch, out: lamp}}
cues:
  - {id: "1", levels: {lamp: on}}
  - {id: "2", levels: {lamp: off}}
triggers:
  - {on: {timecode: "10:00:01:00"}, do: {cue: "1"}}
  - {on: {timecode: "10:00:01:10"}, do: {cue: "2"}}
`
const configText = JSON.stringify({
  schemaVersion: 1,
  tour: 'tour',
  box: 'box-1',
  devices: [{ name: 'lamp', driver: 'gpio-light', options: { line: 'light-1' } }],
  show: { file: 'show.yaml' },
  timecode: { in: { kind: 'artnet' } },
})

/** Frames that leave on time and arrive up to `jitterMs` later. */
function play(world: World, fromFrame: number, count: number, jitterMs: number): void {
  const now = world.ownClock.monotonicMs()
  const { network } = world.timecodeLinks
  network.delayMs = () => jitterMs * world.random()
  for (let index = 0; index < count; index++)
    world.ownClock.runAt(after(now, index * 40), () =>
      network.carry(writeArtTimeCode(fromFrame + index, '25'), '10.0.0.1', 6454),
    )
}

const changes = (world: World): { atMs: number; what: string }[] =>
  world.trace.splice(0).map(line => {
    const [at = '', ...what] = line.split(' ')
    return { atMs: Number(at), what: what.join(' ') }
  })

async function started(): Promise<World> {
  const world = new World({ seed: 1, showText, configText })
  await world.start()
  await world.clock.advance(500)
  world.trace.splice(0)
  return world
}

t.test('lamps change at the frame, whatever the network does to the packets', async t => {
  const world = await started()
  const beganMs = world.clock.monotonicMs()
  play(world, HOUR_10, 60, 10)
  await world.clock.advance(3_000)
  const seen = changes(world)
  t.same(
    seen.map(({ what }) => what),
    ['light-1 true', 'light-1 false'],
  )
  for (const [index, dueMs] of [1_000, 1_400].entries()) {
    const lateMs = (seen[index]?.atMs ?? 0) - beganMs - dueMs
    // Half of what the network adds is in every frame, and cannot be told.
    t.ok(Math.abs(lateMs - 5) < 4, `${lateMs}`)
  }
  await world.stop()
})

t.test('what the tape jumps over is not fired; wound back, it is fired again', async t => {
  const world = await started()
  play(world, HOUR_10 + 10, 10, 0)
  await world.clock.advance(400)
  play(world, HOUR_10 + 30, 20, 0)
  await world.clock.advance(800)
  t.same(
    changes(world).map(({ what }) => what),
    [],
    'the lamp was off, and cue 1 was jumped over',
  )
  play(world, HOUR_10, 50, 0)
  await world.clock.advance(2_000)
  play(world, HOUR_10, 50, 0)
  await world.clock.advance(2_000)
  t.same(
    changes(world).map(({ what }) => what),
    ['light-1 true', 'light-1 false', 'light-1 true', 'light-1 false'],
  )
  await world.stop()
})

t.test('a power cut in the middle costs what was passed in the dark, and no more', async t => {
  const world = await started()
  play(world, HOUR_10, 20, 0)
  await world.clock.advance(500)
  await world.cutPower(2_000)
  await world.start()
  world.trace.splice(0)
  play(world, HOUR_10 + 20, 40, 0)
  await world.clock.advance(2_000)
  t.same(
    changes(world).map(({ what }) => what),
    ['light-1 true', 'light-1 false'],
  )
  await world.stop()
})
