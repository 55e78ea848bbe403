/** What package.json and the lock file say: exact versions, and nothing of the machine that wrote them. */
import type { TreeFile } from './tree.js'

const TABLES = ['dependencies', 'devDependencies', 'optionalDependencies'] as const
/** One version; of a package that goes by another name here, too. */
const EXACT = /^(npm:[\w@/.-]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/

const isTable = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null

function json(files: readonly TreeFile[], path: string): Record<string, unknown> {
  const file = files.find(candidate => candidate.path === path)
  const value: unknown = file === undefined ? {} : JSON.parse(file.text)
  return isTable(value) ? value : {}
}

export function looseVersions(files: readonly TreeFile[]): string[] {
  const manifest = json(files, 'package.json')
  return TABLES.flatMap(table => {
    const entries = manifest[table]
    return Object.entries(isTable(entries) ? entries : {})
      .filter(([, version]) => !EXACT.test(String(version)))
      .map(([name, version]) => `package.json: ${name} is "${version}": pin one exact version`)
  })
}

export function lockedHosts(files: readonly TreeFile[]): string[] {
  const packages = json(files, 'package-lock.json')['packages']
  return Object.entries(isTable(packages) ? packages : {})
    .filter(([, entry]) => isTable(entry) && 'resolved' in entry)
    .map(
      ([path]) =>
        `package-lock.json: ${path} says where it was fetched: npm install --omit-lockfile-registry-resolved`,
    )
}
