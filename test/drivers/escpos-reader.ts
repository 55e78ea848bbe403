/**
 * A printer that is strict: it walks the bytes by the command tables of Epson's ESC/POS reference, takes nothing that it
 * does not know, and keeps what would be on paper. It shares no line with the encoder.
 */
export interface ReadStyle {
  readonly isBold: boolean
  readonly isUnderlined: boolean
  readonly isInverted: boolean
  readonly width: number
  readonly height: number
  readonly font: 'a' | 'b'
}

export type Read =
  | {
      readonly kind: 'line'
      readonly letters: readonly number[]
      readonly style: ReadStyle
      readonly align: number
    }
  | {
      readonly kind: 'raster'
      readonly widthBytes: number
      readonly height: number
      readonly dots: Uint8Array
    }
  | {
      readonly kind: 'qr'
      readonly model: number
      readonly moduleDots: number
      readonly level: number
      readonly content: string
      readonly align: number
    }
  | {
      readonly kind: 'barcode'
      readonly system: number
      readonly content: string
      readonly hri: number
      readonly moduleDots: number
      readonly height: number
      readonly align: number
    }
  | { readonly kind: 'feed'; readonly dots: number }
  | { readonly kind: 'cut'; readonly mode: number; readonly dots: number }
  | { readonly kind: 'drawer'; readonly pin: number; readonly on: number; readonly off: number }

export interface ReadTicket {
  readonly codePage: number | null
  readonly items: readonly Read[]
  /** What ESC J, ESC 3 and the heights of pictures come to; not the feed to the cutter. */
  readonly fedDots: number
  /** Of the end: a next ticket would inherit it. */
  readonly isPlain: boolean
}

const plain: ReadStyle = {
  ...{ isBold: false, isUnderlined: false, isInverted: false },
  ...{ width: 1, height: 1, font: 'a' as const },
}

class Reader {
  readonly #bytes: Uint8Array
  #at = 0
  #style: ReadStyle = plain
  #align = 0
  #spacing = 30
  #codePage: number | null = null
  #line: number[] = []
  readonly #items: Read[] = []
  #fedDots = 0
  readonly #qr = { model: 0, moduleDots: 0, level: 0, content: '' }
  readonly #barcode = { height: 0, moduleDots: 0, hri: -1, font: -1 }

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  read(): ReadTicket {
    while (this.#at < this.#bytes.length) this.#command(this.#next())
    if (this.#line.length > 0) throw this.#wrong('letters stay in the buffer')
    const isPlain = JSON.stringify(this.#style) === JSON.stringify(plain) && this.#align === 0
    return { codePage: this.#codePage, items: this.#items, fedDots: this.#fedDots, isPlain }
  }

  #wrong(message: string): Error {
    return new Error(`${message} at byte ${this.#at}`)
  }

  #next(): number {
    const byte = this.#bytes[this.#at++]
    if (byte === undefined) throw this.#wrong('the bytes end within a command')
    return byte
  }

  #one(min: number, max: number): number {
    const value = this.#next()
    if (value < min || value > max) throw this.#wrong(`${value} is not between ${min} and ${max}`)
    return value
  }

  #take(count: number): Uint8Array {
    if (this.#at + count > this.#bytes.length) throw this.#wrong('the bytes end within data')
    this.#at += count
    return this.#bytes.subarray(this.#at - count, this.#at)
  }

  #atLineStart(): void {
    if (this.#line.length > 0) throw this.#wrong('is not at the beginning of a line')
  }

  #command(byte: number): void {
    if (byte >= 0x20 && byte !== 0x7f) this.#line.push(byte)
    else if (byte === 0x0a) this.#feedLine()
    else if (byte === 0x1b) this.#escape(this.#next())
    else if (byte === 0x1d) this.#group(this.#next())
    else if (byte === 0x1c && this.#next() === 0x2e) return
    else throw this.#wrong(`the control character ${byte} is no command`)
  }

  #feedLine(): void {
    const { font, height } = this.#style
    const letter = (font === 'a' ? 24 : 17) * height
    this.#items.push({ kind: 'line', letters: this.#line, style: this.#style, align: this.#align })
    this.#fedDots += Math.max(this.#spacing, this.#line.length > 0 ? letter : 0)
    this.#line = []
  }

