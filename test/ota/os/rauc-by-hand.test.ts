/** RAUC is there for people and other programs, too: what becomes of the systems when they use it. */
import t from 'tap'
import { unhurried } from './os-world.js'
import { type RaucBoot, RaucWorld, smallBundle } from './rauc-world.js'

const factory = smallBundle('1.0.0')
const second = smallBundle('1.1.0', { floor: '1.1.0' })
const third = smallBundle('1.2.0')

/** As a person does it, with `rauc install`. */
async function byHand({ ports: { rauc, bundles } }: RaucBoot, one: typeof second): Promise<void> {
  const file = await bundles.open(one.image.bundle.sha256)
  let at = 0
  for await (const bytes of one.source.open('bundle')) {
    await file.write(at, bytes)
    at += bytes.length
  }
  await file.sync()
  await rauc.install(one.image.bundle.sha256, () => {})
}

t.test('what a person has half installed over it is not tried, whatever RAUC noted', async t => {
  for (const notesPending of [false, true]) {
    const box = new RaucWorld(factory, { notesPending })
    const boot = box.boot()
    const agent = await boot.agent()
    await agent.write(second.image, second.source, unhurried)
    box.box.fault = 'no space'
    await t.rejects(byHand(boot, third), { message: /no space/ })
    await t.rejects(agent.tryBoot(), {
      code: notesPending ? 'os.refused' : 'os.rotten',
    })
    t.equal(box.box.isGoingDown, false)
    t.match(await agent.status(), { slots: { b: { kind: 'unknown' } } })
  }
})

t.test('what a person has installed by hand is what they want, and has no name here', async t => {
  const box = new RaucWorld(factory)
  const boot = box.boot()
  const agent = await boot.agent()
  await agent.write(second.image, second.source, unhurried)
  await byHand(boot, third)
  await box.clock.advance(60_000)
  t.match(await agent.status(), { slots: { b: { kind: 'unknown' } } }, 'it is not what was written')
  const { started, agent: start } = box.boot()
  t.equal(started, 'rootfs.1')
  t.match(await (await start()).status(), {
    isTrial: false,
    floor: null,
    slots: { a: { kind: 'good' }, b: { kind: 'good', image: null } },
  })
})

t.test(
  'what was written here, and somebody else starts, must pass the gate all the same',
  async t => {
    const box = new RaucWorld(factory)
    const boot = box.boot()
    await (await boot.agent()).write(second.image, second.source, unhurried)
    await boot.ports.rauc.mark('active', 'rootfs.1')
    const trial = await box.boot().agent()
    t.match(await trial.status(), { running: 'b', isTrial: true })
    t.equal(await trial.whyNotGood(), null)
    await trial.giveUp('too soon')
    t.equal(box.boot().started, 'rootfs.0')
  },
)

t.test(
  'a refused system that starts, because the good one did not, is led home, not rebooted',
  async t => {
    const box = new RaucWorld(factory)
    const first = await box.boot().agent()
    await first.write(second.image, second.source, unhurried)
    await first.tryBoot()
    await (await box.boot().agent()).giveUp('no sound')
    const home = box.boot()
    await (await home.agent()).status()
    await home.ports.rauc.mark('active', 'rootfs.1')
    const stray = box.boot()
    const agent = await stray.agent()
    t.match(await agent.status(), {
      running: 'b',
      isTrial: false,
      slots: { b: { kind: 'failed' } },
    })
    t.same(await agent.whyNot(third.image), [
      'system b runs although it failed: the next reboot leads to a',
    ])
    await t.rejects(agent.write(third.image, third.source, unhurried), { code: 'os.refused' })
    t.equal(box.box.isGoingDown, false)
    t.ok(box.log.events().includes('os.led-home'))
    t.equal(box.boot().started, 'rootfs.0')
  },
)
