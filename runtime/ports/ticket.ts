/**
 * A ticket ready to be printed: what a person or a template wrote, with every picture and code worked out. Any printer
 * and the preview make the same of it.
 */
export interface Ticket {
  readonly blocks: readonly TicketBlock[]
}

export type Align = 'left' | 'center' | 'right'

export interface TextStyle {
  readonly isBold: boolean
  readonly isUnderlined: boolean
  /** White on black. */
  readonly isInverted: boolean
  /** Times the usual width and height of a letter. 1..8 */
  readonly widthScale: number
  readonly heightScale: number
  /** A: 12 by 24 dots, B: 9 by 17. */
  readonly font: 'a' | 'b'
}

export type TicketBlock =
  /** Lines are broken between words where they are too long. */
  | {
      readonly kind: 'text'
      readonly text: string
      readonly align: Align
      readonly style: TextStyle
    }
  | {
      readonly kind: 'table'
      readonly columns: readonly TicketColumn[]
      readonly rows: readonly (readonly string[])[]
      readonly style: TextStyle
    }
  | { readonly kind: 'rule'; readonly line: 'single' | 'double' | 'dashed' }
  | { readonly kind: 'space'; readonly millimetres: number }
  | { readonly kind: 'image'; readonly bitmap: Bitmap; readonly align: Align }
  | {
      readonly kind: 'qr'
      readonly content: string
      readonly errorCorrection: 'low' | 'medium' | 'quartile' | 'high'
      /** Dots a module. 1..16 */
      readonly moduleDots: number
      readonly align: Align
      /** One bit a module, without a quiet zone. */
      readonly modules: Bitmap
    }
  | {
      readonly kind: 'barcode'
      readonly symbology: 'ean-13' | 'code-128'
      readonly content: string
      /** Dots of the narrowest bar. 2..6 */
      readonly moduleDots: number
      /** 1..255 */
      readonly heightDots: number
      readonly isTextShown: boolean
      readonly align: Align
      /** One row, one bit a module, without a quiet zone. */
      readonly modules: Bitmap
    }
  | { readonly kind: 'cut'; readonly cut: 'full' | 'partial'; readonly feedMillimetres: number }
  | { readonly kind: 'drawer'; readonly pin: 2 | 5; readonly onMs: number; readonly offMs: number }

export interface TicketColumn {
  /** Share of the width, beside those of the others. */
  readonly share: number
  readonly align: Align
}

/** Black and white: rows from the top, each of whole bytes, the leftmost dot in the highest bit; 1 is black. */
export interface Bitmap {
  readonly width: number
  readonly height: number
  readonly rows: Uint8Array
}
