import t from 'tap'
import type { LatenessAnswer } from '../../runtime/gateways/page/api.js'
import { noLink, type } from './cli-world.js'

type LateCue = LatenessAnswer['cues'][number]

const of = (cue: string, count: number, max: number): LateCue => ({
  cue,
  count,
  p50: 0.05,
  p95: max,
  p99: max,
  max,
  last: 0.04,
  sum: count * 0.05,
  within: [],
})

const withCues = (cues: LateCue[]) => ({
  link: () => ({ ...noLink, lateness: async () => [...cues] }),
})

t.test('cues stand in lines of their own, and one that anybody could see late is red', async t => {
  const typed = await type(['lateness'], withCues([of('1', 12, 0.3), of('doors', 1, 41)]), true)
  t.equal(typed.exitCode, 0)
  const [head, first, second] = typed.out.split('\n')
  t.match(head, /cue +fires +last +p50 +p99 +worst +milliseconds/)
  t.equal(first, '1           12     0.04     0.05     0.30     0.30')
  t.match(second, /doors +1 +0\.04 +0\.05 +41\.00/)
  t.ok(second?.includes('\u001b[31m    41.00'), 'red')
})

t.test('before the first cue it says so, and as JSON it is an empty list', async t => {
  t.equal((await type(['lateness'], withCues([]))).out, 'nothing fired yet\n')
  t.same(JSON.parse((await type(['--json', 'lateness'], withCues([]))).out), { cues: [] })
  t.match(await type(['lateness', '--help']), {
    exitCode: 0,
    out: /Example:\n {2}\$ roadcase lateness/,
  })
})
