/** Digests and chance. Signing with key pairs joins it when something is signed so. */
export interface Keys {
  /** Not guessable. Simulated boxes draw them from their seed. */
  randomBytes(count: number): Uint8Array
  /** Lower-case hexadecimal, 64 characters. */
  sha256Hex(bytes: Uint8Array): string
  /** HMAC-SHA256 of RFC 2104: 32 bytes that only who has the key can make. */
  hmacSha256(key: Uint8Array, bytes: Uint8Array): Uint8Array
}
