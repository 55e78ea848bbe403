import t from 'tap'
import type { OtaState } from '../../../ota/updater/parts.js'
import { BoxError } from '../../../runtime/core/errors.js'
import { digestOf, orderOf, updaterBench } from './updater-bench.js'

const SECOND_MS = 1_000
const MINUTE_MS = 60_000

t.test('what is ordered is prepared, and switched to when nothing is in the way', async t => {
  const { clock, slots, launcher, world, updater, last, end } = updaterBench()
  t.teardown(end)
  world.look = orderOf('1.1.0')
  await updater.start()
  await clock.advance(SECOND_MS)
  t.same(slots.did, ['prepare 1.1.0'])
  slots.tell?.({
    phase: 'fetching',
    doneBytes: 10,
    allBytes: 40,
    uplinkBytes: 10,
    peerBytes: 0,
    stickBytes: 0,
  })
  await clock.advance(SECOND_MS)
  t.match(last(), {
    phase: 'fetching',
    candidate: { version: '1.1.0' },
    progress: { doneBytes: 10, allBytes: 40 },
    unmet: [{ name: 'in-slot' }],
  })
  slots.go?.resolve()
  await clock.advance(SECOND_MS)
  t.same(slots.did, ['prepare 1.1.0', 'activate'])
  t.same(launcher, ['restart: 1.1.0 is to be tried'])
  await clock.advance(MINUTE_MS)
  t.equal(slots.did.length, 2, 'and then it waits for its end')
})

t.test('never while a show is armed: prepared, told why, switched after it', async t => {
  const { clock, slots, world, updater, last, quiet, end } = updaterBench()
  t.teardown(end)
  world.look = orderOf('1.1.0')
  world.box = { ...quiet, isArmed: true }
  await updater.start()
  await clock.advance(SECOND_MS)
  slots.go?.resolve()
  await clock.advance(3_600_000)
  t.same(slots.did, ['prepare 1.1.0'])
  t.match(last(), { phase: 'waiting', unmet: [{ name: 'not-armed', words: /armed/ }] })
  await updater.apply({ owner: 'Kim', reason: 'now' })
  await clock.advance(MINUTE_MS)
  t.same(slots.did, ['prepare 1.1.0'], 'nor does anybody force it')
  world.box = quiet
  await clock.advance(SECOND_MS)
  t.same(slots.did, ['prepare 1.1.0', 'activate'])
})

t.test('a show that is armed while the slot is being read is not ended either', async t => {
  const { clock, slots, launcher, world, updater, quiet, end } = updaterBench()
  t.teardown(end)
  world.look = orderOf('1.1.0')
  slots.whileActivating = () => {
    world.box = { ...quiet, isArmed: true }
  }
  await updater.start()
  await clock.advance(SECOND_MS)
  slots.go?.resolve()
  await clock.advance(MINUTE_MS)
  t.same(slots.did, ['prepare 1.1.0', 'activate', 'withdraw'])
  t.same(launcher, [])
  slots.whileActivating = () => {}
  world.box = quiet
  await clock.advance(SECOND_MS)
  t.same(launcher, ['restart: 1.1.0 is to be tried'])
})

t.test('a release that lies in the other slot takes neither room nor uplink', async t => {
  const { clock, slots, world, updater, last, end } = updaterBench({ config: { isMetered: true } })
  t.teardown(end)
  world.look = orderOf('1.1.0')
  slots.room = 1_000
  const lying = { digest: digestOf('1.1.0'), version: '1.1.0' }
  const content = {
    kind: 'good',
    version: '1.1.0',
    isCopy: false,
    readMinutes: 1,
    words: '',
  } as const
  const contents = (damage: string | null) => ({
    a: { ...content, damage: null },
    b: { ...content, damage },
  })
  slots.state = { ...slots.state, previous: lying, contents: contents('x is not what was signed') }
  await updater.start()
  await clock.advance(SECOND_MS)
  t.same(slots.did, [], 'damaged, it may have to be fetched')
  t.match(last(), { unmet: [{ name: 'room' }, { name: 'uplink' }, { name: 'in-slot' }] })
  slots.state = { ...slots.state, contents: contents(null) }
  await clock.advance(SECOND_MS)
  t.same(slots.did, ['prepare 1.1.0'])
  t.match(last(), { unmet: [{ name: 'in-slot' }] })
})

