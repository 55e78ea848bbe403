import t from 'tap'
import { judgeTrial, type OsGate, whyNoAppTrial } from '../../../ota/os/os-trial.js'
import { ascii, autobootText, OsWorld, smallOs, unhurried } from './os-world.js'

const factory = smallOs('1.0.0')
const second = smallOs('1.1.0')
const passed: OsGate = { judgement: 'passed', unmet: [] }
const waits: OsGate = { judgement: 'waits', unmet: ['ready: it is not ready yet'] }
const failed: OsGate = {
  judgement: 'failed',
  unmet: ['devices: 1 do not answer: gauge (silent)'],
}

async function onTrial(): Promise<OsWorld> {
  const box = new OsWorld(factory)
  const { agent } = box.boot()
  await agent.write(second.image, second.source, unhurried)
  await agent.tryBoot()
  return box
}

t.test('between the wish and the reboot nothing else is begun', async t => {
  const box = new OsWorld(factory)
  const { agent } = box.boot()
  await agent.write(second.image, second.source, unhurried)
  t.equal(whyNoAppTrial(await agent.status()), null)
  await agent.tryBoot()
  t.match(whyNoAppTrial(await agent.status()), /about to start/)
  await t.rejects(agent.clear('ff'), { code: 'os.refused', message: /goes down/ })
  await t.rejects(agent.tryBoot(), { code: 'os.refused' })
  t.equal(box.boot().partition, 3, 'and the wish is still there')
})

t.test('a system is found good by its gate, and only on trial it is asked', async t => {
  const box = await onTrial()
  const { agent } = box.boot()
  t.match(whyNoAppTrial(await agent.status()), /system b is on trial/)
  t.equal(await judgeTrial(agent, async () => waits, false), 'waits')
  t.equal(await judgeTrial(agent, async () => passed, false), 'good')
  const after = box.boot()
  t.equal(after.partition, 3)
  t.equal(await judgeTrial(after.agent, () => t.fail('nothing to ask') as never, false), 'no-trial')
  t.equal(whyNoAppTrial(await after.agent.status()), null)
})

t.test('a gate that fails leads back, with what was not met', async t => {
  const box = await onTrial()
  t.equal(await judgeTrial(box.boot().agent, async () => failed, false), 'given-up')
  t.equal(box.firmware.isGoingDown, true)
  const { partition, agent } = box.boot()
  t.equal(partition, 2)
  const [reason] = await agent.whyNot(second.image)
  t.equal(reason, '1.1.0 failed: devices: 1 do not answer: gauge (silent)')
})

t.test('a gate that breaks leaves all as it is: the next reboot leads back', async t => {
  const box = await onTrial()
  const broken = async (): Promise<OsGate> => {
    throw new Error('no box')
  }
  await t.rejects(judgeTrial(box.boot().agent, broken, false), { message: 'no box' })
  t.equal(box.boot().partition, 2)
})

t.test('a trial that nobody here asked for is left without asking', async t => {
  const box = new OsWorld(factory, { autoboot: ascii(autobootText(2, 3)) })
  for (const part of ['boot', 'root'] as const) box.partitions.b[part].flash(second.bytes[part])
  await box.boot().ports.firmware.rebootOnTrial()
  const { agent } = box.boot()
  t.equal(await judgeTrial(agent, async () => passed, true), 'waits', 'a show is not ended for it')
  t.equal(box.firmware.isGoingDown, false)
  t.equal(await judgeTrial(agent, async () => passed, false), 'given-up')
  t.equal(box.boot().partition, 2)
})

t.test(
  'whoever has the last word is asked when the images were read, and nothing is changed yet',
  async t => {
    const box = new OsWorld(factory)
    const { agent } = box.boot()
    await agent.write(second.image, second.source, unhurried)
    const before = box.firmware.autoboot
    await t.rejects(
      agent.tryBoot(async () => 'a show was armed'),
      { code: 'os.refused', message: /a show was armed/ },
    )
    t.same(box.firmware.autoboot, before)
    t.match(await agent.status(), { slots: { b: { kind: 'written', attempts: 0 } } })
    t.equal(box.firmware.isGoingDown, false)
  },
)
