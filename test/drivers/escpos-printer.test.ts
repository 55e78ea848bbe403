import t from 'tap'
import type { PrinterModel } from '../../drivers/simulated/escpos-printer-models.js'
import { BoxError } from '../../runtime/core/errors.js'
import { after } from '../../runtime/core/time.js'
import type { PrintOutcome, PrintProgress } from '../../runtime/ports/printer.js'
import type { Ticket } from '../../runtime/ports/ticket.js'
import {
  cutBlock,
  makePrinterBench,
  type PrinterBench,
  smallTicket,
  textBlock,
  within,
} from './printer-bench.js'

const FIRST = 'ABCDEF-0001-X'
const SECOND = 'ABCDEF-0002-Y'
const HALF_HOUR_MS = 30 * 60_000

const longTicket = (serial: string, lineCount = 200): Ticket => ({
  blocks: [
    ...Array.from({ length: lineCount }, (_, line) => textBlock(`${serial} line ${line}`)),
    cutBlock,
  ],
})

const serialsOf = ({ machine }: PrinterBench): string[] =>
  machine.paper.pieces.flatMap(({ serials, isComplete }) =>
    serials.map(serial => `${serial} ${isComplete ? 'whole' : 'torn'}`),
  )

const codeOf = (outcome: PrintOutcome): unknown =>
  'why' in outcome && outcome.why instanceof BoxError ? outcome.why.code : null

/** Begins a ticket; what became of it stands in `outcome` when it is known. */
function begin(bench: PrinterBench, ticket: Ticket): { outcome: PrintOutcome | null } {
  const job: { outcome: PrintOutcome | null } = { outcome: null }
  void bench.printer
    .print(ticket, () => {})
    .then(outcome => {
      job.outcome = outcome
    })
  return job
}

const outcomes: Readonly<Record<PrinterModel, PrintOutcome>> = {
  epson: { kind: 'confirmed', by: 'process-id' },
  'no-process-id': { kind: 'confirmed', by: 'status-reply' },
  clone: { kind: 'sent' },
  'text-clone': { kind: 'sent' },
  mute: { kind: 'sent' },
}

for (const model of ['epson', 'no-process-id', 'clone', 'text-clone', 'mute'] as const) {
  t.test(
    `${model}: tickets are on paper, nothing else is, and no more is said than known`,
    async t => {
      const bench = makePrinterBench({ model })
      await bench.start()
      t.equal(bench.printer.hindrance(), null)
      t.same(await bench.print(smallTicket(FIRST)), outcomes[model])
      t.same(await bench.print(smallTicket(SECOND)), outcomes[model])
      await bench.clock.advance(60_000)
      t.same(serialsOf(bench), [`${FIRST} whole`, `${SECOND} whole`])
      const [piece] = bench.machine.paper.pieces
      t.same(piece?.lines, [`No ${FIRST}`, `end ${FIRST}`])
      t.equal(bench.machine.paper.pieces.length, 2)
      t.equal(bench.machine.paper.hanging, null)
      t.equal(bench.machine.drawerKicks, 0)
      t.same(bench.faults, [])
      await bench.printer.stop()
    },
  )

  t.test(`${model}: a start prints nothing`, async t => {
    const bench = makePrinterBench({ model })
    for (let round = 0; round < 3; round++) {
      await bench.start()
      await bench.clock.advance(60_000)
      await bench.printer.stop()
    }
    t.equal(bench.machine.paperMillimetres, 60_000, 'no paper was moved')
    t.equal(bench.machine.paper.hanging, null)
  })
}

t.test('a printer that says nothing is not said to be fine', async t => {
  const bench = makePrinterBench({ model: 'mute' })
  await bench.start()
  const nothing = {
    isOnline: null,
    paper: null,
    isCoverOpen: null,
    error: null,
    isDrawerOpen: null,
  }
  t.same(bench.printer.status(), nothing)
  const { receivedBytes } = bench.machine
  await bench.clock.advance(60_000)
  t.equal(bench.machine.receivedBytes, receivedBytes, 'and is not asked any more')
  await bench.printer.stop()
})

t.test('a printer that is not there fails to start, and starts when it is', async t => {
  const bench = makePrinterBench()
  t.equal(bench.printer.hindrance(), 'absent')
  t.equal(codeOf(await bench.print(smallTicket(FIRST))), 'device.absent')
  bench.machine.switchOff()
  await t.rejects(bench.start(), { code: 'device.absent' })
  bench.machine.switchOn()
  await bench.start()
  t.equal(bench.printer.hindrance(), null)
  await bench.printer.stop()
  await bench.printer.stop()
  t.equal(bench.printer.hindrance(), 'absent')
})

