import t from 'tap'
import { RaucSystem } from '../../../ota/os/rauc-system.js'
import { SILENT_REBOOTS_MAX } from '../../../ota/os/silent-trial.js'
import type { OsVoice, OsWord } from '../../../ota/updater/os-word.js'
import { smallOs } from '../os/os-world.js'
import { RaucWorld, type RaucWorldOptions, smallBundle } from '../os/rauc-world.js'
import { OsBench, orders, quietBox, signedBundle } from './os-updater-bench.js'
import { quietSlots } from './updater-bench.js'

const wanted = signedBundle('2.0.0')
const { digest } = wanted.image
const MINUTE_MS = 60_000
const MINUTE_TURNS = 120

interface RaucBox {
  readonly box: OsBench
  readonly world: RaucWorld
  /** How often RAUC was asked for its status. */
  asked: number
}

function raucBox(machine: RaucWorldOptions = {}): RaucBox {
  const world = new RaucWorld(smallBundle('1.0.0'), machine)
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

async function turnsUntilDown({ box, world }: RaucBox, turnsMax: number): Promise<boolean> {
  for (let turn = 0; turn < turnsMax && !world.box.isGoingDown; turn++) await box.turn()
  return world.box.isGoingDown
}

/** The other system runs, and there is no RAUC in it. */
async function silentTrial(rauc: RaucBox): Promise<void> {
  await rebootedOnTrial(rauc)
  rauc.world.box.isMissing = true
}

async function rebootedOnTrial(rauc: RaucBox): Promise<void> {
  rauc.box.look = orders(wanted)
  if (!(await turnsUntilDown(rauc, 400)))
    throw new Error('the box has not gone to try what is ordered')
  rauc.box.boot()
}

/** Only a panic is in the way of the reboot. */
async function written({ box, world }: RaucBox): Promise<void> {
  box.look = orders(wanted)
  const isWritten = () => box.updater.report().systems?.b.kind === 'written'
  for (let turn = 0; turn < 400 && !isWritten(); turn++) {
    // Too late for the writing, and in time for the reboot.
    const isBegun = world.bytesOf('rootfs.1').rootfs.some(byte => byte !== 0)
    box.box = { ...quietBox, isPanic: isBegun }
    await box.turn()
  }
  if (!isWritten()) throw new Error('nothing was written')
}

const deafVoice: OsVoice = {
  isOpen: () => true,
  say: () => {},
  saidForMs: () => null,
  heard: () => new Map(),
  fleet: () => ({ heard: 0, healthy: 0, failed: [] }),
}

const unmetOf = ({ box }: RaucBox): string[] =>
  box.updater
    .why()
    .filter(({ isMet }) => !isMet)
    .map(({ name }) => name)

t.test(
  'RAUC that comes up late on a trial: no release is tried, and the trial is judged',
  async t => {
    const rauc = raucBox()
    const { box, world } = rauc
    world.box.isMissing = true
    await box.turns(2)
    t.equal(box.updater.whyNoAppTrial(), undefined, 'a machine without RAUC takes releases')
    t.match(box.updater.report(), { lacking: /not updated by this box: RAUC: it does not answer/ })
    world.box.isMissing = false
    await world.clock.advance(60_000)
    await silentTrial(rauc)
    const told = { lacking: null, phase: 'trial', running: 'b' }
    t.match(await box.turns(4), { ...told, unmet: [{ words: /RAUC: it does not answer/ }, {}] })
    t.same(unmetOf(rauc), ['answer', 'waited'])
    t.match(box.updater.whyNoAppTrial(), /not known whether a system is on trial: RAUC/)
    world.box.isMissing = false
    const good = { kind: 'good', version: '2.0.0' }
    t.match(await box.turns(24), { phase: 'idle', systems: { b: good } })
    t.equal(box.updater.whyNoAppTrial(), null)
  },
)

t.test('home is not left; a RAUC that never comes keeps releases back half an hour', async t => {
  const rauc = raucBox()
  const { box, world } = rauc
  await written(rauc)
  box.boot()
  box.box = quietBox
  world.box.isMissing = true
  await box.turns(2)
  t.type(box.updater.whyNoAppTrial(), 'string', 'somebody may have started it')
  t.match(box.updater.report(), { lacking: /RAUC/ })
  await world.clock.advance(30 * MINUTE_MS)
  await box.turns(2)
  t.equal(box.updater.whyNoAppTrial(), undefined)
  rauc.asked = 0
  await world.clock.advance(MINUTE_MS)
  await box.turns(2)
  t.equal(rauc.asked, 1, 'it is asked on')
  t.notOk(world.box.isGoingDown)
  t.notOk(world.log.events().includes('os.left'))
})

t.test('where RAUC never comes up on a trial the box reboots until the old one runs', async t => {
  const rauc = raucBox()
  const { box, world } = rauc
  await silentTrial(rauc)
  for (let boots = 1; boots <= 3; boots++) {
    t.ok(await turnsUntilDown(rauc, MINUTE_TURNS), `reboot ${boots}`)
    t.match(box.updater.report(), { phase: 'switching', running: 'b' })
    box.boot()
  }
  world.box.isMissing = false
  const why = /nobody could judge it in 3 boots: RAUC: it does not answer/
  const refused = [{ version: '2.0.0', why }]
  t.match(await box.turns(4), { phase: 'waiting', running: 'a', systems: { b: {} }, refused })
  t.equal(world.box.primary, 'rootfs.0')
  t.notOk(await turnsUntilDown(rauc, MINUTE_TURNS), 'and is not tried again')
  await box.updater.clear(digest)
  t.match(await box.turns(2), { refused: [] })
})

t.test('it is left only when nothing is in the way', async t => {
  const rauc = raucBox()
  const { box } = rauc
  await silentTrial(rauc)
  box.box = { ...quietBox, isArmed: true }
  t.notOk(await turnsUntilDown(rauc, MINUTE_TURNS))
  t.same(unmetOf(rauc), ['answer', 'not-armed'])
  await t.rejects(box.updater.rollBack('x'), { code: 'ota.refused', message: /armed/ })
  box.box = quietBox
  for (const slots of [{ isOnTrial: true }, { isRestartDue: true }]) {
    box.slots = { ...quietSlots, ...slots }
    t.notOk(await turnsUntilDown(rauc, MINUTE_TURNS))
    t.same(unmetOf(rauc), ['answer', 'no-trial'])
  }
  box.slots = quietSlots
  box.box = { ...quietBox, isPanic: true, runningCues: 2 }
  t.notOk(await turnsUntilDown(rauc, MINUTE_TURNS))
  t.same(unmetOf(rauc), ['answer', 'no-cue', 'no-panic'])
  box.box = quietBox
  await box.holds.add({ owner: 'Kim', reason: 'rehearsal', minutes: 5 }, true)
  t.notOk(await turnsUntilDown(rauc, MINUTE_TURNS))
  t.match(box.updater.report().unmet[1], { words: /Kim holds it back/ })
  t.ok(await turnsUntilDown(rauc, 6 * MINUTE_TURNS), 'it ends')
})

t.test('a machine that was started from neither system is not left', async t => {
  const rauc = raucBox()
  const { box, world } = rauc
  await written(rauc)
  box.boot()
  box.box = quietBox
  world.box.isOutside = true
  t.notOk(await turnsUntilDown(rauc, 2 * MINUTE_TURNS))
  t.match(box.updater.report(), { lacking: /it does not run from one of its slots/ })
})

t.test('a box that says nothing for a moment, with a show armed, is not left for that', async t => {
  const silent = raucBox()
  await silentTrial(silent)
  const failing = raucBox()
  failing.box.gate = () => ['devices: 1 is silent']
  await rebootedOnTrial(failing)
  for (const rauc of [silent, failing]) {
    const { box } = rauc
    box.box = { ...quietBox, isArmed: true }
    t.notOk(await turnsUntilDown(rauc, MINUTE_TURNS))
    box.box = null
    t.notOk(await turnsUntilDown(rauc, 80), 'its runtime is started again')
    box.box = { ...quietBox, isArmed: true }
    t.notOk(await turnsUntilDown(rauc, MINUTE_TURNS))
    box.box = null
    t.ok(await turnsUntilDown(rauc, 2 * MINUTE_TURNS), 'and one that is gone has no show')
  }
})

t.test('RAUC that is at work for somebody else has answered', async t => {
  const rauc = raucBox()
  const { box, world } = rauc
  await silentTrial(rauc)
  await box.turns(38)
  t.same(unmetOf(rauc), ['answer', 'waited'])
  world.box.isMissing = false
  world.box.isBusy = true
  await box.turns(42)
  world.box.isMissing = true
  world.box.isBusy = false
  t.notOk(await turnsUntilDown(rauc, 30))
  t.same(unmetOf(rauc), ['answer', 'waited'])
  t.ok(await turnsUntilDown(rauc, MINUTE_TURNS))
})

t.test('a show that is armed while a reboot is being counted is not ended', async t => {
  const rauc = raucBox({ bootChooser: 'once' })
  const { box, world } = rauc
  await silentTrial(rauc)
  let looks = 0
  // The turn looks, the judgement does, and then the last look before the reboot.
  Object.defineProperty(box, 'box', { get: () => ({ ...quietBox, isArmed: ++looks > 2 }) })
  for (let turn = 0; turn < MINUTE_TURNS && !world.box.isGoingDown; turn++) {
    looks = 0
    await box.turn()
  }
  t.notOk(world.box.isGoingDown)
  t.same(unmetOf(rauc), ['answer', 'reboot'])
})

t.test('a box that does not answer, without a kernel that tells its slot, is left', async t => {
  const rauc = raucBox({ bootChooser: 'once' })
  const { box, world } = rauc
  world.box.hasKernelWords = false
  await silentTrial(rauc)
  box.box = null
  t.ok(await turnsUntilDown(rauc, MINUTE_TURNS))
  box.boot()
  world.box.isMissing = false
  t.match(await box.turns(4), { running: 'a', refused: [{ version: '2.0.0' }] })
})

t.test(
  'what somebody else has started is left, too, where the kernel tells that it runs',
  async t => {
    const rauc = raucBox()
    const { box, world } = rauc
    await written(rauc)
    const { ports } = world.boot()
    await ports.rauc.mark('active', 'rootfs.1')
    box.boot()
    box.box = quietBox
    world.box.isMissing = true
    t.ok(await turnsUntilDown(rauc, MINUTE_TURNS))
    for (let boots = 0; boots < 3; boots++) box.boot()
    world.box.isMissing = false
    t.match(await box.turns(4), { running: 'a', refused: [{ version: '2.0.0' }] })
  },
)

t.test(
  'RAUC that goes in the middle of a trial is waited for, and then the trial has failed',
  async t => {
    const rauc = raucBox()
    const { box, world } = rauc
    box.gate = () => ['devices: 1 is silent']
    await rebootedOnTrial(rauc)
    const said: OsWord[] = []
    box.voice = { ...deafVoice, say: word => void said.push(word) }
    box.boot()
    await box.turns(20)
    world.box.isMissing = true
    await world.clock.advance(MINUTE_MS)
    t.ok(await turnsUntilDown(rauc, MINUTE_TURNS))
    t.same(said.at(-1), { digest, stage: 'goes', refused: [digest] })
    const failed = said.slice(said.findIndex(({ refused }) => refused.length > 0))
    t.ok(
      failed.every(({ refused }) => refused.includes(digest)),
      'and nothing else is said',
    )
  },
)

t.test(
  'RAUC that cannot tell the boot loader what becomes of a trial is as good as none',
  async t => {
    for (const gate of [[], ['devices: 1 is silent']]) {
      const rauc = raucBox({ bootChooser: 'once' })
      const { box, world } = rauc
      box.gate = () => gate
      await rebootedOnTrial(rauc)
      world.box.isPowerless = true
      t.ok(await turnsUntilDown(rauc, 2 * MINUTE_TURNS), gate.join())
      box.boot()
      world.box.isPowerless = false
      const why = /fw_setenv is not there/
      t.match(await box.turns(4), { running: 'a', refused: [{ version: '2.0.0', why }] })
    }
  },
)

t.test('where nothing counts the reboots, they end', async t => {
  const rauc = raucBox({ bootChooser: 'stays' })
  const { box, world } = rauc
  await silentTrial(rauc)
  for (let boots = 1; boots <= SILENT_REBOOTS_MAX; boots++) {
    t.ok(await turnsUntilDown(rauc, MINUTE_TURNS), `reboot ${boots}`)
    box.boot()
  }
  for (const cause of ['the last one', 'a power cut']) {
    await box.turns(4)
    for (const { words } of box.updater.why()) t.notMatch(words, /then the box reboots/)
    t.notOk(await turnsUntilDown(rauc, 4 * MINUTE_TURNS), cause)
    t.same(unmetOf(rauc), ['answer', 'reboots'])
    const told = box.updater.report().unmet.map(({ words }) => words)
    t.equal(told.length, 2)
    t.match(told[1], /6 reboots have not led back/)
    await world.clock.advance(30 * MINUTE_MS)
    await box.turns(4)
    t.equal(box.updater.whyNoAppTrial(), undefined, 'and releases go on')
    box.boot()
  }
  await box.turns(2)
  t.match(await box.updater.rollBack('once more'), /the box reboots now/)
  t.ok(world.box.isGoingDown)
  box.boot()
  world.box.isMissing = false
  t.match(
    await box.turns(40),
    { phase: 'idle', systems: { b: { kind: 'good' } } },
    'it may prove itself',
  )
})

t.test('a reboot that is refused is no reboot, and is asked for again', async t => {
  const rauc = raucBox()
  const { box, world } = rauc
  await silentTrial(rauc)
  world.box.refusal = 'interactive authentication is needed'
  t.notOk(await turnsUntilDown(rauc, 31 * MINUTE_TURNS))
  t.same(unmetOf(rauc), ['answer', 'reboot'])
  t.match(box.updater.report().unmet[1], { words: /interactive authentication/ })
  const tries = world.log.events().filter(event => event === 'os.left').length
  t.ok(tries > 4 && tries < 9, `${tries} tries`)
  t.equal(box.updater.whyNoAppTrial(), undefined, 'releases go on after half an hour')
  world.box.refusal = null
  t.ok(await turnsUntilDown(rauc, 6 * MINUTE_TURNS))
})

t.test('a card that forgets what it was told counts nothing: the box stays', async t => {
  const rauc = raucBox()
  const { world } = rauc
  await silentTrial(rauc)
  world.disk.isLying = true
  t.notOk(await turnsUntilDown(rauc, 2 * MINUTE_TURNS))
  t.match(rauc.box.updater.report().unmet[1], { words: /does not keep what is written/ })
})