  #escape(command: number): void {
    switch (command) {
      case 0x40:
        if (this.#at !== 2) throw this.#wrong('a reset in the middle')
        return
      case 0x74:
        this.#codePage = this.#next()
        return
      case 0x52:
        this.#one(0, 0)
        return
      case 0x33:
        this.#spacing = this.#next()
        return
      case 0x45:
        this.#style = { ...this.#style, isBold: this.#one(0, 1) === 1 }
        return
      case 0x2d:
        this.#style = { ...this.#style, isUnderlined: this.#one(0, 2) > 0 }
        return
      case 0x4d:
        this.#style = { ...this.#style, font: this.#one(0, 1) === 0 ? 'a' : 'b' }
        return
      case 0x61:
        this.#atLineStart()
        this.#align = this.#one(0, 2)
        return
      case 0x4a: {
        this.#atLineStart()
        const dots = this.#next()
        this.#items.push({ kind: 'feed', dots })
        this.#fedDots += dots
        return
      }
      case 0x70: {
        const [pin, on, off] = [this.#one(0, 1), this.#one(1, 255), this.#one(1, 255)]
        this.#items.push({ kind: 'drawer', pin, on, off })
        return
      }
      default:
        throw this.#wrong(`ESC ${command} is not known`)
    }
  }

  #group(command: number): void {
    switch (command) {
      case 0x50:
        // Dots of a head of 8 dots a millimetre.
        this.#one(203, 203)
        this.#one(203, 203)
        return
      case 0x21: {
        const size = this.#next()
        if ((size & 0x88) !== 0) throw this.#wrong(`GS ! ${size}`)
        this.#style = { ...this.#style, width: (size >> 4) + 1, height: (size & 7) + 1 }
        return
      }
      case 0x42:
        this.#style = { ...this.#style, isInverted: this.#one(0, 1) === 1 }
        return
      case 0x56: {
        this.#atLineStart()
        const mode = this.#one(65, 66)
        const dots = this.#next()
        this.#items.push({ kind: 'cut', mode, dots })
        this.#fedDots += dots
        return
      }
      case 0x68:
        this.#barcode.height = this.#one(1, 255)
        return
      case 0x77:
        this.#barcode.moduleDots = this.#one(2, 6)
        return
      case 0x66:
        this.#barcode.font = this.#one(0, 1)
        return
      case 0x48:
        this.#barcode.hri = this.#one(0, 3)
        return
      case 0x6b:
        this.#readBarcode()
        return
      case 0x76:
        this.#readRaster()
        return
      case 0x28:
        this.#readQr()
        return
      default:
        throw this.#wrong(`GS ${command} is not known`)
    }
  }

