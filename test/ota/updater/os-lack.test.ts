import t from 'tap'
import { RaucSystem } from '../../../ota/os/rauc-system.js'
import { smallOs } from '../os/os-world.js'
import { RaucWorld, smallBundle } from '../os/rauc-world.js'
import { OsBench, orders, signedBundle } from './os-updater-bench.js'

const wanted = signedBundle('2.0.0')

interface RaucBox {
  readonly box: OsBench
  readonly world: RaucWorld
  /** How often RAUC was asked for its status. */
  asked: number
}

function raucBox(): RaucBox {
  const world = new RaucWorld(smallBundle('1.0.0'))
  const made: { asked: number } = { asked: 0 }
  const box = new OsBench(smallOs('1.0.0'), {
    clock: world.clock,
    config: { os: { kind: 'rauc' } },
    system: calls => {
      const { ports } = world.boot(calls)
      const status = () => {
        made.asked++
        return ports.rauc.status()
      }
      return new RaucSystem({ ...ports, rauc: { ...ports.rauc, status } })
    },
  })
  box.knownBundles = [wanted]
  return Object.assign(made, { box, world })
}

async function rebootedOnTrial({ box, world }: RaucBox): Promise<void> {
  box.look = orders(wanted)
  for (let turn = 0; turn < 400 && !world.box.isGoingDown; turn++) await box.turn()
  if (!world.box.isGoingDown) throw new Error('the box has not gone to try what is ordered')
  box.boot()
}

t.test(
  'RAUC that comes up late on a trial: no release is tried, and the trial is judged',
  async t => {
    const rauc = raucBox()
    const { box, world } = rauc
    world.box.isMissing = true
    await box.turns(2)
    t.equal(box.updater.whyNoAppTrial(), undefined, 'a machine without RAUC takes releases')
    world.box.isMissing = false
    await world.clock.advance(60_000)
    await rebootedOnTrial(rauc)
    world.box.isMissing = true
    t.match(await box.turns(4), { lacking: /RAUC: it does not answer/ })
    t.match(box.updater.whyNoAppTrial(), /not known whether a system is on trial: RAUC/)
    world.box.isMissing = false
    const good = { kind: 'good', version: '2.0.0' }
    t.match(await box.turns(24), { lacking: null, systems: { b: good } })
    t.equal(box.updater.whyNoAppTrial(), null)
  },
)

t.test('RAUC that never comes keeps releases back for half an hour, and is asked on', async t => {
  const rauc = raucBox()
  const { box, world } = rauc
  await rebootedOnTrial(rauc)
  world.box.isMissing = true
  await box.turns(2)
  t.type(box.updater.whyNoAppTrial(), 'string')
  await world.clock.advance(30 * 60_000)
  await box.turns(2)
  t.equal(box.updater.whyNoAppTrial(), undefined)
  rauc.asked = 0
  await world.clock.advance(60_000)
  await box.turns(2)
  t.equal(rauc.asked, 1)
})
