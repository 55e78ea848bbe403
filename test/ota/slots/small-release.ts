/** Release trees of a few files, for the slots of a test. */
import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { ManifestEntry } from '../../../ota/release/manifest.js'
import { formatManifest } from '../../../ota/release/manifest.js'
import type { Installer } from '../../../ota/slots/installer.js'
import type { Release } from '../../../ota/slots/slot-state.js'
import type { Behaviour } from '../../fixtures/slot-program.js'

export interface SmallFile {
  readonly path: string
  readonly bytes: Uint8Array
  readonly isExecutable: boolean
}

export interface SmallRelease {
  readonly release: Release
  /** With the manifest, which comes last. */
  readonly files: readonly SmallFile[]
}

const PLAYED = resolve('dist/test/fixtures/slot-program.js')
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
const text = (value: string): Uint8Array => new TextEncoder().encode(value)

export function smallRelease(options: {
  version: string
  floor: string | null
  behaviour: Behaviour
  /** Null: no launcher comes with it. */
  launcher: Uint8Array | null
  /** Of `launch.json`, where it is not the one that is known. */
  launchFormat?: number
}): SmallRelease {
  const { version, floor, behaviour, launcher } = options
  const program = (role: string): Uint8Array =>
    text(`import { play } from ${JSON.stringify(PLAYED)}
play(${JSON.stringify({ role, behaviour, version })})\n`)
  const orders = (script: string) => ({ script, nodeArguments: [] })
  const launch = {
    format: options.launchFormat ?? 1,
    node: null,
    box: orders('program/main.js'),
    updater: orders('program/updater.js'),
  }
  const plain: [string, Uint8Array][] = [
    ['launch.json', text(JSON.stringify(launch))],
    ['release.json', text(JSON.stringify({ format: 1, product: 'roadcase', version }))],
    ['package.json', text('{"type":"module"}')],
    ['program/main.js', program('box')],
    ['program/updater.js', program('updater')],
    ['licences.txt', text(`all of ${version}`)],
    ['assets/a/picture', new Uint8Array(3_000).fill(version.length)],
    ...(launcher === null ? [] : [['launcher.mjs', launcher] satisfies [string, Uint8Array]]),
  ]
  const files = [
    ...plain.map(([path, bytes]) => ({ path, bytes, isExecutable: false })),
    { path: 'bin/tool', bytes: text(`#!/bin/sh\necho ${version}\n`), isExecutable: true },
  ]
  const entries: ManifestEntry[] = files.map(({ path, bytes, isExecutable }) => ({
    path,
    mode: isExecutable ? '755' : '644',
    byteCount: bytes.length,
    sha256: sha256(bytes),
  }))
  const manifest = formatManifest(entries)
  return {
    release: { digest: sha256(manifest), version, floor },
    files: [...files, { path: 'manifest', bytes: manifest, isExecutable: false }],
  }
}

/** Writes plainly, and syncs nothing: that is the agent's. */
export const plainInstaller = (wanted: SmallRelease): Installer => ({
  install: async folder => writeRelease(folder, wanted),
})

export function writeRelease(folder: string, { files }: SmallRelease): void {
  for (const { path, bytes, isExecutable } of files) {
    const target = join(folder, path)
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, bytes)
    chmodSync(target, isExecutable ? 0o755 : 0o644)
  }
}

export const builtLauncher = (): Uint8Array => readFileSync('dist/launcher.mjs')
