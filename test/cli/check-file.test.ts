import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type CheckTools, checkFile, stepsOf } from '../../runtime/cli/check-file.js'
import { ConfigError, type Problem } from '../../runtime/core/errors.js'

const tools: CheckTools = {
  keys: {
    randomBytes: count => new Uint8Array(count),
    sha256Hex: () => '0'.repeat(64),
    hmacSha256: () => new Uint8Array(32),
  },
  printShop: async () => ({ templates: new Map(), images: new Map() }),
  fit: ({ devices }) => {
    const problems = devices.map((_, index) => ({
      path: `box.devices[${index}].driver`,
      message: 'is unknown',
      place: null,
    }))
    if (problems.length > 0) throw new ConfigError(problems)
    return []
  },
}

async function written(t: Test, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'roadcase-'))
  t.teardown(() => rm(folder, { recursive: true }))
  for (const [file, text] of Object.entries(files)) await writeFile(join(folder, file), text)
  return folder
}

async function problemsOf(file: string): Promise<readonly Problem[]> {
  const thrown = await checkFile(file, tools).catch((error: unknown) => error)
  if (thrown instanceof ConfigError) return thrown.problems
  throw new Error('it passed, or failed otherwise', { cause: thrown })
}

const box = (rest: string): string =>
  `{\n  "schemaVersion": 1,\n  "tour": "spring",\n  "box": "lobby"${rest}\n}\n`

t.test('a path is taken apart into its steps', async t => {
  t.same(stepsOf('box.devices[2].options["a.b"].pulseMs'), [
    'devices',
    2,
    'options',
    'a.b',
    'pulseMs',
  ])
  t.same(stepsOf('box'), [])
})

t.test('a right box.json is valid', async t => {
  const folder = await written(t, { 'box.json': box('') })
  t.match(await checkFile(join(folder, 'box.json'), tools), { kind: 'box', name: 'lobby' })
})

t.test('problems of a box.json stand at their line', async t => {
  const folder = await written(t, { 'box.json': box(',\n  "pge": {},\n  "heartbeatMs": 1') })
  t.match(await problemsOf(join(folder, 'box.json')), [
    { path: 'box.heartbeatMs', place: { line: 6 } },
    { path: 'box.pge', place: { line: 5 } },
  ])
})

t.test('each wrong device is named', async t => {
  const devices =
    ',\n  "devices": [\n    {"name": "a", "driver": "x"},\n    {"name": "b", "driver": "y"}\n  ]'
  const folder = await written(t, { 'box.json': box(devices) })
  t.match(await problemsOf(join(folder, 'box.json')), [
    { path: 'box.devices[0].driver', place: { line: 6 } },
    { path: 'box.devices[1].driver', place: { line: 7 } },
  ])
})

t.test('the show that a box.json names is checked with it', async t => {
  const show = ',\n  "show": { "file": "show.yaml" }'
  const folder = await written(t, { 'box.json': box(show), 'show.yaml': 'cues: 1\n' })
  const problems = await problemsOf(join(folder, 'box.json'))
  t.match(problems[0]?.path, /show\.yaml:1:1: show/)
  const alone = await written(t, { 'box.json': box(show) })
  await t.rejects(checkFile(join(alone, 'box.json'), tools), {
    exitCode: 2,
    message: /no such file/,
  })
})

t.test(
  'a text that is no document and a file that is not there are said in one sentence',
  async t => {
    const folder = await written(t, { 'box.json': '{"box": [}' })
    t.match(await problemsOf(join(folder, 'box.json')), { 0: { place: { line: 1 } } })
    await t.rejects(checkFile(join(folder, 'none.json'), tools), {
      exitCode: 2,
      message: /no such file/,
    })
  },
)

t.test('a template of tickets is checked, and letters that are not printed are told', async t => {
  const head = 'apiVersion: ticket/v1\nname: slip\nkind: receipt\n'
  const folder = await written(t, {
    'right.yaml': `${head}blocks: [{kind: text, text: "Dvořák"}]\n`,
    'wrong.yaml': `${head}blocks: [{kind: text, text: "{{who}}"}]\n`,
  })
  t.same(await checkFile(join(folder, 'right.yaml'), tools), {
    kind: 'template',
    name: 'slip',
    warnings: ['ticket.blocks[0] (text): "ř" is not in cp858 and is printed as "r"'],
  })
  t.match(await problemsOf(join(folder, 'wrong.yaml')), [
    { path: 'template.blocks[0].text', message: '{{who}} is no field', place: { line: 4 } },
  ])
})

const updater = (rest: string): string =>
  `{\n  "schemaVersion": 1,\n  "tour": "spring",\n  "box": "lobby"${rest}\n}\n`

t.test('an ota.json is known by its name, and by what only such a file has', async t => {
  const folder = await written(t, {
    'ota.json': updater(''),
    'box-12.json': updater(',\n  "repositories": ["https://r.example.org"]'),
  })
  for (const name of ['ota.json', 'box-12.json'])
    t.match(await checkFile(join(folder, name), tools), {
      kind: 'ota',
      name: 'lobby',
      warnings: [],
    })
})

t.test('mistakes of an ota.json stand at their line, beside what would be right', async t => {
  const broker = ',\n  "venue": { "broker": { "kind": "embedded" } },\n  "heartbeatMs": 1'
  const folder = await written(t, { 'ota.json': updater(broker), 'typo.json': '{"sticks": [}' })
  t.match(await problemsOf(join(folder, 'ota.json')), [
    { path: 'ota.venue.broker.kind', message: /must be "own" or /, place: { line: 5, column: 26 } },
    { path: 'ota.heartbeatMs', message: /known are schemaVersion.*sticks/, place: { line: 6 } },
  ])
  t.match(await problemsOf(join(folder, 'typo.json')), { 0: { place: { line: 1 } } })
})

t.test('what is suspicious in an ota.json is told', async t => {
  const nobody = ',\n  "sticks": [], "venue": { "boxes": ["hall", "stage"] }'
  const folder = await written(t, {
    'ota.json': updater(nobody).replace('spring', 'summer'),
    'box.json': box(''),
  })
  t.match(await checkFile(join(folder, 'ota.json'), tools), {
    warnings: [
      /nobody to get a release from/,
      /ota\.venue\.boxes: does not name lobby/,
      /ota\.tour: is "summer", and "spring" in .*box\.json/,
    ],
  })
})
