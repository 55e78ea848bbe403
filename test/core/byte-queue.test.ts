import t from 'tap'
import { ByteQueue } from '../../runtime/core/byte-queue.js'

const MEGABYTE = 1024 * 1024

/** What has ended so far, in order. */
function told(queue: ByteQueue) {
  const ended: string[] = []
  const add = (name: string, bytes: readonly number[]): void => {
    queue.add(Uint8Array.from(bytes)).then(
      () => ended.push(name),
      (error: unknown) => ended.push(`${name} ${error instanceof Error ? error.message : ''}`),
    )
  }
  const now = async (): Promise<string[]> => {
    await new Promise(resolve => setImmediate(resolve))
    return ended
  }
  return { add, now }
}

t.test('a write ends when its last byte is taken, in order', async t => {
  const queue = new ByteQueue('port')
  const { add, now } = told(queue)
  add('first', [1, 2, 3])
  add('second', [4])
  t.same([...(queue.next() ?? [])], [1, 2, 3])
  queue.take(2)
  t.same(await now(), [])
  t.same([...(queue.next() ?? [])], [3])
  queue.take(1)
  t.same(await now(), ['first'])
  queue.take(1)
  t.same(await now(), ['first', 'second'])
  t.equal(queue.next(), null)
})

t.test('a write of nothing ends after those before it', async t => {
  const queue = new ByteQueue('port')
  const { add, now } = told(queue)
  add('first', [1])
  add('nothing', [])
  t.same(await now(), [])
  queue.take(1)
  t.same(await now(), ['first', 'nothing'])
  add('alone', [])
  t.same(await now(), ['first', 'nothing', 'alone'])
})

t.test('what fails ends all that waits, and nothing that comes later', async t => {
  const queue = new ByteQueue('port')
  const { add, now } = told(queue)
  add('first', [1])
  add('second', [2])
  queue.fail(new Error('unplugged'))
  t.same(await now(), ['first unplugged', 'second unplugged'])
  add('third', [3])
  queue.take(1)
  t.same((await now()).at(-1), 'third')
})

t.test('what is forgotten never ends', async t => {
  const queue = new ByteQueue('port')
  const { add, now } = told(queue)
  add('first', [1])
  queue.forget()
  t.equal(queue.next(), null)
  t.same(await now(), [])
})

t.test(
  'a megabyte waits and not a byte more, and there is room again for what was taken',
  async t => {
    const queue = new ByteQueue('port')
    void queue.add(new Uint8Array(MEGABYTE))
    await t.rejects(queue.add(Uint8Array.of(1)), { code: 'device.limit', message: /port/ })
    queue.take(1)
    void queue.add(Uint8Array.of(1))
    await t.rejects(queue.add(Uint8Array.of(1)), { code: 'device.limit' })
  },
)

t.test('writes of next to nothing are as many as can be kept in mind', async t => {
  const queue = new ByteQueue('port')
  for (let count = 0; count < 4096; count++) void queue.add(Uint8Array.of(1))
  await t.rejects(queue.add(Uint8Array.of(1)), { code: 'device.limit' })
})
