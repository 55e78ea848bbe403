/**
 * A folder that a web server, a bucket or a USB stick serves as it is. Names are relative to it, with slashes; one that would
 * leave it is a ConfigError. One process writes at a time; anybody may read meanwhile. Every call may throw BoxError
 * `storage.io`.
 */
export interface PublicFolder {
  /** Null when there is no such file. Throws BoxError `storage.limit` above `byteCountMax`. */
  read(name: string, byteCountMax: number): Promise<Uint8Array | null>
  /** The bytes of a file in order, 1..1048576 at a time. Throws BoxError `storage.io` when it is not there. */
  stream(name: string): AsyncIterable<Uint8Array>
  /**
   * After this resolves the new bytes are there after any power cut, for everybody to read; before it, the old ones, never
   * a mixture. Throws BoxError `storage.full`; the old bytes are then still there.
   */
  write(name: string, bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void>
  /** Null when there is no such file. Reads all of it, and keeps none. @param pieceByteCount 1 or more */
  measure(name: string, pieceByteCount: number): Promise<MeasuredFile | null>
  /** Names of all files below a folder, relative to the whole, sorted, without those that are just being written. */
  list(folder: string): Promise<readonly string[]>
  /** A file that is not there is no failure. */
  remove(name: string): Promise<void>
}

export interface MeasuredFile {
  readonly byteCount: number
  /** Lower-case hexadecimal. */
  readonly sha256: string
  /** The SHA-256 of each piece, 32 bytes each, in order; none for an empty file. */
  readonly pieces: Uint8Array
}
