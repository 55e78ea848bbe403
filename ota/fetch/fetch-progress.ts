import type { SourceKind } from '../../runtime/ports/piece-source.js'

/** How far a fetch is, for the command, the page and MQTT. Bytes of this call, but for the first two. */
export interface FetchProgress {
  readonly byteCount: number
  /** On the disk and proven, whenever it came. */
  readonly haveByteCount: number
  /** What came over the wire from each kind of source, useless bytes included. */
  readonly uplinkByteCount: number
  readonly peerByteCount: number
  readonly folderByteCount: number
  /** Of these, what was no use: pieces cut off, wrong, or there already. */
  readonly wastedByteCount: number
}

export interface FetchCall {
  readonly progress: (progress: FetchProgress) => void
  /** Asked a few times a second. */
  readonly isCancelled: () => boolean
  /** In place of the fetcher's own answer. */
  readonly mayUseUplink?: () => boolean
}

export class ByteShares {
  readonly #came: Record<SourceKind, number> = { uplink: 0, peer: 0, folder: 0 }
  #used = 0

  came(kind: SourceKind, byteCount: number): void {
    this.#came[kind] += byteCount
  }

  used(byteCount: number): void {
    this.#used += byteCount
  }

  read(): Omit<FetchProgress, 'byteCount' | 'haveByteCount'> {
    const { uplink, peer, folder } = this.#came
    return {
      uplinkByteCount: uplink,
      peerByteCount: peer,
      folderByteCount: folder,
      // While pieces are under way this counts their beginnings, too.
      wastedByteCount: uplink + peer + folder - this.#used,
    }
  }
}
