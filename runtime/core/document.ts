/**
 * Reads a YAML or JSON text into plain values and remembers where each stood, so that a problem can name line and column.
 * The only file that imports the YAML library. Aliases are limited, since a few lines of them can unfold to gigabytes.
 */
import { isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml'
import { ConfigError, type Problem } from './errors.js'
import type { Locate } from './schema.js'

export interface TextDocument {
  readonly value: unknown
  readonly locate: Locate
}

const TEXT_BYTES_MAX = 1024 * 1024
const ALIASES_MAX = 100

/** @throws ConfigError when the text is not well-formed, naming line and column; `root` names the document. */
export function readDocument(
  text: string,
  root: string,
  code: 'config.invalid' | 'show.invalid',
): TextDocument {
  if (text.length > TEXT_BYTES_MAX)
    throw new ConfigError(
      [{ path: root, message: `must have at most ${TEXT_BYTES_MAX} characters`, place: null }],
      code,
    )
  const lines = new LineCounter()
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: true,
    version: '1.2',
  })
  const placeAt = (offset: number): Problem['place'] => {
    const { line, col } = lines.linePos(offset)
    return { line, column: col }
  }
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
    return { value: document.toJS({ maxAliasCount: ALIASES_MAX }), locate }
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : 'cannot be read'
    throw new ConfigError([{ path: root, message, place: null }], code)
  }
}

/** Where the key of the last step stands, or the value in a list. */
function offsetOf(
  document: ReturnType<typeof parseDocument>,
  path: readonly PropertyKey[],
): number | null {
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
