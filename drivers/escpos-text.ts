/**
 * Letters in ESC/POS: the state that a printer keeps between commands, and the commands from one state to the next
 * (Epson ESC/POS Application Programming Guide: ESC E, ESC -, ESC M, ESC a, ESC 3, GS !, GS B).
 */
import type { CodePageName } from '../runtime/ports/printer.js'
import type { Align, TextStyle } from '../runtime/ports/ticket.js'

export const ESC = 0x1b
export const GS = 0x1d
export const FS = 0x1c
export const LF = 0x0a

/** What `ESC t` calls the pages; the same numbers on Epson's printers and on those that follow them. */
export const codePageNumbers: Readonly<Record<CodePageName, number>> = {
  cp437: 0,
  cp850: 2,
  'windows-1252': 16,
  cp866: 17,
  cp852: 18,
  cp858: 19,
}

/** As `ESC @` leaves it, but for the line spacing, which is then unknown: null. */
export interface PrintState {
  readonly style: TextStyle
  readonly align: Align
  /** From line to line, 0..255. */
  readonly lineDots: number | null
}

const aligns: Readonly<Record<Align, number>> = { left: 0, center: 1, right: 2 }

/** The commands that lead from one state to another, and no others. */
export function transition(from: PrintState, to: PrintState): number[] {
  const isOther = (of: (state: PrintState) => unknown): boolean => of(from) !== of(to)
  const { style } = to
  return [
    ...(isOther(state => state.style.font) ? [ESC, 0x4d, style.font === 'a' ? 0 : 1] : []),
    ...(isOther(state => sizeOf(state.style)) ? [GS, 0x21, sizeOf(style)] : []),
    ...(isOther(state => state.style.isBold) ? [ESC, 0x45, Number(style.isBold)] : []),
    ...(isOther(state => state.style.isUnderlined) ? [ESC, 0x2d, Number(style.isUnderlined)] : []),
    ...(isOther(state => state.style.isInverted) ? [GS, 0x42, Number(style.isInverted)] : []),
    ...(isOther(state => state.align) ? [ESC, 0x61, aligns[to.align]] : []),
    ...(to.lineDots !== null && isOther(state => state.lineDots) ? [ESC, 0x33, to.lineDots] : []),
  ]
}

/** `GS !`: the width in the upper half, the height in the lower one, each less one. */
const sizeOf = ({ widthScale, heightScale }: TextStyle): number =>
  ((widthScale - 1) << 4) | (heightScale - 1)
