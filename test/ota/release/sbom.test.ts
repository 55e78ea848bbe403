import { createHash } from 'node:crypto'
import t from 'tap'
import type { LockedPackage } from '../../../ota/release/packages.js'
import { type Ingredients, sbomOf } from '../../../ota/release/sbom.js'
import { problemsOfSbom } from './sbom-schema.js'

const digest = (text: string): string => createHash('sha256').update(text).digest('hex')
const integrity = `sha512-${createHash('sha512').update('x').digest('base64')}`

const locked = (path: string, version: string, needs: readonly string[] = []): LockedPackage => ({
  path: `node_modules/${path}`,
  name: path.replace(/^.*node_modules\//, ''),
  version,
  integrity,
  licence: 'MIT',
  needs: needs.map(need => `node_modules/${need}`),
})

const ingredients: Ingredients = {
  version: '1.4.0-rc.1',
  architecture: 'arm64',
  commit: 'a'.repeat(40),
  isDirty: true,
  madeAt: '2026-01-31T23:59:59Z',
  bundled: [locked('words', '1.0.0'), { ...locked('odd', '1.0.0'), licence: null }],
  apart: [
    locked('@scope/addon', '2.0.0', ['words', 'missing', 'addon/node_modules/words']),
    { ...locked('addon/node_modules/words', '2.0.0'), licence: 'SEE LICENSE IN README' },
  ],
  node: { version: '20.20.2', isIncluded: true },
  compiler: 'g++ 12',
}

t.test('the document is CycloneDX 1.6', async t => {
  t.same(problemsOfSbom(sbomOf(ingredients, digest)), [])
  t.not(problemsOfSbom({ ...sbomOf(ingredients, digest), serialNumber: 'urn:uuid:1' }).length, 0)
  const { components: _, ...rest } = sbomOf(ingredients, digest)
  t.not(problemsOfSbom({ ...rest, components: [{ name: 'no type' }] }).length, 0)
})

t.test('its serial number follows from what it says, and from nothing else', async t => {
  t.same(sbomOf(ingredients, digest), sbomOf(structuredClone(ingredients), digest))
  const other = sbomOf({ ...ingredients, compiler: 'g++ 13' }, digest)
  t.not(other['serialNumber'], sbomOf(ingredients, digest)['serialNumber'])
})

t.test('every dependency that it tells of is a component of it', async t => {
  t.match(sbomOf(ingredients, digest), {
    metadata: { component: { pedigree: { notes: /not in the commit/ } } },
    dependencies: [
      {
        ref: 'pkg:generic/roadcase@1.4.0-rc.1?arch=arm64',
        dependsOn: [
          'pkg:generic/node@20.20.2?arch=arm64',
          'pkg:npm/%40scope/addon@2.0.0',
          'pkg:npm/odd@1.0.0',
          'pkg:npm/words@1.0.0',
          'pkg:npm/words@2.0.0',
        ],
      },
      {
        ref: 'pkg:npm/%40scope/addon@2.0.0',
        dependsOn: ['pkg:npm/words@1.0.0', 'pkg:npm/words@2.0.0'],
      },
    ],
  })
})

t.test('the digest of a package is that of its tarball, in hexadecimal', async t => {
  t.match(sbomOf(ingredients, digest), {
    components: [
      {
        hashes: [{ alg: 'SHA-512', content: createHash('sha512').update('x').digest('hex') }],
        properties: [{ value: 'node_modules/@scope/addon' }],
      },
    ],
  })
})
