/** A program that waits inside the kernel, for a card that does not answer, is not gone when it is killed. */
import t from 'tap'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { type SimulatedProgram, SimulatedPrograms } from '../../../drivers/simulated/programs.js'
import { Launcher } from '../../../ota/slots/launcher.js'
import { isPing } from '../../../ota/slots/messages.js'
import { usualLimits } from '../../../ota/slots/supervision.js'
import { startedWith, unhurried } from './simulated-slots.js'
import { smallRelease } from './small-release.js'

const made = (version: string) =>
  smallRelease({ version, floor: null, behaviour: 'good', launcher: null })
const [one, two] = [made('1.0.0'), made('1.1.0')]

/** Two releases, the newer one on trial, and programs that behave so. */
async function launched(behave: SimulatedProgram) {
  const { boot } = await startedWith(one)
  await boot.agent('a').install(two.release, boot.installer(two), unhurried)
  await boot.agent('a').activate()
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const programs = new SimulatedPrograms(behave)
  programs.isStuck = true
  const options = { limits: usualLimits, boxWords: [], patienceMs: 15_000, stuckMs: 10_000 }
  const launcher = new Launcher(
    { ...boot.choice, clock, programs },
    { ...options, onReady: () => {} },
  )
  let ended: string | null = null
  void launcher.run().then(how => {
    ended = how
  })
  const slots = (): readonly (string | undefined)[] =>
    programs.started.map(({ environment }) => environment['ROADCASE_SLOT'])
  return { boot, clock, launcher, slots, outcome: () => ended }
}

t.test('a trial that hangs in the kernel gives way all the same', async t => {
  const { boot, clock, slots } = await launched(() => ({ hear: () => {} }))
  await clock.advance(usualLimits.readyMs + 1_000)
  t.same(slots(), ['b', 'b'])
  await clock.advance(27_000)
  t.same(slots(), ['b', 'b', 'a', 'a'])
  t.ok(boot.log.events().includes('program.stuck'))
})

t.test('a launcher that is to end does not wait for it', async t => {
  const { clock, launcher, outcome } = await launched(() => ({ hear: () => {} }))
  await clock.advance(1_000)
  launcher.end()
  await clock.advance(24_000)
  t.equal(outcome(), null)
  await clock.advance(2_000)
  t.equal(outcome(), 'ended')
})

t.test('a good release that hangs in the kernel is started again', async t => {
  let hear: (message: unknown) => void = () => {}
  const { boot, clock, slots } = await launched((_, { heard }) => {
    let pings = 0
    hear = heard
    heard('ready')
    return {
      hear: word => {
        if (isPing(word) && ++pings < 3) heard({ kind: 'pong' })
      },
    }
  })
  await clock.advance(1_000)
  await boot.agent('b').markGood()
  hear({ kind: 'passed' })
  await clock.advance(1_000)
  const before = slots().length
  await clock.advance(60_000)
  t.ok(slots().length > before + 2, `${slots().length} starts`)
  t.equal(slots().at(-1), 'b')
})
