import t from 'tap'
import { OS_RECORD_FILES } from '../../../ota/os/os-record.js'
import {
  ascii,
  autobootText,
  OsWorld,
  smallOs,
  sourceOf,
  unhurried,
  type WorldOptions,
} from './os-world.js'

const factory = smallOs('1.0.0')
const second = smallOs('1.1.0', '1.1.0')
const third = smallOs('1.2.0')
const world = (options: WorldOptions = {}): OsWorld => new OsWorld(factory, options)
const textOf = ({ firmware }: OsWorld): string =>
  new TextDecoder().decode(firmware.autoboot ?? undefined)

/** With `second` running on trial. */
async function onTrial(): Promise<OsWorld> {
  const box = world()
  const { agent } = box.boot()
  await agent.write(second.image, second.source, unhurried)
  await agent.tryBoot()
  t.equal(box.firmware.isGoingDown, true)
  return box
}

t.test('a system is written, tried for one boot, and stays when it was found good', async t => {
  const box = world()
  const first = box.boot()
  const done: string[] = []
  const progress = {
    progress: ({ part, done: at, all }: { part: string; done: number; all: number }) =>
      void done.push(`${part} ${at}/${all}`),
    isCancelled: () => false,
  }
  t.equal(await first.agent.write(second.image, second.source, progress), 'b')
  t.same(done, ['root 262144/265000', 'root 265000/265000', 'boot 3000/3000'])
  t.equal(textOf(box), autobootText(2, 2), 'until it is wanted, no wish leads to it')
  await first.agent.tryBoot()
  t.equal(textOf(box), autobootText(2, 3))
  const trial = box.boot()
  t.equal(trial.partition, 3)
  t.match(await trial.agent.status(), {
    running: 'b',
    usual: 'a',
    isTrial: true,
    wayBack: 'a',
    floor: null,
  })
  await trial.agent.markGood()
  t.equal(textOf(box), autobootText(3, 3))
  const after = box.boot()
  t.equal(after.partition, 3)
  t.match(await after.agent.status(), {
    running: 'b',
    isTrial: false,
    floor: '1.1.0',
    wayBack: null,
  })
  await after.agent.markGood()
})

t.test('what was not found good is left with the next reboot, whatever the reason', async t => {
  const box = await onTrial()
  t.equal(box.boot().partition, 3)
  t.equal(box.boot().partition, 2)
  t.equal(box.boot().partition, 2)
})

t.test('a trial that fails reboots, and is not written again until a person clears it', async t => {
  const box = await onTrial()
  const trial = box.boot()
  await trial.agent.giveUp('the gauge is silent')
  t.equal(box.firmware.isGoingDown, true)
  const { partition, agent } = box.boot()
  t.equal(partition, 2)
  t.same(await agent.whyNot(second.image), ['1.1.0 failed: the gauge is silent'])
  await t.rejects(agent.write(second.image, second.source, unhurried), { code: 'os.refused' })
  await t.rejects(agent.tryBoot(), { code: 'os.refused' })
  t.equal(textOf(box), autobootText(2, 2), 'and no wish leads there any more')
  await agent.clear(second.image.digest)
  t.same(await agent.whyNoTrial(), [])
  await agent.giveUp('not this week')
  t.equal(box.firmware.isGoingDown, false, 'at home there is nothing to reboot for')
  t.match(await agent.status(), { slots: { b: { kind: 'failed' } } })
})

t.test('what comes and is not what was signed leaves nothing that starts', async t => {
  const wrong = { ...second.bytes, boot: second.bytes.boot.slice() }
  wrong.boot[2_000] = (wrong.boot[2_000] ?? 0) ^ 1
  const long = { ...second.bytes, root: Buffer.concat([second.bytes.root, Buffer.alloc(1)]) }
  const short = { ...second.bytes, root: second.bytes.root.subarray(1) }
  for (const [bytes, message] of [
    [wrong, /boot partition was not written right/],
    [long, /more than 265000/],
    [short, /ends after 264999/],
  ] as const) {
    const box = world()
    const { agent } = box.boot()
    await t.rejects(agent.write(second.image, sourceOf(bytes), unhurried), {
      code: 'os.rotten',
      message,
    })
    t.equal(box.hasHead(3), false)
    t.match(await agent.status(), { slots: { b: { kind: 'unknown' } } })
    t.same((await agent.status()).refused, [], 'which is not the fault of the system')
    await agent.write(second.image, second.source, unhurried)
  }
})

t.test('a card that lies about its syncs is found out before anything is tried', async t => {
  const box = world()
  box.partitions.b.root.isLying = true
  const { agent } = box.boot()
  await t.rejects(agent.write(second.image, second.source, unhurried), { code: 'os.rotten' })
})

t.test('what has rotted since it was written is not tried', async t => {
  const box = world()
  const { agent } = box.boot()
  await agent.write(second.image, second.source, unhurried)
  box.partitions.b.root.rot(200_000)
  await t.rejects(agent.tryBoot(), { code: 'os.rotten', message: /root partition/ })
  t.equal(box.firmware.isGoingDown, false)
  t.equal(box.hasHead(3), false)
  await agent.write(second.image, second.source, unhurried)
  t.equal(await agent.write(second.image, sourceOf(factory.bytes), unhurried), 'b', 'done is done')
})