t.test('progress is told before the first byte, and counts the bytes of the ticket', async t => {
  const bench = makePrinterBench()
  await bench.start()
  const seen: (PrintProgress & { arrived: number })[] = []
  const job = bench.printer.print(longTicket(FIRST, 300), progress =>
    seen.push({ ...progress, arrived: bench.machine.receivedBytes }),
  )
  await within(bench.clock, job, 60_000)
  const total = seen[0]?.totalBytes ?? 0
  const before = seen[0]?.arrived ?? 0
  t.equal(seen[0]?.sentBytes, 0)
  t.equal(seen.at(-1)?.sentBytes, total)
  t.ok(seen.length > 2 && total > 4096)
  t.ok(seen.every(({ sentBytes }, at) => at === 0 || sentBytes > (seen[at - 1]?.sentBytes ?? 0)))
  t.ok(bench.machine.receivedBytes - before >= total, 'not one byte had arrived')
  await bench.printer.stop()
})

t.test('a ticket that cannot be printed leaves the paper untouched', async t => {
  const bench = makePrinterBench()
  await bench.start()
  const wide: Ticket = {
    blocks: [
      {
        kind: 'image',
        bitmap: { width: 4000, height: 1, rows: new Uint8Array(500) },
        align: 'left',
      },
    ],
  }
  const outcome = await bench.print(wide)
  t.equal(outcome.kind, 'untouched')
  t.equal(codeOf(outcome), 'ticket.invalid')
  t.throws(() => bench.printer.measure(wide), { code: 'ticket.invalid' })
  t.ok(bench.printer.measure(smallTicket(FIRST)) > 20)
  await bench.printer.stop()
})

t.test('one ticket at a time', async t => {
  const bench = makePrinterBench()
  await bench.start()
  const first = begin(bench, smallTicket(FIRST))
  t.equal(bench.printer.hindrance(), 'busy')
  t.equal(codeOf(await bench.print(smallTicket(SECOND))), 'device.busy')
  await bench.clock.advance(5000)
  t.equal(first.outcome?.kind, 'confirmed')
  t.equal(bench.printer.hindrance(), null)
  await bench.printer.stop()
})

for (const model of ['epson', 'no-process-id', 'clone', 'text-clone'] as const)
  for (const [hindrance, hinder, mend] of [
    [
      'paper-end',
      (b: PrinterBench) => b.machine.setPaper(0),
      (b: PrinterBench) => b.machine.refill(),
    ],
    [
      'cover-open',
      (b: PrinterBench) => b.machine.openCover(),
      (b: PrinterBench) => b.machine.closeCover(),
    ],
    [
      'error',
      (b: PrinterBench) => b.machine.setHot(true),
      (b: PrinterBench) => b.machine.setHot(false),
    ],
  ] as const) {
    t.test(`${model}: ${hindrance} before a ticket leaves it untouched`, async t => {
      const bench = makePrinterBench({ model })
      await bench.start()
      hinder(bench)
      const outcome = await bench.print(smallTicket(FIRST))
      t.equal(outcome.kind, 'untouched')
      t.equal(bench.printer.hindrance(), hindrance)
      t.equal(bench.machine.paper.hanging, null)
      mend(bench)
      await bench.clock.advance(6000)
      t.equal(bench.printer.hindrance(), null)
      t.same(await bench.print(smallTicket(FIRST)), outcomes[model])
      await bench.clock.advance(5000)
      t.same(serialsOf(bench), [`${FIRST} whole`])
      await bench.printer.stop()
    })

    t.test(`${model}: a start with ${hindrance} is a state, not a fault`, async t => {
      const bench = makePrinterBench({ model })
      hinder(bench)
      await bench.start()
      t.equal(bench.printer.hindrance(), hindrance)
      t.equal((await bench.print(smallTicket(FIRST))).kind, 'untouched')
      mend(bench)
      await bench.clock.advance(6000)
      t.equal(bench.printer.hindrance(), null)
      t.same(await bench.print(smallTicket(FIRST)), outcomes[model])
      await bench.printer.stop()
    })

    t.test(`${model}: ${hindrance} in mid-ticket is waited through, and printed once`, async t => {
      const bench = makePrinterBench({ model })
      await bench.start()
      await bench.print(smallTicket(FIRST))
      // Behind a full buffer questions are not answered, so that only automatic status tells why it waits.
      const lineCount = model === 'epson' || model === 'no-process-id' ? 200 : 100
      const job = begin(bench, longTicket(SECOND, lineCount))
      await bench.clock.advance(1000)
      hinder(bench)
      await bench.clock.advance(10 * 60_000)
      t.equal(job.outcome, null)
      t.equal(bench.printer.status().isOnline, false, 'people can see why')
      mend(bench)
      await bench.clock.advance(60_000)
      t.same(job.outcome, outcomes[model])
      t.same(serialsOf(bench), [`${FIRST} whole`, `${SECOND} whole`])
      t.equal(bench.machine.paper.pieces.at(-1)?.lines.length, lineCount)
      await bench.printer.stop()
    })
  }

