import t from 'tap'
import { SimulatedClock } from '../../drivers/simulated/clock.js'
import { Door } from '../../runtime/core/door.js'
import { DeviceError } from '../../runtime/core/errors.js'

/** Something that can be opened, or cannot for `why`; with a door that writes down what happens. */
function place(): {
  readonly clock: SimulatedClock
  readonly said: string[]
  readonly door: Door
  why: string | null
  opens: Promise<void>
} {
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const said: string[] = []
  const say = (what: string): void => void said.push(`${what}@${clock.monotonicMs()}`)
  const what = {
    open: async (): Promise<void> => {
      await here.opens
      if (here.why === null) return
      say('tried')
      throw new DeviceError('device.absent', here.why)
    },
    close: async () => say('closed'),
  }
  const door = new Door(clock, what, {
    retryMsMin: 1_000,
    retryMsMax: 3_000,
    opened: () => say('open'),
    failed: trouble => say(trouble),
  })
  const here = { clock, said, door, why: null as string | null, opens: Promise.resolve() }
  return here
}

t.test('it is tried ever more rarely, and each reason is told once', async t => {
  const here = place()
  here.why = 'no card'
  here.door.open()
  await here.clock.advance(9_500)
  t.same(here.said, [
    'tried@0',
    'no card@0',
    'tried@1000',
    'tried@3000',
    'tried@6000',
    'tried@9000',
  ])
  t.same([here.door.isOpen, here.door.trouble], [false, 'no card'])
})

t.test('what was open and is lost is opened again, but not at once', async t => {
  const { clock, door, said } = place()
  door.open()
  await clock.advance(500)
  t.same([said, door.isOpen], [['open@0'], true])
  door.lose(new Error('unplugged'))
  door.lose(new Error('unplugged'))
  t.equal(door.isOpen, false)
  await clock.advance(5_000)
  t.same(said, ['open@0', 'unplugged@500', 'open@1500'])
  t.equal(door.trouble, null)
})

t.test('a closed door stays closed, also when it was just being opened', async t => {
  const here = place()
  let openNow = (): void => {}
  here.opens = new Promise(resolve => {
    openNow = resolve
  })
  here.door.open()
  const closed = here.door.close()
  openNow()
  await closed
  here.door.lose(new Error('unplugged'))
  await here.clock.advance(20_000)
  t.same([here.said, here.door.isOpen], [['closed@0'], false])
})

t.test('what is lost while it opens is lost, and opened again', async t => {
  const here = place()
  let openNow = (): void => {}
  here.opens = new Promise(resolve => {
    openNow = resolve
  })
  here.door.open()
  here.door.lose(new Error('unplugged'))
  openNow()
  await here.clock.advance(500)
  t.same([here.said, here.door.isOpen], [['open@0', 'unplugged@0'], false])
  await here.clock.advance(500)
  t.same([here.said.slice(2), here.door.isOpen], [['open@1000'], true])
})

t.test(
  'what works only for a moment each time is opened ever more rarely, and told of once',
  async t => {
    const { clock, door, said } = place()
    door.open()
    for (let round = 0; round < 4; round++) {
      await clock.advance(100)
      door.lose(new Error('unplugged'))
      await clock.advance(3_000)
    }
    t.equal(said.filter(text => text.startsWith('unplugged')).length, 1)
    await clock.advance(10_000)
    door.lose(new Error('unplugged'))
    await clock.advance(1_000)
    t.match(said.slice(-2), [/^unplugged/, /^open/], 'it had worked for a while')
    t.ok(door.isOpen)
  },
)
