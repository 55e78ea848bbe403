import t from 'tap'
import type { OsProgress } from '../../../ota/os/os-writer.js'
import { RaucSystem } from '../../../ota/os/rauc-system.js'
import { unhurried } from './os-world.js'
import { type RaucBoot, RaucWorld, type RaucWorldOptions, smallBundle } from './rauc-world.js'

const factory = smallBundle('1.0.0')
const second = smallBundle('1.1.0', { floor: '1.1.0' })
const third = smallBundle('1.2.0')
const world = (options: RaucWorldOptions = {}): RaucWorld => new RaucWorld(factory, options)

/** With `second` running on trial. */
async function onTrial(
  options: RaucWorldOptions = {},
): Promise<{ box: RaucWorld; boot: RaucBoot }> {
  const box = world(options)
  const agent = await box.boot().agent()
  await agent.write(second.image, second.source, unhurried)
  await agent.tryBoot()
  t.equal(box.box.isGoingDown, true)
  return { box, boot: box.boot() }
}

t.test('a bundle is written, tried, and stays when it was found good', async t => {
  for (const bootChooser of ['counts', 'once'] as const) {
    const box = world({ bootChooser })
    const agent = await box.boot().agent()
    const done: string[] = []
    const progress = ({ part, done: at, all }: OsProgress): void =>
      void done.push(`${part} ${at}/${all}`)
    t.equal(await agent.write(second.image, second.source, { ...unhurried, progress }), 'b')
    t.same(done.slice(1), ['bundle 3442/3442', 'install 20/100', 'install 100/100'])
    t.equal(box.box.primary, 'rootfs.0', 'until it is wanted, no reboot leads to it')
    t.equal(box.pieces.safeBytesOf(second.image.bundle.sha256).length, 0, 'no bundle is left over')
    t.equal(await agent.write(second.image, third.source, unhurried), 'b', 'done is done')
    await agent.tryBoot()
    await t.rejects(agent.giveUp('no'), { code: 'os.refused', message: /goes down/ })
    const { started, agent: start } = box.boot()
    t.equal(started, 'rootfs.1')
    const trial = await start()
    t.match(await trial.status(), { running: 'b', isTrial: true, wayBack: 'a', floor: null })
    t.equal(await trial.whyNotGood(), null)
    await trial.markGood()
    const later = box.boot()
    t.equal(later.started, 'rootfs.1')
    const home = await (await later.agent()).status()
    t.match(home, { running: 'b', usual: 'b', isTrial: false, floor: '1.1.0', wayBack: null })
    await (await later.agent()).markGood()
  }
})

t.test(
  'what is good says so after each boot, and is started as often as there are boots',
  async t => {
    const box = world()
    box.flash('rootfs.1', third)
    for (let boots = 0; boots < 4; boots++) {
      const { started, agent } = box.boot()
      t.equal(started, 'rootfs.0')
      await agent()
    }
    for (const hasty of [1, 2, 3]) t.equal(box.boot().started, 'rootfs.0', `hasty ${hasty}`)
  },
)

t.test(
  'a system that says nothing is left by the boot loader, and refused after two trials',
  async t => {
    const { box } = await onTrial()
    t.same(
      [box.boot().started, box.boot().started],
      ['rootfs.1', 'rootfs.1'],
      'with all its attempts',
    )
    const back = box.boot()
    t.equal(back.started, 'rootfs.0')
    const agent = await back.agent()
    t.match(await agent.status(), { slots: { b: { kind: 'written', attempts: 1 } } })
    await agent.tryBoot()
    for (let boots = 0; boots < 3; boots++) t.equal(box.boot().started, 'rootfs.1')
    t.match(await (await box.boot().agent()).whyNot(second.image), [/2 times without a word/])
  },
)

t.test(
  'a trial that fails goes home, is refused, and hasty starts do not lead there again',
  async t => {
    const { box, boot } = await onTrial()
    await (await boot.agent()).giveUp('the gauge is silent')
    for (let boots = 0; boots < 4; boots++) t.equal(box.boot().started, 'rootfs.0')
    const agent = await box.boot().agent()
    t.same(await agent.whyNot(second.image), ['1.1.0 failed: the gauge is silent'])
    await t.rejects(agent.write(second.image, second.source, unhurried), { code: 'os.refused' })
    await t.rejects(agent.tryBoot(), { code: 'os.refused' })
    await agent.clear(second.image.digest)
    t.same(await agent.whyNoTrial(), [])
    await agent.giveUp('not this week')
    t.equal(box.box.isGoingDown, false, 'at home there is nothing to reboot for')
  },
)

