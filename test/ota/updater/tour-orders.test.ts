import t from 'tap'
import { SimulatedFiles } from '../../../drivers/simulated/files.js'
import { SimulatedKeys } from '../../../drivers/simulated/keys.js'
import { type NamedSource, SwitchedSource, TourOrders } from '../../../ota/updater/tour-orders.js'
import { BoxError } from '../../../runtime/core/errors.js'
import { TestKey } from '../tuf/test-repository.js'
import { pastOf, TrustBench } from '../tuf/trust-bench.js'
import { signedOs } from './os-updater-bench.js'
import { releaseOf } from './updater-bench.js'

const down: NamedSource = {
  name: 'http://hub',
  source: {
    fetch: () => Promise.reject(new BoxError('link.down', 'nobody answers')),
  },
}

/** A repository with one release and one order, and a box that asks it. */
function bench() {
  const trust = new TrustBench()
  const { repository } = trust
  repository.delegate('targets', {
    name: 'releases',
    keys: [new TestKey()],
    paths: ['releases/*/*'],
  })
  repository.delegate('targets', {
    name: 'tour-7',
    keys: [new TestKey()],
    paths: ['tours/tour-7/*'],
  })
  const release = (version: string): void =>
    repository.addTarget(
      'releases',
      `releases/x64/${version}.json`,
      JSON.stringify(releaseOf(version)),
    )
  const order = (releases: object, more: object = {}): void =>
    repository.addTarget(
      'tour-7',
      'tours/tour-7/order.json',
      JSON.stringify({
        format: 1,
        tour: 'tour-7',
        releases,
        activation: 'box',
        notes: '',
        ...more,
      }),
    )
  release('1.1.0')
  order({ x64: '1.1.0' })
  const publish = (): void =>
    repository.publish('releases', 'tour-7', 'targets', 'snapshot', 'timestamp')
  publish()
  const switched = new SwitchedSource()
  trust.source = switched
  const files = new SimulatedFiles()
  const hub: NamedSource = { name: 'http://mirror', source: repository }
  const world = {
    tour: 'tour-7',
    sources: [hub] as readonly NamedSource[],
    board: null as (() => string | null) | null,
  }
  const start = async (): Promise<TourOrders> =>
    new TourOrders(
      { trust: await trust.start(), switched, files, keys: new SimulatedKeys(() => 0.5) },
      {
        tour: world.tour,
        architecture: 'x64',
        board: world.board,
        sources: async () => world.sources,
      },
    )
  return { trust, repository, release, order, publish, world, hub, start }
}

t.test('what the tour orders is found by its signatures', async t => {
  const { start } = bench()
  t.match(await (await start()).look(), {
    isFresh: true,
    words: '1.1.0 is ordered',
    order: { description: { version: '1.1.0' }, isTogether: false, isTimeKnown: true },
  })
})

t.test('a mirror that is down is passed over', async t => {
  const { start, world, hub } = bench()
  world.sources = [down, hub]
  t.match(await (await start()).look(), {
    isFresh: true,
    order: { description: { version: '1.1.0' } },
  })
})

t.test('without a source, and after a start, the box still knows what was ordered', async t => {
  const { start, world } = bench()
  await (await start()).look()
  world.sources = []
  t.match(await (await start()).look(), {
    isFresh: false,
    words: 'there is no source to ask; 1.1.0 is ordered',
    order: { description: { version: '1.1.0' } },
  })
})

t.test('a stick from last week is told as such, and the newer order stays', async t => {
  const { start, world, repository, release, order, publish } = bench()
  const stick: NamedSource = { name: '/media/stick', source: pastOf(repository.files) }
  release('1.2.0')
  order({ x64: '1.2.0' })
  publish()
  await (await start()).look()
  world.sources = [stick]
  const look = await (await start()).look()
  t.match(look, { isFresh: false, order: { description: { version: '1.2.0' } } })
  t.match(
    look.words,
    /\/media\/stick: older than what this box has seen .*\(timestamp .*\); 1\.2\.0 is ordered/,
  )
})

