/** Digests of more than memory holds. */
export interface Digests {
  sha256(): RunningDigest
}

export interface RunningDigest {
  update(bytes: Uint8Array): void
  /** Lower-case hexadecimal, 64 characters. Once, at the end. */
  hex(): string
}
