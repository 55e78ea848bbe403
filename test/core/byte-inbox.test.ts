import t from 'tap'
import { ByteInbox } from '../../runtime/core/byte-inbox.js'

const rest = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

t.test('what comes in is told at once to whoever listens', async t => {
  const inbox = new ByteInbox({ bytesMax: 10 })
  const heard: number[] = []
  const cancel = inbox.listen(bytes => void heard.push(...bytes))
  inbox.push(Uint8Array.of(1, 2))
  t.same(heard, [1, 2])
  cancel()
  inbox.push(Uint8Array.of(3))
  t.same(heard, [1, 2])
})

t.test('what came before is told first, after the call that asks for it', async t => {
  const inbox = new ByteInbox({ bytesMax: 10 })
  inbox.push(Uint8Array.of(1))
  inbox.push(Uint8Array.of(2))
  const heard: number[] = []
  inbox.listen(bytes => void heard.push(...bytes))
  t.same(heard, [])
  inbox.push(Uint8Array.of(3))
  await rest()
  t.same(heard, [1, 2, 3])
})

t.test('it is full when nobody has listened to so many bytes', async t => {
  const inbox = new ByteInbox({ bytesMax: 3 })
  inbox.push(Uint8Array.of(1, 2))
  t.notOk(inbox.isFull)
  inbox.push(Uint8Array.of(3))
  t.ok(inbox.isFull)
  inbox.listen(() => {})
  await rest()
  t.notOk(inbox.isFull)
})

t.test('what is only kept waits to be told, and what is cleared is gone', async t => {
  const inbox = new ByteInbox({ bytesMax: 3 })
  const heard: number[] = []
  inbox.listen(bytes => void heard.push(...bytes))
  inbox.keep(Uint8Array.of(1))
  t.same(heard, [])
  inbox.tell()
  t.same(heard, [1])
  inbox.keep(Uint8Array.of(2))
  inbox.clear()
  inbox.tell()
  t.same(heard, [1])
})
