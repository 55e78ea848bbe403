/**
 * Lines of the Network UPS Tools protocol, which the box speaks from both ends: words, and words in quotes with their
 * escapes (docs/net-protocol.txt and common/parseconf.c of NUT 2.8).
 */

/** More than any request or answer has; what a longer line holds beyond is dropped, as upsd does. */
const WORDS_MAX = 32

/** A word in quotes or a bare one, a backslash before whatever would end it. */
const WORD = /[ \t\r]*(?:"((?:[^"\\#]|\\.)*)"|((?:[^\s"#\\]|\\.)+))/sy
const NOTHING_MORE = /^\s*(?:#|$)/

/**
 * The words of a line. Characters that are not printable ASCII are dropped, and an unquoted `#` begins a comment.
 * @returns null for what is no line of the protocol: quotes that do not end
 */
export function nutWords(line: string): readonly string[] | null {
  const words: string[] = []
  const word = new RegExp(WORD)
  while (words.length < WORDS_MAX) {
    const from = word.lastIndex
    const found = word.exec(line)
    if (found === null) return NOTHING_MORE.test(line.slice(from)) ? words : null
    words.push(printable((found[1] ?? found[2] ?? '').replace(/\\(.)/gs, '$1')))
  }
  return words
}

/** A value as it stands in an answer. What cannot stand there is left out. */
export const nutQuoted = (value: string): string =>
  `"${printable(value).replace(/[#"\\]/g, '\\$&')}"`

const printable = (text: string): string => text.replace(/[^ -~]/g, '')
