import fc from 'fast-check'
import t from 'tap'
import { matches } from '../../../runtime/gateways/broker/topic.js'
import { FilterMap, TopicMap } from '../../../runtime/gateways/broker/topic-tree.js'

const level = fc.constantFrom('a', 'b', '', '$s')
const topic = fc.array(level, { minLength: 1, maxLength: 4 }).map(levels => levels.join('/'))
const filter = fc
  .tuple(fc.array(fc.constantFrom('a', 'b', '', '$s', '+'), { maxLength: 3 }), fc.boolean())
  .map(([levels, isOpen]) => [...levels, ...(isOpen || levels.length === 0 ? ['#'] : [])].join('/'))

t.test(
  'topics found by filter are those that match it, after any setting and deleting',
  async t => {
    let found = 0
    fc.assert(
      fc.property(
        fc.array(fc.tuple(topic, fc.boolean()), { maxLength: 20 }),
        filter,
        (steps, wanted) => {
          const tree = new TopicMap<string>()
          const plain = new Map<string, string>()
          for (const [name, isSet] of steps) {
            if (isSet) tree.set(name, name)
            else tree.delete(name)
            if (isSet) plain.set(name, name)
            else plain.delete(name)
          }
          const expected = [...plain.keys()].filter(name => matches(wanted, name)).sort()
          found += expected.length
          return (
            tree.size === plain.size &&
            JSON.stringify(tree.select(wanted).sort()) === JSON.stringify(expected)
          )
        },
      ),
      { numRuns: 3_000, seed: 25 },
    )
    t.ok(found > 1_000, `${found} topics were found`)
  },
)

t.test('filters found by topic are those that match it, by owner', async t => {
  let found = 0
  fc.assert(
    fc.property(
      fc.array(fc.tuple(filter, fc.constantFrom('x', 'y'), fc.boolean()), { maxLength: 20 }),
      topic,
      (steps, published) => {
        const tree = new FilterMap<string>()
        const plain = new Map<string, string>()
        for (const [wanted, owner, isSet] of steps) {
          const value = `${wanted} ${owner}`
          if (isSet) tree.set(wanted, owner, value)
          else tree.delete(wanted, owner)
          if (isSet) plain.set(value, wanted)
          else plain.delete(value)
        }
        const expected = [...plain].flatMap(([value, wanted]) =>
          matches(wanted, published) ? [value] : [],
        )
        found += expected.length
        return (
          tree.size === plain.size &&
          JSON.stringify(tree.match(published).sort()) === JSON.stringify(expected.sort())
        )
      },
    ),
    { numRuns: 3_000, seed: 25 },
  )
  t.ok(found > 1_000, `${found} filters were found`)
})
