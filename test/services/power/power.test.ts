import t from 'tap'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { SimulatedLog } from '../../../drivers/simulated/log.js'
import { SimulatedStore } from '../../../drivers/simulated/store.js'
import { Bus } from '../../../runtime/core/bus.js'
import { BoxError, DeviceError } from '../../../runtime/core/errors.js'
import { check } from '../../../runtime/core/schema.js'
import type { GaugeReading } from '../../../runtime/ports/gauge.js'
import type { Change } from '../../../runtime/ports/store.js'
import { Power } from '../../../runtime/services/power/power.js'
import { type Messages, type Payload, topics } from '../../../runtime/topics.js'
import { arm } from '../arm.js'
import { reading, ScriptedGauge } from './scripted-gauge.js'
import { usualPolicy } from './usual-policy.js'

type Known = Partial<Omit<GaugeReading, 'at'>>

interface WorldOptions {
  readonly store?: SimulatedStore
  readonly gauges?: readonly string[]
}

/** A box with one pack a gauge, whose readings are `known` until a test says otherwise. */
class World {
  readonly clock = new SimulatedClock({ showStartMs: 1.8e12, driftPpm: 0 })
  readonly log = new SimulatedLog()
  readonly bus = new Bus<Messages>()
  readonly store: SimulatedStore
  readonly gauges: ReadonlyMap<string, ScriptedGauge>
  readonly batteries: Payload<'battery/state'>[] = []
  readonly powers: Payload<'power/state'>[] = []
  readonly power: Power
  known: Known = { millivolts: 3_748, milliamps: -500, percent: 60, isExternal: false }
  shutDowns = 0
  refusal: Error | null = null

  constructor({ store = new SimulatedStore(), gauges = ['ups'] }: WorldOptions = {}) {
    this.store = store
    this.gauges = new Map(
      gauges.map(name => [
        name,
        new ScriptedGauge(name, async () => [reading(this.clock.monotonicMs(), this.known)]),
      ]),
    )
    const powerSwitch = {
      shutDown: async () => {
        this.shutDowns++
        if (this.refusal) throw this.refusal
      },
    }
    const packs = gauges.map((gauge, index) => ({
      name: `pack-${index + 1}`,
      gauge,
      channel: 0,
      chemistry: 'li-ion' as const,
      cells: 1,
      milliampHours: 5_000,
      milliohms: 80,
    }))
    this.power = new Power(
      { clock: this.clock, log: this.log, bus: this.bus, store, powerSwitch },
      this.gauges,
      { packs, policy: usualPolicy, showEnds: '23:00', timeZone: 'UTC' },
    )
    this.bus.subscribe('battery/state', state => {
      this.batteries.push(check(topics['battery/state'].payload, state, 'battery/state'))
    })
    this.bus.subscribe('power/state', state => {
      this.powers.push(check(topics['power/state'].payload, state, 'power/state'))
    })
  }

  gauge(name = 'ups'): ScriptedGauge {
    const gauge = this.gauges.get(name)
    if (!gauge) throw new Error(`there is no gauge ${name}`)
    return gauge
  }

  async run(seconds: number, known: Known = {}): Promise<void> {
    this.known = { ...this.known, ...known }
    await this.clock.advance(seconds * 1_000)
  }

  arm(isArmed: boolean): void {
    arm(this.bus, isArmed)
  }

  get last(): Payload<'power/state'> | undefined {
    return this.powers.at(-1)
  }
}

/** Nearly empty, and so is its voltage. */
const low: Known = { percent: 4, millivolts: 3_300, milliamps: -10 }

async function started(options: WorldOptions = {}): Promise<World> {
  const world = new World(options)
  await world.power.start()
  return world
}

t.test('packs and power are told within two seconds of the start', async t => {
  const world = await started()
  await world.run(2)
  t.match(world.batteries.at(-1), {
    pack: 'pack-1',
    gauge: 'ups',
    percent: 60,
    method: 'gauge',
    milliamps: -500,
    troubles: [],
  })
  t.match(world.last, { stage: 'battery', percent: 60, isExternal: false, lightCap: 1, packs: 1 })
  t.match(world.last?.forecast, /^empty at \d\d:\d\d at this load; show ends 23:00$/)
})

t.test(
  'what does not change is told every half minute, and what does at most once a second',
  async t => {
    const world = await started()
    await world.run(5)
    const before = world.batteries.length
    await world.run(300)
    const told = world.batteries.length - before
    t.ok(told >= 10 && told <= 16, `${told} times in five minutes`)
    const from = world.batteries.length
    for (let second = 0; second < 60; second++)
      await world.run(1, { milliamps: -500 - 20 * (second % 20), millivolts: 3_748 - second })
    t.ok(world.batteries.length - from <= 60)
  },
)

