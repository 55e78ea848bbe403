import t from 'tap'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { SimulatedFiles } from '../../../drivers/simulated/files.js'
import { HOLDS_MAX, Holds } from '../../../ota/updater/holds.js'

const HOUR_MS = 3_600_000

function bench() {
  const clock = new SimulatedClock({ showStartMs: 1.8e12, driftPpm: 0 })
  const files = new SimulatedFiles()
  const open = async (): Promise<Holds> => {
    const holds = new Holds(clock, files)
    await holds.load()
    return holds
  }
  return { clock, files, open }
}
const rehearsal = { owner: 'Kim', reason: 'rehearsal', minutes: 90 }

t.test('a hold outlives a restart, and ends by itself', async t => {
  const { clock, open } = bench()
  const made = await (await open()).add(rehearsal, true)
  t.match(made, { id: 'h1', owner: 'Kim' })
  const holds = await open()
  t.match(holds.current(), [{ id: 'h1', leftMinutes: 90 }])
  await clock.advance(HOUR_MS)
  t.match(holds.current(), [{ id: 'h1', leftMinutes: 30 }])
  await clock.advance(HOUR_MS / 2)
  t.same(holds.current(), [])
})

t.test(
  'where the date went back, a hold ends after it has run for as long as it lasts',
  async t => {
    const { clock, open } = bench()
    await (await open()).add(rehearsal, true)
    clock.stepWall(-10 * HOUR_MS)
    const holds = await open()
    t.match(holds.current(), [{ leftMinutes: 90 }])
    await clock.advance(1.5 * HOUR_MS)
    t.same(holds.current(), [])
  },
)

t.test('a date that is learned ends no hold that was made without one', async t => {
  const { clock, open } = bench()
  const holds = await open()
  await holds.add(rehearsal, false)
  clock.stepWall(100 * HOUR_MS)
  t.match(holds.current(), [{ leftMinutes: 90 }])
  await clock.advance(1.5 * HOUR_MS)
  t.same(holds.current(), [])
})

t.test('one is ended by its name, and its name is not used again', async t => {
  const { open } = bench()
  const holds = await open()
  await holds.add(rehearsal, true)
  await holds.add({ ...rehearsal, owner: 'Sam' }, true)
  t.match(await holds.release('h2'), { owner: 'Sam' })
  t.equal(await holds.release('h2'), null)
  t.match(holds.current(), [{ id: 'h1' }])
  t.match(await (await open()).add(rehearsal, true), { id: 'h3' })
})

t.test('there is a limit, and what is over makes room', async t => {
  const { clock, open } = bench()
  const holds = await open()
  for (let count = 0; count < HOLDS_MAX; count++)
    await holds.add({ ...rehearsal, minutes: 1 }, true)
  await t.rejects(holds.add(rehearsal, true), { code: 'ota.refused' })
  await clock.advance(60_000)
  t.match(await holds.add(rehearsal, true), { id: `h${HOLDS_MAX + 1}` })
})

t.test('no name, no reason, no end: refused, with the field', async t => {
  const holds = await bench().open()
  for (const wrong of [{ owner: '' }, { reason: '' }, { minutes: 0 }, { minutes: 1e6 }])
    await t.rejects(holds.add({ ...rehearsal, ...wrong }, true), {
      message: new RegExp(`hold\\.${Object.keys(wrong)[0]}`),
    })
  t.same(holds.current(), [])
})

t.test('a file that is none of ours is told, and nothing is held', async t => {
  const { files, open } = bench()
  await files.replace('holds.json', new TextEncoder().encode('{"format":1}'))
  await t.rejects(open(), { code: 'storage.rotten' })
})

t.test('a hold does not begin anew with each start, nor come back when it was over', async t => {
  const { clock, open } = bench()
  const first = await open()
  await first.add(rehearsal, false)
  for (let minute = 0; minute < 60; minute++) {
    await clock.advance(HOUR_MS / 60)
    await first.keep(false)
  }
  const second = await open()
  const [left] = second.current()
  t.ok(left && left.leftMinutes <= 35, `${left?.leftMinutes} min are left of 30`)
  await clock.advance(HOUR_MS)
  await second.keep(false)
  t.same((await open()).current(), [])
})

t.test('once the date is known, a hold ends by it', async t => {
  const { clock, open } = bench()
  const first = await open()
  await first.add(rehearsal, false)
  await clock.advance(HOUR_MS)
  clock.stepWall(1_000 * HOUR_MS)
  await first.keep(true)
  t.match(first.current(), [{ leftMinutes: 30 }])
  clock.stepWall(HOUR_MS)
  t.same((await open()).current(), [], 'the box was off in between')
})
