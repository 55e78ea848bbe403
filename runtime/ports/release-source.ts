/**
 * A repository of releases, wherever it lies: a web server, a folder, a stick. Nothing that it says is believed; whoever
 * asks checks what came.
 */
export interface ReleaseSource {
  /**
   * @param path relative to the repository, as it stands in an address: each step percent-encoded (RFC 3986)
   * @returns null when the source has no such file
   * @throws BoxError `link.down`, `link.timeout`, `trust.limit` when there are more than `byteCountMax` bytes
   */
  fetch(path: string, byteCountMax: number): Promise<Uint8Array | null>
}
