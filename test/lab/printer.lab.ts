/**
 * The driver of ESC/POS printers on the kernel's own usblp. At the far end of the cable, behind the USB printer gadget,
 * is the simulated printer: its own interpreter, its own paper, in true time.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { encodeTicket, escposOptionsUsual } from '../../drivers/escpos-encode.js'
import { EscposPrinter } from '../../drivers/escpos-printer.js'
import { LinuxAttachments } from '../../drivers/linux/attachments.js'
import { Claims } from '../../drivers/linux/claims.js'
import { SimulatedByteStream } from '../../drivers/simulated/byte-stream.js'
import { SimulatedEscposPrinter } from '../../drivers/simulated/escpos-printer.js'
import {
  type SimulatedPrinterOptions,
  usualPrinter,
} from '../../drivers/simulated/escpos-printer-models.js'
import { repeat } from '../../runtime/core/repeat.js'
import type { Cancel } from '../../runtime/ports/clock.js'
import type { PrintOutcome } from '../../runtime/ports/printer.js'
import type { Ticket } from '../../runtime/ports/ticket.js'
import {
  bigTicket,
  PICTURE_BYTES,
  paper,
  smallTicket,
  usualOptions,
} from '../drivers/printer-bench.js'
import { clock, labSays, pause, until } from './far-side.js'
import { FarEnd, plugInto, pullCable } from './gadget.js'

const FIRST = 'ABCDEF-0001-X'
const SECOND = 'ABCDEF-0002-Y'
const PUMP_MS = 2
const makeDriver = (): EscposPrinter =>
  new EscposPrinter(
    new LinuxAttachments(clock, new Claims()).usbPrinter('any'),
    clock,
    ticket => encodeTicket(ticket, paper, escposOptionsUsual),
    { ...usualOptions, statusEveryMs: 1000, confirmMs: 20_000 },
  )

/** The gadget's end of the cable with a printer behind it, which reads only what it has room for. */
class FarPrinter {
  readonly #far = new FarEnd(labSays('LAB_USB_PRINTER_FAR'), () => {})
  readonly #line = new SimulatedByteStream('the far end')
  readonly machine: SimulatedEscposPrinter
  #stop: Cancel = () => {}
  /** What the printer says is said in order. */
  #said: Promise<void> = Promise.resolve()

  constructor(options: Partial<SimulatedPrinterOptions>) {
    this.machine = new SimulatedEscposPrinter(this.#line, clock, {
      ...usualPrinter,
      isLineItsOwn: false,
      ...options,
    })
  }

  async start(): Promise<void> {
    await plugInto(this.#far)
    this.machine.switchOn()
    const near = this.#line.stream()
    near.onBytes(bytes => {
      this.#said = this.#said.then(() => this.#far.say(bytes))
    })
    await near.open()
    this.#stop = repeat(clock, PUMP_MS, async () => {
      this.#far.read()
      const bytes = this.#far.arrived.all()
      this.#far.arrived.clear()
      await near.write(bytes)
    })
  }

  pullCable(): void {
    pullCable()
    this.#far.close()
  }

  async plugCable(): Promise<void> {
    await plugInto(this.#far)
  }

  stop(): void {
    this.#stop()
    this.#far.close()
  }
}

async function startBoth(
  t: Test,
  options: Partial<SimulatedPrinterOptions> = {},
): Promise<{ far: FarPrinter; driver: EscposPrinter; faults: Error[] }> {
  const far = new FarPrinter(options)
  await far.start()
  t.teardown(() => far.stop())
  const driver = makeDriver()
  t.teardown(() => driver.stop())
  const faults: Error[] = []
  driver.onFault(fault => void faults.push(fault))
  await driver.start()
  return { far, driver, faults }
}

const printed = ({ machine }: FarPrinter): string[] =>
  machine.paper.pieces.map(
    ({ serials, isComplete }) => `${serials.join('+')} ${isComplete ? 'whole' : 'torn'}`,
  )

