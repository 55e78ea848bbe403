import t from 'tap'
import { SimulatedByteStream } from '../../../drivers/simulated/byte-stream.js'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { SimulatedEscposPrinter } from '../../../drivers/simulated/escpos-printer.js'
import {
  type SimulatedPrinterOptions,
  usualPrinter,
} from '../../../drivers/simulated/escpos-printer-models.js'
import type { ByteStream } from '../../../runtime/ports/host.js'

interface Bench {
  readonly clock: SimulatedClock
  readonly far: SimulatedByteStream
  readonly machine: SimulatedEscposPrinter
  readonly near: ByteStream
  readonly heard: number[]
  /** Writes and waits a second. */
  say(...parts: readonly (string | readonly number[])[]): Promise<void>
}

async function makeBench(options: Partial<SimulatedPrinterOptions> = {}): Promise<Bench> {
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const far = new SimulatedByteStream('till')
  const machine = new SimulatedEscposPrinter(far, clock, { ...usualPrinter, ...options })
  machine.switchOn()
  const near = far.stream()
  const heard: number[] = []
  near.onBytes(bytes => void heard.push(...bytes))
  await near.open()
  return {
    clock,
    far,
    machine,
    near,
    heard,
    say: async (...parts) => {
      const bytes = parts.flatMap(part => [
        ...(typeof part === 'string' ? Buffer.from(part) : part),
      ])
      near.write(Uint8Array.from(bytes)).catch(() => {})
      await clock.advance(1000)
    },
  }
}

const CUT = [0x1d, 0x56, 0x42, 0]
const ECHO = [0x1d, 0x28, 0x48, 6, 0, 0x30, 0x30, 0x41, 0x42, 0x43, 0x44]
const ECHOED = [0x37, 0x22, 0x41, 0x42, 0x43, 0x44, 0]
const ask = (n: number): number[] => [0x10, 4, n]
/** So many rows of eight dots. */
const picture = (rows: number): number[] => [
  ...[0x1d, 0x76, 0x30, 0, 1, 0, rows, 0],
  ...Array.from({ length: rows }, () => 0xff),
]

t.test('text, codes and pictures are on the piece that is cut', async t => {
  const { machine, say } = await makeBench()
  const qr = [0x1d, 0x28, 0x6b, 6, 0, 49, 80, 48, 0x61, 0x62, 0x63]
  const qrPrint = [0x1d, 0x28, 0x6b, 3, 0, 49, 81, 48]
  const code128 = [0x1d, 0x6b, 73, 8, 0x7b, 0x42, 0x58, 0x7b, 0x43, 12, 34, 56]
  const ean = [0x1d, 0x6b, 2, ...Buffer.from('4006381333931'), 0]
  await say('one\ntwo ABCDEF-0001-X\n', picture(3), qr, qrPrint, code128, ean, CUT)
  const [piece] = machine.paper.pieces
  t.same(piece?.lines, ['one', 'two ABCDEF-0001-X'])
  t.same(piece?.codes, ['abc', 'X123456', '4006381333931'])
  t.same(piece?.serials, ['ABCDEF-0001-X'])
  t.ok(piece?.isComplete)
  t.match(
    piece?.items.find(({ kind }) => kind === 'raster'),
    { rowBytes: 1, rows: { length: 3 } },
  )
  t.equal(machine.paper.hanging, null)
})

t.test('a line that is too long goes on in the next, twice as soon in twice the size', async t => {
  const { machine, say } = await makeBench({ dotsPerLine: 120 })
  await say('abcdefghijklm\n', [0x1d, 0x21, 0x11], 'abcdefg\n')
  t.same(machine.paper.hanging?.lines, ['abcdefghij', 'klm', 'abcde', 'fg'])
})

t.test('initialization wipes a line that is not on paper yet', async t => {
  const { machine, say } = await makeBench()
  await say('gone', [0x1b, 0x40], 'kept\n', CUT)
  t.same(machine.paper.pieces[0]?.lines, ['kept'])
})

t.test('paper takes its time, and answers in turn wait for it', async t => {
  const { clock, machine, say, heard } = await makeBench({ millimetresPerSecond: 10 })
  await say('a\n'.repeat(10), ECHO)
  t.same(heard, [])
  t.equal(machine.paper.hanging?.lines.length, 2, '10 mm of 3.75 mm each')
  await clock.advance(3000)
  t.same(heard, ECHOED)
  t.ok(machine.isIdle)
})

t.test('questions in real time are answered at once, in the middle of a picture, too', async t => {
  const { say, heard } = await makeBench({ millimetresPerSecond: 1 })
  await say('text\n', picture(3).slice(0, -3), ask(1))
  t.same(heard, [0x12])
})

t.test('what a model lacks it passes over, or prints', async t => {
  for (const [model, lines] of [
    ['clone', ['end']],
    ['mute', ['end']],
    ['text-clone', ['H00ABCDend']],
  ] as const) {
    const { machine, say, heard } = await makeBench({ model })
    await say(ECHO, [0x1d, 0x61, 0x0f], 'end\n', ask(1))
    t.same(machine.paper.hanging?.lines, lines)
    t.same(heard, model === 'mute' ? [] : [0x12])
  }
})