t.test('a box that cannot be asked is not switched', async t => {
  const { clock, slots, world, updater, end } = updaterBench()
  t.teardown(end)
  world.look = orderOf('1.1.0')
  world.box = null
  await updater.start()
  await clock.advance(SECOND_MS)
  slots.go?.resolve()
  await clock.advance(MINUTE_MS)
  t.same(slots.did, ['prepare 1.1.0'])
})

t.test('a hold keeps a release from running, until it ends or somebody forces it', async t => {
  const { clock, log, slots, world, updater, last, end } = updaterBench()
  t.teardown(end)
  world.look = orderOf('1.1.0')
  await updater.start()
  await updater.hold({ owner: 'Kim', reason: 'rehearsal', minutes: 30 })
  await clock.advance(SECOND_MS)
  slots.go?.resolve()
  await clock.advance(20 * MINUTE_MS)
  t.match(last(), { unmet: [{ name: 'hold', words: /Kim.*rehearsal/ }], holds: [{ id: 'h1' }] })
  await updater.apply(null)
  await clock.advance(SECOND_MS)
  t.same(slots.did, ['prepare 1.1.0'], 'asking is not forcing')
  await updater.apply({ owner: 'Sam', reason: 'security' })
  await clock.advance(SECOND_MS)
  t.same(slots.did, ['prepare 1.1.0', 'activate'])
  t.match(log.lines.find(({ event }) => event === 'ota.forced')?.facts, { owner: 'Sam' })
})

t.test('what fails is tried again, later and later, and at once when a person asks', async t => {
  const { clock, slots, world, updater, last, end } = updaterBench()
  t.teardown(end)
  world.look = orderOf('1.1.0')
  await updater.start()
  await clock.advance(SECOND_MS)
  slots.go?.reject(new BoxError('link.down', 'nobody has it'))
  await clock.advance(10 * SECOND_MS)
  t.same(slots.did, ['prepare 1.1.0'])
  t.match(last(), { trouble: /nobody has it/ })
  await clock.advance(6 * SECOND_MS)
  t.equal(slots.did.length, 2)
  slots.go?.reject(new BoxError('link.down', 'nobody has it'))
  await clock.advance(20 * SECOND_MS)
  t.equal(slots.did.length, 2)
  await updater.apply(null)
  await clock.advance(SECOND_MS)
  t.equal(slots.did.length, 3)
})

t.test('a newer order ends the work for an older one', async t => {
  const { clock, slots, world, updater, end } = updaterBench()
  t.teardown(end)
  world.look = orderOf('1.1.0')
  await updater.start()
  await clock.advance(SECOND_MS)
  world.look = orderOf('1.2.0')
  await updater.check()
  await clock.advance(SECOND_MS)
  t.ok(slots.isCancelled?.())
  slots.go?.reject(new BoxError('link.down', 'cancelled'))
  await clock.advance(SECOND_MS)
  t.same(slots.did, ['prepare 1.1.0', 'prepare 1.2.0'])
})

t.test('what nobody vouches for any more is not switched to, and it is told why', async t => {
  const { clock, slots, world, updater, last, quiet, end } = updaterBench({
    config: { checkMinutes: 10 },
  })
  t.teardown(end)
  world.look = orderOf('1.1.0')
  world.box = { ...quiet, isArmed: true }
  await updater.start()
  await clock.advance(SECOND_MS)
  slots.go?.resolve()
  await clock.advance(SECOND_MS)
  world.look = { isFresh: false, words: 'the timestamp has expired', order: null }
  await clock.advance(10 * MINUTE_MS)
  world.box = quiet
  await clock.advance(MINUTE_MS)
  t.same(slots.did, ['prepare 1.1.0'])
  t.match(last(), { phase: 'idle', checked: { words: 'the timestamp has expired' } })
  t.match((await updater.now()).criteria, [{ name: 'order', words: 'the timestamp has expired' }])
  world.look = orderOf('1.1.0')
  await clock.advance(2 * MINUTE_MS)
  t.same(slots.did, ['prepare 1.1.0', 'activate'])
})

