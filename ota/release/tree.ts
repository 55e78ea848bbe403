/** Everything in a release, as bytes: how it is put in order and looked over before it is written. */
import { BoxError } from '../../runtime/core/errors.js'
import type { Architecture } from './description.js'
import { checkElf, isElf } from './elf.js'
import { formatManifest } from './manifest.js'

export interface TreeFile {
  readonly mode: '644' | '755'
  readonly bytes: Uint8Array
}

/** Files by their paths below the release, with slashes. */
export type Tree = Map<string, TreeFile>

export const textFile = (text: string): TreeFile => ({
  mode: '644',
  bytes: new TextEncoder().encode(text),
})

/** @throws BoxError `release.invalid` for a path that no box may write */
export function manifestOf(
  tree: ReadonlyMap<string, TreeFile>,
  sha256Hex: (bytes: Uint8Array) => string,
): Uint8Array {
  return formatManifest(
    [...tree].map(([path, { mode, bytes }]) => ({
      path,
      mode,
      byteCount: bytes.length,
      sha256: sha256Hex(bytes),
    })),
  )
}

/** @throws BoxError `release.invalid` naming the file that a box of this architecture cannot load */
export function checkMachineCode(
  tree: ReadonlyMap<string, TreeFile>,
  architecture: Architecture,
): void {
  for (const [path, { bytes }] of tree)
    if (path.endsWith('.node') || isElf(bytes)) checkElf(path, bytes, architecture)
}

/** @throws BoxError `release.invalid` when the path of the machine that made it stands in a file */
export function checkNoFolder(
  tree: ReadonlyMap<string, TreeFile>,
  folders: readonly string[],
): void {
  for (const [path, { bytes }] of tree) {
    const text = new TextDecoder('latin1').decode(bytes)
    const found = folders.find(folder => text.includes(`${folder}/`))
    if (found !== undefined)
      throw new BoxError(
        'release.invalid',
        `${path} holds the folder in which it was made, ${found}`,
      )
  }
}
