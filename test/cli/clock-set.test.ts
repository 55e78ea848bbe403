import t from 'tap'
import type { DateAsked } from '../../runtime/cli/box-link.js'
import { noLink, type } from './cli-world.js'

const bench = () => {
  const asked: DateAsked[] = []
  const link = () => ({
    ...noLink,
    setDate: async (date: DateAsked) => {
      asked.push(date)
      return { id: 'x', isAccepted: true, code: null, message: null }
    },
  })
  return { asked, link }
}

t.test('a date is handed over as it was written', async t => {
  const { asked, link } = bench()
  const typed = await type(['clock', 'set', '2026-11-22T19:30:00Z'], { link })
  t.match(typed, { exitCode: 0, out: /it is 2026-11-22T19:30:00.000Z on the box now/ })
  await type(['clock', 'set', '2026-11-22T20:30:00+01:00'], { link })
  t.same(
    asked.map(({ wallMs }) => wallMs),
    [Date.UTC(2026, 10, 22, 19, 30), Date.UTC(2026, 10, 22, 19, 30)],
  )
})

t.test('without a date it is the one of this machine', async t => {
  const { asked, link } = bench()
  const before = Date.now()
  t.match(await type(['clock', 'set', '--json'], { link }), {
    exitCode: 0,
    out: /"isAccepted": ?true/,
  })
  const wallMs = asked[0]?.wallMs ?? 0
  t.ok(wallMs >= before && wallMs <= Date.now())
})

t.test('what is no date is not handed over', async t => {
  const { asked, link } = bench()
  for (const text of ['now', '22.11.2026', '2026-13-40T00:00', '19:30', '2026-11-22'])
    t.match(await type(['clock', 'set', text], { link }), { exitCode: 2, error: /Write a date/ })
  t.same(asked, [])
})
