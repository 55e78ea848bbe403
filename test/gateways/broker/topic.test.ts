import fc from 'fast-check'
import t from 'tap'
import { contains, isFilter, isTopic, matches } from '../../../runtime/gateways/broker/topic.js'

t.test('filters match as MQTT 3.1.1 section 4.7 says', async t => {
  for (const [filter, topic, isMatch] of [
    ['sport/tennis/player1/#', 'sport/tennis/player1', true],
    ['sport/tennis/player1/#', 'sport/tennis/player1/score/wimbledon', true],
    ['sport/#', 'sport', true],
    ['#', 'sport', true],
    ['sport/tennis/+', 'sport/tennis/player1', true],
    ['sport/tennis/+', 'sport/tennis/player1/ranking', false],
    ['sport/+', 'sport', false],
    ['sport/+', 'sport/', true],
    ['+/+', '/finance', true],
    ['/+', '/finance', true],
    ['+', '/finance', false],
    ['#', '$SYS/broker/uptime', false],
    ['+/broker/uptime', '$SYS/broker/uptime', false],
    ['$SYS/#', '$SYS/broker/uptime', true],
    ['a/b', 'a/b/c', false],
    ['a/b/c', 'a/b', false],
  ] as const)
    t.equal(matches(filter, topic), isMatch, `${filter} ${topic}`)
})

t.test('what is neither a topic nor a filter is known', async t => {
  for (const text of ['', 'a\u0000b', 'x'.repeat(600), 'a/'.repeat(20)]) {
    t.notOk(isTopic(text))
    t.notOk(isFilter(text))
  }
  for (const filter of ['a#', 'a/#/b', '#a', 'a+', '+a', 'a/b+/c'])
    t.notOk(isFilter(filter), filter)
  for (const filter of ['#', '+', 'a/#', '+/+/#', '/', 'a//b']) t.ok(isFilter(filter), filter)
  t.notOk(isTopic('a/+'))
})

const level = fc.constantFrom('a', 'b', '', '$s')
const topics = fc.array(level, { minLength: 1, maxLength: 4 }).map(levels => levels.join('/'))
const filters = fc
  .tuple(fc.array(fc.constantFrom('a', 'b', '', '$s', '+'), { maxLength: 3 }), fc.boolean())
  .map(([levels, isOpen]) => [...levels, ...(isOpen || levels.length === 0 ? ['#'] : [])].join('/'))

/** Level by level, as the standard puts it. */
function matchesByLevels(filter: string, topic: string): boolean {
  const [wanted, levels] = [filter.split('/'), topic.split('/')]
  if (/^[+#]/.test(filter) && topic.startsWith('$')) return false
  const open = wanted.indexOf('#')
  const fixed = open < 0 ? wanted : wanted.slice(0, open)
  if (open < 0 ? wanted.length !== levels.length : levels.length < fixed.length) return false
  return fixed.every((level, index) => level === '+' || level === levels[index])
}

t.test('what matches is the same as level by level', async t => {
  let found = 0
  fc.assert(
    fc.property(filters, topics, (filter, topic) => {
      const isMatch = matchesByLevels(filter, topic)
      if (isMatch) found++
      return matches(filter, topic) === isMatch
    }),
    { numRuns: 20_000, seed: 25 },
  )
  t.ok(found > 500, `${found} matched`)
})

t.test('a filter that is contained matches nothing that the allowed one does not', async t => {
  let found = 0
  fc.assert(
    fc.property(filters, filters, topics, (allowed, filter, topic) => {
      if (!contains(allowed, filter) || !matches(filter, topic)) return true
      found++
      return matches(allowed, topic)
    }),
    { numRuns: 20_000, seed: 25 },
  )
  t.ok(found > 500, `${found} cases were of use`)
})

t.test('a filter is contained only when it is, not when it merely matches', async t => {
  for (const [allowed, filter, isIn] of [
    ['vb/t/#', 'vb/t/#', true],
    ['vb/t/#', 'vb/t', true],
    ['vb/t/#', 'vb/t/+/state', true],
    ['vb/t/#', 'vb/+/x', false],
    ['vb/t/#', '#', false],
    ['vb/t/+', 'vb/t/#', false],
    ['vb/t/+', 'vb/t/+', true],
    ['vb/t/x', 'vb/t/+', false],
    ['#', '$SYS/#', false],
    ['#', '+/x', true],
  ] as const)
    t.equal(contains(allowed, filter), isIn, `${filter} in ${allowed}`)
})