t.test('a trial is passed when the gate is, and not before', async t => {
  const { clock, slots, launcher, world, updater, last, end } = updaterBench()
  t.teardown(end)
  slots.state = { ...slots.state, isOnTrial: true }
  world.gate = ['lamp does not answer']
  await updater.start()
  await clock.advance(SECOND_MS)
  t.equal(launcher[0], 'gate lamp does not answer 60000')
  t.match(last(), { phase: 'trial', unmet: [{ step: 'trial', words: 'lamp does not answer' }] })
  t.same(slots.did, [])
  world.gate = []
  await clock.advance(SECOND_MS)
  t.same(slots.did, ['good', 'launcher'])
  t.ok(launcher.includes('passed'))
  t.match(last(), { phase: 'idle' })
})

t.test('a person goes back and clears, but not in an armed show', async t => {
  const { clock, slots, launcher, world, updater, quiet, end } = updaterBench()
  t.teardown(end)
  await updater.start()
  world.box = { ...quiet, isArmed: true }
  await t.rejects(updater.rollBack('flicker'), { code: 'ota.refused', message: /armed/ })
  world.box = quiet
  await updater.clear(digestOf('1.1.0'))
  await updater.rollBack('flicker')
  await clock.advance(SECOND_MS)
  t.same(slots.did, ['clear 110', 'back: flicker'])
  t.same(launcher, ['restart: rolled back: flicker'])
})

t.test('by hand: prepared, and then it waits to be asked', async t => {
  const { clock, slots, world, updater, last, end } = updaterBench({
    config: { policy: { activation: 'manual' } },
  })
  t.teardown(end)
  world.look = orderOf('1.1.0')
  await updater.start()
  await clock.advance(SECOND_MS)
  slots.go?.resolve()
  await clock.advance(MINUTE_MS)
  t.match(last(), { unmet: [{ name: 'asked', words: /roadcase ota apply/ }] })
  await updater.apply(null)
  await clock.advance(SECOND_MS)
  t.same(slots.did, ['prepare 1.1.0', 'activate'])
})

const names = (state: OtaState | null | undefined): readonly string[] =>
  state?.unmet.map(({ name }) => name) ?? []

t.test('what was asked for, and by force, outlives a power cut; a later hold counts', async t => {
  const first = updaterBench({ config: { policy: { activation: 'manual' } } })
  first.world.look = orderOf('1.1.0')
  first.world.box = { ...first.quiet, isArmed: true }
  await first.updater.start()
  await first.updater.hold({ owner: 'Kim', reason: 'rehearsal', minutes: 600 })
  await first.clock.advance(SECOND_MS)
  t.same(names(first.last()), ['in-slot', 'asked', 'hold', 'not-armed'])
  await first.updater.apply({ owner: 'Sam', reason: 'security' })
  await first.clock.advance(SECOND_MS)
  t.same(names(first.last()), ['in-slot', 'not-armed'], 'what was overruled is not in the way')
  await first.end()

  const { clock, slots, files, world, updater, end } = updaterBench({
    config: { policy: { activation: 'manual' } },
    files: first.files,
  })
  t.teardown(end)
  world.look = orderOf('1.1.0')
  await updater.start()
  await clock.advance(SECOND_MS)
  slots.go?.resolve()
  await clock.advance(SECOND_MS)
  t.same(slots.did, ['prepare 1.1.0', 'activate'])

  const third = updaterBench({ config: { policy: { activation: 'manual' } }, files })
  t.teardown(third.end)
  third.world.look = orderOf('1.1.0')
  await third.updater.start()
  await third.updater.hold({ owner: 'Kim', reason: 'no, really', minutes: 600 })
  await third.clock.advance(SECOND_MS)
  third.slots.go?.resolve()
  await third.clock.advance(MINUTE_MS)
  t.same(third.slots.did, ['prepare 1.1.0'])
  t.match(third.last(), { unmet: [{ name: 'hold' }] }, 'asked for it is, still')
})

