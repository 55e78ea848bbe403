/** Brotli streams of RFC 7932. */
export interface Brotli {
  /** @param windowBits 10..24; @param quality 0..11, from a hundred MB a second to less than one */
  compress(
    bytes: Uint8Array,
    options: { readonly windowBits: number; readonly quality: number },
  ): Promise<Uint8Array>
  /** Asks for input only when nothing more can be made of what it had; null ends it. */
  decompress(nextInput: () => Promise<Uint8Array | null>): BrotliReader
}

export interface BrotliReader {
  /**
   * The next bytes, at most 64 KiB; null at the end of the stream.
   * Throws BoxError `release.invalid` for what is no stream, or ends too early, or goes on behind its end.
   */
  read(): Promise<Uint8Array | null>
  /** Gives its memory back. No `read` may follow. */
  close(): void
}
