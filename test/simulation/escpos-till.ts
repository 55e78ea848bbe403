/** A printer of the storm as it is on a box: the real driver, bytes on a cable, and a machine that makes paper of them. */
import { encodeTicket, escposOptionsUsual } from '../../drivers/escpos-encode.js'
import { EscposPrinter } from '../../drivers/escpos-printer.js'
import { SimulatedByteStream } from '../../drivers/simulated/byte-stream.js'
import type { SimulatedClock } from '../../drivers/simulated/clock.js'
import { SimulatedEscposPrinter } from '../../drivers/simulated/escpos-printer.js'
import { type PrinterModel, usualPrinter } from '../../drivers/simulated/escpos-printer-models.js'
import type { PrintedPiece } from '../../drivers/simulated/escpos-printer-paper.js'
import type { Clock } from '../../runtime/ports/clock.js'
import type { Printer } from '../../runtime/ports/printer.js'
import { type Copy, copyOf, type Till } from './till.js'

const paper = {
  widthMillimetres: 80,
  dotsPerLine: 576,
  dotsPerMillimetre: 8,
  codePage: 'cp858',
} as const
/** Somewhere in the first few tickets. */
const BYTES_MAX = 4_000

export class EscposTill implements Till {
  readonly name: string
  readonly isSentOnPaper = false
  readonly #stream: SimulatedByteStream
  readonly #machine: SimulatedEscposPrinter
  readonly #random: () => number
  readonly #reached: (what: string) => void
  readonly #read = new WeakMap<PrintedPiece, Copy>()

  constructor(
    name: string,
    model: PrinterModel,
    world: { clock: SimulatedClock; random: () => number; reached: (what: string) => void },
  ) {
    this.name = name
    this.#stream = new SimulatedByteStream(`usb ${name}`)
    this.#machine = new SimulatedEscposPrinter(this.#stream, world.clock, {
      ...usualPrinter,
      model,
    })
    this.#machine.switchOn()
    this.#random = world.random
    this.#reached = world.reached
  }

  get copies(): readonly Copy[] {
    const { pieces, hanging } = this.#machine.paper
    return [...pieces, ...(hanging === null ? [] : [hanging])].map(piece => this.#copyOf(piece))
  }

  disturb(): void {
    const steps: readonly (readonly [what: string, step: () => void])[] = [
      ['switched off', () => this.#machine.switchOff()],
      ['switched off at a byte', () => this.#machine.switchOffAfter(1 + this.#upTo(BYTES_MAX))],
      ['cable pulled', () => this.#machine.pullCable()],
      ['cable pulled at a byte', () => this.#stream.loseAfter(this.#upTo(BYTES_MAX))],
      ['cover opened', () => this.#machine.openCover()],
      ['little paper left', () => this.#machine.setPaper(this.#upTo(200))],
      ['too hot', () => this.#machine.setHot(true)],
      ['mended', () => this.mend()],
      ['mended', () => this.mend()],
      ['mended', () => this.mend()],
    ]
    const [what, step] = steps[this.#upTo(steps.length)] ?? ['mended', () => this.mend()]
    this.#reached(`a printer: ${what}`)
    step()
  }

  mend(): void {
    const machine = this.#machine
    machine.plugCable()
    machine.switchOn()
    machine.switchOffAfter(Number.POSITIVE_INFINITY)
    this.#stream.loseAfter(Number.POSITIVE_INFINITY)
    machine.closeCover()
    machine.setHot(false)
    machine.refill()
  }

  driver(clock: Clock): Printer {
    return new EscposPrinter(
      this.#stream.stream(),
      clock,
      ticket => encodeTicket(ticket, paper, escposOptionsUsual),
      {
        name: this.name,
        paper,
        isSerial: false,
        confirmation: 'auto',
        cutter: 'partial',
        drawerOpenAt: null,
        confirmMs: 5_000,
        stallMs: 20_000,
        statusEveryMs: 2_000,
      },
    )
  }

  orphan(): void {
    this.#stream.release()
  }

  #copyOf(piece: PrintedPiece): Copy {
    const known = this.#read.get(piece)
    if (known) return known
    const text = [...piece.lines, ...piece.codes].map(line => line.trim()).join('\n')
    const hasSerial = piece.codes.some(
      code => code !== '' && piece.lines.some(line => line.includes(code)),
    )
    const made = copyOf(text, piece.isComplete && hasSerial)
    this.#read.set(piece, made)
    return made
  }

  #upTo(max: number): number {
    return Math.floor(this.#random() * max)
  }
}