t.test('what RAUC would refuse is refused before anything is lost', async t => {
  const box = world()
  const agent = await box.boot().agent()
  await agent.write(third.image, third.source, unhurried)
  for (const [bundle, message] of [
    [smallBundle('2.0.0', { key: 'stranger' }), /signature/],
    [smallBundle('2.0.1', { compatible: 'pi-4' }), /is for pi-4, and this is pi-5/],
    [smallBundle('2.0.2', { hasRoot: false }), /no image for rootfs/],
  ] as const) {
    const written = agent.write(bundle.image, bundle.source, unhurried)
    await t.rejects(written, { code: 'os.refused', message })
    t.match(await agent.status(), { slots: { b: { kind: 'written', image: third.image } } })
    t.equal(box.found('rootfs.1', [third]), third)
  }
  const images = { digest: 'f', version: '1.0.0', floor: null, boot: second.image.bundle }
  const written = agent.write({ ...images, root: images.boot }, second.source, unhurried)
  await t.rejects(written, { code: 'os.unsupported', message: /bundles/ })
})

t.test('a bundle that is not what was signed never reaches RAUC', async t => {
  const cut = (count: number) => ({
    async *open() {
      for await (const bytes of second.source.open('bundle')) yield bytes.subarray(0, count)
    },
  })
  for (const [source, message] of [
    [third.source, /other bytes/],
    [cut(1_000), /2000 of 3442/],
    [{ open: () => twice(second.source.open('bundle')) }, /more than 3442/],
  ] as const) {
    const box = world()
    const agent = await box.boot().agent()
    const written = agent.write(second.image, source, unhurried)
    await t.rejects(written, { code: 'os.rotten', message })
    t.same([...box.box.contents], [])
    t.match(await agent.status(), { slots: { b: { kind: 'unknown' } } })
    await agent.write(second.image, second.source, unhurried)
  }
})

async function* twice(from: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const bytes of from) {
    yield bytes
    yield bytes
  }
}

t.test('an image of which RAUC keeps no notes is not used', async t => {
  const box = world()
  const agent = await box.boot().agent()
  const progress = ({ part, done }: OsProgress): void => {
    if (part === 'install' && done === 100) box.box.contents.clear()
  }
  const written = agent.write(second.image, second.source, { ...unhurried, progress })
  await t.rejects(written, { code: 'os.rotten', message: /does not say what is in rootfs\.1/ })
})

t.test('a bundle for which there is no room is not begun, and one can be cancelled', async t => {
  const box = world()
  const agent = await box.boot().agent()
  const stop = { progress: () => {}, isCancelled: () => true }
  await t.rejects(agent.write(second.image, second.source, stop), { code: 'ota.refused' })
  box.pieces.roomByteCount = 32 * 1024 * 1024
  const written = agent.write(second.image, second.source, unhurried)
  await t.rejects(written, { code: 'storage.full', message: /3442/ })
  t.match(await agent.status(), { slots: { b: { kind: 'unknown' } } })
})

t.test('a card that lies, or rots, is found out before anything is tried', async t => {
  const lying = world()
  lying.box.partitions['boot.1'].isLying = true
  const agent = await lying.boot().agent()
  const written = agent.write(second.image, second.source, unhurried)
  await t.rejects(written, { code: 'os.rotten', message: /boot\.1 was not written right/ })
  t.match(await agent.status(), { usual: 'a', slots: { b: { kind: 'unknown' } }, refused: [] })
  const box = world()
  const other = await box.boot().agent()
  await other.write(second.image, second.source, unhurried)
  box.box.partitions['rootfs.1'].rot(2_000)
  await t.rejects(other.tryBoot(), { code: 'os.rotten', message: /rootfs\.1 is not what/ })
  t.equal(box.box.isGoingDown, false)
  await other.write(second.image, second.source, unhurried)
  await other.tryBoot()
})

t.test('RAUC that is busy for somebody else is waited for', async t => {
  const box = world()
  const boot = box.boot()
  box.box.isBusy = true
  const agent = await boot.agent()
  t.same(box.log.events(), ['os.rauc-busy'])
  await t.rejects(agent.status(), { code: 'os.refused' })
  await t.rejects(agent.write(second.image, second.source, unhurried), { code: 'os.refused' })
  box.box.isBusy = false
  await agent.write(second.image, second.source, unhurried)
})

