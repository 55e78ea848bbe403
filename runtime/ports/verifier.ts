/** A public key as signed metadata writes it (TUF 1.0, section 4.2). */
export interface PublicKey {
  readonly keyType: string
  readonly scheme: string
  /** Hexadecimal or PEM, by the kind of key. */
  readonly text: string
}

/** Digests and signatures that signed documents name by words of their own. Nothing it is given makes it throw. */
export interface Verifier {
  /** Lower-case hexadecimal; null for an algorithm that it does not know. */
  digestHex(algorithm: string, bytes: Uint8Array): string | null
  /**
   * Which key signed: a name that is the same however the key is written down. Null when the signature is not of this key
   * over these bytes, or the kind of key is not one of TUF 1.0 (ed25519, ecdsa-sha2-nistp256, rsassa-pss-sha256).
   * @param signature hexadecimal
   */
  signer(key: PublicKey, bytes: Uint8Array, signature: string): string | null
}
