import t from 'tap'
import { SimulatedByteStream } from '../../../drivers/simulated/byte-stream.js'
import { settle } from '../../../drivers/simulated/clock.js'
import { makeBench } from '../bench.js'

t.test('a serial port carries bytes both ways and has one user at a time', async t => {
  const { host } = makeBench()
  const port = host.byteStream('printer')
  const heard: number[][] = []
  const cancel = port.onBytes(bytes => void heard.push([...bytes]))
  await t.rejects(port.write(Uint8Array.of(1)), { code: 'device.absent' })
  await port.open()
  await t.rejects(host.byteStream('printer').open(), { code: 'device.busy' })
  await port.write(Uint8Array.of(1, 2))
  await port.write(Uint8Array.of(3))
  host.stream('printer').receive(Uint8Array.of(9))
  cancel()
  host.stream('printer').receive(Uint8Array.of(8))
  t.same([...host.stream('printer').written()], [1, 2, 3])
  t.same(heard, [[9]])
  host.stream('printer').fault = 'device.io'
  await t.rejects(port.write(Uint8Array.of(4)), { code: 'device.io' })
  await port.close()
  await port.close()
})

t.test('a port remembers a megabyte of what was written and no more', async t => {
  const { host } = makeBench()
  const port = host.byteStream('printer')
  await port.open()
  for (let block = 0; block < 40; block++) await port.write(new Uint8Array(65_536).fill(block))
  const written = host.stream('printer').written()
  t.ok(written.length <= 1024 * 1024)
  t.equal(written.at(-1), 39)
})

/** A port that somebody has open, and what its owner was told. */
async function opened() {
  const far = new SimulatedByteStream('printer')
  const near = far.stream()
  const told: string[] = []
  near.onLost(why => void told.push(`lost: ${why.message}`))
  const write = (name: string, byteCount: number): void => {
    near.write(new Uint8Array(byteCount)).then(
      () => told.push(`${name} written`),
      () => told.push(`${name} refused`),
    )
  }
  await near.open()
  return { far, near, told, write }
}

t.test('a far side that takes nothing fills the buffer, and then writes wait', async t => {
  const { far, near, told, write } = await opened()
  far.bufferBytes = 100
  far.setTaking(false)
  write('first', 60)
  write('second', 60)
  await settle()
  t.same(told, ['first written'])
  t.equal(near.takenBytes(), 100)
  t.equal(far.bufferedBytes, 100)
  t.equal(far.written().length, 0)
  far.setTaking(true)
  await settle()
  t.same(told, ['first written', 'second written'])
  t.equal(far.written().length, 120)
})

t.test('a far side stops between two packets when it says so', async t => {
  const { far, near, write } = await opened()
  far.sent.listen(() => {
    if (far.written().length >= 128) far.setTaking(false)
  })
  write('ticket', 1000)
  await settle()
  t.equal(far.written().length, 128)
  t.equal(near.takenBytes(), 1000)
})

t.test('the cable is pulled at any byte: those before it arrive, and no others', async t => {
  for (const byteCount of [0, 1, 63, 64, 65, 299, 300]) {
    for (const bufferBytes of [1, 100, 8192]) {
      const { far, near, told } = await opened()
      far.bufferBytes = bufferBytes
      far.loseAfter(byteCount)
      const bytes = Uint8Array.from({ length: 300 }, (_, at) => at & 0xff)
      await near.write(bytes).catch(() => {})
      await settle()
      t.same([...far.written()], [...bytes.subarray(0, byteCount)])
      t.ok(near.takenBytes() >= byteCount, 'what arrived was taken')
      t.ok(near.takenBytes() <= byteCount + bufferBytes, 'no more than the buffer was lost')
      t.same(told, ['lost: the far side of printer is gone'])
    }
  }
})

t.test('a loss ends what waits, and the port opens again once the far side is back', async t => {
  const { far, near, told, write } = await opened()
  far.setTaking(false)
  write('stuck', 10_000)
  await settle()
  far.unplug()
  await settle()
  t.same(told, ['lost: the far side of printer is gone', 'stuck refused'])
  await t.rejects(near.write(Uint8Array.of(1)), { code: 'device.absent' })
  await t.rejects(near.open(), { code: 'device.absent' })
  far.plug()
  far.setTaking(true)
  await near.open()
  t.equal(near.takenBytes(), 0)
  t.equal(far.written().length, 0, 'what was under way is lost')
  far.unplug()
  await settle()
  t.equal(told.filter(line => line.startsWith('lost')).length, 2)
})

t.test('nothing is told before the write that caused it has returned', async t => {
  const { far, near } = await opened()
  const told: string[] = []
  far.sent.listen(() => far.receive(Uint8Array.of(1)))
  near.onBytes(() => void told.push('heard'))
  near.onLost(() => void told.push('lost'))
  far.loseAfter(1)
  void near.write(Uint8Array.of(1))
  t.same(told, [])
  await settle()
  t.same(told, ['heard', 'lost'])
})

t.test('closing drops what had not arrived', async t => {
  const { far, near, told, write } = await opened()
  far.setTaking(false)
  write('ticket', 10_000)
  await settle()
  await near.close()
  far.setTaking(true)
  await settle()
  t.same(told, ['ticket refused'])
  t.equal(far.written().length, 0)
})
