/** Digests and chance. Signing joins it when something is signed. */
export interface Keys {
  /** Not guessable. Simulated boxes draw them from their seed. */
  randomBytes(count: number): Uint8Array
  /** Lower-case hexadecimal, 64 characters. */
  sha256Hex(bytes: Uint8Array): string
}
