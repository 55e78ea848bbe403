/** A box that follows its venue's time, and looks at the house's clock beside it. */
import t from 'tap'
import { SimulatedPtpLink } from '../../../drivers/simulated/ptp-link.js'
import { DeviceError } from '../../../runtime/core/errors.js'
import { check } from '../../../runtime/core/schema.js'
import { HouseClock } from '../../../runtime/services/clock/house-clock.js'
import { type Payload, topics } from '../../../runtime/topics.js'
import { type Box, runMs, SHOW_START_MS, Venue } from './venue-rig.js'

type State = Payload<'clock/house'>

const HOUSE_DOMAIN = 0
/** What its clock shows when true time begins: it was switched on an hour ago. */
const HOUSE_START_MS = 3_600_000

interface Scene {
  readonly venue: Venue
  readonly house: Box
  readonly box: Box
  readonly link: SimulatedPtpLink
  readonly service: HouseClock
  state(): State
  /** The truth: what the house shows less what the venue does. */
  aheadMs(): number
  end(): Promise<void>
}

async function look(): Promise<Scene> {
  const venue = new Venue()
  const house = venue.box({
    ppm: -30,
    domain: HOUSE_DOMAIN,
    floorMs: 0,
    aheadMs: HOUSE_START_MS - SHOW_START_MS,
    wallAheadMs: HOUSE_START_MS - SHOW_START_MS,
  })
  const box = venue.box({ ppm: 20 })
  const link = new SimulatedPtpLink(box.clock, venue.switch, {
    interfaceName: 'eth1',
    address: '10.0.0.99',
    hardwareAddress: Uint8Array.of(2, 0, 0, 0, 0, 99),
  })
  const states: State[] = []
  box.bus.subscribe('clock/house', state => {
    states.push(check(topics['clock/house'].payload, state, 'clock/house'))
  })
  const service = new HouseClock(
    { clock: box.clock, log: box.log, bus: box.bus, link },
    {
      domain: HOUSE_DOMAIN,
      description: { product: 'box', revision: '1', name: 'box' },
      random: venue.random,
      bootId: 'boot',
    },
  )
  for (const one of [house.service, box.service, service]) await one.start()
  return {
    venue,
    house,
    box,
    link,
    service,
    state: () => {
      const state = states.at(-1)
      if (state === undefined) throw new Error('nothing was told')
      return state
    },
    aheadMs: () => house.clock.showTimeMs() - box.clock.showTimeMs(),
    end: async () => {
      for (const one of [house.service, box.service, service]) await one.stop()
    },
  }
}

t.test('how far the house is from the show is told to some microseconds, in 1970 too', async t => {
  const scene = await look()
  t.match(scene.state(), { state: 'listening', leader: null, aheadMs: null, errorMs: null })
  await scene.venue.truth.advance(60_000)
  const state = scene.state()
  t.match(state, {
    state: 'following',
    leader: scene.house.identity,
    interface: 'eth1',
    domain: HOUSE_DOMAIN,
    stamps: 'kernel',
    trouble: null,
  })
  t.ok(Math.abs((state.aheadMs ?? 0) - scene.aheadMs()) < 0.07, 'within a second at 50 ppm')
  t.ok(Math.abs((state.ratePpm ?? 0) + 50) < 1, `${state.ratePpm}`)
  t.ok((state.errorMs ?? 1) < 1)
  await scene.end()
})

t.test('it steers nothing, and leads nobody', async t => {
  const scene = await look()
  const [least, most] = await runMs(scene.venue, scene.box, 60_000)
  t.ok(least > 0.999 && most < 1.001)
  t.same(scene.box.steppedMs, [])
  t.match(scene.box.state, { state: 'leading', clocksHeard: 0 })
  t.ok(scene.box.log.events().includes('house.leader'), 'and is told apart in the log')
  t.equal(scene.box.log.events().filter(event => event === 'clock.leader').length, 1)
  await scene.house.service.stop()
  await scene.venue.truth.advance(60_000)
  t.equal(scene.state().leader, null, 'not even when nobody else does')
  t.equal(scene.state().state, 'holdover')
  t.ok(Math.abs((scene.state().aheadMs ?? 0) - scene.aheadMs()) < 0.2, 'it goes on as it was')
  await scene.end()
})

t.test(
  'a house that sets its clock is a step of the house, also while a show is armed',
  async t => {
    const scene = await look()
    await scene.venue.truth.advance(60_000)
    scene.box.arm(true)
    await scene.house.service.stop()
    const reset = scene.venue.box({
      ppm: 10,
      domain: HOUSE_DOMAIN,
      floorMs: 0,
      aheadMs: -SHOW_START_MS,
      wallAheadMs: -SHOW_START_MS,
    })
    await reset.service.start()
    await scene.venue.truth.advance(60_000)
    const trueMs = reset.clock.showTimeMs() - scene.box.clock.showTimeMs()
    t.ok(Math.abs((scene.state().aheadMs ?? 0) - trueMs) < 0.07)
    t.equal(scene.state().steps, 2)
    t.same(scene.box.steppedMs, [])
    await reset.service.stop()
    await scene.end()
  },
)

t.test('a cable to the house that is out is told, and found again', async t => {
  const scene = await look()
  await scene.venue.truth.advance(20_000)
  scene.link.fail(new DeviceError('device.absent', 'eth1 is not there'))
  t.match(scene.state(), { state: 'holdover', trouble: 'eth1 is not there' })
  t.equal(scene.box.state.trouble, null)
  scene.link.mend()
  await scene.venue.truth.advance(20_000)
  t.match(scene.state(), { state: 'following', trouble: null })
  await scene.end()
})
