/** Boxes that fire together: who leads, what is lost with a leader, and what each box shows afterwards. */
import t, { type Test } from 'tap'
import { VenueWorld, type VenueWorldOptions } from './venue-world.js'

const quiet = { loss: 0, doubles: 0, delayMs: { min: 0.2, max: 0.6 } }

async function venue(boxes: number, options: Partial<VenueWorldOptions> = {}): Promise<VenueWorld> {
  const world = new VenueWorld({ seed: 1, boxes, ...quiet, ...options })
  await world.startAll()
  return world
}

const only = (world: VenueWorld): string => {
  const [leader] = [...world.leaders()]
  if (world.leaders().size !== 1 || typeof leader !== 'string')
    throw new Error(`${JSON.stringify([...world.leaders()])} lead`)
  return leader
}

const followerOf = (world: VenueWorld): string =>
  world.living.find(name => name !== only(world)) ?? ''

/** Box by box, when it was fired on the venue's timeline. */
const firesOf = (world: VenueWorld, cue: string): Record<string, number[]> =>
  Object.fromEntries(
    world.names.map(name => [
      name,
      world.fired.filter(one => one.box === name && one.cue === cue).map(one => one.atShowMs),
    ]),
  )

function firedTogether(t: Test, world: VenueWorld, cue: string, names: readonly string[]): void {
  const fires = firesOf(world, cue)
  const [first] = fires[names[0] ?? ''] ?? []
  for (const name of names)
    t.same(fires[name], [first], `${name} fired ${cue} once, with the others`)
}

t.test('one of the boxes leads, and all say so', async t => {
  const world = await venue(3)
  t.equal(world.leaders().size, 1)
  t.same([...world.leaders()], ['box-1'], 'who was there first')
})

t.test(
  'GO on any box fires the same cue on all of them at the same moment, ahead of now',
  async t => {
    const world = await venue(3)
    const askedMs = world.clock.showTimeMs()
    const id = world.ask(followerOf(world), { action: 'go' })
    await world.clock.advance(700)
    firedTogether(t, world, '1', world.names)
    const [atMs] = firesOf(world, '1')['box-1'] ?? []
    t.ok(
      atMs !== undefined && atMs >= askedMs + 20 && atMs < askedMs + 60,
      `${atMs} after ${askedMs}`,
    )
    t.ok(world.isAccepted(id))
    t.equal(
      world.answered.filter(answer => answer.id === id && answer.box !== only(world)).length,
      1,
    )
    for (const name of world.names)
      t.same(world.life(name).light.applied.find(({ levels }) => levels[0] === 0.5)?.levels, [0.5])
  },
)

t.test('a button on any box is a GO for all', async t => {
  const world = await venue(2)
  world.press('box-2')
  await world.clock.advance(700)
  firedTogether(t, world, '1', world.names)
})

t.test('the same command asked of two boxes is carried out once', async t => {
  const world = await venue(3)
  for (const name of world.names) world.ask(name, { id: 'twice', action: 'go' })
  await world.clock.advance(700)
  firedTogether(t, world, '1', world.names)
  t.same(firesOf(world, '2')['box-1'], [])
})

t.test(
  'the leader dies: within a second another leads, and the show goes on where it was',
  async t => {
    const world = await venue(3)
    world.ask('box-2', { action: 'fire', cue: '2' })
    await world.clock.advance(500)
    const killedMs = world.clock.monotonicMs()
    const old = only(world)
    world.kill(old)
    world.ask('box-3', { id: 'meanwhile', action: 'fire', cue: '6' })
    await world.clock.advance(3_000)
    const next = world.leads.at(-1)
    t.ok(next && next.atMs - killedMs < 1_000, `after ${(next?.atMs ?? 0) - killedMs} ms`)
    t.not(only(world), old)
    t.ok(world.isAccepted('meanwhile'), 'what was asked in between is carried out')
    firedTogether(t, world, '6', world.living)
    await world.start(old)
    await world.clock.advance(2_000)
    t.not(only(world), old, 'who comes back does not take it back')
    t.equal(world.shows.get(old)?.current, world.shows.get(only(world))?.current)
  },
)

