import t from 'tap'
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