t.test('while RAUC installs, questions are answered, and nothing else is begun', async t => {
  const box = world()
  const agent = await box.boot().agent()
  const asked: Promise<unknown>[] = []
  const progress = ({ part }: OsProgress): void => {
    if (part === 'install' && asked.length === 0)
      asked.push(agent.status(), agent.whyNoTrial(), agent.tryBoot().catch(String))
  }
  await agent.write(second.image, second.source, { ...unhurried, progress })
  const [status, whyNot, tried] = await Promise.all(asked)
  t.match(status, { running: 'a', slots: { b: { kind: 'writing' } } })
  t.same(whyNot, ['no system is written'])
  t.match(tried, /a system is being written/)
})

t.test('an installation that fails half-way is begun again', async t => {
  const box = world()
  const agent = await box.boot().agent()
  box.box.fault = 'no space'
  const written = agent.write(second.image, second.source, unhurried)
  await t.rejects(written, { code: 'os.refused', message: /no space/ })
  t.match(await agent.status(), { usual: 'a', slots: { b: { kind: 'writing' } } })
  await t.rejects(agent.tryBoot(), { code: 'os.refused' })
  box.box.fault = null
  await agent.write(second.image, second.source, unhurried)
})

t.test('a machine that does not go down is led home, and no attempt is counted', async t => {
  const box = world()
  const boot = box.boot()
  const agent = await boot.agent()
  await agent.write(second.image, second.source, unhurried)
  box.box.refusal = 'no'
  await t.rejects(agent.tryBoot(), { code: 'power.refused' })
  t.equal(box.box.primary, 'rootfs.0')
  t.match(await agent.status(), { slots: { b: { kind: 'written', attempts: 0 } } })
  box.box.refusal = null
  await agent.tryBoot()
  const restarted = new RaucSystem(boot.ports)
  await restarted.clear('ff')
  t.equal(box.box.primary, 'rootfs.0', 'nor when it was the updater that ended')
  t.match(await restarted.status(), { slots: { b: { kind: 'written', attempts: 0 } } })
})

t.test('a boot loader that RAUC cannot tell anything is not used', async t => {
  const box = world({ bootChooser: 'never' })
  const boot = box.boot()
  await t.rejects(boot.agent(), { code: 'os.unsupported', message: /rootfs\.0 does not become/ })
})

t.test('RAUC is asked again when something was done, or a minute is over', async t => {
  const box = world()
  const { ports } = box.boot()
  let asked = 0
  const status = (): ReturnType<typeof ports.rauc.status> => {
    asked++
    return ports.rauc.status()
  }
  const agent = new RaucSystem({ ...ports, rauc: { ...ports.rauc, status } })
  await agent.status()
  for (let turns = 0; turns < 9; turns++) await agent.status()
  t.equal(asked, 1)
  await box.clock.advance(60_000)
  await agent.whyNoTrial()
  t.equal(asked, 2)
  await agent.write(second.image, second.source, unhurried)
  t.match(await agent.status(), { slots: { b: { kind: 'written' } }, usual: 'a' })
})

t.test('the last word comes when all is verified, and before anything is changed', async t => {
  const box = world()
  const agent = await box.boot().agent()
  await agent.write(second.image, second.source, unhurried)
  const tried = agent.tryBoot(async () => 'a show was armed')
  await t.rejects(tried, { code: 'os.refused', message: /a show was armed/ })
  t.equal(box.box.primary, 'rootfs.0')
  t.match(await agent.status(), { slots: { b: { kind: 'written', attempts: 0 } } })
})

t.test('a system is not tried while a release of Roadcase is', async t => {
  const box = world()
  const agent = await box.boot().agent()
  await agent.write(second.image, second.source, unhurried)
  box.isAppOnTrial = true
  t.match(await agent.whyNoTrial(), [/release of Roadcase/])
  await t.rejects(agent.tryBoot(), { code: 'os.refused' })
})

t.test('back from a good system that turned out not to be', async t => {
  const box = world()
  const first = await box.boot().agent()
  await first.write(third.image, third.source, unhurried)
  await first.tryBoot()
  await (await box.boot().agent()).markGood()
  const agent = await box.boot().agent()
  t.equal((await agent.status()).wayBack, 'a')
  await agent.rollBack('no sound')
  const { started, agent: start } = box.boot()
  t.equal(started, 'rootfs.0')
  const back = await start()
  t.same(await back.whyNot(third.image), ['1.2.0 failed: no sound'])
  t.equal((await back.status()).wayBack, null)
  await t.rejects(back.rollBack('again'), { code: 'os.refused' })
})
