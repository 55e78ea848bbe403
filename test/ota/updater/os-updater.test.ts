import t from 'tap'
import { OsWorld, smallOs } from '../os/os-world.js'
import { lookOf, OsBench, orders, quietBox, signedBundle, signedOs } from './os-updater-bench.js'

const MINUTE_TURNS = 120
const factory = smallOs('1.0.0')
const second = signedOs('2.0.0')
const names = (report: { unmet: readonly { name: string }[] }): string[] =>
  report.unmet.map(({ name }) => name)

function bench(options: ConstructorParameters<typeof OsBench>[1] = {}): OsBench {
  const made = new OsBench(factory, options)
  made.known = [second]
  made.look = orders(second)
  return made
}

t.test('what is ordered is fetched, written, tried and kept', async t => {
  const box = bench()
  t.match(await box.turns(1), { running: 'a', candidate: { version: '2.0.0' } })
  await box.turns(MINUTE_TURNS)
  t.ok(box.isDown)
  await box.turn()
  const report = box.updater.report()
  t.equal(report.phase, 'switching')
  t.match(report.systems, { a: { kind: 'good', version: null }, b: { kind: 'written' } })
  box.boot()
  t.equal(box.running, second)
  t.equal(box.updater.whyNoAppTrial(), 'nobody knows yet whether an operating system is on trial')
  box.gate = () => ['ready: it is not ready yet']
  t.match(await box.turns(4), { phase: 'trial', unmet: [{ words: 'ready: it is not ready yet' }] })
  t.match(box.updater.whyNoAppTrial(), /system b is on trial/)
  box.gate = () => []
  t.match(await box.turns(4), {
    phase: 'idle',
    lacking: null,
    candidate: null,
    systems: { b: { kind: 'good', version: '2.0.0' } },
  })
  t.equal(box.updater.whyNoAppTrial(), null)
  box.boot()
  t.equal(box.running, second, 'and it stays')
  t.notOk(box.did.includes('drop'))
  await box.turns(70 * MINUTE_TURNS)
  t.equal(box.did.filter(what => what === 'drop').length, 1, 'its objects make room, once')
})

t.test(
  'a system that does not pass is left, refused, and tried again when it is cleared',
  async t => {
    const box = bench()
    await box.turns(MINUTE_TURNS)
    box.boot()
    box.gate = partition => (partition === 3 ? ['devices: 1 do not answer'] : [])
    box.box = { ...quietBox, isArmed: true }
    await box.turns(MINUTE_TURNS)
    t.notOk(box.isDown, 'never while a show is armed')
    box.box = quietBox
    await box.turns(MINUTE_TURNS)
    t.ok(box.isDown)
    box.boot()
    const report = await box.turns(4)
    t.equal(box.running, factory)
    t.match(report, { phase: 'waiting', refused: [{ why: /gate: devices: 1 do not answer/ }] })
    t.match(names(report), ['not-refused'])
    t.match(report.unmet[0]?.words, /ota clear/)
    await box.updater.clear(second.image.digest)
    await box.turns(MINUTE_TURNS)
    t.ok(box.isDown, 'and so it is tried again')
  },
)

