import { readFile, writeFile } from 'node:fs/promises'
import { Ajv2020 } from 'ajv/dist/2020.js'
import t, { type Test } from 'tap'
import { openApiText } from '../../../runtime/gateways/page/open-api.js'
import { openPage, type Reply, TOKEN } from './page-world.js'
import { spoolStandIn } from './spool-stand-in.js'

const file = 'docs/openapi.json'
if (process.env['UPDATE_DOCS']) await writeFile(file, openApiText())

const document = JSON.parse(openApiText())
const ajv = new Ajv2020({ strict: false })
for (const [name, schema] of Object.entries(document.components.schemas))
  ajv.addSchema(schema as object, `#/components/schemas/${name}`)

const point = { percent: 50, millivolts: 3_700, milliwatts: null, stageRank: 1 }

t.test('docs/openapi.json is what the shapes say', async t => {
  t.equal(await readFile(file, 'utf8'), openApiText(), 'run this test with UPDATE_DOCS=1')
})

t.test('every path that is described answers, and answers as described', async t => {
  const { ask } = await openPage(t, bus => ({
    logs: { recent: () => [] },
    jobs: spoolStandIn(bus),
    history: { history: async ({ fromWallMs: wallMs }) => [{ ...point, wallMs }] },
  }))
  const headers = { authorization: `Bearer ${TOKEN}` }
  const bodies: Record<string, unknown> = {
    '/api/command': { action: 'go' },
    '/api/login': { token: TOKEN },
    '/api/print': { id: 'first', template: 'claim' },
    '/api/print/decide': { job: 'first', decision: 'confirm' },
    '/api/simulated/press': { input: 'go', holdMs: 100 },
    '/api/logout': {},
  }
  for (const [path, methods] of Object.entries<Record<string, unknown>>(document.paths)) {
    // Not JSON.
    if (path === '/api/events' || path === '/metrics') continue
    for (const method of Object.keys(methods)) {
      const asked = method === 'post' ? { method: 'POST', body: bodies[path], headers } : {}
      expectDescribed(t, path, method, await ask(path.replace('{job}', 'first'), asked))
    }
  }
})

t.test('refusals are answered as described', async t => {
  const { ask } = await openPage(t)
  const body = { action: 'gow' }
  const headers = { authorization: `Bearer ${TOKEN}` }
  const wrong = await ask('/api/command', { method: 'POST', body, headers })
  t.equal(wrong.status, 400)
  expectDescribed(t, '/api/command', 'post', wrong)
  const denied = await ask('/api/command', { method: 'POST', body })
  t.equal(denied.status, 401)
  expectDescribed(t, '/api/command', 'post', denied)
})

function expectDescribed(t: Test, path: string, method: string, reply: Reply): void {
  const { responses } = document.paths[path][method]
  const schema = responses[reply.status]?.content['application/json'].schema
  t.ok(schema, `${method} ${path} may answer ${reply.status}`)
  t.ok(ajv.validate(schema, reply.json()), `${path}: ${ajv.errorsText()}`)
}