t.test('nothing ordered for this machine, or by somebody who may not, is nothing', async t => {
  const { start, order, publish } = bench()
  order({ arm64: '1.1.0' })
  publish()
  t.match(await (await start()).look(), { order: null, words: /orders nothing for x64/ })
  order({ x64: '9.9.9' })
  publish()
  t.match(await (await start()).look(), {
    order: null,
    words: 'tour-7 orders 9.9.9, and the repository has no such release for x64',
  })
  order({ x64: '1.1.0' }, { tour: 'tour-8' })
  publish()
  t.match(await (await start()).look(), { order: null, words: /for tour-8/ })
  order({ x64: 'newest' })
  publish()
  t.match(await (await start()).look(), { order: null, words: /order\.releases\.x64/ })
})

t.test('a tour that the repository does not know is told beside those that it knows', async t => {
  const { repository, start, world, publish, trust } = bench()
  world.tour = 'tour-77'
  t.match(await (await start()).look(), {
    isFresh: true,
    words: 'this repository knows no tour tour-77; it knows tour-7 ("tour" in ota.json)',
    order: null,
  })
  const paths = ['tours/winter/*']
  repository.delegate('targets', { name: 'tour-winter', keys: [new TestKey()], paths })
  repository.publish('tour-winter')
  publish()
  t.match((await (await start()).look()).words, /it knows tour-7, winter/)
  world.tour = 'winter'
  t.match(
    (await (await start()).look()).words,
    'winter is a tour of this repository, and has ordered nothing yet',
  )
  world.tour = 'tour-77'
  trust.nowMs += 4_000 * 86_400_000
  t.notMatch((await (await start()).look()).words, /knows no tour/, 'what is expired knows nothing')
})

t.test('what a source is not believed for is said once, and by one name', async t => {
  const { start, world, hub, trust } = bench()
  const fetch = (): Promise<never> =>
    Promise.reject(new BoxError('link.down', 'http://hub/metadata/2.root.json does not answer'))
  world.sources = [{ name: 'http://hub', source: { fetch } }]
  await (await start()).look()
  t.match((await (await start()).look()).words, /^http:\/\/hub\/metadata/)
  world.sources = [hub]
  trust.nowMs += 4_000 * 86_400_000
  const { words } = await (await start()).look()
  t.equal(words.split('has expired').length, 2, words)
})

t.test('a stick that was forgotten in a box hides nothing that the hub has', async t => {
  for (const keepsTime of [true, false]) {
    const { trust, start, repository, world, hub, release, order, publish } = bench()
    trust.keepsTime = keepsTime
    const carried = (): NamedSource => ({
      name: '/media/stick',
      source: pastOf(repository.files),
      isCarried: true,
    })
    const forgotten = carried()
    const news = (version: string): void => {
      release(version)
      order({ x64: version })
      publish()
    }
    let asked = 0
    const counted: NamedSource = {
      ...hub,
      source: {
        fetch: (path, max) => {
          asked++
          return hub.source.fetch(path, max)
        },
      },
    }
    world.sources = [forgotten, counted]
    const orders = await start()
    await orders.look()
    news('1.2.0')
    const is = (version: string) => ({ words: `${version} is ordered`, isFresh: true })
    t.match(await orders.look(), is('1.2.0'), `${keepsTime}`)
    news('1.3.0')
    world.sources = [carried(), counted]
    asked = 0
    t.match(await orders.look(), is('1.3.0'))
    t.equal(asked === 0, keepsTime, 'a stick with news waits for no hub')
    world.sources = [carried(), down]
    t.match(await orders.look(), is('1.3.0'), 'and one without is enough where there is no hub')
  }
})

