/**
 * Small state that is replaced whole, and documents that people write. Names are relative to one folder; one that would
 * leave it is a ConfigError. Every call may throw BoxError `storage.io`, or `storage.limit` when too many wait.
 */
export interface Files {
  /** Null when there is no such file. Throws BoxError `storage.io`, `storage.limit` above 16 MiB. */
  read(name: string): Promise<Uint8Array | null>
  /**
   * After this resolves the new bytes are there after any power cut; before it, the old ones, never a mixture.
   * Throws BoxError `storage.full`, `storage.limit` above 16 MiB; the old bytes are then still there.
   */
  replace(name: string, bytes: Uint8Array): Promise<void>
  remove(name: string): Promise<void>
}
