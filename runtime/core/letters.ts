/**
 * What a printer can print of a text: the letters of its code page, and for others what people write in their place.
 * No control character passes, whatever it is part of.
 */
import type { CodePageName } from '../ports/printer.js'
import { codePage } from './code-pages.js'

export interface Spelled {
  /** Letters of the page, line feeds, and no-break spaces for those that keep words together. */
  readonly text: string
  /** What lost its accent or became a question mark, and what it became; each once. */
  readonly losses: ReadonlyMap<string, string>
}

/** What must not be lost between two words that belong together; printed as a space. */
export const NO_BREAK_SPACE = '\u00a0'
const UNKNOWN = '?'

/** What a typewriter wrote. Only where the page has no letter of its own. */
const replacements: ReadonlyMap<string, string> = new Map(
  Object.entries({
    '\t': ' ',
    '\u2028': '\n',
    '\u2029': '\n',
    ...{ '‘': "'", '’': "'", '‚': ',', '‛': "'", '′': "'", ʼ: "'", '´': "'", '‹': '<', '›': '>' },
    ...{ '“': '"', '”': '"', '„': '"', '‟': '"', '″': '"', '«': '"', '»': '"', '¨': '"' },
    ...{ '‐': '-', '–': '-', '—': '-', '―': '-', '−': '-', '⁃': '-', '\u2011': '-' },
    ...{ '…': '...', '•': '*', '·': '.', '∙': '.', '◦': '*', '●': '*', '▪': '*', '‣': '>' },
    ...{ '€': 'EUR', '£': 'GBP', '¥': 'JPY', '₧': 'Pts', '₽': 'RUB', '₴': 'UAH', '¢': 'c' },
    ...{ '©': '(c)', '®': '(R)', '™': 'TM', '℠': 'SM', '№': 'No.', ª: 'a', º: 'o' },
    ...{ '×': 'x', '÷': '/', '⁄': '/', '∕': '/', '±': '+/-', '≈': '~', '≤': '<=', '≥': '>=' },
    ...{ '→': '->', '←': '<-', '↔': '<->', '⇒': '=>', '✓': 'v', '✔': 'v', '✗': 'x', '✘': 'x' },
    ...{ ß: 'ss', ẞ: 'SS', æ: 'ae', Æ: 'AE', œ: 'oe', Œ: 'OE', þ: 'th', Þ: 'Th', '¸': ',' },
    ...{ '─': '-', '━': '-', '═': '=', '│': '|', '┃': '|', '║': '|', '¦': '|', '‗': '=' },
    ...{ '┌': '+', '┐': '+', '└': '+', '┘': '+', '├': '+', '┤': '+', '┬': '+', '┴': '+', '┼': '+' },
    ...{ '╔': '+', '╗': '+', '╚': '+', '╝': '+', '╠': '+', '╣': '+', '╦': '+', '╩': '+', '╬': '+' },
  }),
)

/** Letters whose stroke is no accent that could be taken off. */
const plainLetters: ReadonlyMap<string, string> = new Map(
  Object.entries({
    ...{ ø: 'o', Ø: 'O', ł: 'l', Ł: 'L', đ: 'd', Đ: 'D', ð: 'd', Ð: 'D', ħ: 'h', Ħ: 'H' },
    ...{ ı: 'i', ŋ: 'n', Ŋ: 'N', ŧ: 't', Ŧ: 'T', ƒ: 'f' },
  }),
)

const KEEPS_TOGETHER = /[\u00a0\u2007\u202f\u2060]/u
const OTHER_SPACE = /\p{Zs}/u
/** Controls but the line feed; marks that only tell how to draw what is beside them. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{M}]/u

export class Speller {
  readonly #page: ReadonlyMap<string, number>

  constructor(name: CodePageName) {
    this.#page = codePage(name)
  }

  /** Line feeds stay, other control characters go. */
  spell(text: string): Spelled {
    const losses = new Map<string, string>()
    let spelled = ''
    for (const letter of text.replace(/\r\n?/g, '\n').normalize('NFC')) {
      const printed = this.#letter(letter)
      spelled += printed.text
      if (printed.isLoss) losses.set(letter, printed.text)
    }
    return { text: spelled, losses }
  }

  /** Of a spelled text without line feeds. */
  bytesOf(text: string): number[] {
    return [...text].map(letter => this.#page.get(letter) ?? UNKNOWN.charCodeAt(0))
  }

  has(letter: string): boolean {
    return this.#page.has(letter)
  }

  #letter(letter: string): { readonly text: string; readonly isLoss: boolean } {
    const exact = this.#exact(letter)
    if (exact !== null) return { text: exact, isLoss: false }
    if (UNSEEN.test(letter)) return { text: '', isLoss: false }
    return { text: this.#bare(letter) ?? UNKNOWN, isLoss: true }
  }

  #exact(letter: string): string | null {
    if (letter === '\n') return letter
    if (KEEPS_TOGETHER.test(letter)) return letter === '\u2060' ? '' : NO_BREAK_SPACE
    if (OTHER_SPACE.test(letter)) return ' '
    // A soft hyphen has a place in some pages and is not to be seen.
    if (this.#page.has(letter) && !UNSEEN.test(letter)) return letter
    return replacements.get(letter) ?? null
  }

  /** Without accents, ligatures and the like: the last resort. */
  #bare(letter: string): string | null {
    const plain = plainLetters.get(letter)
    if (plain !== undefined) return plain
    let bare = ''
    for (const part of letter.normalize('NFKD').replace(/\p{M}/gu, '')) {
      const text = this.#page.has(part) ? part : (replacements.get(part) ?? plainLetters.get(part))
      if (text === undefined) return null
      bare += text
    }
    return bare === '' ? null : bare
  }
}