t.test('an order whose time is over is told by its version', async t => {
  const { start, trust, world } = bench()
  await (await start()).look()
  world.sources = []
  trust.nowMs += 4_000 * 86_400_000
  const over = /has expired on .*; 1\.1\.0 was ordered, which does not count any more$/
  t.match(await (await start()).look(), { order: null, words: over })
  t.match(await (await start()).recall(), { order: null, words: over })
})

t.test('a stick that lacks what is signed is no matter where the hub has it', async t => {
  const { start, repository, world, hub } = bench()
  const source: NamedSource['source'] = {
    fetch: async (path, max) => (path.startsWith('targets/') ? null : repository.fetch(path, max)),
  }
  const stick: NamedSource = { name: '/media/stick', source, isCarried: true }
  world.sources = [stick, hub]
  t.match(await (await start()).look(), { words: '1.1.0 is ordered' }, 'the hub has it')
})

t.test('a stick alone that lacks what is signed is named', async t => {
  const { start, repository, world } = bench()
  const source: NamedSource['source'] = {
    fetch: async (path, max) => (path.startsWith('targets/') ? null : repository.fetch(path, max)),
  }
  world.sources = [{ name: '/media/stick', source, isCarried: true }]
  t.match(
    (await (await start()).look()).words,
    /the order of tour-7: \/media\/stick has no targets\/.*order\.json: it was not copied whole/,
  )
})

t.test('after a start it is known what was ordered, and nobody is asked for it', async t => {
  const { start, world, hub, trust } = bench()
  t.equal(await (await start()).recall(), null)
  t.same(trust.log.events(), [], 'which is no trouble')
  await (await start()).look()
  const asked: string[] = []
  const source: NamedSource['source'] = {
    fetch: (path, max) => {
      asked.push(path)
      return hub.source.fetch(path, max)
    },
  }
  world.sources = [{ name: 'http://mirror', source }]
  t.match(await (await start()).recall(), {
    isFresh: false,
    words: '1.1.0 is ordered',
    order: { description: { version: '1.1.0' } },
  })
  t.same(asked, [])
})

t.test('a box that does not know the date says so, and may fetch meanwhile', async t => {
  const { trust, start } = bench()
  trust.keepsTime = false
  t.match(await (await start()).look(), {
    order: { description: { version: '1.1.0' }, isTimeKnown: false },
  })
})

t.test('the order for operating systems stands beside the one for releases', async t => {
  const { repository, start, world, publish } = bench()
  const { description } = signedOs('2.0.0', { architecture: 'x64' })
  const systems = (order: object): void => {
    repository.addTarget('tour-7', 'tours/tour-7/os.json', JSON.stringify(order))
    publish()
  }
  world.board = () => 'pi-4b'
  t.match(await (await start()).look(), {
    order: { description: { version: '1.1.0' } },
    os: { order: null, words: 'tour-7 orders no operating system' },
  })
  systems({ format: 1, tour: 'tour-7', systems: { 'pi-4b': '2.0.0' } })
  t.match((await (await start()).look()).os, { words: /2\.0\.0 for pi-4b is not signed/ })
  repository.delegate('targets', { name: 'os', keys: [new TestKey()], paths: ['os/*/*'] })
  repository.addTarget('os', 'os/pi-4b/2.0.0.json', JSON.stringify(description))
  repository.publish('os', 'targets', 'snapshot', 'timestamp')
  t.match(await (await start()).look(), {
    order: { description: { version: '1.1.0' } },
    os: { order: { description: { version: '2.0.0' }, isTimeKnown: true } },
  })
  world.board = () => null
  t.match((await (await start()).look()).os, { order: null, isBoardUnknown: true })
  world.board = () => 'pi-5'
  t.match((await (await start()).look()).os, { words: /no operating system for pi-5/ })
  world.board = () => 'pi-4b'
  for (const wrong of [
    { format: 1, tour: 'tour-8', systems: {} },
    { format: 2, tour: 'tour-7', systems: {} },
  ]) {
    systems(wrong)
    t.match(await (await start()).look(), {
      order: { description: { version: '1.1.0' } },
      os: { order: null },
    })
  }
})
