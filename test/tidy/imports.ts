/** Who imports whom: dead files, and packages outside their one home. */
import { posix } from 'node:path'
import type { TreeFile } from './tree.js'

interface Import {
  readonly from: string
  readonly specifier: string
}

/** Static, dynamic, `require`d and resolved, and the scripts that a `new URL(…)` names: workers. */
const IMPORT =
  /(?:\bfrom\s+|\bimport\s+|\b(?:import|require|new URL|resolve)\(\s*(?:require,\s*)?)['"]([^'"\n]+)['"]/g
/** Programs that a test starts by their path. */
const FIXTURE = /['"`](test\/fixtures\/[\w/-]+)(?:\.[jt]s)?['"`]/g

const isCode = (file: TreeFile): boolean => /\.(ts|cjs|js|mjs)$/.test(file.path)

const importsOf = (file: TreeFile): Import[] =>
  [...file.text.matchAll(IMPORT)].map(match => ({ from: file.path, specifier: match[1] ?? '' }))

/** `../runtime/core/bus.js` in `drivers/x.ts` is `runtime/core/bus.ts`. */
const fileMeant = ({ from, specifier }: Import): string =>
  posix.join(posix.dirname(from), specifier).replace(/\.js$/, '.ts')

/** Started by something other than an import. */
const ENTRY_POINT =
  /(^|\/)main\.ts$|^runtime\/cli\.ts$|^ota\/(bundle|launcher|cli|tuf-client)\.ts$|-worker\.ts$|^docs\/examples\/|^test\/suite\.ts$|\.(test|lab|hw|bench)\.ts$|\.cjs$|\.config\.(ts|js)$/

export function deadFiles(files: readonly TreeFile[]): string[] {
  const code = files.filter(isCode)
  const started = code.flatMap(file => [...file.text.matchAll(FIXTURE)].map(m => `${m[1]}.ts`))
  const imported = new Set([...code.flatMap(importsOf).map(fileMeant), ...started])
  return code
    .filter(file => !imported.has(file.path) && !ENTRY_POINT.test(file.path) && isOurs(file))
    .map(file => `${file.path}: nothing imports it: remove it, or import it where it is needed`)
}

/** Code that a browser loads is named by the page, not imported. */
const isOurs = (file: TreeFile): boolean => !/\/assets\//.test(file.path)

interface Home {
  /** A folder (with its slash) or a file. */
  readonly place: string
  /** Whether one file there is the only one that may import it. */
  readonly isOneFile: boolean
}

/** Where each package lives that the rest of the house must not know. */
export const homes: Readonly<Record<string, Home>> = {
  zod: { place: 'runtime/core/schema.ts', isOneFile: true },
  yaml: { place: 'runtime/core/document.ts', isOneFile: true },
  koffi: { place: 'drivers/linux/', isOneFile: true },
  onoff: { place: 'drivers/linux/', isOneFile: true },
  'i2c-bus': { place: 'drivers/linux/', isOneFile: true },
  '@photostructure/sqlite': { place: 'drivers/linux/', isOneFile: true },
  pino: { place: 'drivers/linux/', isOneFile: true },
  fastify: { place: 'runtime/gateways/page/', isOneFile: false },
  aedes: { place: 'runtime/gateways/', isOneFile: false },
  mqtt: { place: 'runtime/gateways/', isOneFile: false },
  pngjs: { place: 'drivers/linux/', isOneFile: true },
  '@resvg/resvg-wasm': { place: 'runtime/gateways/preview/', isOneFile: true },
  'dejavu-fonts-ttf': { place: 'runtime/gateways/preview/', isOneFile: true },
  commander: { place: 'runtime/cli', isOneFile: false },
  'johnny-five': { place: 'drivers/linux/', isOneFile: true },
  esbuild: { place: 'ota/release/', isOneFile: true },
  // One file for the client and one for the publisher, as the linter says.
  '@tufjs/models': { place: 'ota/', isOneFile: false },
}

/** `fastify` for `fastify`, `@photostructure/sqlite` for `@photostructure/sqlite/x`. */
const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')

const inRooms = (file: TreeFile): boolean =>
  isCode(file) && /^(runtime|drivers|boards|provisioning|ota)\//.test(file.path) && isOurs(file)

export function strayPackages(files: readonly TreeFile[]): string[] {
  const imports = files.filter(inRooms).flatMap(importsOf)
  return Object.entries(homes).flatMap(([name, home]) => {
    const importers = new Set(
      imports.filter(({ specifier }) => packageOf(specifier) === name).map(({ from }) => from),
    )
    const strays = [...importers].filter(path => !path.startsWith(home.place))
    const crowd = home.isOneFile && importers.size > 1 ? [...importers] : []
    return [
      ...strays.map(path => `${path}: imports ${name}, which lives in ${home.place} only`),
      ...crowd.map(path => `${path}: imports ${name}, which exactly one file may`),
    ]
  })
}

const PM2_REASON =
  'it is a program of its own under another licence: only ecosystem.config.cjs speaks to it'
/** Sketches of others may use it; our own house may not, so that nothing of the show hangs on it. */
const BRIDGE = /^drivers\/linux\/johnny-five\.ts$/

export const forbiddenImports = (files: readonly TreeFile[]): string[] =>
  files
    .filter(inRooms)
    .flatMap(importsOf)
    .flatMap(one => [
      ...(packageOf(one.specifier) === 'pm2' ? [`${one.from}: imports pm2: ${PM2_REASON}`] : []),
      ...(BRIDGE.test(fileMeant(one))
        ? [`${one.from}: hangs the box on johnny-five, which is for sketches of others`]
        : []),
    ])