t.test('a paper that ends in the middle of a ticket goes on where it ended', async t => {
  const bench = makePrinterBench()
  await bench.start()
  bench.machine.setPaper(200)
  const job = begin(bench, longTicket(FIRST))
  await bench.clock.advance(60_000)
  t.equal(job.outcome, null)
  t.equal(bench.printer.status().paper, 'end')
  t.same(bench.statuses.at(-1), bench.printer.status())
  bench.machine.refill()
  await bench.clock.advance(60_000)
  t.equal(job.outcome?.kind, 'confirmed')
  t.same(serialsOf(bench), [`${FIRST} whole`])
  await bench.printer.stop()
})

t.test('a cutter that jams is waited for', async t => {
  const bench = makePrinterBench()
  await bench.start()
  await bench.print(smallTicket(FIRST))
  bench.machine.jamAtNextCut()
  const job = begin(bench, smallTicket(SECOND))
  await bench.clock.advance(60_000)
  t.equal(job.outcome, null)
  t.equal(bench.printer.status().error, 'cutter')
  bench.machine.clearJam()
  await bench.clock.advance(10_000)
  t.equal(job.outcome?.kind, 'confirmed')
  t.same(serialsOf(bench), [`${FIRST} whole`, `${SECOND} whole`])
  await bench.printer.stop()
})

t.test('when nobody mends it in time nobody knows, and nothing is printed later on', async t => {
  const bench = makePrinterBench({ bufferBytes: 256 })
  await bench.start()
  bench.machine.setPaper(100)
  bench.stream.bufferBytes = 512
  const job = begin(bench, longTicket(FIRST, 400))
  await bench.clock.advance(HALF_HOUR_MS - 10_000)
  t.equal(job.outcome, null)
  await bench.clock.advance(30_000)
  t.equal(job.outcome?.kind, 'unknown')
  t.equal(bench.faults.length, 1, 'the owner starts it anew')
  const { receivedBytes } = bench.machine
  bench.machine.refill()
  await bench.clock.advance(60_000)
  t.equal(bench.machine.receivedBytes, receivedBytes)
  await bench.printer.stop()
})

t.test('a printer that takes not one byte leaves the ticket untouched for good', async t => {
  const bench = makePrinterBench({ model: 'mute' })
  await bench.start()
  await bench.print(smallTicket(FIRST))
  bench.stream.bufferBytes = 1
  const job = bench.printer.print(smallTicket(SECOND), ({ sentBytes }) => {
    if (sentBytes === 0) bench.machine.openCover()
  })
  let outcome: PrintOutcome | null = null
  void job.then(was => {
    outcome = was
  })
  bench.stream.setTaking(false)
  await bench.clock.advance(HALF_HOUR_MS + 10_000)
  t.match(outcome, { kind: 'untouched' })
  bench.machine.closeCover()
  bench.stream.setTaking(true)
  await bench.clock.advance(60_000)
  t.same(serialsOf(bench), [`${FIRST} whole`])
  await bench.printer.stop()
})

t.test('an error that only the switch mends loses the ticket, and the driver knows', async t => {
  const bench = makePrinterBench()
  await bench.start()
  const job = begin(bench, longTicket(FIRST))
  await bench.clock.advance(1000)
  bench.machine.breakDown()
  await bench.clock.advance(1000)
  t.equal(job.outcome?.kind, 'unknown')
  t.equal(bench.faults.length, 1)
  await bench.printer.stop()
  await bench.start()
  t.equal(bench.printer.hindrance(), 'error')
  await bench.printer.stop()
  bench.machine.switchOff()
  bench.machine.switchOn()
  await bench.start()
  t.equal((await bench.print(smallTicket(SECOND))).kind, 'confirmed')
  t.same(serialsOf(bench), [`${FIRST} torn`, `${SECOND} whole`])
  await bench.printer.stop()
})

