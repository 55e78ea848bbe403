/** Kinds of receipt printers that venues have. */

/**
 * `epson` can everything; `no-process-id` lacks GS ( H; `clone` answers DLE EOT only, and passes over what it does not
 * know; `text-clone` prints it; `mute` answers nothing.
 */
export type PrinterModel = 'epson' | 'no-process-id' | 'clone' | 'text-clone' | 'mute'

export interface SimulatedPrinterOptions {
  readonly model: PrinterModel
  readonly dotsPerLine: number
  /** Infinite: paper takes no time. */
  readonly millimetresPerSecond: number
  readonly bufferBytes: number
  /** When it is switched off, so is the line. False for a serial line, which does not notice. */
  readonly isLineItsOwn: boolean
}

export const usualPrinter: SimulatedPrinterOptions = {
  model: 'epson',
  dotsPerLine: 576,
  millimetresPerSecond: 150,
  bufferBytes: 4096,
  isLineItsOwn: true,
}

/** Commands that a model does not have. */
export const missing: Readonly<Record<PrinterModel, readonly string[]>> = {
  epson: [],
  'no-process-id': ['GS ( H'],
  clone: ['GS ( H', 'GS a', 'GS r'],
  'text-clone': ['GS ( H', 'GS a', 'GS r'],
  mute: ['GS ( H', 'GS a', 'GS r'],
}
