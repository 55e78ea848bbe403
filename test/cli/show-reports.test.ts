import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { LinuxKeys } from '../../drivers/linux/keys.js'
import { diffReport, simulateReport } from '../../runtime/cli/show-reports.js'

const keys = new LinuxKeys()
const show = (fade: string): string => `
apiVersion: show/v1
name: drop
patch:
  front: {kind: dimmer, out: "dimmers#0"}
scenes:
  bright: {front: {level: 100%}}
cues:
  - {id: "1", name: Doors, scene: bright, fade: ${fade}, curve: linear}
`

async function written(t: Test, text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'roadcase-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const file = join(folder, 'show.yaml')
  await writeFile(file, text)
  return file
}

t.test('a simulation tells the levels by name, and as a table', async t => {
  const file = await written(t, show('2s'))
  const options = { goMs: [1000], deeds: ['5s panic'], untilMs: 10_000, everyMs: 1000 }
  const { text, json } = await simulateReport(file, options, keys)
  t.match(text, /2\.000 +50\.0%/)
  const rows = json as { atMs: number; what: string[]; levels: Record<string, number[]> }[]
  t.match(
    rows.find(row => row.atMs === 2000),
    { levels: { front: [0.5] } },
  )
  t.ok(rows.some(row => row.what.includes('panic')))
})

t.test('a simulation goes on for a minute after the last deed', async t => {
  const file = await written(t, show('2s'))
  const options = { goMs: [1000], deeds: ['90s panic'], untilMs: null, everyMs: 60_000 }
  const { json } = await simulateReport(file, options, keys)
  const rows = json as { atMs: number; what: string[] }[]
  t.ok(rows.some(row => row.what.includes('panic')))
  t.equal(rows.at(-1)?.atMs, 120_000)
})

t.test('a wrong deed is named', async t => {
  const file = await written(t, show('2s'))
  const options = { goMs: [], deeds: ['5s panik'], untilMs: 1000, everyMs: 0 }
  await t.rejects(simulateReport(file, options, keys), { code: 'show.invalid', message: /panik/ })
})

t.test('a difference names the cue, and no difference is said', async t => {
  const [before, after] = [await written(t, show('2s')), await written(t, show('3s'))]
  t.match((await diffReport(before, after, keys)).text, /^~ cue 1\n/)
  t.same(await diffReport(before, before, keys), { text: 'nothing has changed\n', json: [] })
})
