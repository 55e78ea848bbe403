/**
 * PANIC over power cuts of the whole venue: boxes come back in any order, and each has on its disk what it has. One that
 * nobody released is one again; one that was released is none, also where a box that was away then comes back first.
 */
import t from 'tap'
import { randomFrom } from '../../runtime/core/random.js'
import { VenueWorld } from './venue-world.js'

const SEEDS = Number(process.env['SEEDS'] ?? 10)
const DELAYS_MS = [0, 100, 700, 3_000] as const

class Night {
  readonly world: VenueWorld
  readonly #random: () => number

  constructor(seed: number) {
    const delayMs = { min: 0.2, max: 0.6 }
    this.world = new VenueWorld({ seed, boxes: 3, loss: 0, doubles: 0, delayMs })
    this.#random = randomFrom(seed + 77)
  }

  pick<T>(...these: readonly T[]): T {
    const one = these[Math.floor(this.#random() * these.length)]
    if (one === undefined) throw new Error('nothing to pick from')
    return one
  }

  get inPanic(): readonly (boolean | undefined)[] {
    return this.world.names.map(name => this.world.shows.get(name)?.isPanic)
  }

  async ask(box: string, action: 'panic' | 'release' | 'go', ms: number): Promise<string> {
    const id = this.world.ask(box, { action })
    await this.world.clock.advance(ms)
    return id
  }

  /** What happens in an evening, after which all boxes are there and nobody is in panic. */
  async evening(): Promise<void> {
    const { world } = this
    await world.startAll()
    for (let turn = this.pick(0, 1, 3); turn > 0; turn--) {
      await this.ask(this.pick(...world.names), 'go', this.pick(0, 300))
      await this.ask(this.pick(...world.names), 'panic', this.pick(0, 300))
      if (this.pick(true, false)) await this.ask(this.pick(...world.names), 'panic', 300)
      await this.ask(this.pick(...world.names), 'release', 1_000)
    }
    await world.clock.advance(1_000)
  }

  /** Some are parted from the others, or off, and come back to life apart, or not. */
  async goAway(names: readonly string[]): Promise<void> {
    const { world } = this
    const way = this.pick('parted', 'off', 'restarted')
    if (way === 'parted') world.network.part([names])
    else for (const name of names) world.kill(name)
    if (way === 'restarted') {
      world.network.part([names])
      for (const name of names) await world.start(name)
    }
    await world.clock.advance(this.pick(700, 2_000))
  }

  /** The power of all fails, and comes back. @returns who was first, and what it was in before it heard of others */
  async blackout(): Promise<{ readonly first: string; readonly wasInPanic: boolean }> {
    const { world } = this
    for (const name of world.living) world.kill(name)
    world.slowMs.clear()
    world.network.heal()
    const order = [...world.names].sort(() => this.pick(-1, 1))
    const first = order[0] ?? ''
    let wasInPanic = false
    for (const name of order) {
      await world.start(name)
      if (name === first) wasInPanic = world.shows.get(name)?.isPanic ?? false
      await world.clock.advance(this.pick(...DELAYS_MS))
    }
    await world.clock.advance(6_000)
    return { first, wasInPanic }
  }
}

t.setTimeout(175_000)

const seeds = (): readonly number[] => {
  const seed = process.env['SEED']
  return seed === undefined ? Array.from({ length: SEEDS }, (_, at) => at + 1) : [Number(seed)]
}

/** After an evening one box asks, apart from the others or not, and has it on its disk before they do. */
async function askAfter(night: Night): Promise<{ readonly isKept: boolean }> {
  const { world } = night
  await night.evening()
  const asked = night.pick(...world.names)
  if (night.pick(true, false)) await night.goAway([asked])
  if (!world.living.includes(asked)) await world.start(asked)
  await world.clock.advance(1_500)
  for (const name of world.names) world.slowMs.set(name, name === asked ? 1 : 400)
  const id = await night.ask(asked, 'panic', night.pick(3, 15, 100))
  return { isKept: world.answered.some(one => one.id === id && one.box === asked) }
}

t.test('a panic that one box has on its disk is one on all, whoever is back first', async t => {
  let unknownCount = 0
  for (const seed of seeds()) {
    const night = new Night(seed)
    const { world } = night
    const { isKept } = await askAfter(night)
    if (!isKept) continue
    const { wasInPanic } = await night.blackout()
    if (!wasInPanic) unknownCount++
    t.same(night.inPanic, [true, true, true], `SEED=${seed}`)
    t.equal(world.leaders().size, 1, `SEED=${seed}`)
    await night.ask(night.pick(...world.names), 'release', 3_000)
    t.same(night.inPanic, [false, false, false], `one release is enough, SEED=${seed}`)
  }
  t.ok(process.env['SEED'] !== undefined || unknownCount > SEEDS / 8, `${unknownCount} unknown`)
})

t.test('a panic that was released while a box was away does not come back with it', async t => {
  let ghostCount = 0
  for (const seed of seeds()) {
    const night = new Night(seed)
    const { world } = night
    await night.evening()
    await night.ask(night.pick(...world.names), 'panic', 1_500)
    t.same(night.inPanic, [true, true, true])
    const there = night.pick(...world.names)
    const away = world.names.filter(name => name !== there).slice(night.pick(0, 1))
    await night.goAway(away)
    const others = world.names.filter(name => !away.includes(name))
    await night.ask(night.pick(...others), 'release', 1_500)
    if (night.pick(true, false)) await night.ask(night.pick(...others), 'go', 700)
    const { first, wasInPanic } = await night.blackout()
    if (wasInPanic && away.includes(first)) ghostCount++
    t.same(night.inPanic, [false, false, false], `SEED=${seed}`)
    t.equal(world.leaders().size, 1, `SEED=${seed}`)
  }
  t.ok(process.env['SEED'] !== undefined || ghostCount > SEEDS / 8, `${ghostCount} came back first`)
})

t.test('who released one panic did not release another of which they had not heard', async t => {
  let apartCount = 0
  for (const seed of seeds()) {
    const night = new Night(seed)
    const { world } = night
    await night.evening()
    const alone = night.pick(...world.names)
    const others = world.names.filter(name => name !== alone)
    await night.goAway([alone])
    if (!world.living.includes(alone)) {
      world.network.part([[alone]])
      await world.start(alone)
      await world.clock.advance(1_500)
    }
    await night.ask(alone, 'panic', 700)
    await night.ask(night.pick(...others), 'panic', 700)
    await night.ask(night.pick(...others), 'release', 1_500)
    if (night.pick(true, false)) await night.blackout()
    else world.network.heal()
    await world.clock.advance(3_000)
    apartCount++
    t.same(night.inPanic, [true, true, true], `SEED=${seed}`)
  }
  t.ok(apartCount > 0)
})

/** It has heard what the others did, and they have not heard that it asked: within their lease, its power is cut. */
async function askUnheard(world: VenueWorld, name: string): Promise<void> {
  for (const other of world.names) world.cut.add(`${name} to ${other}`)
  world.ask(name, { action: 'panic' })
  await world.clock.advance(100)
  world.kill(name)
  world.cut.clear()
}

const inPanic = (world: VenueWorld): readonly (boolean | undefined)[] =>
  world.names.map(name => world.shows.get(name)?.isPanic)

async function inOrder(
  world: VenueWorld,
  ...asked: readonly (readonly [string, 'panic' | 'release'])[]
): Promise<void> {
  for (const [box, action] of asked) {
    world.ask(box, { action })
    await world.clock.advance(700)
  }
}

t.test('a panic that nobody heard outlives the release of another one', async t => {
  const { world } = new Night(1)
  await world.startAll()
  await askUnheard(world, 'box-3')
  await inOrder(world, ['box-1', 'panic'], ['box-1', 'release'])
  // What it lacks are two entries, which it is sent; it takes no whole state.
  await world.start('box-3')
  await world.clock.advance(3_000)
  t.same(inPanic(world), [true, true, true])
})

t.test('two panics, of which one was heard by one box only, end by one release', async t => {
  const { world } = new Night(2)
  await world.startAll()
  await inOrder(world, ['box-1', 'panic'])
  await askUnheard(world, 'box-3')
  await world.clock.advance(1_000)
  await world.start('box-3')
  await world.clock.advance(3_000)
  await inOrder(world, ['box-2', 'release'])
  await world.clock.advance(3_000)
  t.same(inPanic(world), [false, false, false])
})

t.test('what the smaller half both asked and released is no panic when they meet', async t => {
  const { world } = new Night(3)
  await world.startAll()
  world.network.part([['box-3']])
  await world.clock.advance(2_000)
  await inOrder(world, ['box-3', 'panic'], ['box-3', 'release'])
  world.network.heal()
  await world.clock.advance(3_000)
  t.same(inPanic(world), [false, false, false])
})
