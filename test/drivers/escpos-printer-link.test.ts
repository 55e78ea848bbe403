import t from 'tap'
import { PrinterLink } from '../../drivers/escpos-printer-link.js'
import { SimulatedByteStream } from '../../drivers/simulated/byte-stream.js'
import { SimulatedClock } from '../../drivers/simulated/clock.js'
import { within } from './printer-bench.js'

function makeLink(): { clock: SimulatedClock; far: SimulatedByteStream; link: PrinterLink } {
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const far = new SimulatedByteStream('till')
  return { clock, far, link: new PrinterLink(far.stream(), clock, { isSerial: false }) }
}

/** Answers each question with its number: 1 is 0x12, 2 is 0x16, 3 is 0x1a, 4 is 0x1e. */
function answer(far: SimulatedByteStream, offline = 0x16): void {
  const answers: Readonly<Record<number, number>> = { 1: 0x12, 2: offline, 3: 0x1a, 4: 0x1e }
  far.sent.listen(bytes => {
    const byte = answers[bytes[2] ?? 0]
    if (bytes[0] === 0x10 && byte !== undefined) far.receive(Uint8Array.of(byte))
  })
}

t.test('questions are asked one at a time, and answered in their order', async t => {
  const { clock, far, link } = makeLink()
  answer(far)
  await link.open()
  const replies = await within(clock, link.askAll(100), 1000)
  t.same(replies, { printer: 0x12, offline: 0x16, error: null, paper: 0x1e })
  t.same([...far.written()], [0x10, 4, 1, 0x10, 4, 2, 0x10, 4, 4])
  await link.close()
})

t.test('which error there is is asked only where there is one', async t => {
  const { clock, far, link } = makeLink()
  answer(far, 0x52)
  await link.open()
  t.equal((await within(clock, link.askAll(100), 1000))?.error, 0x1a)
  await link.close()
})

t.test('who does not answer is not waited for, nor asked the rest', async t => {
  const { clock, far, link } = makeLink()
  await link.open()
  const asking = link.askAll(100)
  await clock.advance(100)
  t.equal(await asking, null)
  t.same([...far.written()], [0x10, 4, 1])
  await link.close()
})

t.test('no question is put behind bytes that wait', async t => {
  const { clock, far, link } = makeLink()
  await link.open()
  far.setTaking(false)
  far.bufferBytes = 4
  const written = link.write(new Uint8Array(10), 10_000)
  t.equal(await within(clock, link.askAll(100), 1000), null)
  t.equal(link.takenBytes, 4)
  far.setTaking(true)
  await clock.advance(1)
  await written
  t.equal(far.written().length, 10)
  await link.close()
})

t.test('a write ends when nothing was taken for too long, however slow it was before', async t => {
  const { clock, far, link } = makeLink()
  await link.open()
  far.setTaking(false)
  far.bufferBytes = 1
  let failure: unknown = null
  const written = link.write(new Uint8Array(5), 1000).catch((error: unknown) => {
    failure = error
  })
  for (let step = 0; step < 4; step++) {
    await clock.advance(900)
    far.bufferBytes++
    far.setTaking(false)
  }
  t.equal(failure, null)
  t.equal(link.takenBytes, 5, 'a byte now and then')
  await clock.advance(1)
  await written
  const stuck = t.rejects(link.write(new Uint8Array(5), 1000), { code: 'device.timeout' })
  await clock.advance(1500)
  await stuck
  await link.close()
})

t.test('the loss of the far side ends every wait, and is told once', async t => {
  const { clock, far, link } = makeLink()
  await link.open()
  const ends: Error[] = []
  link.ended.listen(why => void ends.push(why))
  far.setTaking(false)
  far.bufferBytes = 1
  const lost = t.rejects(link.write(new Uint8Array(5), 60_000), { code: 'device.absent' })
  const waited = link.wait<never>(60_000, () => () => {})
  far.unplug()
  await clock.advance(1)
  await lost
  t.equal(await waited, null)
  t.equal(ends.length, 1)
  t.match(link.over, { code: 'device.absent' })
  await t.rejects(link.write(new Uint8Array(1), 1000), { code: 'device.absent' })
  t.equal(await link.askAll(1000), null)
  t.equal(await link.wait<never>(1000, () => () => {}), null)
  await link.close()
})

t.test('a line that is closed tells nobody, and may be closed twice', async t => {
  const { clock, link } = makeLink()
  await link.open()
  const ends: Error[] = []
  link.ended.listen(why => void ends.push(why))
  const waited = link.wait<never>(60_000, () => () => {})
  await link.close()
  await link.close()
  await clock.advance(1)
  t.equal(await waited, null)
  t.same(ends, [])
})
