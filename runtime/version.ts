/** What this copy of roadcase is, as its package.json says; found from here, compiled or not. */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { check, object, string } from './core/schema.js'

/** The folder that holds package.json. */
export const packageFolder = findPackage(dirname(fileURLToPath(import.meta.url)))

export const packageVersion = readVersion()

/**
 * 2026-01-01 UTC. No clock that is right shows less, so less is believed of none. All boxes of a venue must agree on it,
 * whatever release they have: it stays as it is.
 */
export const floorWallMs = 1_767_225_600_000

/** Up from dist/runtime, or from runtime: the first folder with a package.json. */
function findPackage(from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    if (hasPackage(folder)) return folder
    if (folder === dirname(folder)) throw new Error('package.json is not above the program')
  }
}

function hasPackage(folder: string): boolean {
  try {
    readFileSync(join(folder, 'package.json'))
    return true
  } catch {
    // Then it is further up.
    return false
  }
}

function readVersion(): string {
  const text = readFileSync(join(packageFolder, 'package.json'), 'utf8')
  const shape = object({ version: string({ max: 64 }) }).loose()
  return check(shape, JSON.parse(text), 'package').version
}
