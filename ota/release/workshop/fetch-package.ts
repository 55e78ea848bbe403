/** Packages for another machine, which npm does not install here: from the registry, or from npm's own cache. */
import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BoxError } from '../../../runtime/core/errors.js'
import type { LockedPackage } from '../packages.js'
import { type Program, runProgram } from './programs.js'

const NPM: Program = { name: 'npm', remedy: 'it comes with Node' }
const TAR: Program = { name: 'tar', remedy: 'sudo apt-get install tar' }

/**
 * @param into a folder that is made, and that nothing else is in
 * @returns the folder of the package
 * @throws BoxError `release.unbuilt` when its bytes are not those that package-lock.json knows
 */
export async function fetchPackage(locked: LockedPackage, into: string): Promise<string> {
  await mkdir(into, { recursive: true })
  const options = { folder: into, environment: null }
  const quiet = ['--silent', '--prefer-offline', '--ignore-scripts']
  await runProgram(NPM, ['pack', ...quiet, `${locked.name}@${locked.version}`], options)
  const [tarball = ''] = (await readdir(into)).filter(name => name.endsWith('.tgz'))
  checkIntegrity(locked, await readFile(join(into, tarball)))
  await runProgram(TAR, ['-xzf', tarball, '--no-same-owner'], options)
  return join(into, 'package')
}

/** @throws BoxError `release.unbuilt` */
export function checkIntegrity(
  { name, version, integrity }: LockedPackage,
  bytes: Uint8Array,
): void {
  const found = `sha512-${createHash('sha512').update(bytes).digest('base64')}`
  if (found !== integrity)
    throw new BoxError(
      'release.unbuilt',
      `${name}@${version} is not what package-lock.json knows: ${found} instead of ${integrity}`,
    )
}