t.test('a cancelled writing can be done again', async t => {
  const box = world()
  const { agent } = box.boot()
  const stop = { progress: () => {}, isCancelled: () => true }
  await t.rejects(agent.write(second.image, second.source, stop), { code: 'ota.refused' })
  t.match(await agent.status(), { slots: { b: { kind: 'writing' } } })
  t.equal(box.hasHead(3), false)
  await agent.write(second.image, second.source, unhurried)
})

t.test(
  'an image that is larger than its partition is refused before anything is overwritten',
  async t => {
    const box = world()
    const { agent } = box.boot()
    await agent.write(second.image, second.source, unhurried)
    const large = { ...third.image, root: { ...third.image.root, byteCount: 400_000 } }
    await t.rejects(agent.write(large, third.source, unhurried), {
      code: 'os.refused',
      message: /400000/,
    })
    t.equal(box.found(3, [second]), second)
  },
)

t.test('a machine that does not go down keeps what it has, and no attempt is counted', async t => {
  const box = world()
  const { agent } = box.boot()
  await agent.write(second.image, second.source, unhurried)
  box.firmware.refusal = 'no'
  await t.rejects(agent.tryBoot(), { code: 'power.refused' })
  t.match(await agent.status(), { slots: { b: { kind: 'written', attempts: 0 } } })
  t.equal(textOf(box), autobootText(2, 2))
})

t.test('a system is not tried while a release of Roadcase is on trial', async t => {
  const box = world()
  const { agent } = box.boot()
  await agent.write(second.image, second.source, unhurried)
  box.isAppOnTrial = true
  t.match(await agent.whyNoTrial(), [/release of Roadcase/])
  await t.rejects(agent.tryBoot(), { code: 'os.refused' })
})

t.test('back from a good system that turned out not to be', async t => {
  const box = world()
  await box.boot().agent.write(third.image, third.source, unhurried)
  await box.boot().agent.tryBoot()
  await box.boot().agent.markGood()
  const { agent } = box.boot()
  t.equal((await agent.status()).wayBack, 'a')
  await agent.rollBack('no sound')
  const back = box.boot()
  t.equal(back.partition, 2)
  t.same(await back.agent.whyNot(third.image), ['1.2.0 failed: no sound'])
  t.equal((await back.agent.status()).wayBack, null)
  await t.rejects(back.agent.rollBack('again'), { code: 'os.refused' })
})

t.test(
  'a usual system that does not start any more gives way to the good one that does',
  async t => {
    const box = world()
    await box.boot().agent.write(third.image, third.source, unhurried)
    await box.boot().agent.tryBoot()
    await box.boot().agent.markGood()
    box.partitions.b.boot.flash(new Uint8Array(512))
    const { partition, agent } = box.boot()
    t.equal(partition, 2)
    t.match(await agent.status(), { running: 'a', usual: 'b', isTrial: false })
    await agent.write(second.image, second.source, unhurried)
    t.equal(textOf(box), autobootText(2, 2))
    t.ok(box.log.events().includes('os.fell-back'))
  },
)

t.test('a boot on trial that nobody here asked for is not found good', async t => {
  const box = world({ autoboot: ascii(autobootText(2, 3)) })
  for (const part of ['boot', 'root'] as const) box.partitions.b[part].flash(third.bytes[part])
  const { ports } = box.boot()
  await ports.firmware.rebootOnTrial()
  const { partition, agent } = box.boot()
  t.equal(partition, 3)
  await t.rejects(agent.markGood(), { code: 'os.refused', message: /somebody else/ })
  await t.rejects(agent.write(second.image, second.source, unhurried), { code: 'os.refused' })
  await agent.giveUp('nobody asked')
  t.equal(box.boot().partition, 2)
})

t.test('without a firmware that is understood nothing is touched, and it is said why', async t => {
  const broken = world({ autoboot: ascii('[all]\nboot_partition=2\n') })
  await t.rejects(broken.boot().agent.status(), { code: 'os.unsupported', message: /tryboot_a_b/ })
  const foreign = world({ autoboot: ascii(autobootText(2, 7)) })
  await foreign.boot().agent.write(second.image, second.source, unhurried)
  t.equal(textOf(foreign), autobootText(2, 2), 'a wish that leads nowhere is led home')
  const other = world({ autoboot: ascii(autobootText(7, 3)) })
  await t.rejects(other.boot().agent.status(), { code: 'os.unsupported', message: /partition 7/ })
})

t.test('a bundle of RAUC is not for a machine whose firmware chooses', async t => {
  const box = world()
  const { digest, version, floor, root } = second.image
  const bundle = { digest, version, floor, bundle: root, slots: [] }
  const written = box.boot().agent.write(bundle, second.source, unhurried)
  await t.rejects(written, { code: 'os.unsupported', message: /RAUC/ })
  t.match(await box.boot().agent.status(), { slots: { b: { kind: 'unknown' } } })
})

t.test('one rotten record costs nothing', async t => {
  for (const record of OS_RECORD_FILES) {
    const box = await onTrial()
    await box.boot().agent.giveUp('no')
    box.disk.rot(record, { isCached: false })
    const { agent } = box.boot()
    t.equal((await agent.whyNot(second.image)).length, 1)
    await agent.clear('ff')
    t.equal((await box.boot().agent.whyNot(second.image)).length, 1)
  }
})
