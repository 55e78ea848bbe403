/**
 * Makes the program that boxes run: each process one file, and what they share in chunks beside. Without the hundreds of
 * modules to find, open and wrap a box starts in half the time and is lighter by a tenth; its source is held in memory as
 * long as it runs, so it goes without comments and white space. Lines stay short, so that a trace of an error still
 * tells where; the maps to the sources are kept apart.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type BuildOptions, type BuildResult, build } from 'esbuild'

/** Processes and threads, by the names under which they are started. */
const ENTRIES = {
  main: 'runtime/main.ts',
  roadcase: 'runtime/cli.ts',
  apply: 'ota/apply.ts',
  'bus-worker': 'drivers/linux/bus-worker.ts',
  'edges-worker': 'drivers/linux/edges-worker.ts',
  'firing-worker': 'drivers/linux/firing-worker.ts',
  'guard-process': 'drivers/linux/guard-process.ts',
  'sqlite-worker': 'drivers/linux/sqlite-worker.ts',
  sketch: 'drivers/linux/johnny-five.ts',
} as const

/** The process that updates a box, and what starts a release from outside of it. A checkout may be without. */
const UPDATER = 'ota/main.ts'
const LAUNCHER = 'ota/launcher.ts'

/**
 * What a bundle cannot hold: native code, and packages that are taken from their folder as they are, by name or for a file
 * that lies in it.
 */
export const APART = [
  '@photostructure/sqlite',
  '@resvg/resvg-wasm',
  'dejavu-fonts-ttf',
  'i2c-bus',
  'johnny-five',
  'koffi',
  'onoff',
] as const

const LINE_LETTERS_MAX = 160

/** Packages that were written for another kind of module ask for these. */
const BANNER = `import { createRequire as requireFrom } from 'node:module'
const require = requireFrom(import.meta.url), __filename = import.meta.filename, __dirname = import.meta.dirname`

export interface BundledFile {
  /** Below the folder of the program, or of the maps. */
  readonly name: string
  readonly bytes: Uint8Array
}

export interface Bundle {
  readonly program: readonly BundledFile[]
  readonly maps: readonly BundledFile[]
  /** One file without chunks and packages; null: the checkout has none. */
  readonly launcher: BundledFile | null
  /** Whether `updater.js` is part of the program. */
  readonly hasUpdater: boolean
  /** Files that went in, relative to the checkout. */
  readonly inputs: readonly string[]
}

/**
 * The same sources and packages give the same bytes, wherever the checkout is.
 * @param checkout the folder of package.json, with its packages installed
 * @throws Error of esbuild, with every mistake that it found
 */
export async function bundleProgram(checkout: string): Promise<Bundle> {
  const hasUpdater = existsSync(join(checkout, UPDATER))
  const entries = { ...ENTRIES, ...(hasUpdater ? { updater: UPDATER } : {}) }
  const { outputFiles, metafile } = await build({
    ...common(checkout),
    entryPoints: Object.entries(entries).map(([out, source]) => ({ in: source, out })),
    outdir: '.',
    splitting: true,
    chunkNames: 'chunk-[hash]',
    external: [...APART],
    banner: { js: BANNER },
    sourcemap: 'external',
    sourcesContent: false,
  })
  const files = namedFiles({ outputFiles })
  const launcher = existsSync(join(checkout, LAUNCHER)) ? await bundleLauncher(checkout) : null
  return {
    program: files.filter(({ name }) => !name.endsWith('.map')),
    maps: files.filter(({ name }) => name.endsWith('.map')),
    launcher,
    hasUpdater,
    inputs: Object.keys(metafile.inputs),
  }
}

/** It lies outside of every release, so there is nothing that it could load. */
async function bundleLauncher(checkout: string): Promise<BundledFile> {
  const { outputFiles, metafile } = await build({
    ...common(checkout),
    entryPoints: [{ in: LAUNCHER, out: 'launcher' }],
    outdir: '.',
    outExtension: { '.js': '.mjs' },
  })
  const foreign = Object.keys(metafile.inputs).filter(input => input.includes('node_modules/'))
  if (foreign.length > 0) throw new Error(`the launcher needs packages: ${foreign.join(', ')}`)
  const [file] = namedFiles({ outputFiles })
  if (file === undefined) throw new Error('the bundler made no launcher')
  return file
}

interface Common extends BuildOptions {
  readonly write: false
  readonly metafile: true
}

const common = (checkout: string): Common => ({
  absWorkingDir: checkout,
  write: false,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  minifyWhitespace: true,
  lineLimit: LINE_LETTERS_MAX,
  legalComments: 'none',
  metafile: true,
  logLevel: 'silent',
})

const namedFiles = ({ outputFiles }: Pick<BuildResult<Common>, 'outputFiles'>): BundledFile[] =>
  outputFiles.map(({ path, contents }) => ({
    name: path.slice(path.lastIndexOf('/') + 1),
    bytes: contents,
  }))
