/**
 * A private key under a passphrase: PKCS#8 (RFC 5958) with PBES2 (RFC 8018, 6.2), its key from scrypt (RFC 7914, 7). What
 * node:crypto writes itself is PBKDF2 with 2048 rounds, which a graphics card goes through a million times a second; what
 * it reads is this, too, as does every openssl of today: `openssl pkey -in NAME.key`.
 */
import { createCipheriv, type KeyObject, randomBytes, scryptSync } from 'node:crypto'

/**
 * 16 MiB and some 0.3 s on a laptop. More memory is refused by readers: OpenSSL stops at 32 MiB for scrypt in PKCS#8.
 * Five rounds of it are one of OWASP's equals to 128 MiB once.
 */
const N = 16_384
const R = 8
const P = 5
const SALT_BYTES = 16
const KEY_BYTES = 32

const OID_PBES2 = '06092a864886f70d01050d'
const OID_SCRYPT = '06092b06010401da47040b'
const OID_AES_256_CBC = '060960864801650304012a'

/** @returns PEM */
export function sealKey(key: KeyObject, passphrase: string): string {
  const [salt, iv] = [randomBytes(SALT_BYTES), randomBytes(16)]
  const derived = scryptSync(Buffer.from(passphrase, 'utf8'), salt, KEY_BYTES, { N, r: R, p: P })
  const cipher = createCipheriv('aes-256-cbc', derived, iv)
  const plain = key.export({ format: 'der', type: 'pkcs8' })
  const sealed = Buffer.concat([cipher.update(plain), cipher.final()])
  const parameters = sequence(octets(salt), integer(N), integer(R), integer(P), integer(KEY_BYTES))
  const scrypt = sequence(Buffer.from(OID_SCRYPT, 'hex'), parameters)
  const aes = sequence(Buffer.from(OID_AES_256_CBC, 'hex'), octets(iv))
  const scheme = sequence(Buffer.from(OID_PBES2, 'hex'), sequence(scrypt, aes))
  const text = sequence(scheme, octets(sealed)).toString('base64').replaceAll(/.{64}/g, '$&\n')
  return `-----BEGIN ENCRYPTED PRIVATE KEY-----\n${text.trimEnd()}\n-----END ENCRYPTED PRIVATE KEY-----\n`
}

const sequence = (...parts: readonly Buffer[]): Buffer => tagged(0x30, Buffer.concat(parts))
const octets = (bytes: Buffer): Buffer => tagged(0x04, bytes)

function integer(value: number): Buffer {
  const digits = value.toString(16)
  const bytes = Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex')
  // The first bit is the sign.
  return tagged(0x02, (bytes[0] ?? 0) > 0x7f ? Buffer.concat([Buffer.of(0), bytes]) : bytes)
}

/** X.690, 8.1.3: no part of a key has more than 65535 bytes. */
function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), content])
  if (length < 0x100) return Buffer.concat([Buffer.of(tag, 0x81, length), content])
  return Buffer.concat([Buffer.of(tag, 0x82, length >> 8, length & 0xff), content])
}
