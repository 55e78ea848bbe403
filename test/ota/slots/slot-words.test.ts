/** What a technician reads of both slots. */
import t from 'tap'
import { atOnce } from '../../../ota/slots/slot-check.js'
import type { SlotName } from '../../../ota/slots/slot-state.js'
import { slotContents } from '../../../ota/slots/slot-words.js'
import { BoxError } from '../../../runtime/core/errors.js'
import { anyTime, type Boot, startedWith, unhurried } from './simulated-slots.js'
import { smallRelease } from './small-release.js'

const MINUTE_MS = 60_000
const made = (version: string) =>
  smallRelease({ version, floor: null, behaviour: 'good', launcher: null })
const [one, two] = [made('1.0.0'), made('1.1.0')]

async function box() {
  const { disk, boot } = await startedWith(one)
  const agent = boot.agent('a')
  const told = async (): Promise<readonly string[]> => {
    const { a, b } = slotContents(await agent.status())
    return [a.words, b.words]
  }
  return { disk, boot, agent, told }
}

async function keepTwo(boot: Boot): Promise<void> {
  await boot.agent('a').install(two.release, boot.installer(two), unhurried)
  await boot.agent('a').activate()
  await boot.choose()
  await boot.agent('b').markGood()
}

t.test('a copy is told before, while and after it is written, with its age', async t => {
  const { boot, agent, told } = await box()
  t.same(await told(), [
    '1.0.0, runs; not read as a whole since the start',
    'empty; a copy of 1.0.0 follows when nobody is disturbed',
  ])
  let during: readonly string[] = []
  const pause = async (): Promise<void> => {
    if (agent.care.isCopying) during = await told()
  }
  await agent.care.copy({ ...anyTime, pause })
  t.same(during, ['1.0.0, runs; whole, read just now', 'copy of 1.0.0, being written'])
  await boot.clock.advance(3 * MINUTE_MS)
  t.same(await told(), [
    '1.0.0, runs; whole, read 3 min ago',
    'copy of 1.0.0; whole, read 3 min ago',
  ])
  t.match(slotContents(await agent.status()), {
    a: { kind: 'good', isCopy: false, readMinutes: 3, damage: null },
    b: { kind: 'good', isCopy: true, readMinutes: 3, version: '1.0.0' },
  })
  await boot.clock.advance(62 * MINUTE_MS)
  t.match(await told(), [/1 h 5 min ago/, /1 h 5 min ago/])
})

t.test('a copy that was put off, and one that failed, are two things', async t => {
  const { agent, told } = await box()
  const giveUp = (code: 'fetch.cancelled' | 'storage.full') => async (): Promise<void> => {
    if (agent.care.isCopying) throw new BoxError(code, 'so it is')
  }
  await t.rejects(agent.care.copy({ ...anyTime, pause: giveUp('fetch.cancelled') }))
  t.match(await told(), [/runs/, /^copy of 1.0.0, half written: it goes on when nobody/])
  t.same((await agent.status()).troubles, [])
  await t.rejects(agent.care.copy({ ...anyTime, pause: giveUp('storage.full') }))
  t.match(await told(), [/runs/, /^empty; no copy of 1.0.0 yet: it is tried again$/])
  t.match((await agent.status()).troubles, [/so it is/])
  await agent.care.copy(anyTime)
  t.same((await agent.status()).troubles, [])
})

t.test('what is damaged is told as trouble until it is mended', async t => {
  const { disk, boot } = await box()
  await keepTwo(boot)
  const agent = boot.agent('b')
  const told = async (name: SlotName) => slotContents(await agent.status())[name]
  t.match(await told('a'), { words: /^1.0.0, to go back to; not read/, isCopy: false })
  disk.rot('slots/a/program/main.js', { isCached: false })
  await agent.care.audit('a', atOnce, null)
  t.match(await told('a'), { damage: /main.js/, words: /damaged, read just now: program\/main.js/ })
  t.match((await agent.status()).troubles, [/^slot a is damaged: program\/main.js/])
  disk.rot('slots/a/program/main.js', { isCached: false })
  await agent.care.audit('a', atOnce, anyTime)
  t.match(await told('a'), { damage: null, words: /whole, read just now/ })
})

t.test('why a release is not gone back to is told', async t => {
  const { boot } = await box()
  await keepTwo(boot)
  await boot.agent('b').rollBack('lamps flicker')
  await boot.choose()
  const agent = boot.agent('a')
  t.match(slotContents(await agent.status()).b.words, /^1.1.0, refused here; not read/)
  const other = (await box()).boot
  await other.agent('a').install(two.release, other.installer(two), unhurried)
  const first = other.agent('a')
  t.match(slotContents(await first.status()).b.words, /^1.1.0, written and not tried yet/)
  await first.activate()
  t.match(slotContents(await first.status()).b.words, /^1.1.0, on trial/)
  await first.rollBack('gate')
  const failed = slotContents(await first.status()).b
  t.match(failed, { kind: 'failed', readMinutes: null })
  t.match(failed.words, /^1.1.0, not to be started: gate; a copy of 1.0.0 follows/)
})

t.test('a release below the floor is told as that', async t => {
  const { boot } = await box()
  const raised = { ...two.release, floor: '1.1.0' }
  await boot.agent('a').install(raised, boot.installer(two), unhurried)
  await boot.agent('a').activate()
  await boot.choose()
  await boot.agent('b').markGood()
  t.match(
    slotContents(await boot.agent('b').status()).a.words,
    /^1.0.0, below the floor, 1.1.0; not read .*; a copy of 1.1.0 follows/,
  )
})

t.test('what is to be started next is not told as what to go back to', async t => {
  const { boot } = await box()
  await keepTwo(boot)
  const agent = boot.agent('b')
  const words = async () => slotContents(await agent.status()).a.words
  t.match(await words(), /^1.0.0, to go back to;/)
  await agent.rollBack('lamps flicker')
  t.match(await words(), /^1.0.0, to be started next;/)
})
