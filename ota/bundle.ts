/**
 * The last step of the build: the program that boxes run, in dist/program, and the launcher, in dist. A file that is
 * as it should be is left alone, so a box that runs from there while this is done again goes on.
 */
import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { packageFolder } from '../runtime/version.js'
import { type BundledFile, bundleProgram } from './release/bundler.js'

const COMMAND = 'roadcase.js'

const { program, maps, launcher } = await bundleProgram(packageFolder)
await put(join(packageFolder, 'dist/program'), program)
await put(join(packageFolder, 'dist/maps'), maps)
if (launcher !== null) await replace(join(packageFolder, 'dist', launcher.name), launcher.bytes)
await chmod(join(packageFolder, 'dist/program', COMMAND), 0o755)

async function put(folder: string, files: readonly BundledFile[]): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (const { name, bytes } of files) await replace(join(folder, name), bytes)
  const wanted = new Set(files.map(({ name }) => name))
  // What another build is just writing is not its own yet.
  const old = (await readdir(folder)).filter(name => /\.(js|map)$/.test(name) && !wanted.has(name))
  for (const name of old) await rm(join(folder, name), { force: true })
}

/** Whoever reads it has the old one or the new one, whole. */
async function replace(path: string, bytes: Uint8Array): Promise<void> {
  const old = await readFile(path).catch(() => null)
  if (old !== null && Buffer.compare(old, bytes) === 0) return
  await writeFile(`${path}.${process.pid}`, bytes)
  await rename(`${path}.${process.pid}`, path)
}