t.test('what stands in the way of a release stands in the way of a system', async t => {
  const box = bench({ config: { policy: { batteryPercentMin: 40 } } })
  const waitsFor = async (name: string, step: 'fetch' | 'write'): Promise<void> => {
    const report = await box.turns(MINUTE_TURNS)
    t.ok(names(report).includes(name), `${name}: ${names(report)}`)
    t.notOk(box.isDown, name)
    const { a, b } = report.systems ?? {}
    t.match(a, { kind: 'good' }, name)
    t.match(b, { kind: 'unknown' }, `${name}: nothing is overwritten`)
    t.equal(box.did.length > 0, step === 'write', `${name}: what is fetched`)
  }
  const other = signedOs('2.0.0', { boards: ['pi-5'] })
  for (const [name, odd] of [
    ['board', other],
    ['architecture', signedOs('2.0.0', { architecture: 'x64' })],
    ['release', signedOs('2.0.0', { minimumRelease: '1.0.1' })],
  ] as const) {
    box.look = orders(odd)
    await waitsFor(name, 'fetch')
  }
  box.look = orders(second)
  box.slots = { ...box.slots, isOnTrial: true }
  await waitsFor('no-trial', 'fetch')
  box.slots = { ...box.slots, isOnTrial: false, isRestartDue: true }
  await waitsFor('no-trial', 'fetch')
  box.slots = { ...box.slots, isRestartDue: false }
  box.box = { ...quietBox, isArmed: true }
  await waitsFor('not-armed', 'write')
  box.box = { ...quietBox, runningCues: 1 }
  await waitsFor('no-cue', 'write')
  box.box = { ...quietBox, isPanic: true }
  await waitsFor('no-panic', 'write')
  box.box = null
  await waitsFor('box', 'write')
  box.box = { ...quietBox, power: { percent: 39, isOnMains: false } }
  await waitsFor('battery', 'write')
  box.box = quietBox
  box.look = orders(second, false)
  await waitsFor('time', 'write')
  box.look = orders(second)
  const hold = await box.holds.add({ owner: 'Kim', reason: 'rehearsal', minutes: 600 }, true)
  await waitsFor('hold', 'write')
  await box.holds.release(hold.id)
  await box.turns(MINUTE_TURNS)
  t.ok(box.isDown, 'and then it goes')
})

t.test('a metered uplink, a person who has to say so, and one who overrules', async t => {
  const box = bench({ config: { isMetered: true, policy: { activation: 'manual' } } })
  t.match(names(await box.turns(2)), ['written', 'asked'], 'somebody had it for nothing')
  await box.holds.add({ owner: 'Kim', reason: 'rehearsal', minutes: 600 }, true)
  t.equal(await box.updater.apply(null), true)
  t.match(names(await box.turns(4)), ['written', 'hold'])
  await box.updater.apply({ owner: 'Sam', reason: 'security' })
  await box.updater.unforce()
  await box.turns(4)
  t.notOk(box.isDown)
  await box.updater.apply({ owner: 'Sam', reason: 'security' })
  await box.turns(MINUTE_TURNS)
  t.ok(box.isDown)
  box.boot()
  await box.turns(4)
  t.equal(await box.updater.apply(null), false, 'it runs already')
})

t.test(
  'a show that is armed ends the writing, and it begins anew when the show is over',
  async t => {
    const box = bench()
    let isOn = () => {}
    let fetches = 0
    box.fetch = () =>
      new Promise(resolve => {
        isOn = resolve
        if (++fetches !== 2) resolve()
      })
    await box.turns(3)
    t.equal(fetches, 2, 'it is about to be written')
    t.equal(box.updater.report().phase, 'writing')
    box.box = { ...quietBox, isArmed: true }
    await box.turns(1)
    isOn()
    t.match(await box.turns(4), {
      phase: 'waiting',
      trouble: null,
      systems: { b: { kind: 'writing' } },
    })
    t.equal(box.world.hasHead(3), false)
    box.box = quietBox
    await box.turns(MINUTE_TURNS)
    t.ok(box.isDown)
  },
)

t.test('a show that is armed while the images are read is not ended either', async t => {
  const box = bench()
  box.remember = async () => {
    box.box = { ...quietBox, isArmed: true }
  }
  t.match(await box.turns(10), { systems: { b: { kind: 'written' } }, phase: 'waiting' })
  t.notOk(box.isDown)
  t.match(box.updater.report().trouble, /armed meanwhile/)
  box.remember = async () => {}
  box.box = quietBox
  await box.turns(MINUTE_TURNS)
  t.ok(box.isDown, 'it is tried when the show is over')
})

t.test('other boxes that fall ill while the images are read keep it from the reboot', async t => {
  const box = bench({ config: { venue: {} } })
  let healthy = 4
  box.voice = {
    isOpen: () => true,
    say: () => {},
    saidForMs: () => MINUTE_TURNS * 500,
    heard: () => new Map(),
    fleet: () => ({ heard: 4, healthy, failed: [] }),
  }
  box.boot()
  box.remember = async () => {
    healthy = 2
  }
  await box.turns(8 * MINUTE_TURNS)
  t.match(box.updater.report(), { phase: 'waiting', trouble: /only 2 of 4 other boxes are well/ })
  t.notOk(box.isDown)
  box.remember = async () => {}
  healthy = 3
  await box.turns(2 * MINUTE_TURNS)
  t.ok(box.isDown)
})

