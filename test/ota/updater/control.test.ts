import t from 'tap'
import { answerControl, type ControlledSystems } from '../../../ota/updater/control.js'
import { notUpdated } from '../../../ota/updater/os-report.js'
import { digestOf, orderOf, updaterBench } from './updater-bench.js'

const ask = (updater: Parameters<typeof answerControl>[0], request: object) =>
  answerControl(updater, JSON.stringify(request))

t.test('each request is done, and answered with how things are then', async t => {
  const { clock, slots, world, updater, end } = updaterBench()
  t.teardown(end)
  world.look = orderOf('1.1.0')
  await updater.start()
  await clock.advance(1_000)
  t.match(await ask(updater, { ask: 'status' }), {
    kind: 'done',
    reply: { state: { candidate: { version: '1.1.0' } } },
  })
  t.match(await ask(updater, { ask: 'why' }), {
    reply: { criteria: [{ name: 'news', isMet: true }] },
  })
  t.match(await ask(updater, { ask: 'check' }), { reply: { words: '1.1.0 is ordered' } })
  const hold = { ask: 'hold', owner: 'Kim', reason: 'rehearsal', minutes: 5 }
  t.match(await ask(updater, hold), { reply: { words: /by the name of h1/ } })
  t.match(await ask(updater, { ask: 'unhold', id: 'h1' }), { reply: { words: /Kim is over/ } })
  slots.go?.resolve()
  await clock.advance(1_000)
  t.same(slots.did, ['prepare 1.1.0', 'activate'])
})

t.test('apply looks at the repository again where there is nothing to take', async t => {
  const { clock, world, updater, end } = updaterBench()
  t.teardown(end)
  world.look = orderOf('1.0.0')
  await updater.start()
  await clock.advance(1_000)
  world.look = orderOf('1.1.0')
  const apply = { ask: 'apply', force: null }
  t.match(await ask(updater, apply), { reply: { state: { candidate: { version: '1.1.0' } } } })
})

t.test('a release is cleared by its version or the beginning of its digest', async t => {
  const { clock, slots, updater, end } = updaterBench()
  t.teardown(end)
  const refused = ['1.1.0', '1.1.1'].map(version => ({
    version,
    digest: digestOf(version),
    why: 'x',
  }))
  slots.state = { ...slots.state, refused }
  await updater.start()
  await clock.advance(1_000)
  t.match(await ask(updater, { ask: 'clear', release: '1.1.1' }), { kind: 'done' })
  t.match(await ask(updater, { ask: 'clear', release: '110' }), { kind: 'done' })
  t.same(slots.did, ['clear 111', 'clear 110'])
  t.match(await ask(updater, { ask: 'clear', release: '11' }), {
    kind: 'refused',
    refusal: { message: /several.*1\.1\.0.*1\.1\.1/ },
  })
  t.match(await ask(updater, { ask: 'clear', release: '9.9.9' }), {
    refusal: { code: 'ota.refused', message: /was not refused here/ },
  })
})

t.test('a release may be cleared before the first turn has told of it', async t => {
  const { slots, updater, end } = updaterBench()
  t.teardown(end)
  const refused = [{ version: '1.1.0', digest: digestOf('1.1.0'), why: 'x' }]
  slots.state = { ...slots.state, refused }
  await updater.start()
  t.match(await ask(updater, { ask: 'clear', release: '1.1.0' }), { kind: 'done' })
  t.same(slots.did, ['clear 110'])
})

t.test('what is no request is refused with what is wrong', async t => {
  const { updater } = updaterBench()
  for (const line of ['', 'x', '{}', '{"ask":"fly"}', '{"ask":"hold","owner":"Kim"}'])
    t.match(await answerControl(updater, line), {
      kind: 'refused',
      refusal: { code: 'config.invalid', message: /request/ },
    })
})

t.test(
  'operating systems are asked beside the releases, and told apart by their digests',
  async t => {
    const { clock, slots, updater, end } = updaterBench()
    t.teardown(end)
    const did: string[] = []
    const system = { digest: 'ee'.repeat(32), version: '2.0.0', why: 'gate' }
    const systems: ControlledSystems = {
      why: () => [{ step: 'switch', name: 'hold', isMet: false, words: 'Kim' }],
      apply: async () => did.push('apply') > 0,
      rollBack: async reason => {
        did.push(`back: ${reason}`)
        return 'the box reboots now'
      },
      clear: async digest => void did.push(`clear ${digest.slice(0, 2)}`),
      unforce: async () => void did.push('unforce'),
      report: () => ({ ...notUpdated('x'), refused: [system] }),
    }
    const refused = [{ digest: digestOf('1.1.0'), version: '1.1.0', why: 'x' }]
    slots.state = { ...slots.state, refused }
    await updater.start()
    await clock.advance(1_000)
    const say = (request: object) => answerControl(updater, JSON.stringify(request), systems)
    t.match(await say({ ask: 'why' }), { reply: { systemCriteria: [{ name: 'hold' }] } })
    t.match(
      await say({ ask: 'apply', force: null }),
      { kind: 'done' },
      'though no release is ordered',
    )
    t.match(await say({ ask: 'clear', release: '2.0.0' }), { kind: 'done' })
    t.match(await say({ ask: 'clear', release: '110' }), { kind: 'done' })
    t.match(await say({ ask: 'rollback-os', reason: 'lamps' }), { reply: { words: /reboots now/ } })
    t.match(await ask(updater, { ask: 'rollback-os', reason: 'lamps' }), { kind: 'refused' })
    await say({ ask: 'hold', owner: 'Kim', reason: 'rehearsal', minutes: 5 })
    t.same(did, ['apply', 'clear ee', 'back: lamps', 'unforce'])
    t.same(slots.did, ['clear 110'])
  },
)
