import t from 'tap'
import { closeAll } from '../../runtime/core/close-all.js'

t.test('every step is taken in order, and the first failure is thrown', async t => {
  const taken: string[] = []
  const step = (name: string, fault: Error | null) => async (): Promise<void> => {
    taken.push(name)
    await Promise.resolve()
    taken.push(`${name} over`)
    if (fault) throw fault
  }
  const steps = [step('a', null), step('b', new Error('first')), step('c', new Error('second'))]
  await t.rejects(closeAll([...steps, step('d', null)]), { message: 'first' })
  t.same(taken, ['a', 'a over', 'b', 'b over', 'c', 'c over', 'd', 'd over'])
  await closeAll([])
})
