/** A printer on a cable and its driver, as the printer tests begin with. */
import { encodeTicket, escposOptionsUsual } from '../../drivers/escpos-encode.js'
import { EscposPrinter, type EscposPrinterOptions } from '../../drivers/escpos-printer.js'
import { SimulatedByteStream } from '../../drivers/simulated/byte-stream.js'
import { SimulatedClock } from '../../drivers/simulated/clock.js'
import { SimulatedEscposPrinter } from '../../drivers/simulated/escpos-printer.js'
import {
  type SimulatedPrinterOptions,
  usualPrinter,
} from '../../drivers/simulated/escpos-printer-models.js'
import type { PrinterStatus, PrintOutcome } from '../../runtime/ports/printer.js'
import type { Bitmap, Ticket, TicketBlock } from '../../runtime/ports/ticket.js'
import { during } from './bench.js'

export const paper = {
  widthMillimetres: 80,
  dotsPerLine: 576,
  dotsPerMillimetre: 8,
  codePage: 'cp858',
} as const

export const usualOptions: EscposPrinterOptions = {
  name: 'till',
  paper,
  isSerial: false,
  confirmation: 'auto',
  cutter: 'partial',
  drawerOpenAt: null,
  confirmMs: 30_000,
  stallMs: 30 * 60_000,
  statusEveryMs: 5_000,
}

export interface PrinterBench {
  readonly clock: SimulatedClock
  readonly stream: SimulatedByteStream
  readonly machine: SimulatedEscposPrinter
  readonly printer: EscposPrinter
  readonly faults: Error[]
  readonly statuses: PrinterStatus[]
  /** Starts the driver, with as much time as it takes. */
  start(): Promise<void>
  /** Prints, with at most so much time. */
  print(ticket: Ticket, limitMs?: number): Promise<PrintOutcome>
  /** Another driver on the same stream, as after the process was killed. */
  another(): PrinterBench
}

export function makePrinterBench(
  machineOptions: Partial<SimulatedPrinterOptions> = {},
  options: Partial<EscposPrinterOptions> = {},
): PrinterBench {
  const clock = new SimulatedClock({ showStartMs: 1_700_000_000_000, driftPpm: 0 })
  const stream = new SimulatedByteStream('usb any')
  const machine = new SimulatedEscposPrinter(stream, clock, { ...usualPrinter, ...machineOptions })
  machine.switchOn()
  return benchOn(clock, stream, machine, { ...usualOptions, ...options })
}

function benchOn(
  clock: SimulatedClock,
  stream: SimulatedByteStream,
  machine: SimulatedEscposPrinter,
  options: EscposPrinterOptions,
): PrinterBench {
  const printer = new EscposPrinter(
    stream.stream(),
    clock,
    ticket => encodeTicket(ticket, paper, escposOptionsUsual),
    options,
  )
  const faults: Error[] = []
  const statuses: PrinterStatus[] = []
  printer.onFault(fault => void faults.push(fault))
  printer.onStatus(status => void statuses.push(status))
  return {
    clock,
    stream,
    machine,
    printer,
    faults,
    statuses,
    start: () => within(clock, printer.start(), 60_000),
    print: (ticket, limitMs = 60_000) =>
      within(
        clock,
        printer.print(ticket, () => {}),
        limitMs,
      ),
    another: () => benchOn(clock, stream, machine, options),
  }
}

const STEP_MS = 500

/** Like `during`, in steps that suit minutes. */
export async function within<T>(
  clock: SimulatedClock,
  work: Promise<T>,
  limitMs: number,
): Promise<T> {
  if (limitMs <= 1_000) return during(clock, work, limitMs)
  let isDone = false
  const note = (): void => {
    isDone = true
  }
  work.then(note, note)
  for (let passedMs = 0; passedMs <= limitMs && !isDone; passedMs += STEP_MS)
    await clock.advance(STEP_MS)
  if (!isDone) throw new Error(`not done within ${limitMs} ms of simulated time`)
  return work
}

const plain = {
  isBold: false,
  isUnderlined: false,
  isInverted: false,
  widthScale: 1,
  heightScale: 1,
  font: 'a',
} as const

export const textBlock = (text: string): TicketBlock => ({
  kind: 'text',
  text,
  align: 'left',
  style: plain,
})

export const cutBlock: TicketBlock = { kind: 'cut', cut: 'partial', feedMillimetres: 3 }

const checkered = (width: number, height: number): Bitmap => ({
  width,
  height,
  rows: Uint8Array.from({ length: Math.ceil(width / 8) * height }, (_, at) =>
    at % 2 ? 0xaa : 0x55,
  ),
})

/** Text, a picture, a QR code and a cut: something of everything that can tear. */
export const smallTicket = (serial: string): Ticket => ({
  blocks: [
    textBlock(`No ${serial}`),
    { kind: 'image', bitmap: checkered(64, 12), align: 'left' },
    {
      kind: 'qr',
      content: serial,
      errorCorrection: 'medium',
      moduleDots: 4,
      align: 'center',
      modules: checkered(21, 21),
    },
    textBlock(`end ${serial}`),
    cutBlock,
  ],
})

const PICTURE_ROWS = 1600
/** More than the kernel and a gadget keep for a printer that reads nothing (80 KiB). */
export const PICTURE_BYTES = 72 * PICTURE_ROWS

/** @param pictureCount so many times that */
export const bigTicket = (serial: string, pictureCount: number): Ticket => ({
  blocks: [
    textBlock(`No ${serial}`),
    ...Array.from(
      { length: pictureCount },
      (): TicketBlock => ({
        kind: 'image',
        bitmap: {
          width: 576,
          height: PICTURE_ROWS,
          rows: Uint8Array.from({ length: PICTURE_BYTES }, (_, at) => (at * 37) & 0xff),
        },
        align: 'left',
      }),
    ),
    textBlock(`end ${serial}`),
    cutBlock,
  ],
})
