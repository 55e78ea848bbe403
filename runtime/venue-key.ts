/** What the boxes of a venue share, and nobody else has. */
import { readFile } from 'node:fs/promises'
import { ConfigError, messageOf } from './core/errors.js'

const KEY_BYTES_MIN = 32
const KEY_BYTES_MAX = 4_096

/** @throws ConfigError for a key that cannot be read, or is too short to be one */
export async function readVenueKey(file: string): Promise<Uint8Array> {
  const refuse = (message: string): ConfigError =>
    new ConfigError([{ path: file, message, place: null }])
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw refuse(`cannot be read: ${messageOf(cause)}`)
  })
  if (bytes.length < KEY_BYTES_MIN || bytes.length > KEY_BYTES_MAX)
    throw refuse(
      `must have between ${KEY_BYTES_MIN} and ${KEY_BYTES_MAX} bytes, has ${bytes.length}: openssl rand -base64 48 makes a good one`,
    )
  return Uint8Array.from(bytes)
}
