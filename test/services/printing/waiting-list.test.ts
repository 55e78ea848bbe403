/** The places of those that wait: in order of arrival, each taken once. */
import t from 'tap'
import { WaitingList } from '../../../runtime/services/printing/waiting-list.js'

const never = { wallMs: null, monotonicMs: null }
const filled = (...sequences: number[]): WaitingList => {
  const list = new WaitingList()
  for (const sequence of sequences) list.add({ sequence, deadline: never })
  return list
}
const drained = (list: WaitingList): number[] => {
  const found: number[] = []
  for (let next = list.takeFirst(); next; next = list.takeFirst()) found.push(next.sequence)
  return found
}

t.test('whoever comes back has his old place', async t => {
  t.same(drained(filled(3, 5, 9, 1, 4, 10, 2)), [1, 2, 3, 4, 5, 9, 10])
})

t.test('a job is taken once', async t => {
  const list = filled(1, 2, 3)
  t.equal(list.take(2)?.sequence, 2)
  t.equal(list.take(2), undefined)
  t.notOk(list.has(2))
  t.same(drained(list), [1, 3])
  t.equal(filled().take(1), undefined)
})

t.test(
  'those whose time is over are taken, a few at a time, and the others keep their order',
  async t => {
    const list = new WaitingList()
    for (let sequence = 1; sequence <= 10; sequence++)
      list.add({ sequence, deadline: { wallMs: null, monotonicMs: sequence % 2 === 0 ? 50 : 500 } })
    const now = { wallMs: 0, monotonicMs: 50 }
    t.same(
      list.takeOver(now, 3).map(({ sequence }) => sequence),
      [2, 4, 6],
    )
    t.same(
      list.takeOver(now, 9).map(({ sequence }) => sequence),
      [8, 10],
    )
    t.same(list.takeOver(now, 9), [])
    t.same(drained(list), [1, 3, 5, 7, 9])
  },
)
