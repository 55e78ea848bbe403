import { type Folder, FolderFiles } from '../../runtime/core/folder-files.js'
import type { Files } from '../../runtime/ports/files.js'
import { SimulatedDisk } from './disk.js'

/** Files on a simulated disk: one that never loses power, or a boot of one that does. */
export class SimulatedFiles implements Files {
  readonly #files: FolderFiles

  constructor(
    folder: Folder = new SimulatedDisk().boot({ callsUntilPowerCut: Number.POSITIVE_INFINITY }),
  ) {
    this.#files = new FolderFiles(folder)
  }

  read(name: string): Promise<Uint8Array | null> {
    return this.#files.read(name)
  }

  replace(name: string, bytes: Uint8Array): Promise<void> {
    return this.#files.replace(name, bytes)
  }

  remove(name: string): Promise<void> {
    return this.#files.remove(name)
  }
}
