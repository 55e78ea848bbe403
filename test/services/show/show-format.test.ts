/** docs/show-format.md says what is: its examples are shows, and no key is missing. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { parse, stringify } from 'yaml'
import { jsonSchema } from '../../../runtime/core/schema.js'
import { showDocument } from '../../../runtime/services/show/format.js'
import { readShow } from './stage.js'

const text = readFileSync('docs/show-format.md', 'utf8')
const blocks = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map(match => match[1] ?? '')

/** What the examples that show only a part of a document speak of. */
const around: Record<string, unknown> = {
  apiVersion: 'show/v1',
  name: 'example',
  ...parse(blocks.find(block => block.startsWith('patch:')) ?? ''),
  scenes: { safe: { all: '30%' } },
  cues: [{ id: '1', scene: 'safe' }],
}

t.test('every example is a show, or a part of one', async t => {
  t.ok(blocks.length >= 7)
  for (const block of blocks) {
    const part: Record<string, unknown> = parse(block)
    const whole = part['apiVersion'] === undefined ? { ...around, ...part } : part
    t.same(readShow(stringify(whole)).document.apiVersion, 'show/v1', block.slice(0, 40))
  }
})

t.test('every key is explained', async t => {
  const keys = new Set<string>()
  JSON.stringify(jsonSchema(showDocument), (name, value: unknown) => {
    if (name === 'properties' && typeof value === 'object' && value !== null)
      for (const key of Object.keys(value)) keys.add(key)
    return value
  })
  t.ok(keys.size > 40, `${keys.size} keys`)
  const missing = [...keys].filter(key => !new RegExp(`[\`.]${key}[\`:.]`).test(text))
  t.same(missing, [])
})

t.test('the example show fits the example box', async t => {
  const show = readShow(readFileSync('docs/examples/first-night/show.yaml', 'utf8'))
  const box: { devices: { name: string }[] } = JSON.parse(
    readFileSync('docs/examples/first-night/box.json', 'utf8'),
  )
  const devices = box.devices.map(({ name }) => name)
  for (const { device } of [...show.outputs, ...show.captures.values()])
    t.ok(devices.includes(device), device)
  for (const { on } of show.triggers)
    t.ok(on.kind !== 'input' || devices.includes(on.input), JSON.stringify(on))
  t.same(show.warnings, [])
})
