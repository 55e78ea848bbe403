import { readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { Ajv } from 'ajv'
import t from 'tap'
import { asyncApi, describedTopics } from '../../../runtime/gateways/broker/describe.js'
import { topicsPage } from '../../../runtime/gateways/broker/describe-page.js'
import { topics } from '../../../runtime/topics.js'

const require = createRequire(import.meta.url)
const { version } = JSON.parse(await readFile('package.json', 'utf8'))

/** The JSON Schema that the AsyncAPI initiative publishes for its documents. */
function validator(): (document: unknown) => readonly unknown[] {
  const ajv = new Ajv({ strict: false, allErrors: true, logger: false, validateFormats: false })
  const validate = ajv.compile(require('@asyncapi/specs/schemas/3.0.0-without-$id.json'))
  return document => {
    validate(document)
    return validate.errors ?? []
  }
}

t.test('the AsyncAPI document is one by the rules of AsyncAPI 3.0.0', async t => {
  const problems = validator()
  t.same(problems(asyncApi(version)), [])
  t.not(
    problems({ ...asyncApi(version), channels: { x: { adress: 'a' } } }).length,
    0,
    'a slip is found',
  )
})

t.test('every reference in the AsyncAPI document leads somewhere', async t => {
  const document = asyncApi(version)
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)]
  t.ok(references.length > 20)
  for (const [, path = ''] of references) {
    let here: unknown = document
    for (const step of path.split('/'))
      here = typeof here === 'object' && here !== null ? Reflect.get(here, step) : undefined
    t.ok(here, path)
  }
})

t.test('every message that leaves the box is described once', async t => {
  const outside = Object.entries(topics).filter(([, { path }]) => path !== null)
  t.equal(describedTopics.filter(({ kind }) => kind !== 'command').length, outside.length)
  t.equal(new Set(describedTopics.map(({ id }) => id)).size, describedTopics.length)
})

for (const [name, fresh] of [
  ['asyncapi.json', `${JSON.stringify(asyncApi(version), null, 2)}\n`],
  ['topics.md', topicsPage()],
] as const)
  t.test(`docs/${name} is what \`npm run docs\` writes now`, async t => {
    if (process.env['UPDATE_DOCS']) await writeFile(`docs/${name}`, fresh)
    t.ok((await readFile(`docs/${name}`, 'utf8')) === fresh, 'it is stale: run npm run docs')
  })
