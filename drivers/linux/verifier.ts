import { constants, createHash, createPublicKey, type KeyObject, verify } from 'node:crypto'
import type { PublicKey, Verifier } from '../../runtime/ports/verifier.js'

/** Longer texts are no key of these kinds, and a long one costs time to refuse. */
const KEY_LETTERS_MAX = 8192
const SIGNATURE_LETTERS_MAX = 4096
const RSA_BITS_MIN = 2048
const DIGESTS = new Set(['sha256', 'sha384', 'sha512'])

/** What stands before the 32 bytes of an Ed25519 key in SPKI (RFC 8410, section 4). */
const ED25519_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')
/** What stands before the 65 bytes of an uncompressed point of P-256 in SPKI (RFC 5480, section 2). */
const P256_PREFIX = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d030107034200', 'hex')

type Scheme = Readonly<{
  keyTypes: readonly string[]
  open: (text: string) => KeyObject
  isFit: (key: KeyObject) => boolean
  verify: (key: KeyObject, bytes: Uint8Array, signature: Uint8Array) => boolean
}>

/** The three of TUF 1.0, section 4.2. */
const SCHEMES: ReadonlyMap<string, Scheme> = new Map([
  [
    'ed25519',
    {
      keyTypes: ['ed25519'],
      open: text => opened(text, ED25519_PREFIX, 32),
      isFit: key => key.asymmetricKeyType === 'ed25519',
      verify: (key, bytes, signature) => verify(null, bytes, key, signature),
    },
  ],
  [
    'ecdsa-sha2-nistp256',
    {
      keyTypes: ['ecdsa', 'ecdsa-sha2-nistp256'],
      open: text => opened(text, P256_PREFIX, 65),
      isFit: key =>
        key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1',
      verify: (key, bytes, signature) => verify('sha256', bytes, key, signature),
    },
  ],
  [
    'rsassa-pss-sha256',
    {
      keyTypes: ['rsa'],
      open: text => fromPem(text),
      isFit: key =>
        key.asymmetricKeyType === 'rsa' &&
        (key.asymmetricKeyDetails?.modulusLength ?? 0) >= RSA_BITS_MIN,
      verify: (key, bytes, signature) =>
        verify(
          'sha256',
          bytes,
          {
            key,
            padding: constants.RSA_PKCS1_PSS_PADDING,
            saltLength: constants.RSA_PSS_SALTLEN_AUTO,
          },
          signature,
        ),
    },
  ],
])

/** Digests and signatures by OpenSSL. */
export class LinuxVerifier implements Verifier {
  digestHex(algorithm: string, bytes: Uint8Array): string | null {
    return DIGESTS.has(algorithm) ? createHash(algorithm).update(bytes).digest('hex') : null
  }

  signer(key: PublicKey, bytes: Uint8Array, signature: string): string | null {
    const scheme = SCHEMES.get(key.scheme)
    if (!scheme?.keyTypes.includes(key.keyType)) return null
    if (key.text.length > KEY_LETTERS_MAX || !isHex(signature, SIGNATURE_LETTERS_MAX)) return null
    try {
      const opened = scheme.open(key.text)
      if (!scheme.isFit(opened)) return null
      if (!scheme.verify(opened, bytes, Buffer.from(signature, 'hex'))) return null
      return createHash('sha256')
        .update(opened.export({ type: 'spki', format: 'der' }))
        .digest('hex')
    } catch {
      // OpenSSL throws for what is no key or no signature at all: nobody has signed so.
      return null
    }
  }
}

/** PEM, or only the number in hexadecimal. */
function opened(text: string, prefix: Uint8Array, byteCount: number): KeyObject {
  if (text.startsWith('-----')) return fromPem(text)
  if (!isHex(text, byteCount * 2) || text.length !== byteCount * 2)
    throw new RangeError('a key is PEM or hexadecimal')
  const key = Buffer.concat([prefix, Buffer.from(text, 'hex')])
  return createPublicKey({ key, format: 'der', type: 'spki' })
}

/** OpenSSL would take a private key, too, and make the public one of it. */
function fromPem(text: string): KeyObject {
  if (!text.startsWith('-----BEGIN PUBLIC KEY-----')) throw new RangeError('no public key')
  return createPublicKey(text)
}

const isHex = (text: string, lettersMax: number): boolean =>
  text.length > 0 &&
  text.length <= lettersMax &&
  text.length % 2 === 0 &&
  /^[0-9a-fA-F]+$/.test(text)
