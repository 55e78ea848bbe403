/** What a client wrote, as text and as JSON; what is wrong with it is said in words for whoever wrote it. */
import { ConfigError } from '../../core/errors.js'

/** Without blanks around it, and never empty. @throws ConfigError */
export function payloadText(payload: Uint8Array, bytesMax: number): string {
  if (payload.length > bytesMax)
    throw wrong(`must have at most ${bytesMax} bytes, has ${payload.length}`)
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(payload).trim()
  } catch {
    // The decoder's own words say nothing about the sender's mistake.
    throw wrong('must be UTF-8 text')
  }
  if (text === '') throw wrong('must not be empty')
  return text
}

/** @param example of what would be right; null where there is no telling. @throws ConfigError */
export function payloadJson(text: string, example: string | null = null): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const wanted = example === null ? 'JSON' : `JSON such as ${example}`
    throw wrong(
      `must be ${wanted}: ${error instanceof Error ? error.message : ''}; is ${quote(text)}`,
    )
  }
}

export const wrong = (message: string, path = 'payload'): ConfigError =>
  new ConfigError([{ path, message, place: null }])

export const quote = (text: string): string =>
  JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text)
