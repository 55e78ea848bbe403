/** The paper of a simulated printer: what is on it, piece by piece, as somebody who picks it up would find it. */

export type PrintedItem =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'feed'; readonly dots: number }
  /** Rows of whole bytes; fewer of them than were sent where the paper or the power ended. */
  | { readonly kind: 'raster'; readonly rowBytes: number; readonly rows: Uint8Array }
  | { readonly kind: 'qr'; readonly content: string; readonly moduleDots: number }
  | { readonly kind: 'barcode'; readonly content: string }

export interface PrintedPiece {
  readonly items: readonly PrintedItem[]
  /** What is written on it, line by line. */
  readonly lines: readonly string[]
  /** What its QR codes and barcodes say. */
  readonly codes: readonly string[]
  /** The serials in its text and its codes, each once. */
  readonly serials: readonly string[]
  readonly millimetres: number
  /** It ends where its ticket ends. False: the ticket was broken off, and something else came after it. */
  readonly isComplete: boolean
}

const DOTS_PER_MILLIMETRE = 8
/** So much white at the end is the end of a ticket where nothing cuts. */
const TAIL_DOTS = 10 * DOTS_PER_MILLIMETRE
const PIECES_MAX = 500
/** As the runtime makes them: six letters or digits, four or more, and one. */
const SERIAL = /\b[0-9A-Z]{6}-[0-9A-Z]{4,}-[0-9A-Z]\b/g

export class SimulatedPaper {
  readonly #pieces: PrintedPiece[] = []
  #items: PrintedItem[] = []

  /** The newest last; at most some hundred of them. What still hangs from the printer is not among them. */
  get pieces(): readonly PrintedPiece[] {
    return this.#pieces
  }

  /** What hangs from the printer; null when that is white. */
  get hanging(): PrintedPiece | null {
    return this.#isBlank ? null : pieceOf(this.#items, false)
  }

  print(item: PrintedItem): void {
    const last = this.#items.at(-1)
    if (item.kind === 'feed' && last?.kind === 'feed')
      this.#items[this.#items.length - 1] = { kind: 'feed', dots: last.dots + item.dots }
    else this.#items.push(item)
  }

  /** A white piece is nobody's. */
  cut(): void {
    this.#finish(true)
  }

  /** Another ticket begins. @param isBroken the one before cannot have been whole */
  begin(isBroken: boolean): void {
    this.#finish(!isBroken && this.#tailDots >= TAIL_DOTS)
  }

  /** The power failed: whatever comes next belongs to something else. */
  breakOff(): void {
    this.#finish(false)
  }

  get #isBlank(): boolean {
    return this.#items.every(item => item.kind === 'feed')
  }

  get #tailDots(): number {
    const last = this.#items.at(-1)
    return last?.kind === 'feed' ? last.dots : 0
  }

  #finish(isComplete: boolean): void {
    if (!this.#isBlank) {
      this.#pieces.push(pieceOf(this.#items, isComplete))
      if (this.#pieces.length > PIECES_MAX) this.#pieces.shift()
    }
    this.#items = []
  }
}

function pieceOf(items: readonly PrintedItem[], isComplete: boolean): PrintedPiece {
  const lines = items.flatMap(item => (item.kind === 'text' ? [item.text] : []))
  const codes = items.flatMap(item =>
    item.kind === 'qr' || item.kind === 'barcode' ? [item.content] : [],
  )
  const serials = [...lines, ...codes].flatMap(text => text.match(SERIAL) ?? [])
  const dots = items.reduce((sum, item) => sum + dotsOf(item), 0)
  return {
    items: [...items],
    lines,
    codes,
    serials: [...new Set(serials)],
    millimetres: dots / DOTS_PER_MILLIMETRE,
    isComplete,
  }
}

/** Text, codes and pictures move the paper by feeds of their own. */
const dotsOf = (item: PrintedItem): number => (item.kind === 'feed' ? item.dots : 0)
