/** Room on the disk for objects that are fetched in pieces. An object is named by the SHA-256 that it is to have. */
export interface PieceStore {
  /** What is there, complete or not, after whatever happened before. */
  list(): Promise<readonly StoredObject[]>
  /** Bytes that may still be written. */
  freeByteCount(): Promise<number>
  /** Makes the file where there is none. @throws BoxError `storage.io`, `storage.full` */
  open(sha256: string): Promise<PieceFile>
  /** An object that is not there is no failure. Nobody may have it open. */
  remove(sha256: string): Promise<void>
}

export interface StoredObject {
  readonly sha256: string
  /** Of the file by now: from its first byte to the last that was written. */
  readonly byteCount: number
  /** Of the disk: less than the file is long while pieces in the middle are missing, or a little more. */
  readonly heldByteCount: number
}

/** Each call throws BoxError `storage.io`, writing also `storage.full`. */
export interface PieceFile {
  /** Fewer bytes than asked for only at the end; what was never written reads as zeros. */
  read(at: number, byteCount: number): Promise<Uint8Array>
  write(at: number, bytes: Uint8Array): Promise<void>
  /** After this resolves, what was written is there after any power cut. Before it: old, new, or rubbish. */
  sync(): Promise<void>
  /** SHA-256 of the first `byteCount` bytes, 64 lower-case hexadecimal digits. */
  sha256Hex(byteCount: number): Promise<string>
  close(): Promise<void>
}
