import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { readSettings } from '../../../ota/process/settings.js'

const good = '{ "schemaVersion": 1, "tour": "tour-7", "box": "box-12" }'

/** What is lacking in a home with this `ota.json`. */
async function lackingWith(t: Test, ota: string | null, root = '{}'): Promise<string> {
  const home = t.testdir({ 'root.json': root })
  if (ota !== null) writeFileSync(join(home, 'ota.json'), ota)
  const { lacking, config } = await readSettings(home)
  t.equal(config.tour, lacking === null ? 'tour-7' : 'none')
  return (lacking ?? '').replaceAll(`${home}/`, '')
}

t.test('a file that is right lacks nothing', async t => {
  t.equal(await lackingWith(t, good), '')
  t.equal(await lackingWith(t, `\ufeff${good}`), '', 'with the mark of a Windows editor')
  t.equal(await lackingWith(t, `# ours\n${good}`), '', 'as box.json may be written')
})

t.test('what is wrong is told by file, line and column', async t => {
  t.match(
    await lackingWith(t, good.replace(' }', ',\n  "checkMinuts": 5 }')),
    /^ota\.json:2:3: ota\.checkMinuts: is not a known setting \(did you mean "checkMinutes"\?\)$/,
  )
  t.match(
    await lackingWith(t, '{\n  "schemaVersion": 1,\n  "tour": "x"\n  "box": "b"\n}'),
    /^ota\.json:\d:\d+: ota: /,
  )
  t.match(
    await lackingWith(t, good.replace('tour-7', 'Tour 7')),
    'ota.json:1:23: ota.tour: must be lower-case letters, digits and dashes, at most 63, is "Tour 7"',
  )
  const kinds: readonly (readonly [string, string])[] = [
    ['"os": { "kind": "grub" }', 'ota.os.kind: must be "tryboot" or "rauc", is "grub"'],
    [
      '"venue": { "broker": { "kind": "owned" } }',
      'ota.venue.broker.kind: must be "own" or "other',
    ],
    ['"policy": { "activation": "auto" }', 'must be "automatic" or "manual", is "auto"'],
  ]
  for (const [setting, words] of kinds) {
    const lacking = await lackingWith(t, good.replace(' }', `,\n${setting} }`))
    t.ok(lacking.startsWith('ota.json:2:') && lacking.includes(words), lacking)
  }
})

t.test('a file full of mistakes is told in a few of them', async t => {
  const many = Array.from({ length: 40 }, (_, at) => `"x${at}": 1`).join(', ')
  const lacking = await lackingWith(t, good.replace(' }', `, ${many} }`))
  t.match(lacking, /35 more: "roadcase check ota\.json"$/)
  t.ok(lacking.length < 4096, `${lacking.length} letters fit into an answer`)
})

t.test(
  'files that are not there, or cannot be read, are told as that, and nobody falls',
  async t => {
    t.match(await lackingWith(t, null), /^ota\.json is not there: no tour is named$/)
    const home = t.testdir({ 'ota.json': good })
    mkdirSync(join(home, 'root.json'))
    t.match((await readSettings(home)).lacking, /root\.json cannot be read: EISDIR/)
    chmodSync(join(home, 'ota.json'), 0)
    const isRoot = process.geteuid?.() === 0
    chmodSync(home, 0o755)
    if (isRoot) process.seteuid?.(65_534)
    const { lacking } = await readSettings(home).finally(() => (isRoot ? process.seteuid?.(0) : 0))
    t.match(lacking, /ota\.json cannot be read: EACCES/)
  },
)
