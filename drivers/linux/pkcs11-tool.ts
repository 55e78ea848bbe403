/**
 * Keys on a token that speaks PKCS#11, through `pkcs11-tool` of OpenSC: the library of a token is native code of its maker,
 * and runs in a child. P-256 only, which every token has: it signs a digest, so nothing large goes through the token.
 */
import { execFile } from 'node:child_process'
import { createHash, createPublicKey } from 'node:crypto'
import { BoxError, messageOf } from '../../runtime/core/errors.js'
import type { KeyPlace, PublicKey } from '../../runtime/ports/signing-keys.js'
import { errnoOf } from './errno.js'

const PROGRAM = 'pkcs11-tool'
/** A token may wait for a finger. */
const MS_MAX = 60_000
const OUTPUT_BYTES_MAX = 65_536
/** The child's environment is for the same user's eyes only, its arguments for everybody's. */
const PIN_VARIABLE = 'ROADCASE_TOKEN_PIN'
const PEM_HEADER = '-----BEGIN'

export interface TokenAt {
  readonly place: Extract<KeyPlace, { in: 'token' }>
  /** Of the child: libraries of tokens find their settings by it. */
  readonly environment: NodeJS.ProcessEnv
}

/** @throws BoxError `key.absent`, `key.invalid` */
export async function tokenPublicKey(at: TokenAt): Promise<PublicKey> {
  const { said, error } = await run(at, ['--read-object', '--type', 'pubkey'], null, null)
  if (error !== null || said.length === 0)
    throw new BoxError(
      'key.absent',
      `the token "${at.place.token}" has no key ${at.place.id}: ${error ?? 'it says nothing'}`,
    )
  try {
    const isText = said.toString('latin1', 0, PEM_HEADER.length) === PEM_HEADER
    const key = createPublicKey(isText ? said : { key: said, format: 'der', type: 'spki' })
    if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') {
      const pem = key.export({ format: 'pem', type: 'spki' })
      return { keytype: 'ecdsa', scheme: 'ecdsa-sha2-nistp256', public: pem.toString() }
    }
  } catch (cause) {
    throw new BoxError(
      'key.invalid',
      `the token gives a key that cannot be read: ${messageOf(cause)}`,
    )
  }
  throw new BoxError('key.invalid', 'the key on the token is not one of the curve P-256')
}

/** @returns DER @throws BoxError `key.denied` */
export async function tokenSign(at: TokenAt, pin: string, bytes: Uint8Array): Promise<Uint8Array> {
  const words = [
    ...['--login', '--pin', `env:${PIN_VARIABLE}`, '--sign', '--mechanism', 'ECDSA'],
    ...['--signature-format', 'openssl'],
  ]
  const digest = createHash('sha256').update(bytes).digest()
  const { said, error } = await run(at, words, pin, digest)
  if (error !== null)
    throw new BoxError('key.denied', `the token "${at.place.token}" did not sign: ${error}`)
  return Uint8Array.from(said)
}

interface Said {
  readonly said: Buffer
  /** What it complained of; null when all went well. */
  readonly error: string | null
}

function run(
  { place: { module, token, id }, environment }: TokenAt,
  words: readonly string[],
  pin: string | null,
  input: Uint8Array | null,
): Promise<Said> {
  const whole = [`--module=${module}`, `--token-label=${token}`, `--id=${id}`, ...words]
  const env = pin === null ? environment : { ...environment, [PIN_VARIABLE]: pin }
  const options = { timeout: MS_MAX, maxBuffer: OUTPUT_BYTES_MAX, encoding: 'buffer', env } as const
  return new Promise((resolve, reject) => {
    const child = execFile(PROGRAM, whole, options, (failure, said, complaint) => {
      if (failure === null) resolve({ said, error: null })
      else if (errnoOf(failure) === 'ENOENT')
        reject(new BoxError('key.absent', `${PROGRAM} is not installed: apt install opensc`))
      else resolve({ said, error: lastLine(complaint) })
    })
    // A child that ends before it has read everything says why itself.
    child.stdin?.on('error', () => {})
    child.stdin?.end(input ?? '')
  })
}

const lastLine = (complaint: Buffer): string =>
  complaint
    .toString('utf8')
    .replaceAll(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(-300) || 'it was ended'
