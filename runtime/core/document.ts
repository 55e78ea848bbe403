/**
 * Reads a YAML or JSON text into plain values and remembers where each stood, so that a problem can name line and column.
 * The only file that imports the YAML library. Aliases are limited, since a few lines of them can unfold to gigabytes.
 */
import {
  Composer,
  type CST,
  type Document,
  isMap,
  isNode,
  isScalar,
  Lexer,
  LineCounter,
  Parser,
} from 'yaml'
import { assert, ConfigError, type Problem } from './errors.js'
import type { Locate } from './schema.js'

export interface TextDocument {
  readonly value: unknown
  readonly locate: Locate
}

const TEXT_BYTES_MAX = 1024 * 1024
const ALIASES_MAX = 100
/** Nobody nests a config or a show deeper than ten. */
const DEPTH_MAX = 64
/** A show of 5000 cues has 160000; reading them takes a second or two, in which nothing else happens. */
const WORDS_MAX = 200_000

/** @throws ConfigError when the text is not well-formed, naming line and column; `root` names the document. */
export function readDocument(
  text: string,
  root: string,
  code: 'config.invalid' | 'show.invalid',
): TextDocument {
  const refusal = (message: string, place: Problem['place']): ConfigError =>
    new ConfigError([{ path: root, message, place }], code)
  if (text.length > TEXT_BYTES_MAX)
    throw refusal(`must have at most ${TEXT_BYTES_MAX} characters`, null)
  const lines = new LineCounter()
  const placeAt = (offset: number): Problem['place'] => {
    const { line, col } = lines.linePos(offset)
    return { line, column: col }
  }
  const document = parse(text, lines, (message, offset) => refusal(message, placeAt(offset)))
  if (document.errors.length > 0)
    throw new ConfigError(
      document.errors.map(error => ({
        path: root,
        message: error.message,
        place: placeAt(error.pos[0]),
      })),
      code,
    )
  const locate: Locate = path => {
    for (let length = path.length; length >= 0; length--) {
      const offset = offsetOf(document, path.slice(0, length))
      if (offset !== null) return placeAt(offset)
    }
    return null
  }
  try {
    const value: unknown = document.toJS({ maxAliasCount: ALIASES_MAX })
    if (!isPlain(value)) throw refusal('must hold texts, numbers, lists and objects only', null)
    return { value, locate }
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause
    throw refusal(cause instanceof Error ? cause.message : 'cannot be read', null)
  }
}

/**
 * As `parseDocument` of the library does, but counts on the way. The library composes what it has read by recursion, and
 * near the end of the stack the engine's regular expressions do not throw but abort the whole process: 1000 opening
 * brackets are enough. The parser itself keeps a stack of its own, and hands out nothing before a document is complete.
 */
function parse(
  text: string,
  lines: LineCounter,
  refusal: (message: string, offset: number) => ConfigError,
): Document.Parsed {
  const parser = new Parser(lines.addNewLine)
  function* tokens(): Generator<CST.Token> {
    let wordCount = 0
    lines.addNewLine(0)
    for (const word of new Lexer().lex(text)) {
      yield* parser.next(word)
      if (parser.stack.length > DEPTH_MAX)
        throw refusal(`must not nest deeper than ${DEPTH_MAX} levels`, parser.offset)
      if (++wordCount > WORDS_MAX)
        throw refusal(`must have at most ${WORDS_MAX} words and signs`, parser.offset)
    }
    yield* parser.end()
  }
  const composer = new Composer({ uniqueKeys: true, version: '1.2', logLevel: 'error' })
  const [document, second] = composer.compose(tokens(), true, text.length)
  assert(document !== undefined, 'a text is a document')
  if (second !== undefined) throw refusal('must be one document', second.range[0])
  return document
}

/** No dates, sets or bytes, as older versions of YAML make them; and no list that holds itself. */
function isPlain(value: unknown, above: ReadonlySet<unknown> = new Set()): boolean {
  if (typeof value !== 'object' || value === null) return typeof value !== 'bigint'
  if (above.has(value)) return false
  const isKnown = Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype
  const path = new Set([...above, value])
  return isKnown && Object.values(value).every(inner => isPlain(inner, path))
}

/** Where the key of the last step stands, or the value in a list. */
function offsetOf(document: Document.Parsed, path: readonly PropertyKey[]): number | null {
  const parent = path.length === 0 ? document.contents : document.getIn(path.slice(0, -1), true)
  const last = path.at(-1)
  if (last !== undefined && isMap(parent)) {
    const pair = parent.items.find(
      item => isScalar(item.key) && String(item.key.value) === String(last),
    )
    if (pair && isNode(pair.key) && pair.key.range) return pair.key.range[0]
    return null
  }
  const node = document.getIn(path, true)
  return isNode(node) && node.range ? node.range[0] : null
}
