/** A release as files in a folder, and bytes that lie somewhere and can be read at any place. */
export interface ByteSource {
  readonly byteCount: number
  /**
   * Fills `into` from `at` on. @returns how many bytes there were, fewer only at the end.
   * Throws BoxError `storage.io`.
   */
  read(at: number, into: Uint8Array): Promise<number>
}

export interface OpenFile extends ByteSource {
  close(): Promise<void>
}

/** Paths are relative, with slashes, and were checked as those of a manifest. */
export interface ReleaseTree {
  /** Null when there is no such regular file. Throws BoxError `storage.io`. */
  open(path: string): Promise<OpenFile | null>
}

export interface NewFile {
  /** Behind what was written before. Throws BoxError `storage.full`, `storage.io`. */
  write(bytes: Uint8Array): Promise<void>
  close(): Promise<void>
}

/** A folder that becomes a release: cleared, filled, settled, and finished with its manifest. */
export interface ReleaseTreeWriter extends ReleaseTree {
  /** Empties the folder, or makes it. The manifest goes first: no power cut leaves it with other files gone. */
  clear(): Promise<void>
  /** Makes the folders above it as well. Throws BoxError `storage.io` for a file that is there. */
  create(path: string, mode: '644' | '755'): Promise<NewFile>
  /** After this resolves, everything written so far is there after any power cut. */
  settle(): Promise<void>
  /** Puts the manifest into its place, whole; there after any power cut once this resolves. */
  finish(manifest: Uint8Array): Promise<void>
}
