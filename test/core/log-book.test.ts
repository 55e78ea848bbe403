import t from 'tap'
import { SimulatedClock } from '../../drivers/simulated/clock.js'
import { LogBook } from '../../runtime/core/log-book.js'
import type { LogLine } from '../../runtime/core/log-line.js'

function bench(): { clock: SimulatedClock; book: LogBook; written: LogLine[] } {
  const clock = new SimulatedClock({ showStartMs: 1_000_000, driftPpm: 0 })
  const written: LogLine[] = []
  return { clock, written, book: new LogBook(clock, line => written.push(line)) }
}

t.test('each line carries its level, the wall time and plain facts', async t => {
  const { clock, book, written } = bench()
  await clock.advance(500)
  book.error('device.faulty', { name: 'front-wash', tries: 3n })
  t.same(written, [
    {
      level: 'error',
      at: 1_000_500,
      event: 'device.faulty',
      facts: { name: 'front-wash', tries: '3' },
    },
  ])
})

t.test('the 21st line of an event within 10 s is counted, and told when they are over', async t => {
  const { clock, book, written } = bench()
  for (let count = 0; count < 45; count++) book.warn('packet.refused')
  book.info('cue.fired')
  t.equal(written.length, 21)
  await clock.advance(9_999)
  t.equal(written.length, 21)
  await clock.advance(1)
  t.equal(written.length, 22)
  t.same(written[21], {
    level: 'warn',
    at: 1_010_000,
    event: 'log.repeated',
    facts: { of: 'packet.refused', heldBack: 25, withinMs: 10_000 },
  })
})

t.test('after the 10 s the event is written again', async t => {
  const { clock, book, written } = bench()
  for (let count = 0; count < 30; count++) book.info('a')
  await clock.advance(10_000)
  book.info('a')
  t.same(
    written.slice(20).map(({ event }) => event),
    ['log.repeated', 'a'],
  )
})

t.test('twenty lines in 10 s are written and nothing is told', async t => {
  const { clock, book, written } = bench()
  for (let count = 0; count < 20; count++) book.info('a')
  await clock.advance(60_000)
  t.equal(written.length, 20)
})

t.test('a flood lasts as long as it likes: 20 lines and one summary per 10 s', async t => {
  const { clock, book, written } = bench()
  for (let ms = 0; ms < 60_000; ms += 10) {
    book.info('a')
    await clock.advance(10)
  }
  t.ok(written.length <= 6 * 21, `${written.length} lines for 6000 events`)
  const told = written.reduce((sum, { facts }) => sum + Number(facts['heldBack'] ?? 0), 0)
  t.equal(told + written.filter(({ event }) => event === 'a').length, 6000, 'none is forgotten')
})

t.test('more event names than anybody writes share one window', async t => {
  const { clock, book, written } = bench()
  for (let count = 0; count < 2000; count++) book.info(`event.${count}`)
  t.equal(written.length, 512 + 20)
  await clock.advance(10_000)
  t.same(written.at(-1)?.facts['of'], 'other events')
})

t.test('the newest 1000 lines are kept, oldest first', async t => {
  const { clock, book } = bench()
  for (let count = 0; count < 2345; count++) {
    book.info(`event.${count % 500}`, { count })
    await clock.advance(count % 100 === 0 ? 10_000 : 0)
  }
  const kept = book.recent().map(({ facts }) => facts['count'])
  t.equal(kept.length, 1000)
  t.same(
    kept,
    Array.from({ length: 1000 }, (_, at) => 1345 + at),
  )
})

t.test('settling tells what is owed, once', async t => {
  const { clock, book, written } = bench()
  for (let count = 0; count < 22; count++) book.info('a')
  book.settle()
  book.settle()
  await clock.advance(20_000)
  t.equal(written.filter(({ event }) => event === 'log.repeated').length, 1)
})
