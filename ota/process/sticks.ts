/** Where on a stick the repository lies: at its top, or one folder below, where a file manager puts what it copies. */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { hasCode } from '../../drivers/linux/errno.js'
import { FolderCalls, type FolderGuard } from '../../drivers/linux/folder-calls.js'
import { FolderSource } from '../../drivers/linux/folder-source.js'
import { FolderPieceSource } from '../../drivers/linux/piece-folder.js'
import { BoxError, messageOf } from '../../runtime/core/errors.js'
import type { PieceSource } from '../../runtime/ports/piece-source.js'
import type { NamedSource } from '../updater/tour-orders.js'

/** Of a stick with somebody's photos: it is not searched for ever. */
const FOLDERS_MAX = 64
const FOLDERS_TOLD_MAX = 5
/** A stick with last week's repository beside this week's. */
const REPOSITORIES_MAX = 4
const TIMESTAMP = 'metadata/timestamp.json'
/** Of a repository that was not copied to its end, one of these is there. */
const PARTS = ['metadata', 'targets']

interface Seen {
  /** The newest copy first. */
  readonly repositories: readonly string[]
  /** Why there is none, for people; null where no stick is. */
  readonly problem: string | null
}

export class Sticks {
  readonly #folders: readonly string[]
  /** By the folder in which a stick turns up: where its repositories lay when it was looked at last. */
  readonly #found = new Map<string, readonly string[]>()
  /** Kept, so that a stick that does harm is known again. */
  readonly #pieces = new Map<string, PieceSource>()

  readonly #calls: FolderCalls

  /** @param folders in which a stick may turn up */
  constructor(folders: readonly string[], calls: FolderCalls = new FolderCalls()) {
    this.#folders = folders
    this.#calls = calls
  }

  /** To be asked for metadata. A stick without a repository is among them, and says so. */
  async look(): Promise<readonly NamedSource[]> {
    const seen = await Promise.all(this.#folders.map(folder => this.#lookAt(folder)))
    return seen.flat()
  }

  /** To be asked for pieces: where the last look has found them. One that is not there says so when it is asked. */
  pieces(): readonly PieceSource[] {
    return this.#folders.flatMap(folder =>
      (this.#found.get(folder) ?? [folder]).map(repository => this.#piecesIn(repository, folder)),
    )
  }

  async #lookAt(folder: string): Promise<readonly NamedSource[]> {
    const guard = this.#calls.of(folder)
    const { repositories, problem } = await see(folder, guard)
    if (repositories.length > 0) this.#found.set(folder, repositories)
    if (problem !== null)
      return [{ name: folder, source: withoutRepository(problem), isCarried: true }]
    return repositories.map(name => ({
      ...{ name, source: new FolderSource(name, guard), isCarried: true },
    }))
  }

  #piecesIn(repository: string, folder: string): PieceSource {
    const guard = this.#calls.of(folder)
    const known = this.#pieces.get(repository) ?? new FolderPieceSource(repository, guard)
    if (this.#pieces.size >= FOLDERS_MAX) this.#pieces.clear()
    this.#pieces.set(repository, known)
    return known
  }
}

const withoutRepository = (problem: string): NamedSource['source'] => ({
  fetch: () => Promise.reject(new BoxError('link.down', problem)),
})

async function see(folder: string, guard: FolderGuard): Promise<Seen> {
  try {
    return await search(folder, guard)
  } catch (error) {
    const isAbsent = hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')
    if (isAbsent) return { repositories: [], problem: null }
    // That it is silent is said in words already.
    const problem =
      error instanceof BoxError ? error.message : `cannot be read: ${messageOf(error)}`
    return { repositories: [], problem }
  }
}

async function search(folder: string, guard: FolderGuard): Promise<Seen> {
  if ((await writtenMs(folder, guard)) !== null) return { repositories: [folder], problem: null }
  const entries = await guard.call(() => readdir(folder, { withFileTypes: true }))
  const names = entries
    .filter(entry => entry.isDirectory() && !isOfSystem(entry.name))
    .map(({ name }) => name)
    .sort()
  const copies: { path: string; ms: number }[] = []
  for (const name of names.slice(0, FOLDERS_MAX)) {
    const path = join(folder, name)
    const ms = await writtenMs(path, guard)
    if (ms !== null) copies.push({ path, ms })
  }
  copies.sort((one, other) => other.ms - one.ms)
  const repositories = copies.slice(0, REPOSITORIES_MAX).map(({ path }) => path)
  if (repositories.length > 0 || names.length === 0) return { repositories, problem: null }
  return { repositories, problem: problemOf(names, await tornIn(folder, names, guard)) }
}

/** The folder of a repository that was not copied to its end; null where there is none. */
async function tornIn(
  folder: string,
  names: readonly string[],
  guard: FolderGuard,
): Promise<string | null> {
  for (const name of names.slice(0, FOLDERS_MAX))
    for (const part of PARTS)
      if ((await writtenMs(join(folder, name), guard, part)) !== null) return name
  return null
}

/** @param torn the folder of one that was not copied to its end */
function problemOf(names: readonly string[], torn: string | null): string {
  const isOnTop = PARTS.some(part => names.includes(part))
  if (isOnTop || torn !== null) {
    const where = isOnTop ? 'on it' : `in ${torn}`
    return `the repository ${where} was not copied to its end: ${TIMESTAMP} is missing`
  }
  const more = names.length > FOLDERS_TOLD_MAX ? ', …' : ''
  const told = names.slice(0, FOLDERS_TOLD_MAX).join(', ')
  return `there is no ${TIMESTAMP} at its top, nor in a folder there (${told}${more})`
}

/** When the newest word of a repository, or another part of it, was written here; null: there is none. */
async function writtenMs(
  folder: string,
  { call }: FolderGuard,
  part = TIMESTAMP,
): Promise<number | null> {
  try {
    return (await call(() => stat(join(folder, part)))).mtimeMs
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) return null
    throw error
  }
}

const isOfSystem = (name: string): boolean =>
  name.startsWith('.') || name === 'lost+found' || name === 'System Volume Information'
