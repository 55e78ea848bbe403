/**
 * The part of the disk on which releases live: two folders, their state records, the launcher. Names are relative to one
 * folder, with slashes. Every call may throw BoxError `storage.io`, or `storage.full` when it writes.
 */
export interface SlotDisk {
  /** Null when there is no such file. Throws `storage.limit` when it has more than `byteCountMax`. */
  read(name: string, byteCountMax: number): Promise<Uint8Array | null>
  /**
   * Makes or overwrites the file in place. After this resolves the bytes are there after any power cut; a cut before it
   * may leave any part of them, so whoever calls it keeps a second copy elsewhere.
   */
  writeSynced(name: string, bytes: Uint8Array): Promise<void>
  /**
   * Makes `to`, or overwrites it, from another file. Safe when it resolves; a cut before it may leave any part of it.
   * @returns lower-case hexadecimal SHA-256 of what was read
   */
  copy(from: string, to: string, wishes: CopyWishes): Promise<string>
  /**
   * What is called `to` afterwards is, after any power cut, the old file or this one. Safe when it resolves. Makes the
   * folder of `to` where there is none.
   */
  rename(from: string, to: string): Promise<void>
  /** A file that is not there is no failure. Safe when it resolves. */
  remove(name: string): Promise<void>
  /** Everything below a folder but folders, by path; none when it is not there. */
  list(folder: string): Promise<readonly FoundFile[]>
  /**
   * Lower-case hexadecimal SHA-256 of a file.
   * @param from `disk` lets go of what memory holds of it first, so that what was really written is read
   */
  sha256(name: string, from: 'memory' | 'disk'): Promise<string>
  /** A folder with all that is in it; none there is no failure. Safe when it resolves. */
  removeTree(folder: string): Promise<void>
  /** Makes safe all that was written below the folder, names and bytes, by whomever. */
  syncTree(folder: string): Promise<void>
  /** For programs, and for whoever writes by other means. */
  pathOf(name: string): string
}

export interface CopyWishes {
  readonly isExecutable: boolean
  /** After each megabyte, for whoever wants to leave the disk to others for a while. Throws to give up. */
  readonly pause: () => Promise<void>
}

/** As lstat(2) tells it. */
export interface FoundFile {
  /** Below the folder that was listed. */
  readonly path: string
  readonly isRegular: boolean
  readonly isExecutable: boolean
  readonly byteCount: number
  readonly inode: number
  /** Nanoseconds, as a decimal number: more digits than a double holds. */
  readonly modified: string
}
