/**
 * Goal: whatever happens to a box, its printers and its disk, no ticket that somebody may redeem comes out twice unasked,
 * none that was accepted is lost, and none that is torn counts as printed. A failure names its seed: replay it with
 * SEED=<seed>; run more with SEEDS=<count>, from SEED on.
 */
import t, { type Test } from 'tap'
import type { PrinterModel } from '../../drivers/simulated/escpos-printer-models.js'
import { EscposTill } from './escpos-till.js'
import { PaperPrinter } from './paper-printer.js'
import { PrintingStorm, type Reached, type StormWorld } from './printing-storm.js'
import type { Till } from './till.js'

const ONE = process.env['SEED']
const FIRST = Number(ONE ?? 1)
const COUNT = Number(process.env['SEEDS'] ?? (ONE === undefined ? 90 : 1))
const ENOUGH = 100

/** Storms in which the tickets are bytes on a cable take longer. */
const REAL_SHARE = 0.2

/** A simulation that never comes near an edge proves nothing. */
const dangers: readonly string[] = [
  'a commit kept without its answer',
  'a commit lost before its answer',
  'a torn redeemable',
  'asked again',
  'asked again without an answer',
  'cut after the last byte',
  'cut before the first byte',
  'cut in a ticket',
  'expired',
  'found interrupted',
  'kept, and answered at the second time',
  'killed before an answer',
  'receipt reprinted',
  'redeemable reprinted',
  'redeemable unknown',
  'started on a full disk',
  'stopped in order',
  'the disk is full',
]
const dangersOfPort: readonly string[] = [
  'gone before its answer',
  'hindered in a ticket',
  'receipt unknown',
  'untouched',
]
const dangersOfDriver: readonly string[] = [
  'a printer: cable pulled',
  'a printer: cable pulled at a byte',
  'a printer: cover opened',
  'a printer: little paper left',
  'a printer: switched off',
  'a printer: switched off at a byte',
]

async function storm(
  t: Test,
  count: number,
  tills: (world: StormWorld) => readonly Till[],
  wanted: readonly string[],
): Promise<void> {
  const reached: Reached = new Map()
  for (let seed = FIRST; seed < FIRST + count; seed++) {
    const broken = await new PrintingStorm(seed, reached, tills).run()
    if (broken.length > 0) t.fail(broken[0] ?? '', { broken })
  }
  t.comment(Object.fromEntries([...reached].sort()))
  const missed = COUNT < ENOUGH ? [] : wanted.filter(danger => !reached.get(danger))
  t.same(missed, [], 'every dangerous state was reached')
}

t.setTimeout(Math.max(300, COUNT * 4) * 1000)

t.test('whatever happens, what the box says of a ticket is true of the paper', t =>
  storm(
    t,
    COUNT,
    ({ random, reached }) => [
      new PaperPrinter('counter', true, random, reached),
      new PaperPrinter('door', false, random, reached),
    ],
    [...dangers, ...dangersOfPort],
  ),
)

t.test('and so it is with the real driver, whose printer gets bytes', t => {
  const models: readonly PrinterModel[] = ['no-process-id', 'clone', 'mute']
  const tills = (world: StormWorld): readonly Till[] => [
    new EscposTill('counter', 'epson', world),
    new EscposTill('door', models[Math.floor(world.random() * models.length)] ?? 'mute', world),
  ]
  return storm(t, Math.ceil(COUNT * REAL_SHARE), tills, [...dangers, ...dangersOfDriver])
})
