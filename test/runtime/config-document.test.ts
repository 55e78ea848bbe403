/** Goal: docs/box-config.md leaves nothing out. Method: every key, range and default of the schemas is looked for in it. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { driverOptionsSchemas } from '../../drivers/catalogue.js'
import { boxConfigSchema } from '../../runtime/config.js'
import { jsonSchema } from '../../runtime/core/schema.js'

interface Shape {
  readonly properties?: Readonly<Record<string, Shape>>
  readonly items?: Shape
  readonly anyOf?: readonly Shape[]
  readonly oneOf?: readonly Shape[]
  readonly type?: string
  readonly const?: unknown
  readonly enum?: readonly string[]
  readonly default?: unknown
  readonly minimum?: number
  readonly maximum?: number
}

const document = readFileSync('docs/box-config.md', 'utf8')

/** Every key with its shape, at any depth. */
function keysOf(shape: Shape): (readonly [key: string, shape: Shape])[] {
  const below = [shape.items, ...(shape.anyOf ?? []), ...(shape.oneOf ?? [])]
  return [
    ...Object.entries(shape.properties ?? {}).flatMap(([key, child]) => [
      [key, child] as const,
      ...keysOf(child),
    ]),
    ...below.flatMap(child => (child ? keysOf(child) : [])),
  ]
}

/** Rows of tables, and the lines of prose, that speak of the key. */
const linesAbout = (text: string, key: string): string =>
  text
    .split('\n')
    .filter(line => line.includes(`\`${key}\``))
    .join('\n')

function missing(text: string, keys: readonly (readonly [string, Shape])[]): string[] {
  return keys.flatMap(([key, shape]) => {
    const lines = linesAbout(text, key)
    const wanted = [
      ...(shape.minimum === undefined ? [] : [`${shape.minimum}..${shape.maximum}`]),
      ...(typeof shape.default === 'number' ? [String(shape.default)] : []),
      ...(shape.enum ?? []),
    ]
    if (lines === '') return [key]
    return wanted.filter(word => !lines.includes(word)).map(word => `${key}: ${word}`)
  })
}

t.test('every key of box.json is in its document, with range and default', async t => {
  const keys = keysOf(jsonSchema(boxConfigSchema)).filter(([key]) => key !== 'kind')
  t.ok(keys.length > 50, `${keys.length} keys`)
  t.same(missing(document, keys), [])
})

t.test("every driver's options are in the driver's own section", async t => {
  for (const [driver, schema] of Object.entries(driverOptionsSchemas())) {
    const section = document
      .split('\n### ')
      .find(text => (text.split('\n')[0] ?? '').includes(`\`${driver}\``))
    t.same(missing(section ?? '', keysOf(schema)), [], driver)
  }
})

t.test('a key that the document forgot would be found', async t => {
  t.same(
    missing('| `port` | 0..65535 | 1883 |', [
      ['port', { minimum: 0, maximum: 9, default: 8080 }],
      ['prot', {}],
    ]),
    ['port: 0..9', 'port: 8080', 'prot'],
  )
})
