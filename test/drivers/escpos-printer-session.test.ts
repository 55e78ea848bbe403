/** What is said to a printer, and when; what it makes of it is in escpos-printer.test.ts. */
import t from 'tap'
import { PrinterSession, type SessionOptions } from '../../drivers/escpos-printer-session.js'
import { SimulatedByteStream } from '../../drivers/simulated/byte-stream.js'
import { SimulatedClock } from '../../drivers/simulated/clock.js'
import { SimulatedEscposPrinter } from '../../drivers/simulated/escpos-printer.js'
import { type PrinterModel, usualPrinter } from '../../drivers/simulated/escpos-printer-models.js'
import { usualOptions, within } from './printer-bench.js'

interface Bench {
  readonly clock: SimulatedClock
  readonly far: SimulatedByteStream
  readonly machine: SimulatedEscposPrinter
  readonly session: PrinterSession
  /** What was written since the last call, runs of NULs as one word. */
  said(): string
}

function makeBench(model: PrinterModel, options: Partial<SessionOptions> = {}): Bench {
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const far = new SimulatedByteStream('till')
  const machine = new SimulatedEscposPrinter(far, clock, { ...usualPrinter, model })
  machine.switchOn()
  let bytes: number[] = []
  far.sent.listen(arrived => void bytes.push(...arrived))
  const said = (): string => {
    const text = bytes.map(picture).join('')
    bytes = []
    return words(text)
  }
  const session = new PrinterSession(far.stream(), clock, { ...usualOptions, ...options })
  return { clock, far, machine, session, said }
}

/** Control characters as their Unicode pictures. */
const picture = (byte: number): string => String.fromCharCode(byte < 0x20 ? 0x2400 + byte : byte)

const words = (text: string): string =>
  text
    .replaceAll(/␝\(H␆␀00..../g, ' [echo]')
    .replaceAll(/␀{8,}/g, nuls => ` [${nuls.length} NUL]`)
    .replaceAll('␛@', ' [init]')
    .replaceAll(/␐␄(.)/g, (_, n: string) => ` [ask ${n.charCodeAt(0) - 0x2400}]`)
    .replaceAll('␝a␏', ' [tell]')
    .replaceAll(/(␝r␁)+/g, all => ` [status x${all.length / 3}]`)
    .replaceAll('␝VB␀', ' [tear off]')
    .trim()

const open = ({ clock, session }: Bench): Promise<void> => within(clock, session.open(), 20_000)
const ROUND = '[ask 1] [ask 2] [ask 4]'

t.test(
  'what was torn is closed before the first question, and flushed before anything else',
  async t => {
    const bench = makeBench('epson')
    await open(bench)
    t.equal(
      bench.said(),
      `[16 NUL] ${ROUND} [8192 NUL] [init] [tell] [echo] [status x6] [init] [tell]`,
    )
    await within(bench.clock, bench.session.prepare(), 5000)
    t.equal(bench.said(), `${ROUND} [tear off] [init] [tell]`)
    await within(bench.clock, bench.session.prepare(), 5000)
    t.equal(bench.said(), `${ROUND} [init] [tell]`, 'what hangs is torn off once')
    await bench.session.close()
  },
)

t.test('a printer that cannot print is not flushed before it can', async t => {
  const bench = makeBench('epson')
  bench.machine.openCover()
  await open(bench)
  t.equal(bench.said(), `[16 NUL] ${ROUND}`)
  t.equal(bench.session.hindrance, 'cover-open')
  await t.rejects(within(bench.clock, bench.session.prepare(), 5000), {
    code: 'device.busy',
    message: 'till has its cover open',
  })
  t.notMatch(bench.said(), /8192/)
  bench.machine.closeCover()
  await within(bench.clock, bench.session.prepare(), 5000)
  t.match(bench.said(), /8192 NUL/)
  await bench.session.close()
})

t.test('what a printer does not know is wiped before it could be printed', async t => {
  for (const model of ['clone', 'text-clone', 'mute'] as const) {
    const bench = makeBench(model)
    await open(bench)
    t.match(
      bench.said(),
      /\[init\]( \[ask 1\])? \[tell\] \[echo\] \[status x6\] \[init\]( \[ask 1\] \[ask 2\] \[ask 4\])?$/,
    )
    t.equal(bench.machine.paper.hanging, null)
    await within(bench.clock, bench.session.prepare(), 5000)
    t.notMatch(bench.said(), /tell/, 'automatic status only where it is known')
    await bench.session.close()
  }
})

t.test(
  'a printer that has proven nothing is asked behind its first ticket, and wiped again',
  async t => {
    const bench = makeBench('text-clone')
    await open(bench)
    await within(bench.clock, bench.session.prepare(), 5000)
    bench.said()
    await within(
      bench.clock,
      bench.session.send(Buffer.from('ticket'), () => {}),
      1000,
    )
    const outcome = await within(bench.clock, bench.session.confirm(1000), 30_000)
    t.same(outcome, { kind: 'sent' })
    t.match(bench.said(), /^ticket \[echo\] \[status x\d+\] \[init\]/)
    await within(bench.clock, bench.session.prepare(), 5000)
    await within(
      bench.clock,
      bench.session.send(Buffer.from('ticket'), () => {}),
      1000,
    )
    bench.said()
    await within(bench.clock, bench.session.confirm(1000), 30_000)
    t.equal(bench.said(), ROUND, 'and is not asked again')
    await bench.session.close()
  },
)

t.test('a pinned printer is asked no more than it knows', async t => {
  for (const [confirmation, asked] of [
    ['none', '[16 NUL] [ask 1] [8192 NUL] [init] [ask 1] [init]'],
    ['process-id', '[16 NUL] [ask 1] [8192 NUL] [init] [ask 1] [tell] [init]'],
  ] as const) {
    const bench = makeBench('mute', { confirmation })
    await open(bench)
    t.equal(bench.said(), asked)
    await bench.session.close()
  }
})

t.test('a printer that takes nothing does not hold up the start, and refuses tickets', async t => {
  const bench = makeBench('mute')
  bench.far.bufferBytes = 8
  bench.far.setTaking(false)
  await open(bench)
  t.ok(bench.clock.monotonicMs() < 10_000)
  await t.rejects(within(bench.clock, bench.session.prepare(), 20_000), { code: 'device.timeout' })
  bench.far.setTaking(true)
  await within(bench.clock, bench.session.prepare(), 20_000)
  t.match(bench.said(), /8192 NUL/)
  await bench.session.close()
})

t.test('a printer that goes away in the start fails it', async t => {
  const bench = makeBench('epson')
  bench.far.loseAfter(4000)
  await t.rejects(open(bench), { code: 'device.absent' })
  await bench.session.close()
})

t.test('given up, nothing that waited is written any more', async t => {
  const bench = makeBench('epson')
  await open(bench)
  await within(bench.clock, bench.session.prepare(), 5000)
  bench.said()
  bench.far.bufferBytes = 4
  bench.far.setTaking(false)
  const sent = t.rejects(bench.session.send(new Uint8Array(100).fill(0x41), () => {}))
  await bench.session.giveUp(new Error('enough'))
  await sent
  bench.far.setTaking(true)
  t.equal(bench.said(), '', 'what the kernel had not passed on is dropped, too')
})
