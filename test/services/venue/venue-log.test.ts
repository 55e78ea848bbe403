/** The chain of entries: what goes on from what. */
import t from 'tap'
import { monotonicMs } from '../../../runtime/core/time.js'
import type { Place } from '../../../runtime/ports/company.js'
import { type Chained, VenueLog } from '../../../runtime/services/venue/venue-log.js'

const place = (epoch: number, position: number): Place => ({ epoch, position })
const at = monotonicMs(0)
const entry = (before: Place, epoch = 1): Chained => ({
  place: place(epoch, before.position + 1),
  before,
  id: `${epoch}-${before.position + 1}`,
  events: [],
  at,
})
const idsOf = (entries: readonly Chained[] | null): readonly string[] | null =>
  entries?.map(({ id }) => id) ?? null

t.test('what comes in order is taken, and what was taken is nothing new', async t => {
  const log = new VenueLog(place(1, 0))
  t.same(idsOf(log.take(entry(place(1, 0)))), ['1-1'])
  t.same(idsOf(log.take(entry(place(1, 0)))), [])
  t.same(log.head, place(1, 1))
})

t.test('what comes early waits for what is lacking', async t => {
  const log = new VenueLog(place(1, 0))
  t.equal(log.take(entry(place(1, 2))), null)
  t.equal(log.take(entry(place(1, 1))), null)
  t.same(idsOf(log.take(entry(place(1, 0)))), ['1-1', '1-2', '1-3'])
})

t.test('what goes on from another entry at the same position is not taken', async t => {
  const log = new VenueLog(place(1, 0))
  log.take(entry(place(1, 0)))
  t.equal(log.take(entry(place(2, 1), 2)), null)
  t.equal(log.take(entry(place(1, 0), 2)), null, 'it is another one than the one taken')
  t.same(log.head, place(1, 1))
})

t.test('whoever lacks something gets what comes after, as far back as the log goes', async t => {
  const log = new VenueLog(place(3, 7))
  for (let count = 0; count < 300; count++)
    log.append(count < 100 ? 3 : 4, { id: `id-${count}`, events: [], at })
  t.equal(log.after(log.head)?.length, 0)
  t.equal(log.after(place(4, 300))?.length, 7)
  t.equal(log.after(place(3, 300)), null, 'of another reign')
  t.equal(log.after(place(3, 7)), null, 'too long ago')
  t.equal(log.ids.length, 256)
  t.ok(log.ids.includes('id-299'))
})

t.test('a whole state begins the log anew, and brings what was done with it', async t => {
  const log = new VenueLog(place(1, 0))
  log.take(entry(place(1, 0)))
  log.take(entry(place(1, 4)))
  log.restart(place(1, 4), ['a', 'b'])
  t.same(log.ids, ['a', 'b'])
  t.same(idsOf(log.take(entry(place(1, 4)))), ['1-5'])
})
