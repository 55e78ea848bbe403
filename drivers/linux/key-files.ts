/** Private keys in files: only their owner may read them, and only with the passphrase. */
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { constants } from 'node:fs'
import { mkdir, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { BoxError, messageOf } from '../../runtime/core/errors.js'
import type { Passphrases } from '../../runtime/ports/signing-keys.js'
import { errnoOf } from './errno.js'
import { sealKey } from './pkcs8-scrypt.js'

const KEY_FILE_BYTES_MAX = 16_384

/** Makes an Ed25519 pair. @throws BoxError `key.denied` when there is such a file, or it cannot be written */
export async function createKeyFile(
  folder: string,
  name: string,
  passphrase: string | null,
): Promise<KeyObject> {
  const { privateKey } = generateKeyPairSync('ed25519')
  const text =
    passphrase === null
      ? privateKey.export({ format: 'pem', type: 'pkcs8' })
      : sealKey(privateKey, passphrase)
  const path = join(folder, name)
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const file = await open(path, 'wx', 0o600)
    try {
      await file.writeFile(text)
      await file.sync()
    } catch (error) {
      // Half a key is none.
      await rm(path, { force: true })
      throw error
    } finally {
      await file.close()
    }
    const above = await open(folder, 'r')
    await above.sync().finally(() => above.close())
  } catch (cause) {
    if (errnoOf(cause) === null) throw cause
    const why =
      errnoOf(cause) === 'EEXIST' ? 'is there already' : `cannot be written: ${messageOf(cause)}`
    throw new BoxError('key.denied', `${path} ${why}`, { cause })
  }
  return privateKey
}

/** @throws BoxError `key.absent`, `key.denied`, `key.invalid` */
export async function openKeyFile(
  folder: string,
  name: string,
  passphrases: Passphrases,
): Promise<KeyObject> {
  const path = join(folder, name)
  const text = await readPrivate(path)
  const isSealed = /^-----BEGIN (ENCRYPTED |.*\nProc-Type: 4,ENCRYPTED)/m.test(text)
  const what = `the key ${name.replace(/\.key$/, '')}`
  let passphrase = isSealed ? await passphrases.ask(what) : null
  for (;;) {
    const key = keyOf(text, passphrase)
    if (key !== null) return key
    if (passphrase === null) throw new BoxError('key.invalid', `${path} holds no private key`)
    passphrase = await passphrases.askAgain(what)
    if (passphrase === null)
      throw new BoxError('key.denied', `the passphrase is wrong: ${path} does not open with it`)
  }
}

/** Null where it does not open; what OpenSSL says of it helps nobody. */
function keyOf(text: string, passphrase: string | null): KeyObject | null {
  try {
    return createPrivateKey(passphrase === null ? text : { key: text, passphrase })
  } catch {
    // The caller knows whether the passphrase is to blame, or the file.
    return null
  }
}

async function readPrivate(path: string): Promise<string> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      const { mode, size } = await file.stat()
      if ((mode & 0o077) !== 0)
        throw new BoxError(
          'key.denied',
          `${path} may be read by others (mode ${(mode & 0o777).toString(8)}): chmod 600 it, and think who may have`,
        )
      if (size > KEY_FILE_BYTES_MAX)
        throw new BoxError('key.invalid', `${path} holds no private key`)
      return await file.readFile('utf8')
    } finally {
      await file.close()
    }
  } catch (cause) {
    if (errnoOf(cause) === null) throw cause
    const code = errnoOf(cause) === 'ENOENT' ? 'key.absent' : 'key.denied'
    throw new BoxError(code, `${path} cannot be read: ${messageOf(cause)}`, { cause })
  }
}
