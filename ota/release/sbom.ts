/** What a release is made of, as a CycloneDX 1.6 document (ECMA-424). The same release gives the same document. */
import type { Architecture } from './description.js'
import type { LockedPackage } from './packages.js'

export interface Ingredients {
  readonly version: string
  readonly architecture: Architecture
  /** 40 hexadecimal digits. */
  readonly commit: string
  /** Whether the checkout had changes beside its commit. */
  readonly isDirty: boolean
  /** Of the commit, in UTC: `2026-01-31T23:59:59Z`. */
  readonly madeAt: string
  /** Parts of the program, and folders of their own. */
  readonly bundled: readonly LockedPackage[]
  readonly apart: readonly LockedPackage[]
  /** What runs it; the native packages are compiled for it. */
  readonly node: { readonly version: string; readonly isIncluded: boolean }
  /** What compiled the native packages: `aarch64-linux-gnu-g++ (Debian 12.2.0-14) 12.2.0`. */
  readonly compiler: string
}

type Json = Readonly<Record<string, unknown>>

const OWN = 'roadcase'

/** @param sha256Hex 64 lower-case hexadecimal digits */
export function sbomOf(from: Ingredients, sha256Hex: (text: string) => string): Json {
  const packages = unique([...from.bundled, ...from.apart])
  const top = `pkg:generic/${OWN}@${from.version}?arch=${from.architecture}`
  const node = nodeOf(from)
  const body = {
    version: 1,
    metadata: metadataOf(from, top),
    components: [...packages.map(one => componentOf(one, from)), node],
    dependencies: dependenciesOf(from, packages, { top, node: node['bom-ref'] }),
  }
  const serialNumber = `urn:uuid:${uuidOf(sha256Hex(JSON.stringify(body)))}`
  return { bomFormat: 'CycloneDX', specVersion: '1.6', serialNumber, ...body }
}

function metadataOf(from: Ingredients, top: string): Json {
  const notes = from.isDirty ? { notes: 'built with changes that are not in the commit' } : {}
  return {
    timestamp: from.madeAt,
    lifecycles: [{ phase: 'build' }],
    tools: { components: [{ type: 'application', name: 'compiler', version: from.compiler }] },
    component: {
      type: 'firmware',
      'bom-ref': top,
      name: OWN,
      version: from.version,
      licenses: [{ license: { id: 'MIT' } }],
      purl: top,
      pedigree: { commits: [{ uid: from.commit }], ...notes },
    },
  }
}

function nodeOf({ node, architecture }: Ingredients): Json & { 'bom-ref': string } {
  const ref = `pkg:generic/node@${node.version}?arch=${architecture}`
  return {
    type: 'platform',
    'bom-ref': ref,
    name: 'node',
    version: node.version,
    // The box brings its own when the release does not.
    scope: node.isIncluded ? 'required' : 'excluded',
    licenses: [{ license: { id: 'MIT' } }],
    purl: ref,
  }
}

function componentOf(locked: LockedPackage, { bundled }: Ingredients): Json {
  const { group, name } = namesOf(locked.name)
  const isBundled = bundled.some(({ path }) => path === locked.path)
  const place = isBundled ? 'program' : locked.path
  return {
    type: 'library',
    'bom-ref': purlOf(locked),
    ...(group === null ? {} : { group }),
    name,
    version: locked.version,
    scope: 'required',
    hashes: hashesOf(locked.integrity),
    ...licencesOf(locked.licence),
    purl: purlOf(locked),
    properties: [{ name: 'roadcase:place', value: place }],
  }
}

/** The SPDX identifiers that packages of ours have are given as such, other words as a name. */
function licencesOf(licence: string | null): Json {
  if (licence === null) return {}
  const isOneId = /^(MIT|ISC|0BSD|Apache-2\.0|MPL-2\.0|BSD-[23]-Clause|Unlicense|CC0-1\.0)$/.test(
    licence,
  )
  if (isOneId) return { licenses: [{ license: { id: licence } }] }
  return { licenses: [{ license: { name: licence } }] }
}

function dependenciesOf(
  { bundled, apart }: Ingredients,
  packages: readonly LockedPackage[],
  { top, node }: { top: string; node: string },
): Json[] {
  const refs = new Map([...bundled, ...apart].map(one => [one.path, purlOf(one)]))
  const entries = new Map<string, Set<string>>(
    packages.map(one => [purlOf(one), new Set<string>()]),
  )
  for (const one of [...bundled, ...apart])
    for (const need of one.needs) {
      const ref = refs.get(need)
      if (ref !== undefined) entries.get(purlOf(one))?.add(ref)
    }
  return [
    { ref: top, dependsOn: [...entries.keys(), node].sort() },
    ...[...entries].map(([ref, needs]) => ({ ref, dependsOn: [...needs].sort() })),
    { ref: node, dependsOn: [] },
  ]
}

/** The same version in two folders is one component. */
function unique(packages: readonly LockedPackage[]): LockedPackage[] {
  const found = new Map(packages.map(one => [purlOf(one), one]))
  return [...found].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, locked]) => locked)
}

/** Package URL, type npm: the at sign of a scope is written as %40. */
const purlOf = ({ name, version }: LockedPackage): string =>
  `pkg:npm/${name.replace('@', '%40')}@${version}`

function namesOf(name: string): { group: string | null; name: string } {
  const slash = name.indexOf('/')
  return slash < 0
    ? { group: null, name }
    : { group: name.slice(0, slash), name: name.slice(slash + 1) }
}

/** Subresource Integrity is base64, CycloneDX hexadecimal. */
function hashesOf(integrity: string): Json[] {
  const [, base64] = /^sha512-([A-Za-z0-9+/]{86}==)$/.exec(integrity) ?? []
  if (base64 === undefined) return []
  const bytes = [...atob(base64)].map(letter => letter.charCodeAt(0))
  return [
    { alg: 'SHA-512', content: bytes.map(byte => byte.toString(16).padStart(2, '0')).join('') },
  ]
}

/** Version 8 (RFC 9562, 5.8): made of a digest. */
function uuidOf(hex: string): string {
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 0x3) | 0x8).toString(16)
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-')
}
