/** What the boxes of a venue share, and nobody else has. */
import { type FileHandle, open } from 'node:fs/promises'
import { ConfigError, messageOf } from './core/errors.js'

const KEY_BYTES_MIN = 32
const KEY_BYTES_MAX = 4_096
/** Of a mode: whatever anybody but the owner may do. */
const OTHERS = 0o077

/**
 * Whoever has the key can switch the lights of the venue, so a key that others may read is refused, as ssh does.
 * @throws ConfigError for a key that cannot be read, that others may read or write, or that is too short to be one
 */
export async function readVenueKey(file: string): Promise<Uint8Array> {
  const refuse = (message: string): ConfigError =>
    new ConfigError([{ path: file, message, place: null }])
  const unreadable = (cause: unknown): ConfigError => refuse(`cannot be read: ${messageOf(cause)}`)
  const handle = await open(file, 'r').catch((cause: unknown) => {
    throw unreadable(cause)
  })
  try {
    // Of the open file: what is looked at is what is read.
    const { mode, bytes } = await contentOf(handle).catch((cause: unknown) => {
      throw unreadable(cause)
    })
    if ((mode & OTHERS) !== 0)
      throw refuse(
        `is open to more than its owner: its mode is ${modeText(mode)}; chmod 600 ${file}, and make a new key if others could log in here`,
      )
    if (bytes.length < KEY_BYTES_MIN || bytes.length > KEY_BYTES_MAX)
      throw refuse(
        `must have between ${KEY_BYTES_MIN} and ${KEY_BYTES_MAX} bytes, has ${bytes.length}: openssl rand -base64 48 makes a good one`,
      )
    return bytes
  } finally {
    await handle.close()
  }
}

async function contentOf(handle: FileHandle): Promise<{ mode: number; bytes: Uint8Array }> {
  const { mode } = await handle.stat()
  return { mode, bytes: Uint8Array.from(await handle.readFile()) }
}

const modeText = (mode: number): string => (mode & 0o777).toString(8).padStart(4, '0')
