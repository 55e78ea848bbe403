/** Small state that is replaced whole, and documents that people write. Names are relative to one folder. */
export interface Files {
  /** Null when there is no such file. Throws BoxError `storage.io`; at most 16 MiB. */
  read(name: string): Promise<Uint8Array | null>
  /** After this resolves the new bytes are there after any power cut; before it, the old ones, never a mixture. */
  replace(name: string, bytes: Uint8Array): Promise<void>
  remove(name: string): Promise<void>
}
