/**
 * The power of the whole venue fails in the middle of writes, and each disk loses another part of what was not synced. The
 * boxes come back in any order, all at once or one long after the other.
 */
import t from 'tap'
import { VenueWorld } from './venue-world.js'

const ORDERS = [
  ['box-1', 'box-2', 'box-3'],
  ['box-1', 'box-3', 'box-2'],
  ['box-2', 'box-1', 'box-3'],
  ['box-2', 'box-3', 'box-1'],
  ['box-3', 'box-1', 'box-2'],
  ['box-3', 'box-2', 'box-1'],
]
/** Between two boxes: within one election, and after another has begun to lead. */
const DELAYS_MS = [0, 100, 500, 2_000]
/** From the last command on. */
const CUTS_MS = [0, 1, 3, 40, 400]

const shown = (world: VenueWorld): readonly string[] => [
  ...new Set(
    world.names.map(name => {
      const { current, next, isPanic, manual } = world.shows.get(name) ?? {}
      return JSON.stringify({ current, next, isPanic, manual })
    }),
  ),
]

async function bootAll(
  world: VenueWorld,
  order: readonly string[],
  delayMs: number,
): Promise<void> {
  for (const name of order) {
    await world.start(name)
    await world.clock.advance(delayMs)
  }
  await world.clock.advance(5_000)
}

interface Evening {
  readonly world: VenueWorld
  readonly acknowledged: readonly string[]
  readonly fires: number
}

async function eveningUntil(cutMs: number, seed: number): Promise<Evening> {
  const delayMs = { min: 0.2, max: 0.6 }
  const world = new VenueWorld({ seed, boxes: 3, loss: 0, doubles: 0, delayMs })
  await world.startAll()
  const asked: string[] = []
  for (const level of [0.25, 0.5, 0.75]) {
    asked.push(world.ask('box-2', { action: 'level', target: 'box-2', level }))
    await world.clock.advance(300)
  }
  asked.push(world.ask('box-3', { action: 'fire', cue: '6' }))
  await world.clock.advance(300)
  // Each disk is at another place when it happens.
  world.slowMs.set('box-1', 2).set('box-2', 30).set('box-3', 300)
  asked.push(world.ask('box-2', { action: 'level', target: 'box-3', level: 0.125 }))
  await world.clock.advance(cutMs)
  for (const name of world.names) world.kill(name)
  world.slowMs.clear()
  return {
    world,
    acknowledged: asked.filter(id => world.isAccepted(id)),
    fires: world.fired.length,
  }
}

for (const [index, order] of ORDERS.entries())
  t.test(`${order.join(', ')}: they agree, nothing happens by itself`, async t => {
    for (const delayMs of DELAYS_MS)
      for (const cutMs of CUTS_MS) {
        const what = `${delayMs} ms apart, cut ${cutMs} ms after the last command`
        const { world, acknowledged, fires } = await eveningUntil(cutMs, index + 1)
        await bootAll(world, order, delayMs)
        t.equal(world.fired.length, fires, `nothing fires, ${what}`)
        t.equal(world.leaders().size, 1, what)
        t.equal(shown(world).length, 1, `all show the same, ${what}`)
        // One that is back long before the others leads with what it knew, but for PANIC: decision 0061.
        const kept = acknowledged.slice(0, delayMs <= 100 ? undefined : 4)
        const before = world.answered.length
        const looks = shown(world)
        for (const id of kept) {
          world.ask('box-2', { id, action: 'level', target: 'box-1', level: 1 })
          await world.clock.advance(300)
        }
        t.same(
          world.answered.slice(before).map(({ id, isAccepted }) => [id, isAccepted]),
          kept.map(id => [id, true]),
          what,
        )
        t.same(shown(world), looks, `nothing is done again, ${what}`)
      }
  })

/** @returns which boxes are in PANIC, when all are back; null when nobody was told that it is kept */
async function panicAfter(
  asked: string,
  order: readonly string[],
  { delayMs, cutMs }: { readonly delayMs: number; readonly cutMs: number },
): Promise<readonly (boolean | undefined)[] | null> {
  const wayMs = { min: 0.2, max: 0.6 }
  const world = new VenueWorld({ seed: 3, boxes: 3, loss: 0, doubles: 0, delayMs: wayMs })
  await world.startAll()
  for (const name of world.names) world.slowMs.set(name, name === asked ? 1 : 200)
  const id = world.ask(asked, { action: 'panic' })
  await world.clock.advance(cutMs)
  const isKept = world.answered.some(one => one.id === id && one.box === asked)
  for (const name of world.names) world.kill(name)
  world.slowMs.clear()
  await bootAll(world, order, delayMs)
  return isKept ? world.names.map(name => world.shows.get(name)?.isPanic) : null
}

for (const asked of ['box-1', 'box-2', 'box-3'])
  t.test(`PANIC that only ${asked} has on its disk is one on all when they come back`, async t => {
    let keptCount = 0
    for (const order of ORDERS)
      for (const delayMs of [0, 100])
        for (const cutMs of [3, 15]) {
          const inPanic = await panicAfter(asked, order, { delayMs, cutMs })
          if (inPanic === null) continue
          keptCount++
          t.same(inPanic, [true, true, true], `${order.join()} ${delayMs} apart, cut ${cutMs}`)
        }
    t.ok(keptCount > 0)
  })
