import t from 'tap'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { randomFrom } from '../../../runtime/core/random.js'
import { monotonicMs } from '../../../runtime/core/time.js'

const TASKS = 2000

const newClock = (): SimulatedClock => new SimulatedClock({ showStartMs: 0, driftPpm: 0 })

t.test('between two tasks every ready promise runs to rest, however long its chain', async t => {
  const clock = newClock()
  const seen: string[] = []
  const chain = async (name: string, length: number): Promise<void> => {
    for (let step = 0; step < length; step++) await null
    seen.push(`${name} at ${clock.monotonicMs()}`)
  }
  for (let atMs = 1; atMs <= 200; atMs++)
    clock.runAt(monotonicMs(atMs), () => void chain(`task ${atMs}`, atMs * 10))
  await clock.advance(200)
  t.same(
    seen,
    Array.from({ length: 200 }, (_, index) => `task ${index + 1} at ${index + 1}`),
  )
})

t.test(
  'tasks run in order of their moments, then of the requests; those cancelled do not',
  async t => {
    const clock = newClock()
    const random = randomFrom(3)
    const asked: { atMs: number; order: number }[] = []
    const ran: { atMs: number; order: number }[] = []
    let cancelled = 0
    for (let order = 0; order < TASKS; order++) {
      const task = { atMs: Math.floor(random() * 300), order }
      const cancel = clock.runAt(monotonicMs(task.atMs), () => ran.push(task))
      if (random() < 0.3) {
        cancel()
        cancelled++
      } else asked.push(task)
    }
    await clock.advance(150)
    t.equal(clock.monotonicMs(), 150)
    t.ok(ran.length > 0 && ran.every(({ atMs }) => atMs <= 150))
    await clock.advance(150)
    t.same(
      ran,
      asked.sort((a, b) => a.atMs - b.atMs || a.order - b.order),
    )
    t.ok(cancelled > TASKS / 5, `${cancelled} were cancelled`)
  },
)

t.test('a task may take another back that is due with it', async t => {
  const clock = newClock()
  const ran: string[] = []
  clock.runAt(monotonicMs(5), () => {
    ran.push('first')
    cancelSecond()
  })
  const cancelSecond = clock.runAt(monotonicMs(5), () => ran.push('second'))
  await clock.advance(10)
  t.same(ran, ['first'])
})

t.test('after the power is gone nothing runs that waited, and what is asked then does', async t => {
  const clock = newClock()
  const ran: string[] = []
  const cancel = clock.runAt(monotonicMs(5), () => ran.push('old'))
  clock.forget()
  clock.runAt(monotonicMs(7), () => ran.push('new'))
  cancel()
  await clock.advance(10)
  t.same(ran, ['new'])
})