t.test('a release that failed and is cleared is not forced any more', async t => {
  const { clock, slots, world, updater, last, end } = updaterBench()
  t.teardown(end)
  world.look = orderOf('1.1.0')
  await updater.start()
  await updater.hold({ owner: 'Kim', reason: 'rehearsal', minutes: 600 })
  await clock.advance(SECOND_MS)
  await updater.apply({ owner: 'Sam', reason: 'security' })
  const work = slots.go
  const cleared = updater.clear(digestOf('1.1.0'))
  work?.reject(new BoxError('link.down', 'cancelled'))
  await cleared
  await clock.advance(SECOND_MS)
  slots.go?.resolve()
  await clock.advance(MINUTE_MS)
  t.notOk(slots.did.includes('activate'))
  t.match(last(), { unmet: [{ name: 'hold' }] })
})

t.test('once the box knows the date, what is ordered is looked at again at once', async t => {
  const { clock, slots, world, updater, quiet, end } = updaterBench()
  t.teardown(end)
  const unsure = orderOf('1.1.0')
  world.look = { ...unsure, order: unsure.order && { ...unsure.order, isTimeKnown: false } }
  world.box = { ...quiet, isUtcKnown: false }
  await updater.start()
  await clock.advance(SECOND_MS)
  slots.go?.resolve()
  await clock.advance(MINUTE_MS)
  t.same([slots.did, world.looks], [['prepare 1.1.0'], 1], 'it is fetched, and waits')
  world.look = unsure
  world.box = quiet
  await clock.advance(SECOND_MS)
  t.same(slots.did, ['prepare 1.1.0', 'activate'])
})

t.test('a date that the signatures contradict is not asked about over and over', async t => {
  const { clock, world, updater, end } = updaterBench()
  t.teardown(end)
  const unsure = orderOf('1.1.0')
  world.look = { ...unsure, order: unsure.order && { ...unsure.order, isTimeKnown: false } }
  await updater.start()
  await clock.advance(30 * MINUTE_MS)
  t.ok(world.looks <= 2, `${world.looks} looks`)
})

t.test(
  'two who ask at once hear of one look; a disk that fails is told, and looked again',
  async t => {
    const { clock, world, updater, last, end } = updaterBench({ config: { checkMinutes: 1 } })
    t.teardown(end)
    await updater.start()
    await clock.advance(SECOND_MS)
    const before = world.looks
    await Promise.all([updater.check(), updater.check()])
    t.equal(world.looks, before + 1)
    world.fault = new BoxError('storage.io', 'the card is gone')
    await clock.advance(MINUTE_MS + SECOND_MS)
    for (let turn = 0; turn < 10; turn++) {
      t.match(last(), { trouble: /the card is gone/ })
      await clock.advance(SECOND_MS / 4)
    }
    world.fault = null
    await clock.advance(2 * MINUTE_MS)
    t.match(last(), { trouble: null })
  },
)

t.test('nothing ordered: apply says what was found instead', async t => {
  const { world, updater } = updaterBench()
  world.look = { isFresh: true, words: 'the repository has expired', order: null }
  await t.rejects(updater.apply(null), { code: 'ota.refused', message: /has expired/ })
})

t.test('a slot that is to be started after the show keeps nothing from being told', async t => {
  const { clock, slots, launcher, world, updater, last, quiet, end } = updaterBench()
  t.teardown(end)
  await updater.start()
  await clock.advance(5_000)
  world.box = { ...quiet, isArmed: true }
  slots.state = { ...slots.state, isRestartDue: true, trouble: 'slot a: main.js is damaged' }
  await clock.advance(5_000)
  t.equal(last()?.trouble, 'slot a: main.js is damaged')
  t.same(launcher, [])
  world.box = quiet
  await clock.advance(5_000)
  t.match(launcher[0], /^restart: /)
})

t.test('what is wrong with the slots is told, until it is not', async t => {
  const { clock, slots, updater, last, end } = updaterBench()
  t.teardown(end)
  slots.state = { ...slots.state, trouble: 'a record of the slots is rotten' }
  await updater.start()
  await clock.advance(SECOND_MS)
  t.match(last(), { trouble: /a record/ })
  slots.state = { ...slots.state, trouble: null }
  await clock.advance(SECOND_MS)
  t.match(last(), { trouble: null })
})

