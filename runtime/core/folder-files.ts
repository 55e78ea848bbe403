/**
 * How a file is replaced so that a power cut leaves the old one or the new one: write beside it, sync the file, rename,
 * sync the folder. The steps are here and the calls are the driver's, so that the simulated disk, which loses power at
 * any of them, proves the very code that runs on the box.
 */
import type { Files } from '../ports/files.js'
import { BoxError, ConfigError } from './errors.js'

/** The calls of a disk that it takes. Names are relative and checked. Each throws BoxError `storage.io`, `storage.full`. */
export interface Folder {
  /** Null when there is no such file; refuses more than `byteCountMax`. */
  read(name: string, byteCountMax: number): Promise<Uint8Array | null>
  /** Makes or empties the file, writes, and syncs its bytes. That it exists is not yet safe. */
  writeSynced(name: string, bytes: Uint8Array): Promise<void>
  rename(from: string, to: string): Promise<void>
  /** A file that is not there is no failure. */
  remove(name: string): Promise<void>
  /** Makes safe what was made, renamed or removed in the folder that holds `name`. */
  syncFolder(name: string): Promise<void>
}

export const fileBytesMax = 16 * 1024 * 1024
const WAITING_MAX = 64
const NAME_CHARACTERS_MAX = 200
export const UNFINISHED = '.new'

export class FolderFiles implements Files {
  readonly #folder: Folder
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0

  constructor(folder: Folder) {
    this.#folder = folder
  }

  async read(name: string): Promise<Uint8Array | null> {
    checkName(name)
    return this.#inTurn(() => this.#folder.read(name, fileBytesMax))
  }

  async replace(name: string, bytes: Uint8Array): Promise<void> {
    checkName(name)
    if (bytes.length > fileBytesMax)
      throw new BoxError('storage.limit', `${name} has more than ${fileBytesMax} bytes`)
    const copy = Uint8Array.from(bytes)
    return this.#inTurn(() => this.#replaceNow(name, copy))
  }

  async remove(name: string): Promise<void> {
    checkName(name)
    return this.#inTurn(async () => {
      await this.#folder.remove(name)
      await this.#folder.syncFolder(name)
    })
  }

  async #replaceNow(name: string, bytes: Uint8Array): Promise<void> {
    const unfinished = `${name}${UNFINISHED}`
    try {
      await this.#folder.writeSynced(unfinished, bytes)
      await this.#folder.rename(unfinished, name)
    } catch (error) {
      // Half a file on a full disk only takes up room. Should this fail too, the first failure is the one to report.
      await this.#folder.remove(unfinished).catch(() => {})
      throw error
    }
    await this.#folder.syncFolder(name)
  }

  /** One at a time: two replacements of one file would share its unfinished copy. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#waiting >= WAITING_MAX)
      throw new BoxError('storage.limit', `${WAITING_MAX} files wait for the disk already`)
    this.#waiting++
    const turn = this.#last.then(work).finally(() => this.#waiting--)
    this.#last = turn.catch(() => {})
    return turn
  }
}

/** @throws ConfigError for a name that would leave the folder, hide in it, or collide with an unfinished copy */
export function checkName(name: string): void {
  const problem = problemWith(name)
  if (problem !== null)
    throw new ConfigError([{ path: `file "${name.slice(0, 60)}"`, message: problem, place: null }])
}

/** Why a file cannot be called so; null when it can. */
export function problemWith(name: string): string | null {
  if (name.length === 0 || name.length > NAME_CHARACTERS_MAX)
    return `must have 1 to ${NAME_CHARACTERS_MAX} characters`
  // A backslash is a letter here and a separator elsewhere; control characters fool whoever reads a listing.
  if (/[\\\p{Cc}\p{Surrogate}]/u.test(name))
    return 'must not hold backslashes or control characters'
  if (name.split('/').some(step => step === '' || step === '.' || step === '..'))
    return 'must stay in its folder: no leading slash, no "." or ".." step'
  return name.endsWith(UNFINISHED) ? `must not end in "${UNFINISHED}"` : null
}
