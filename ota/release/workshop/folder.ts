/** Folders of the machine on which a release is made. */
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { compareUtf8 } from '../manifest.js'
import type { Tree } from '../tree.js'

/**
 * Regular files below a folder, in the order of their bytes; no links are followed.
 * @param isEntered whether to look into a folder, by its path below the first one
 */
export async function filesOf(
  folder: string,
  isEntered: (path: string) => boolean,
): Promise<string[]> {
  const found: string[] = []
  const waiting = ['']
  for (let below = waiting.pop(); below !== undefined; below = waiting.pop()) {
    const entries = await readdir(join(folder, below), { withFileTypes: true })
    const path = (name: string): string => (below === '' ? name : `${below}/${name}`)
    found.push(...entries.filter(entry => entry.isFile()).map(({ name }) => path(name)))
    const folders = entries.filter(entry => entry.isDirectory()).map(({ name }) => path(name))
    waiting.push(...folders.filter(isEntered))
  }
  return found.sort(compareUtf8)
}

/** The same modes whatever the umask says. */
export async function writeTree(folder: string, tree: Tree): Promise<void> {
  for (const [path, { mode, bytes }] of tree) {
    const file = join(folder, path)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, bytes)
    await chmod(file, mode === '755' ? 0o755 : 0o644)
  }
}

export async function readJson(file: string): Promise<unknown> {
  const value: unknown = JSON.parse(await readFile(file, 'utf8'))
  return value
}

/** Null: there is no such file. */
export const readIfThere = (file: string): Promise<Uint8Array | null> =>
  readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null
    throw error
  })