t.test('a card that takes no more writes holds up no trial, and is told once a minute', async t => {
  const { clock, log, files, slots, holds, updater, end } = updaterBench()
  t.teardown(end)
  slots.state = { ...slots.state, isOnTrial: true }
  await updater.start()
  await holds.add({ owner: 'Kim', reason: 'rehearsal', minutes: 60 }, false)
  // It is to be dated now, as the box knows the date.
  files.replace = async () => {
    throw new BoxError('storage.full', 'the card is full')
  }
  await clock.advance(SECOND_MS)
  t.ok(slots.did.includes('good'))
  await clock.advance(10 * MINUTE_MS)
  const told = log.lines.filter(({ event }) => event === 'ota.failed').length
  t.ok(told >= 1 && told <= 20, `${told} lines`)
})

t.test('a file that the card does not let go of stops nobody on the way back', async t => {
  const { files, slots, world, updater, end } = updaterBench()
  t.teardown(end)
  world.look = orderOf('1.1.0')
  await updater.start()
  await updater.apply(null)
  files.remove = async () => {
    throw new BoxError('storage.io', 'read-only')
  }
  await updater.rollBack('flicker')
  t.same(slots.did, ['back: flicker'])
})

t.test('what was asked for and cannot be read stops no updater', async t => {
  const { clock, files, world, updater, end } = updaterBench()
  t.teardown(end)
  const { read } = files
  files.read = async name => {
    if (name === 'asked.json') throw new BoxError('storage.io', 'a bad sector')
    return read.call(files, name)
  }
  await updater.start()
  await clock.advance(MINUTE_MS)
  t.ok(world.looks > 0)
})

t.test('what was ordered before the start is told at once, and nobody acts on it', async t => {
  const { clock, slots, world, updater, end } = updaterBench()
  t.teardown(end)
  world.recalled = orderOf('1.1.0')
  world.fault = new BoxError('storage.io', 'the disk is slow to come')
  slots.state = { ...slots.state, prepared: { digest: digestOf('1.1.0'), version: '1.1.0' } }
  await updater.start()
  t.match(await updater.now(), {
    state: {
      ordered: { version: '1.1.0' },
      candidate: { version: '1.1.0' },
      checked: null,
      unmet: [{ name: 'looked', words: /1\.1\.0 was ordered; the repository is asked within/ }],
    },
  })
  await clock.advance(MINUTE_MS)
  t.same(slots.did, [], 'it may have been taken back since')
  world.fault = null
  await clock.advance(3 * MINUTE_MS)
  t.match(await updater.now(), { state: { ordered: { version: '1.0.0' }, candidate: null } })
})

t.test('a fetch that nothing comes of is told after a while', async t => {
  const { clock, slots, world, updater, end } = updaterBench()
  t.teardown(end)
  world.look = orderOf('1.1.0')
  await updater.start()
  await clock.advance(SECOND_MS)
  const came = (doneBytes: number): void =>
    slots.tell?.({
      ...{ phase: 'fetching', doneBytes, allBytes: 40 },
      ...{ uplinkBytes: 0, peerBytes: 0, stickBytes: 0 },
    })
  const isTold = async (): Promise<boolean> =>
    (await updater.now()).criteria.some(({ name }) => name === 'pieces')
  for (let bytes = 0; bytes < 10; bytes++) {
    came(bytes)
    await clock.advance(10 * SECOND_MS)
  }
  t.notOk(await isTold(), 'slow is not stalled')
  for (let look = 0; look < 4; look++) {
    came(9)
    await clock.advance(10 * SECOND_MS)
  }
  t.match(await updater.now(), {
    state: {
      unmet: [{ name: 'in-slot' }, { name: 'pieces', words: /nothing of it has come for 50 s/ }],
    },
  })
  came(10)
  t.notOk(await isTold())
})

t.test('whoever asks for a look has it by the date that the box has now', async t => {
  const { world, updater, end } = updaterBench()
  t.teardown(end)
  await updater.start()
  const [asked, looks] = [world.asked, world.looks]
  await updater.check()
  t.same([world.asked, world.looks], [asked + 1, looks + 1])
})