t.test('the line that says mains is gone is heard before the next reading', async t => {
  const world = await started()
  await world.run(10.5, { isExternal: true, milliamps: 100 })
  t.equal(world.last?.stage, 'mains')
  world.gauge().tell(false, world.clock.monotonicMs())
  t.match(world.last, { stage: 'battery', isExternal: false })
  await world.run(0.2)
  t.equal(world.last?.stage, 'battery')
})

t.test('a box without a line knows by the current what it runs on', async t => {
  const world = await started()
  await world.run(10, { isExternal: null, milliamps: 900, percent: null })
  t.match(world.last, { stage: 'mains', isExternal: true, isCharging: true })
  await world.run(2, { milliamps: -900 })
  t.equal(world.last?.stage, 'mains', 'two seconds of a heavy load are not enough')
  await world.run(3)
  t.match(world.last, { stage: 'battery', isExternal: false })
})

t.test('stages ask for less light, and refuse prints', async t => {
  const world = await started()
  for (const [percent, stage, lightCap, arePrintsRefused] of [
    [50, 'battery', 1, false],
    [28, 'warn', 1, false],
    [18, 'shed', 0.5, false],
    [9, 'protect', 0.5, true],
  ] as const) {
    await world.run(20, { percent, millivolts: 3_440 + percent * 6, milliamps: -10 })
    await world.run(1)
    t.match(world.last, { stage, lightCap, arePrintsRefused }, `${percent} %`)
  }
})

t.test(
  'the box goes down in order: told, kept, boards armed, and then the machine, once',
  async t => {
    const world = await started()
    world.gauge().canCut = true
    await world.run(10)
    await world.run(20, low)
    t.equal(world.last?.stage, 'shutdown')
    t.equal(world.shutDowns, 0, 'there is a grace')
    await world.run(60)
    t.equal(world.shutDowns, 1)
    t.equal(world.gauge().cuts, 1)
    const events = world.log.events().filter(event => event.startsWith('power.'))
    t.same(events.slice(-4), ['power.stage', 'power.shutting-down', 'power.off', 'power.cut-armed'])
    const kept = await world.store.read('power', 'pack/pack-1')
    t.ok(kept !== null)
    await world.run(600)
    t.equal(world.shutDowns, 1)
  },
)

t.test('a disk that hangs does not keep the box from going down', async t => {
  class HangingStore extends SimulatedStore {
    isHanging = false
    override commit(changes: readonly Change[]): Promise<void> {
      return this.isHanging ? new Promise(() => {}) : super.commit(changes)
    }
  }
  const store = new HangingStore()
  const world = await started({ store })
  world.gauge().canCut = true
  await world.run(10)
  store.isHanging = true
  await world.run(90, low)
  t.equal(world.shutDowns, 1)
  t.equal(world.gauge().cuts, 1)
  t.ok(world.log.events().includes('power.not-kept'))
})

t.test('mains within the grace keeps the box on', async t => {
  const world = await started()
  await world.run(20, low)
  await world.run(60, { isExternal: true, milliamps: 1_000 })
  t.equal(world.shutDowns, 0)
  t.equal(world.gauge().cuts, 0)
  t.equal(world.last?.stage, 'mains')
})

t.test('while a show is armed only the voltage powers the box off', async t => {
  const world = await started()
  world.arm(true)
  await world.run(300, { percent: 1, millivolts: 3_260, milliamps: -10 })
  t.equal(world.shutDowns, 0)
  t.equal(world.last?.stage, 'protect')
  await world.run(60, { millivolts: 3_150 })
  t.equal(world.shutDowns, 1)
})

t.test('a show that is disarmed on an empty pack lets the box go', async t => {
  const world = await started()
  world.arm(true)
  await world.run(30, low)
  world.arm(false)
  await world.run(60)
  t.equal(world.shutDowns, 1)
})

t.test('a machine that refuses to go down is logged, and asked once', async t => {
  const world = await started()
  world.refusal = new BoxError('power.refused', 'not allowed')
  await world.run(300, low)
  t.equal(world.shutDowns, 1)
  t.ok(world.log.events('error').includes('power.not-off'))
  await world.run(20, { percent: 50, millivolts: 3_748, isExternal: true, milliamps: 900 })
  t.equal(world.last?.stage, 'mains', 'and the box goes on')
})

t.test('a board that does not answer does not keep the machine from going down', async t => {
  const world = await started()
  world.gauge().cutPower = () => new Promise(() => {})
  await world.run(60, low)
  t.equal(world.shutDowns, 1)
  t.ok(world.log.events('warn').includes('power.cut-failed'))
})