t.test('a bundle needs room twice: as it is fetched, and for RAUC', async t => {
  const bundle = signedBundle('2.0.0')
  const { byteCount } = bundle.image.bundle
  const box = bench({ config: { os: { kind: 'rauc' } } })
  box.knownBundles = [bundle]
  box.look = orders(bundle)
  box.roomBytes = 64 * 1024 * 1024 + 2 * byteCount - 1
  t.ok(names(await box.turns(2)).includes('room'))
  t.same(box.did, [])
  box.roomBytes++
  await box.turns(2)
  t.same(box.did[0], 'bring 2.0.0')
})

t.test('no release is tried while a system is written, or about to be started', async t => {
  const box = bench()
  const said = new Set<string | null | undefined>()
  for (let turn = 0; turn < 20 && !box.isDown; turn++) {
    await box.updater.turn({ slots: box.slots, box: box.box, look: box.look })
    said.add(box.updater.whyNoAppTrial())
    await box.clock.advance(500)
  }
  t.same(
    [...said],
    [
      null,
      'an operating system is being written',
      'the box is about to start another operating system',
    ],
  )
})

t.test('what fails is tried again, later and later', async t => {
  const box = bench()
  box.known = []
  t.match(await box.turns(4), { phase: 'waiting', trouble: /nobody has it/ })
  const tries = box.did.length
  await box.turns(10)
  t.equal(box.did.length, tries)
  box.known = [second]
  await box.turns(2 * MINUTE_TURNS)
  t.ok(box.isDown)
})

t.test('a reboot that is refused is told, and asked for again', async t => {
  const box = bench()
  box.world.firmware.refusal = 'interactive authentication is needed'
  t.match(await box.turns(30), {
    trouble: /interactive authentication/,
    systems: { b: { kind: 'written' } },
  })
  box.world.firmware.refusal = null
  await box.turns(MINUTE_TURNS)
  t.ok(box.isDown)
})

t.test('back to the other system by hand, but never during a show', async t => {
  const box = bench()
  await box.turns(MINUTE_TURNS)
  box.boot()
  await box.turns(4)
  box.look = lookOf({})
  box.box = { ...quietBox, isArmed: true }
  await t.rejects(box.updater.rollBack('lamps flicker'), { code: 'ota.refused' })
  box.box = quietBox
  await box.updater.rollBack('lamps flicker')
  t.ok(box.isDown)
  box.boot()
  t.equal(box.running, factory)
  t.match(await box.turns(2), { refused: [{ version: '2.0.0', why: 'lamps flicker' }] })
})

t.test('a machine that is started otherwise says so, and is asked once', async t => {
  const box = bench({ world: new OsWorld(factory, { autoboot: null }) })
  t.match(await box.turns(2), { lacking: /^not updated by this box: autoboot.txt/, systems: null })
  const { calls } = box.world.disk
  await box.turns(MINUTE_TURNS)
  t.equal(box.world.disk.calls, calls, 'and costs nothing')
  t.equal(box.updater.whyNoAppTrial(), undefined)
  await t.rejects(box.updater.rollBack('x'), { code: 'ota.refused', message: /not updated by/ })
})

t.test(
  'at rest nothing is asked of the card, and a board that comes late is looked for',
  async t => {
    const box = bench()
    box.look = lookOf({
      isBoardUnknown: true,
      words: 'the box does not say on which board it runs',
    })
    box.box = null
    await box.turns(2)
    t.same(box.did, [])
    box.box = quietBox
    await box.turns(1)
    t.same(box.did, ['look'])
    box.look = lookOf({})
    await box.turns(2)
    const { calls } = box.world.disk
    await box.turns(MINUTE_TURNS)
    t.equal(box.world.disk.calls, calls)
  },
)