t.test('changes are told from GS a on, and until initialization', async t => {
  const { machine, say, heard } = await makeBench()
  machine.openCover()
  machine.closeCover()
  t.same(heard, [])
  await say([0x1d, 0x61, 0x0f])
  t.same(heard.splice(0), [0x10, 0, 0, 0])
  machine.openCover()
  t.same(heard.splice(0), [0x38, 0, 0, 0])
  machine.closeCover()
  machine.setPaper(100)
  machine.setDrawer(true)
  t.same(heard.splice(0), [0x10, 0, 0, 0, 0x10, 0, 3, 0, 0x14, 0, 3, 0])
  await say([0x1b, 0x40])
  machine.openCover()
  t.same(heard, [])
})

t.test('sensors are told bit by bit', async t => {
  const bench = await makeBench()
  const { machine, say, heard } = bench
  const answers = async (): Promise<number[]> => {
    await say(ask(1), ask(2), ask(3), ask(4))
    return heard.splice(0)
  }
  t.same(await answers(), [0x12, 0x12, 0x12, 0x12])
  machine.setPaper(0)
  t.same(await answers(), [0x1a, 0x32, 0x12, 0x7e])
  machine.refill()
  machine.openCover()
  t.same(await answers(), [0x1a, 0x16, 0x12, 0x12])
  machine.closeCover()
  machine.jamAtNextCut()
  await say('x\n', CUT)
  t.same(await answers(), [0x1a, 0x52, 0x1a, 0x12])
  machine.clearJam()
  machine.setHot(true)
  t.same(await answers(), [0x1a, 0x52, 0x52, 0x12])
  machine.setHot(false)
  machine.breakDown()
  t.same(await answers(), [0x1a, 0x52, 0x32, 0x12])
})

t.test('paper that ends stops a picture in the middle, and a new roll goes on', async t => {
  const { clock, machine, say } = await makeBench()
  machine.setPaper(10)
  await say(picture(200), 'end\n', CUT)
  t.equal(machine.paperMillimetres, 0)
  t.equal(machine.paper.pieces.length, 0)
  machine.refill()
  await clock.advance(5000)
  const [piece] = machine.paper.pieces
  t.match(piece?.items[0], { kind: 'raster', rows: { length: 200 } })
  t.ok(piece?.isComplete)
})

t.test('a full buffer takes nothing, not even questions', async t => {
  const { clock, machine, far, say, heard } = await makeBench({ bufferBytes: 100 })
  machine.openCover()
  await say('a\n'.repeat(200), ask(1))
  t.ok(far.bufferedBytes > 200)
  t.same(heard, [])
  machine.closeCover()
  await clock.advance(20_000)
  t.same(heard, [0x12])
  t.equal(machine.paper.hanging?.lines.length, 200)
})

t.test('without power everything is forgotten but the paper', async t => {
  const { clock, machine, near, far, say } = await makeBench({ millimetresPerSecond: 10 })
  await say('first\nsecond\nthird\nfourth\n')
  machine.switchOff()
  t.notOk(far.isPlugged)
  machine.switchOn()
  await near.open()
  await say('next\n', CUT)
  await clock.advance(60_000)
  t.same(
    machine.paper.pieces.map(({ lines, isComplete }) => [...lines, isComplete]),
    [
      ['first', 'second', false],
      ['next', true],
    ],
  )
})

t.test('the power can fail after any byte', async t => {
  const { machine, say } = await makeBench({ millimetresPerSecond: Number.POSITIVE_INFINITY })
  machine.switchOffAfter(3)
  await say('a\nb\nc\n')
  t.equal(machine.receivedBytes, 3)
  t.same(machine.paper.pieces[0]?.lines, ['a'])
})

t.test('without its cable it goes on with what it has, in the command that was torn', async t => {
  const { clock, machine, near, say } = await makeBench({ millimetresPerSecond: 10 })
  await say('one\ntwo\n', picture(8).slice(0, 12))
  machine.pullCable()
  await clock.advance(5000)
  t.same(machine.paper.hanging?.lines, ['one', 'two'])
  machine.plugCable()
  await near.open()
  await say('AAAAthree\n')
  const raster = machine.paper.hanging?.items.find(({ kind }) => kind === 'raster')
  t.match(raster, { rows: { length: 8 } })
  t.same(machine.paper.hanging?.lines, ['one', 'two', 'three'])
})

t.test('a ticket that something else follows before its end is torn', async t => {
  const { machine, say } = await makeBench()
  const end = [0x1b, 0x64, 5]
  const flush = Array.from({ length: 100 }, () => 0)
  await say('half\n', [0x1b, 0x40], 'no cutter\n', end, [0x1b, 0x40])
  await say('flushed\n', end, flush, [0x1b, 0x40])
  t.same(
    machine.paper.pieces.map(({ lines, isComplete }) => [...lines, isComplete]),
    [
      ['half', false],
      ['no cutter', true],
      ['flushed', false],
    ],
  )
})

t.test('any bytes whatever are taken', async t => {
  const { clock, machine, near } = await makeBench({
    millimetresPerSecond: Number.POSITIVE_INFINITY,
  })
  let state = 1
  const noise = Uint8Array.from({ length: 200_000 }, () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return (state >> 16) & 0xff
  })
  await near.write(noise)
  await clock.advance(1000)
  t.equal(machine.receivedBytes, noise.length)
})