  #readRaster(): void {
    this.#atLineStart()
    this.#one(0x30, 0x30)
    this.#one(0, 0)
    const widthBytes = this.#next() + this.#next() * 256
    const height = this.#next() + this.#next() * 256
    if (widthBytes < 1 || height < 1 || height > 64) throw this.#wrong('a band of a wrong size')
    const dots = this.#take(widthBytes * height)
    this.#items.push({ kind: 'raster', widthBytes, height, dots })
    this.#fedDots += height
  }

  #readQr(): void {
    this.#one(0x6b, 0x6b)
    const length = this.#next() + this.#next() * 256
    const end = this.#at + length
    this.#one(49, 49)
    const fn = this.#next()
    const data = this.#take(length - 2)
    if (!this.#qrFunction(fn, data)) throw this.#wrong(`GS ( k ${fn} of ${length} bytes`)
    if (this.#at !== end) throw this.#wrong('a wrong length')
  }

  /** @returns whether the reference has it */
  #qrFunction(fn: number, data: Uint8Array): boolean {
    const [first = -1, second = -1] = data
    switch (`${fn} ${fn === 80 ? Math.min(data.length, 2) : data.length}`) {
      case '65 2':
        this.#qr.model = first
        return second === 0
      case '67 1':
        this.#qr.moduleDots = first
        return first >= 1 && first <= 16
      case '69 1':
        this.#qr.level = first
        return first >= 48 && first <= 51
      case '80 2':
        this.#qr.content = new TextDecoder('utf-8', { fatal: true }).decode(data.subarray(1))
        return first === 48
      case '81 1':
        this.#printQr()
        return first === 48
      default:
        return false
    }
  }

  #printQr(): void {
    this.#atLineStart()
    if (this.#qr.content === '') throw this.#wrong('a code without content')
    this.#items.push({ kind: 'qr', ...this.#qr, align: this.#align })
  }

  #readBarcode(): void {
    this.#atLineStart()
    const system = this.#next()
    const data = this.#take(this.#next())
    const content = system === 67 ? digits(data) : system === 73 ? code128Text(data) : null
    if (content === null) throw this.#wrong(`a barcode ${system} of ${data.join(' ')}`)
    const { height, moduleDots, hri } = this.#barcode
    this.#items.push({
      ...{ kind: 'barcode', system, content, hri, moduleDots, height, align: this.#align },
    })
  }
}

function digits(data: Uint8Array): string | null {
  const text = String.fromCharCode(...data)
  return /^\d{13}$/.test(text) ? text : null
}

/** What a printer makes of `{A`, `{B`, `{C`, and `{{`. */
function code128Text(data: Uint8Array): string | null {
  let set = ''
  let text = ''
  for (let rest = [...data]; rest.length > 0; ) {
    const [first = 0, second = 0] = rest
    const isBrace = first === 0x7b
    const letters = isBrace ? bracesOf(second, set) : lettersOf(first, set)
    if (letters === null) return null
    if (isBrace && second !== 0x7b) set = String.fromCharCode(second)
    text += letters
    rest = rest.slice(isBrace ? 2 : 1)
  }
  return text
}

/** Nothing for a change of set. */
function bracesOf(second: number, set: string): string | null {
  if (second === 0x7b) return set === 'B' ? '{' : null
  return second >= 0x41 && second <= 0x43 ? '' : null
}

function lettersOf(byte: number, set: string): string | null {
  if (set === 'C') return byte > 99 ? null : `${byte}`.padStart(2, '0')
  return set === 'B' && byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : null
}

/** @throws Error naming the byte for whatever the reference does not know */
export const readEscpos = (bytes: Uint8Array): ReadTicket => new Reader(bytes).read()

/** What stands on the paper in dots: pictures where they are, letters left white. */
export function pictureOf(
  { items }: ReadTicket,
  widthDots: number,
): { readonly width: number; readonly height: number; readonly isBlack: readonly boolean[] } {
  const rows: boolean[][] = []
  const blank = (count: number): void => {
    for (let row = 0; row < count; row++) rows.push(Array<boolean>(widthDots).fill(false))
  }
  for (const item of items) {
    if (item.kind === 'feed') blank(item.dots)
    else if (item.kind === 'line') blank(30)
    else if (item.kind === 'raster')
      for (let y = 0; y < item.height; y++)
        rows.push(
          Array.from(
            { length: widthDots },
            (_, x) =>
              x < item.widthBytes * 8 &&
              ((item.dots[y * item.widthBytes + (x >> 3)] ?? 0) & (0x80 >> (x & 7))) !== 0,
          ),
        )
  }
  return { width: widthDots, height: rows.length, isBlack: rows.flat() }
}
