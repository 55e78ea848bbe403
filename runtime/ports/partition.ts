/** A partition that nothing is mounted from, as bytes. Every call may throw BoxError `storage.io`. */
export interface Partition {
  byteCount(): Promise<number>
  /** Not safe before `sync`. Throws `storage.limit` for what lies beyond its end. */
  write(offset: number, bytes: Uint8Array): Promise<void>
  /** All that was written is there after any power cut. */
  sync(): Promise<void>
  /**
   * Lower-case hexadecimal SHA-256 of the first bytes, as the medium has them and not as memory does; all of them must
   * have been synced.
   * @param head counts in place of the bytes that are at the beginning
   */
  sha256(options: { byteCount: number; head: Uint8Array }): Promise<string>
}