t.test('a cable that is pulled ends the ticket first, and then the device', async t => {
  const bench = makePrinterBench()
  await bench.start()
  const order: string[] = []
  bench.printer.onFault(() => order.push('fault'))
  void bench.printer.print(longTicket(FIRST), () => {}).then(({ kind }) => order.push(kind))
  await bench.clock.advance(1000)
  bench.machine.pullCable()
  await bench.clock.advance(10_000)
  t.same(order, ['unknown', 'fault'])
  t.equal(bench.printer.hindrance(), 'absent')
  t.equal(bench.statuses.at(-1)?.isOnline, null)
  await bench.printer.stop()
})

t.test('a printer that says nothing has its time: a cable pulled within it is a doubt', async t => {
  const bench = makePrinterBench({ model: 'mute' })
  await bench.start()
  // It has proven by now that it says nothing.
  t.same(await bench.print(smallTicket(FIRST)), { kind: 'sent' })
  const job = begin(bench, longTicket(SECOND))
  await bench.clock.advance(1000)
  t.equal(job.outcome, null, 'the printer still has time')
  bench.machine.pullCable()
  await bench.clock.advance(1000)
  t.equal(job.outcome?.kind, 'unknown')
  await bench.printer.stop()
})

t.test('a cable that is pulled while nothing is printed is a fault, once', async t => {
  const bench = makePrinterBench()
  await bench.start()
  bench.machine.pullCable()
  await bench.clock.advance(60_000)
  t.equal(bench.faults.length, 1)
  await t.rejects(bench.start(), { code: 'device.absent' })
  bench.machine.plugCable()
  await bench.start()
  t.equal((await bench.print(smallTicket(FIRST))).kind, 'confirmed')
  await bench.printer.stop()
})

for (const [model, kind] of [
  ['epson', 'unknown'],
  ['mute', 'unknown'],
] as const)
  t.test(`${model}: a stop in mid-ticket ends it as ${kind}`, async t => {
    const bench = makePrinterBench({ model })
    await bench.start()
    const job = begin(bench, longTicket(FIRST, 400))
    await bench.clock.advance(model === 'mute' ? 0 : 500)
    const stopped = bench.printer.stop()
    await bench.clock.advance(0)
    await stopped
    t.equal(job.outcome?.kind, kind)
    t.same(bench.faults, [])
  })

t.test('a stop before the first byte leaves the ticket untouched', async t => {
  const bench = makePrinterBench()
  await bench.start()
  const job = begin(bench, smallTicket(FIRST))
  await bench.printer.stop()
  await bench.clock.advance(1000)
  t.equal(job.outcome?.kind, 'untouched')
  t.same(serialsOf(bench), [])
})

t.test('a serial printer that is switched off in a ticket confirms nothing', async t => {
  const bench = makePrinterBench({ isLineItsOwn: false }, { isSerial: true })
  await bench.start()
  await bench.print(smallTicket(FIRST))
  const job = begin(bench, longTicket(SECOND, 100))
  await bench.clock.advance(1000)
  bench.machine.switchOff()
  await bench.clock.advance(90_000)
  t.equal(job.outcome?.kind, 'unknown')
  t.equal(bench.faults.length, 1)
  await bench.printer.stop()
  bench.machine.switchOn()
  await bench.start()
  t.equal((await bench.print(smallTicket('ABCDEF-0003-Z'))).kind, 'confirmed')
  t.same(serialsOf(bench), [`${FIRST} whole`, `${SECOND} torn`, 'ABCDEF-0003-Z whole'])
  await bench.printer.stop()
})

t.test(
  'a cover that was opened and never closed is the mark of a printer that was reset',
  async t => {
    const bench = makePrinterBench({ isLineItsOwn: false, bufferBytes: 512 }, { isSerial: true })
    await bench.start()
    const job = begin(bench, longTicket(FIRST))
    await bench.clock.advance(1000)
    bench.machine.openCover()
    await bench.clock.advance(1000)
    bench.machine.switchOff()
    await bench.clock.advance(5000)
    bench.machine.closeCover()
    bench.machine.switchOn()
    await bench.clock.advance(60_000)
    t.equal(job.outcome?.kind, 'unknown', 'though the printer has echoed the id')
    await bench.printer.stop()
  },
)