t.test('a silent gauge is said to be silent, moves nothing, and is heard again', async t => {
  const world = await started()
  await world.run(20)
  world.gauge().answer = async () => {
    throw new DeviceError('device.io', 'nobody answers')
  }
  await world.run(600)
  t.match(world.batteries.at(-1), { millivolts: null, milliamps: null, troubles: ['silent'] })
  t.equal(world.last?.stage, 'battery')
  t.equal(world.shutDowns, 0)
  t.same(
    world.log.events('warn').filter(event => event === 'power.gauge-silent'),
    ['power.gauge-silent'],
  )
  world.gauge().answer = async () => [reading(world.clock.monotonicMs(), world.known)]
  await world.run(5)
  t.match(world.batteries.at(-1), { millivolts: 3_748, troubles: [] })
  t.ok(world.log.events().includes('power.gauge-heard'))
})

t.test('what was last known of a charge moves nothing once its gauge is silent', async t => {
  const world = await started()
  await world.run(20, { ...low, percent: 8, isExternal: true, milliamps: 900 })
  world.gauge().answer = async () => {
    throw new DeviceError('device.io', 'nobody answers')
  }
  await world.run(60)
  t.equal(world.last?.stage, 'mains')
})

t.test('a gauge that hangs is never asked twice, and the others go on', async t => {
  const world = await started({ gauges: ['one', 'two'] })
  world.gauge('one').answer = () => new Promise(() => {})
  await world.run(120)
  t.equal(world.gauge('one').readsAtOnceMax, 1)
  t.ok(world.gauge('two').reads > 100)
  t.match(
    world.batteries.findLast(({ pack }) => pack === 'pack-1'),
    { troubles: ['silent'], percent: null },
  )
  t.equal(world.batteries.findLast(({ pack }) => pack === 'pack-2')?.percent, 60)
})

t.test('a swap is logged, counted and remembered', async t => {
  const world = await started()
  await world.run(60, { percent: null, millivolts: 3_500 })
  await world.run(10, { millivolts: 4_120 })
  t.equal(world.batteries.at(-1)?.swaps, 1)
  t.same(world.log.lines.find(({ event }) => event === 'battery.swapped')?.facts, {
    pack: 'pack-1',
    cause: 'step',
    swaps: 1,
  })
  await world.power.stop()
  const again = await started({ store: world.store })
  await again.run(3)
  t.equal(again.batteries.at(-1)?.swaps, 1)
})

t.test('the charge survives a restart where the voltage tells little', async t => {
  const world = await started()
  await world.run(90, { percent: null, millivolts: 4_190, milliamps: 0 })
  t.ok((world.batteries.at(-1)?.percent ?? 0) > 97)
  await world.power.stop()
  const again = await started({ store: world.store })
  await again.run(3, { percent: null, millivolts: 4_080, milliamps: -1_000 })
  t.ok((again.batteries.at(-1)?.percent ?? 0) > 90, `${again.batteries.at(-1)?.percent}`)
})

t.test('a rotten record and a broken disk cost the memory, and nothing else', async t => {
  const store = new SimulatedStore()
  const value = new TextEncoder().encode('{"charge": "full"}')
  await store.commit([{ kind: 'put', table: 'power', key: 'pack/pack-1', value }])
  const world = await started({ store })
  t.ok(world.log.events('warn').includes('power.forgotten'))
  store.fault = 'storage.full'
  await world.run(400)
  t.match(world.batteries.at(-1), { percent: 60 })
  t.equal(world.log.events('warn').filter(event => event === 'power.not-kept').length, 1)
  store.fault = null
  await world.run(120)
  await world.power.stop()
  const points = await world.power.history({
    series: 'all',
    fromWallMs: 1.8e12,
    toWallMs: 1.8e12 + 600_000,
    stepMs: 60_000,
  })
  t.ok(points.length >= 8, 'the minutes that could not be written were written later')
})

t.test('history is there to read, of all packs and of each', async t => {
  const world = await started({ gauges: ['one', 'two'] })
  await world.run(180)
  const span = { fromWallMs: 1.8e12, toWallMs: 1.8e12 + 180_000, stepMs: 1_000 }
  const all = await world.power.history({ ...span, series: 'all' })
  t.ok(all.length >= 177, `${all.length} seconds`)
  t.match(all.at(-1), { percent: 60, millivolts: 3_748, milliwatts: -3_748, stageRank: 1 })
  const one = await world.power.history({ ...span, series: 'pack-2' })
  t.match(one.at(-1), { milliwatts: -1_874 })
})

t.test('it writes to the disk at most once a minute', async t => {
  const world = await started()
  let commits = 0
  const { commit } = world.store
  world.store.commit = changes => {
    commits++
    return commit.call(world.store, changes)
  }
  await world.run(3_600)
  t.ok(commits <= 60, `${commits} commits in an hour`)
})

t.test('after the stop nothing is read, told or written', async t => {
  const world = await started()
  await world.run(10)
  await world.power.stop()
  await world.power.stop()
  const { reads } = world.gauge()
  const told = world.batteries.length
  await world.run(60)
  world.gauge().tell(false, world.clock.monotonicMs())
  t.equal(world.gauge().reads, reads)
  t.equal(world.batteries.length, told)
})
