/**
 * What of a package goes on a box: what runs there, by a list of what is allowed, so that a package that grows a new kind
 * of file does not grow the release. Types, maps, documents, tests, sources and what is for other machines stay behind.
 */
import type { Architecture } from './description.js'

/** Only needed where machine code is compiled. */
export const FOR_COMPILING: ReadonlySet<string> = new Set(['nan', 'node-addon-api'])

const RUNS = /\.(js|cjs|mjs|json|node|wasm|ttf)$/
const LEFT_FILE =
  /(^|\/)(\.|Gruntfile|Gulpfile|gulpfile|tsconfig|test[-.]|binding\.gyp|karma|bower\.json|component\.json|package-lock\.json)/
const LEFT_FOLDER =
  /(^|\/)(\.[^/]*|tests?|__tests__|spec|examples?|eg|docs?|integration-test|bench|benchmarks?|build|tools|scripts|fixtures|tpl|vendor)\//

/** Packages that bring the same thing several times, or much more than is used of them: what is kept, whole. */
const kept: Readonly<Record<string, (architecture: Architecture) => RegExp>> = {
  '@photostructure/sqlite': architecture =>
    new RegExp(
      String.raw`^(package\.json|dist/index\.[cm]js|prebuilds/linux-${architecture}/[^/]+\.glibc\.node)$`,
    ),
  '@resvg/resvg-wasm': () => /^(package\.json|index\.mjs|index_bg\.wasm)$/,
  'dejavu-fonts-ttf': () => /^(package\.json|ttf\/DejaVuSansMono(-Bold)?\.ttf)$/,
  koffi: () => /^(package\.json|index\.c?js|src\/koffi\/(src\/)?[^/]+\.c?js)$/,
  '@koromix/koffi-linux-arm64': () => /^(package\.json|index\.js|linux_arm64\/koffi\.node)$/,
  '@koromix/koffi-linux-x64': () => /^(package\.json|index\.js|linux_x64\/koffi\.node)$/,
}

/**
 * @param name of the package
 * @param file its path below the package's folder
 */
export function isKept(name: string, file: string, architecture: Architecture): boolean {
  const own = Object.hasOwn(kept, name) ? kept[name] : undefined
  if (own !== undefined) return own(architecture).test(file)
  return RUNS.test(file) && !LEFT_FILE.test(file) && !LEFT_FOLDER.test(file)
}

/** Texts that must go with a copy of a package. */
export const isLicence = (file: string): boolean =>
  /^(licen[cs]e|copying|notice|copyright)([-.][\w.-]+)?$/i.test(file)
