/**
 * Ten thousand tickets that wait for a printer which is not there: how fast they are accepted, what they take on the disk
 * and in memory, and how long a box takes to start with them. `node --expose-gc dist/test/bench/spool.bench.js [folder]`;
 * the folder should be on the card that is to be judged.
 */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { LinuxClock, ownAnchor } from '../../drivers/linux/clock.js'
import { LinuxKeys } from '../../drivers/linux/keys.js'
import { SqliteStore } from '../../drivers/linux/sqlite.js'
import { SimulatedLog } from '../../drivers/simulated/log.js'
import { Bus } from '../../runtime/core/bus.js'
import { printRequest } from '../../runtime/core/printing-topics.js'
import { check } from '../../runtime/core/schema.js'
import { Printing } from '../../runtime/services/printing/printing.js'
import type { Messages } from '../../runtime/topics.js'
import { plainPictures } from '../services/printing/rig.js'
import { ScriptedPrinter } from '../services/printing/scripted-printer.js'
import { percentiles, printTable } from './table.js'

const JOBS = 10_000
const STARTS = 5
/** Senders that each wait for their answer before they ask again. */
const AT_ONCE = [1, 8, 64] as const

interface Spooler {
  readonly bus: Bus<Messages>
  readonly printing: Printing
  readonly store: SqliteStore
}

const folder = mkdtempSync(join(process.argv[2] ?? tmpdir(), 'roadcase-bench-'))
const clock = new LinuxClock(ownAnchor())
const log = new SimulatedLog()

async function open(): Promise<Spooler> {
  const store = new SqliteStore(join(folder, 'store.sqlite'), log)
  await store.open()
  const bus = new Bus<Messages>()
  const printer = new ScriptedPrinter('counter', clock)
  printer.set('absent')
  const printing = new Printing(
    { clock, log, bus, store, keys: new LinuxKeys(), pictures: plainPictures },
    {
      tour: 'tour-7',
      box: 'box-12',
      printers: new Map([['counter', printer]]),
      templates: new Map(),
      images: new Map(),
      rollMillimetres: new Map(),
      queuedMax: JOBS,
      keptDays: 30,
      keptMax: 20_000,
    },
  )
  return { bus, printing, store }
}

async function close({ printing, store }: Spooler): Promise<void> {
  await printing.stop()
  await store.close()
}

/** A receipt as a bar prints it. */
const ticket = (count: number): unknown => ({
  blocks: [
    { kind: 'text', text: 'First Night', align: 'center', isBold: true, widthScale: 2 },
    { kind: 'rule' },
    {
      kind: 'table',
      columns: [{ share: 3 }, { align: 'right' }],
      rows: [
        [`Order ${count}`, ''],
        ['Lemonade', '3.50'],
        ['Zine, signed', '12.00'],
        ['Total', '15.50'],
      ],
    },
    { kind: 'text', text: 'Thank you, and good night', align: 'center' },
    { kind: 'cut' },
  ],
})

function accept({ bus }: Spooler, count: number): Promise<void> {
  const id = `order-${count}`
  const request = check(printRequest, { id, ticket: ticket(count) }, 'request')
  return new Promise((resolve, reject) => {
    const cancel = bus.subscribe('print/answered', answer => {
      if (answer.id !== id) return
      cancel()
      if (answer.isAccepted) resolve()
      else reject(new Error(answer.message ?? 'refused'))
    })
    bus.publish('print/requested', { ...request, origin: 'bench' })
  })
}

const rssMegabytes = (): number => {
  globalThis.gc?.()
  return process.memoryUsage().rss / 1024 / 1024
}

const diskBytes = (): number =>
  readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)

try {
  const first = await open()
  await first.printing.start()
  const [emptyBytes, beforeMegabytes] = [diskBytes(), rssMegabytes()]
  const rows = []
  let count = 0
  for (const [index, atOnce] of AT_ONCE.entries()) {
    const until = index === AT_ONCE.length - 1 ? JOBS : count + 1_000
    const [begun, answered] = [performance.now(), [] as number[]]
    const delay = monitorEventLoopDelay({ resolution: 1 })
    const begunCount = count
    delay.enable()
    const send = async (): Promise<void> => {
      while (count < until) {
        const sentMs = performance.now()
        await accept(first, count++)
        answered.push(performance.now() - sentMs)
      }
    }
    await Promise.all(Array.from({ length: atOnce }, send))
    delay.disable()
    const { p50, p99 } = percentiles(answered)
    rows.push({
      'at once': atOnce,
      tickets: count - begunCount,
      'tickets/s': ((count - begunCount) / (performance.now() - begun)) * 1000,
      'answer p50, ms': p50,
      'answer p99, ms': p99,
      'loop late max, ms': delay.max / 1e6 - 1,
    })
  }
  printTable(rows)
  const afterMegabytes = rssMegabytes()
  await close(first)
  const starts = []
  for (let start = 0; start < STARTS; start++) {
    const box = await open()
    const rss = rssMegabytes()
    const [begunMs, begunCpu] = [performance.now(), process.cpuUsage()]
    await box.printing.start()
    const { user, system } = process.cpuUsage(begunCpu)
    starts.push({
      'start with 10000 queued, ms': performance.now() - begunMs,
      'on the processor, all threads, ms': (user + system) / 1000,
      'RSS before, MB': rss,
      'RSS after, MB': rssMegabytes(),
    })
    await close(box)
  }
  printTable(starts)
  printTable([
    {
      'disk bytes a ticket': (diskBytes() - emptyBytes) / JOBS,
      'RSS before the first ticket, MB': beforeMegabytes,
      'RSS with all of them waiting, MB': afterMegabytes,
    },
  ])
} finally {
  rmSync(folder, { recursive: true, force: true })
}
