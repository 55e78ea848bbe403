/**
 * Makes the program that boxes run: each process one file, and what they share in chunks beside. Without the hundreds of
 * modules to find, open and wrap a box starts in half the time and is lighter by a tenth; its source is held in memory as
 * long as it runs, so it goes without comments and white space. Lines stay short, so that a trace of an error still
 * tells where; the maps to the sources are kept apart.
 */
import { build } from 'esbuild'

/** Processes and threads, by the names under which they are started. */
const ENTRIES = {
  main: 'runtime/main.ts',
  roadcase: 'runtime/cli.ts',
  'bus-worker': 'drivers/linux/bus-worker.ts',
  'edges-worker': 'drivers/linux/edges-worker.ts',
  'firing-worker': 'drivers/linux/firing-worker.ts',
  'guard-process': 'drivers/linux/guard-process.ts',
  'sqlite-worker': 'drivers/linux/sqlite-worker.ts',
  sketch: 'drivers/linux/johnny-five.ts',
} as const

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
  /** Files that went in, relative to the checkout. */
  readonly inputs: readonly string[]
}

/**
 * The same sources and packages give the same bytes, wherever the checkout is.
 * @param checkout the folder of package.json, with its packages installed
 * @throws Error of esbuild, with every mistake that it found
 */
export async function bundleProgram(checkout: string): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: checkout,
    entryPoints: Object.entries(ENTRIES).map(([out, source]) => ({ in: source, out })),
    outdir: '.',
    write: false,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    chunkNames: 'chunk-[hash]',
    external: [...APART],
    banner: { js: BANNER },
    minifyWhitespace: true,
    lineLimit: LINE_LETTERS_MAX,
    legalComments: 'none',
    sourcemap: 'external',
    sourcesContent: false,
    metafile: true,
    logLevel: 'silent',
  })
  const files = outputFiles.map(({ path, contents }) => ({
    name: path.slice(path.lastIndexOf('/') + 1),
    bytes: contents,
  }))
  return {
    program: files.filter(({ name }) => !name.endsWith('.map')),
    maps: files.filter(({ name }) => name.endsWith('.map')),
    inputs: Object.keys(metafile.inputs),
  }
}

/** The launcher: one file that needs nothing beside it but Node. */
export async function bundleLauncher(checkout: string): Promise<Uint8Array> {
  const { outputFiles } = await build({
    absWorkingDir: checkout,
    entryPoints: ['ota/launcher.ts'],
    outfile: 'launcher.mjs',
    write: false,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    legalComments: 'none',
    lineLimit: LINE_LETTERS_MAX,
    logLevel: 'silent',
  })
  const [file] = outputFiles
  if (file === undefined) throw new Error('the bundler made no launcher')
  return file.contents
}