t.test('a follow that is under way survives its leader on all boxes', async t => {
  const world = await venue(3)
  world.ask('box-1', { action: 'fire', cue: '2' })
  await world.clock.advance(1_500)
  world.kill('box-1')
  await world.clock.advance(2_000)
  firedTogether(t, world, '3', world.living)
})

t.test(
  'a box that is cut off goes on with its follows, takes a GO of its own, and comes back',
  async t => {
    const world = await venue(3)
    world.ask('box-1', { action: 'fire', cue: '2' })
    await world.clock.advance(500)
    world.network.part([['box-3']])
    await world.clock.advance(3_000)
    firedTogether(t, world, '3', world.names)
    world.press('box-3')
    await world.clock.advance(200)
    t.equal(firesOf(world, '4')['box-3']?.length, 1, 'alone')
    t.equal(firesOf(world, '4')['box-1']?.length, 0)
    world.ask('box-1', { action: 'fire', cue: '6' })
    await world.clock.advance(500)
    world.network.heal()
    await world.clock.advance(3_000)
    t.equal(only(world), 'box-1', 'the larger party')
    t.equal(world.shows.get('box-3')?.current, '6', 'it shows what the others show')
    t.equal(
      world.dropped.find(({ box }) => box === 'box-3')?.ids.length,
      1,
      'and says what is void',
    )
  },
)

t.test('who comes late shows what the others show', async t => {
  const world = new VenueWorld({ seed: 1, boxes: 3, ...quiet })
  for (const name of ['box-1', 'box-2']) await world.start(name)
  await world.clock.advance(2_000)
  world.ask('box-1', { action: 'fire', cue: '6' })
  world.ask('box-1', { action: 'level', target: 'box-3', level: 0.25 })
  await world.clock.advance(1_000)
  await world.start('box-3')
  await world.clock.advance(2_000)
  t.same(world.life('box-3').light.shown, [0.25])
  t.equal(world.shows.get('box-3')?.current, '6')
})

t.test(
  'panic is at once on the box where it is asked, and waits for no leader anywhere',
  async t => {
    const world = await venue(3)
    world.ask('box-1', { action: 'fire', cue: '6' })
    await world.clock.advance(500)
    world.kill('box-1')
    await world.clock.advance(50)
    world.ask('box-2', { id: 'stop', action: 'panic' })
    await world.clock.advance(20)
    for (const name of world.living) t.equal(world.shows.get(name)?.isPanic, true, name)
    await world.clock.advance(3_000)
    for (const name of world.living) t.equal(world.shows.get(name)?.isPanic, true, name)
    world.ask('box-3', { action: 'release', fadeMs: 0 })
    await world.clock.advance(1_000)
    for (const name of world.living) t.equal(world.shows.get(name)?.isPanic, false, name)
  },
)

t.test('what is acknowledged is on another box, too', async t => {
  const world = await venue(2, { delayMs: { min: 20, max: 20 } })
  const id = world.ask(only(world), { action: 'fire', cue: '6' })
  await world.clock.advance(30)
  t.notOk(world.isAccepted(id), 'nobody else can have said that it has it')
  await world.clock.advance(30)
  t.ok(world.isAccepted(id))
})

t.test(
  'what happened on a box apart does not happen on it again when the others do it',
  async t => {
    const world = await venue(3)
    world.network.part([['box-3']])
    await world.clock.advance(1_500)
    world.ask('box-3', { id: 'same', action: 'fire', cue: '6' })
    const atShowMs = world.clock.showTimeMs() + 4_000
    world.ask('box-1', { id: 'same', action: 'fire', cue: '6', atShowMs })
    await world.clock.advance(1_000)
    world.network.heal()
    await world.clock.advance(5_000)
    for (const name of world.names) t.equal(firesOf(world, '6')[name]?.length, 1, name)
    t.equal(firesOf(world, '6')['box-1']?.[0], atShowMs)
  },
)