const print = (driver: EscposPrinter, ticket: Ticket): Promise<PrintOutcome> =>
  driver.print(ticket, () => {})

for (const [model, by] of [
  ['epson', 'process-id'],
  ['no-process-id', 'status-reply'],
] as const)
  t.test(`${model}: a ticket is printed, and confirmed by ${by}`, async t => {
    const { far, driver, faults } = await startBoth(t, { model })
    t.equal(driver.status().paper, 'enough')
    for (const serial of [FIRST, SECOND])
      t.same(await print(driver, smallTicket(serial)), { kind: 'confirmed', by })
    t.same(printed(far), [`${FIRST} whole`, `${SECOND} whole`])
    t.same(faults, [])
  })

t.test('paper that ends in a ticket holds the kernel back, and new paper goes on', async t => {
  const { far, driver, faults } = await startBoth(t)
  far.machine.setPaper(50)
  let sentBytes = 0
  let totalBytes = 0
  let outcome: PrintOutcome | null = null
  void driver
    .print(bigTicket(FIRST, 2), progress => ({ sentBytes, totalBytes } = progress))
    .then(was => {
      outcome = was
    })
  await until(() => driver.status().paper === 'end')
  await pause(3000)
  t.equal(outcome, null)
  t.ok(sentBytes < totalBytes, `${sentBytes} of ${totalBytes} bytes were taken`)
  t.comment(`${sentBytes} bytes were taken by a printer that had read ${far.machine.receivedBytes}`)
  far.machine.refill()
  await until(() => outcome !== null)
  t.same(outcome, { kind: 'confirmed', by: 'process-id' })
  t.same(printed(far), [`${FIRST} whole`])
  const [piece] = far.machine.paper.pieces
  const rows = piece?.items.flatMap(item => (item.kind === 'raster' ? [...item.rows] : [])) ?? []
  t.equal(rows.length, 2 * PICTURE_BYTES, 'every row of the pictures, once')
  t.same(faults, [])
})

t.test('a cable that is pulled leaves the ticket unknown, and the next is whole', async t => {
  const { far, driver, faults } = await startBoth(t)
  const job = print(driver, bigTicket(FIRST, 4))
  await until(() => far.machine.receivedBytes > 30_000)
  far.pullCable()
  t.equal((await job).kind, 'unknown')
  await until(() => faults.length > 0)
  t.equal(driver.hindrance(), 'absent')
  await driver.stop()
  await t.rejects(driver.start(), { code: 'device.absent' })
  await far.plugCable()
  await driver.start()
  t.same(await print(driver, smallTicket(SECOND)), { kind: 'confirmed', by: 'process-id' })
  t.same(printed(far), [`${FIRST} torn`, `${SECOND} whole`])
})

/** Killed when the printer has got so many bytes of its start and its ticket. */
for (const byteCount of [8_300, 9_001, 20_002, 41_111])
  t.test(`a process killed at byte ${byteCount} leaves a printer that can be used`, async t => {
    const far = new FarPrinter({})
    await far.start()
    t.teardown(() => far.stop())
    const victim = startVictim()
    await until(() => far.machine.receivedBytes >= byteCount)
    victim.kill('SIGKILL')
    await once(victim, 'exit')
    const driver = makeDriver()
    t.teardown(() => driver.stop())
    await driver.start()
    t.same(await print(driver, smallTicket(SECOND)), { kind: 'confirmed', by: 'process-id' })
    const pieces = printed(far)
    // A machine that stood still may have sent all these bytes in its start, and none of the ticket.
    const isBegun = pieces.length > 1
    t.same(pieces, isBegun ? [`${FIRST} torn`, `${SECOND} whole`] : [`${SECOND} whole`])
    t.ok(isBegun || byteCount < 9_000, 'the first was begun')
  })

function startVictim(): ChildProcess {
  const program = fileURLToPath(new URL('./printer-program.js', import.meta.url))
  return spawn(process.execPath, [program, FIRST], { stdio: 'ignore' })
}