t.test('a serial printer that is switched off while nothing is printed is off line', async t => {
  const bench = makePrinterBench({ isLineItsOwn: false }, { isSerial: true })
  await bench.start()
  bench.machine.switchOff()
  await bench.clock.advance(30_000)
  t.equal(bench.printer.hindrance(), 'offline', 'it used to answer, and does not')
  t.equal(bench.printer.status().isOnline, null)
  t.same(bench.faults, [], 'the line is still there')
  bench.machine.switchOn()
  await bench.clock.advance(10_000)
  t.equal(bench.printer.hindrance(), null)
  t.equal((await bench.print(smallTicket(FIRST))).kind, 'confirmed')
  t.equal(bench.printer.status().paper, 'enough')
  bench.machine.setPaper(1000)
  t.equal(bench.printer.status().paper, 'near-end', 'it tells what changes again')
  await bench.printer.stop()
})

t.test('a printer that does not answer any more gets no ticket', async t => {
  const bench = makePrinterBench({ isLineItsOwn: false }, { isSerial: true })
  await bench.start()
  bench.machine.switchOff()
  const outcome = await bench.print(smallTicket(FIRST))
  t.equal(outcome.kind, 'untouched')
  t.equal(codeOf(outcome), 'device.timeout')
  await bench.printer.stop()
})

t.test(
  'a printer that is still busy with what a dead process left is understood later',
  async t => {
    const bench = makePrinterBench({ millimetresPerSecond: 20, bufferBytes: 65_536 })
    await bench.start()
    void bench.printer.print(longTicket(FIRST, 60), () => {})
    await bench.clock.advance(100)
    bench.stream.release()
    const next = bench.another()
    await next.start()
    t.same(await next.print(smallTicket(SECOND), 300_000), { kind: 'sent' })
    await bench.clock.advance(60_000)
    const third = await next.print(smallTicket('ABCDEF-0003-Z'), 300_000)
    t.same(third, { kind: 'confirmed', by: 'process-id' })
    t.same(serialsOf(bench), [`${FIRST} whole`, `${SECOND} whole`, 'ABCDEF-0003-Z whole'])
    await next.printer.stop()
  },
)

t.test('a ticket that is never confirmed is unknown, and the line is begun anew', async t => {
  const bench = makePrinterBench({ model: 'clone' }, { confirmation: 'process-id' })
  for (const serial of [FIRST, SECOND]) {
    await bench.start()
    const outcome = await bench.print(smallTicket(serial), 120_000)
    t.equal(outcome.kind, 'unknown')
    t.equal(codeOf(outcome), 'device.timeout')
    await bench.printer.stop()
  }
  t.equal(bench.faults.length, 2)
  t.same(serialsOf(bench), [`${FIRST} whole`, `${SECOND} whole`])
})

t.test('what the sensors see is told as it changes', async t => {
  const bench = makePrinterBench({}, { drawerOpenAt: 'high' })
  await bench.start()
  bench.machine.setPaper(1000)
  t.equal(bench.printer.status().paper, 'near-end')
  t.equal(bench.printer.hindrance(), null)
  bench.machine.setDrawer(true)
  t.equal(bench.printer.status().isDrawerOpen, true)
  const { length } = bench.statuses
  await bench.clock.advance(60_000)
  t.equal(bench.statuses.length, length, 'and not again when it is asked')
  await bench.printer.stop()
})

t.test('a printer without automatic status is asked every few seconds', async t => {
  const bench = makePrinterBench({ model: 'clone' })
  await bench.start()
  bench.machine.openCover()
  t.equal(bench.printer.status().isCoverOpen, false)
  await bench.clock.advance(6000)
  t.equal(bench.printer.status().isCoverOpen, true)
  await bench.printer.stop()
})

t.test('a slow paper change costs a ticket nothing but time', async t => {
  const bench = makePrinterBench({ model: 'no-process-id' })
  await bench.start()
  const at = after(bench.clock.monotonicMs(), 300)
  bench.clock.runAt(at, () => bench.machine.setPaper(0))
  bench.clock.runAt(after(at, 25 * 60_000), () => bench.machine.refill())
  const outcome = await bench.print(longTicket(FIRST), HALF_HOUR_MS)
  t.same(outcome, { kind: 'confirmed', by: 'status-reply' })
  await bench.printer.stop()
})