t.test(
  'a box that stood still reads what came meanwhile before it believes that it is alone',
  async t => {
    const world = await venue(3)
    world.network.part([['box-3']])
    await world.clock.advance(580)
    world.network.heal()
    world.life('box-3').clock.stall(1_000)
    await world.clock.advance(3_000)
    t.same(
      world.leads.map(({ box }) => box),
      ['box-1'],
    )
  },
)

t.test('who comes late knows what was asked before, and does not do it again', async t => {
  const world = new VenueWorld({ seed: 1, boxes: 3, ...quiet })
  for (const name of ['box-1', 'box-2']) await world.start(name)
  await world.clock.advance(2_000)
  world.ask('box-1', { id: 'once', action: 'go' })
  await world.clock.advance(1_000)
  await world.start('box-3')
  await world.clock.advance(2_000)
  for (const name of ['box-1', 'box-2']) world.kill(name)
  await world.clock.advance(2_000)
  world.ask('box-3', { id: 'once', action: 'go' })
  await world.clock.advance(1_000)
  t.equal(world.shows.get('box-3')?.current, '1')
  t.match(
    world.answered.filter(({ box, id }) => box === 'box-3' && id === 'once'),
    [{ isAccepted: true }],
  )
})

t.test('a leader that stood still for longer than its lease decides nothing on waking', async t => {
  const world = await venue(3)
  const old = only(world)
  world.life(old).clock.stall(3_000)
  await world.clock.advance(2_000)
  t.equal(world.leads.length, 2, 'another has taken over')
  world.ask(world.names.find(name => name !== old) ?? '', { action: 'fire', cue: '6' })
  await world.clock.advance(3_000)
  t.not(only(world), old)
  t.same(firesOf(world, '6')[old]?.length, 1)
  world.life(only(world)).clock.stall(2_000)
  const asleep = only(world)
  await world.clock.advance(1_500)
  world.ask(asleep, { action: 'fire', cue: '4' })
  await world.clock.advance(3_000)
  firedTogether(t, world, '4', world.names)
  t.same(world.dropped, [])
})

t.test('an orderly stop hands the lead over at once', async t => {
  const world = await venue(3)
  const atMs = world.clock.monotonicMs()
  await world.stop(only(world))
  await world.clock.advance(500)
  t.ok((world.leads.at(-1)?.atMs ?? 0) - atMs < 50)
  t.equal(world.leaders().size, 1)
})

t.test(
  'one box sends what a cue has to say, and the next one what the last has left unsaid',
  async t => {
    const world = await venue(3)
    world.ask('box-2', { action: 'fire', cue: '4' })
    await world.clock.advance(1_000)
    t.same(
      world.messages.map(({ box }) => box),
      ['box-1'],
    )
    world.ask('box-2', { action: 'fire', cue: '4' })
    await world.clock.advance(150)
    world.kill('box-1')
    await world.clock.advance(3_000)
    t.same(
      world.messages.map(({ box }) => box),
      ['box-1', only(world)],
      'once more, and once only',
    )
  },
)

t.test('a box alone decides by itself, without a lead', async t => {
  const world = await venue(1)
  const askedMs = world.clock.showTimeMs()
  world.ask('box-1', { action: 'go' })
  await world.clock.advance(500)
  t.same(firesOf(world, '1')['box-1'], [askedMs])
})

t.test(
  'what timecode sets off on two boxes happens once, and again when it comes again',
  async t => {
    const world = new VenueWorld({ ...quiet, seed: 1, boxes: 3 })
    await world.startAll()
    await world.clock.advance(2_000)
    const pass = (apartMs: number): void => {
      const atShowMs = world.life('box-1').clock.showTimeMs() + 300
      for (const [number, name] of ['box-1', 'box-2', 'box-3'].entries())
        world.life(name).bus.publish('timecode/passed', {
          position: '10:00:00:00',
          atShowMs: atShowMs + number * apartMs,
        })
    }
    pass(3)
    await world.clock.advance(1_000)
    t.same(
      world.names.map(name => world.shows.get(name)?.current),
      ['1', '1', '1'],
    )
    pass(-2)
    await world.clock.advance(1_000)
    t.same(
      world.names.map(name => world.shows.get(name)?.current),
      ['2', '2', '2'],
    )
  },
)
