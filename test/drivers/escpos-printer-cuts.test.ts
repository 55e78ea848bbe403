/**
 * Power cuts and pulled cables at every single byte of a ticket. What the driver says must agree with the paper, and the
 * next ticket must be whole, whatever command the last one was torn in.
 */
import t, { type Test } from 'tap'
import { encodeTicket, escposOptionsUsual } from '../../drivers/escpos-encode.js'
import type { PrinterModel } from '../../drivers/simulated/escpos-printer-models.js'
import type { PrintedPiece } from '../../drivers/simulated/escpos-printer-paper.js'
import type { PrintOutcome } from '../../runtime/ports/printer.js'
import { makePrinterBench, type PrinterBench, paper, smallTicket, within } from './printer-bench.js'

const FIRST = 'ABCDEF-0001-X'
const SECOND = 'ABCDEF-0002-Y'
const BYTES = encodeTicket(smallTicket(FIRST), paper, escposOptionsUsual).bytes.length
/** What asks for the confirmation comes after the ticket, and may be torn, too. */
const BEYOND = 12

/** What somebody who holds the piece can read, and the picture to the dot. */
const contentOf = (piece: PrintedPiece | undefined): string =>
  JSON.stringify(
    piece?.items.map(item =>
      item.kind === 'raster' ? { ...item, rows: Buffer.from(item.rows).toString('hex') } : item,
    ),
  )

/** Whether the piece is the ticket, the whole ticket and nothing else. */
async function whole(serial: string): Promise<string> {
  const bench = makePrinterBench({ millimetresPerSecond: Number.POSITIVE_INFINITY })
  await bench.start()
  await bench.print(smallTicket(serial))
  return contentOf(bench.machine.paper.pieces[0])
}

const wholeFirst = await whole(FIRST)
const wholeSecond = await whole(SECOND)

interface Torn {
  readonly outcome: PrintOutcome
  /** Of the ticket, which the printer got. */
  readonly arrivedBytes: number
}

/** Prints the first ticket, with something that happens when so many of its bytes have arrived. */
async function printTorn(bench: PrinterBench, tear: () => void): Promise<Torn> {
  await bench.start()
  let begunAt = -1
  const job = bench.printer.print(smallTicket(FIRST), ({ sentBytes }) => {
    if (sentBytes > 0) return
    begunAt = bench.machine.receivedBytes
    tear()
  })
  const outcome = await within(bench.clock, job, 100_000)
  return { outcome, arrivedBytes: bench.machine.receivedBytes - begunAt }
}

/** True when it was torn, so that the counts below cannot all be zero. */
function checkOutcome(t: Test, place: number, bench: PrinterBench, torn: Torn): boolean {
  const { outcome, arrivedBytes } = torn
  const isWhole = bench.machine.paper.pieces.some(piece => contentOf(piece) === wholeFirst)
  if (outcome.kind === 'confirmed' && !isWhole) t.fail(`byte ${place}: confirmed and not on paper`)
  if (outcome.kind === 'untouched' && arrivedBytes > 0)
    t.fail(`byte ${place}: untouched, and ${arrivedBytes} bytes arrived`)
  return outcome.kind === 'unknown' && !isWhole
}

async function checkNext(t: Test, place: number, bench: PrinterBench): Promise<void> {
  bench.machine.switchOffAfter(Number.POSITIVE_INFINITY)
  bench.stream.loseAfter(Number.POSITIVE_INFINITY)
  await bench.printer.stop()
  await bench.start()
  const outcome = await bench.print(smallTicket(SECOND), 100_000)
  const pieces = bench.machine.paper.pieces.filter(({ serials }) => serials.includes(SECOND))
  if (pieces.length !== 1) t.fail(`byte ${place}: the next ticket is ${pieces.length} pieces`)
  if (contentOf(pieces[0]) !== wholeSecond)
    t.fail(`byte ${place}: the next ticket is ${contentOf(pieces[0])}`)
  if (outcome.kind !== 'confirmed' && outcome.kind !== 'sent')
    t.fail(`byte ${place}: the next ticket is ${outcome.kind}`)
  const copies = bench.machine.paper.pieces.filter(piece => contentOf(piece) === wholeFirst)
  if (copies.length > 1) t.fail(`byte ${place}: the first ticket is there twice`)
}

/** Those that differ only in what they say are looked at now and then. */
const strides: readonly (readonly [PrinterModel, number])[] = [
  ['epson', 1],
  ['no-process-id', 1],
  ['mute', 1],
  ['clone', 5],
  ['text-clone', 5],
]

for (const [model, stride] of strides)
  t.test(`${model}: a power cut at any byte is never taken for a printed ticket`, async t => {
    let tornCount = 0
    for (let place = 1; place <= BYTES + BEYOND; place += stride) {
      const bench = makePrinterBench({ model, millimetresPerSecond: Number.POSITIVE_INFINITY })
      const torn = await printTorn(bench, () => bench.machine.switchOffAfter(place))
      if (checkOutcome(t, place, bench, torn)) tornCount++
      bench.machine.switchOn()
      await checkNext(t, place, bench)
    }
    t.ok(tornCount > BYTES / 2 / stride, `torn ${tornCount} times at ${BYTES + BEYOND} places`)
  })

for (const [model, stride] of strides)
  t.test(`${model}: after a cable was pulled at any byte the next ticket is whole`, async t => {
    let tornCount = 0
    for (let place = 0; place <= BYTES + BEYOND; place += stride) {
      const bench = makePrinterBench({ model, millimetresPerSecond: Number.POSITIVE_INFINITY })
      const torn = await printTorn(bench, () => bench.stream.loseAfter(place))
      if (checkOutcome(t, place, bench, torn)) tornCount++
      bench.machine.plugCable()
      await checkNext(t, place, bench)
    }
    t.ok(tornCount > BYTES / 2 / stride, `torn ${tornCount} times at ${BYTES + BEYOND} places`)
  })

t.test(
  'a process that was killed in a ticket leaves a printer that the next one can use',
  async t => {
    for (let packets = 1; packets <= BYTES / 64 + 1; packets++) {
      const bench = makePrinterBench({ millimetresPerSecond: Number.POSITIVE_INFINITY })
      await bench.start()
      let left = packets
      // The dead process's promise never settles.
      void bench.printer.print(smallTicket(FIRST), ({ sentBytes }) => {
        if (sentBytes === 0)
          bench.stream.sent.listen(() => {
            if (--left === 0) bench.stream.release()
          })
      })
      await bench.clock.advance(10)
      await checkNext(t, packets, bench.another())
      t.ok(left <= 0, 'it was killed')
    }
  },
)

t.test('a slow printer whose power fails while it prints what it has', async t => {
  let tornCount = 0
  for (let place = 0; place < 400; place += 3) {
    const bench = makePrinterBench()
    const torn = await printTorn(bench, () => {
      const at = bench.clock.monotonicMs() + place
      bench.clock.runAt(at as ReturnType<typeof bench.clock.monotonicMs>, () =>
        bench.machine.switchOff(),
      )
    })
    if (checkOutcome(t, place, bench, torn)) tornCount++
    bench.machine.switchOn()
    await checkNext(t, place, bench)
  }
  t.ok(tornCount > 20, `torn ${tornCount} times`)
})
