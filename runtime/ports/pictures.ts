import type { Bitmap } from './ticket.js'

/** Brightness of each dot, row by row from the top, 0 black to 255 white; what is transparent is white. */
export interface GrayImage {
  readonly width: number
  readonly height: number
  readonly pixels: Uint8Array
}

/** What makes dots of pictures and codes. */
export interface Pictures {
  /** @throws BoxError `ticket.invalid` for what is no PNG, is interlaced, or larger than 4096 by 4096 dots */
  readPng(bytes: Uint8Array): GrayImage
  /** ISO/IEC 18004, model 2, in one mode, the smallest version that fits; UTF-8 says that it is. @throws BoxError `ticket.invalid` for more than a code can hold */
  qr(content: string, errorCorrection: 'low' | 'medium' | 'quartile' | 'high'): Bitmap
  /** EAN-13 (12 digits, or 13 with the right check digit), Code 128 (printable ASCII, at most 80). @throws BoxError `ticket.invalid` */
  barcode(symbology: 'ean-13' | 'code-128', content: string): Bitmap
}
