import { readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { ConfigError } from '../../../runtime/core/errors.js'
import { renderTable } from '../../../runtime/services/show/render-table.js'
import { readScript, simulate } from '../../../runtime/services/show/simulate.js'
import { readShow, Stage } from './stage.js'

const smallText = readFileSync('test/fixtures/shows/small.yaml', 'utf8')
const small = readShow(smallText)
const firstNight = readShow(readFileSync('docs/examples/first-night/show.yaml', 'utf8'))

/** Compares with the file; `GOLDEN=write` writes it anew, to be read before it is believed. */
function golden(
  t: { equal(found: string, wanted: string, message: string): unknown },
  name: string,
  text: string,
): void {
  const file = `test/fixtures/shows/${name}.golden.txt`
  if (process.env['GOLDEN'] === 'write') writeFileSync(file, text)
  t.equal(text, readFileSync(file, 'utf8'), file)
}

t.test('an evening of the small show looks as it did', async t => {
  const script = readScript([
    '1s go',
    '6s go',
    '6.75s level front 20%',
    '11s go',
    '12s clear',
    '14s blackout',
    '15s blackout off',
    '16s back',
    '17s panic',
    '18s go',
    '19s release',
  ])
  golden(t, 'small', renderTable(small, simulate(small, script, { untilMs: 21_000, everyMs: 500 })))
})

t.test('the example show looks as it did', async t => {
  const script = readScript([
    '0s go',
    '4s go',
    '15s go',
    '18s go',
    '20s back',
    '22s panic',
    '23s release',
  ])
  const rows = simulate(firstNight, script, { untilMs: 26_000, everyMs: 1000 })
  golden(t, 'first-night', renderTable(firstNight, rows))
})

t.test('the simulation and the box show the same', async t => {
  const stage = new Stage({ show: smallText })
  await stage.service.start()
  const script = readScript(['1s go', '3s go', '4.1s back', '5s panic', '6s release', '8s go'])
  const rows = simulate(small, script, { untilMs: 12_000, everyMs: 250 })
  for (const line of script) {
    await stage.clock.advance(line.atMs - stage.clock.monotonicMs())
    await stage.ask(line.command)
  }
  await stage.clock.advance(4000)
  const { applied } = stage.light('dimmer')
  let compared = 0
  for (const { atMs, levels } of rows) {
    const shown = applied.findLast(change => change.atMs <= atMs + 0.01)?.levels ?? []
    const [red = 0, green = 0, blue = 0, front = 0] = levels
    const gap = Math.max(
      ...[front, red, green, blue].map((level, index) => Math.abs(level - (shown[index] ?? 9))),
    )
    // Between two frames the light is at most one frame of the fastest fade, panic's, behind.
    if (gap > 0.125) t.fail(`at ${atMs}: ${shown.join(' ')}`)
    if (gap < 1e-9) compared++
  }
  t.ok(compared > rows.length * 0.8, `${compared} of ${rows.length} rows are equal`)
})

t.test('what is written wrong in a script is shown', async t => {
  for (const line of [
    'go',
    '1s',
    '1s dance',
    '1s fire',
    '1s level front',
    '1s level front 7',
    '1s constructor',
  ])
    t.throws(() => readScript([line]), ConfigError, line)
})

t.test('a simulation ends, whatever it is given', async t => {
  const loop = readShow(`apiVersion: show/v1
name: a
patch: {a: {kind: dimmer, out: x}}
cues:
  - {id: "1", levels: {a: 1}, follow: {after: 100ms, go: "2"}}
  - {id: "2", levels: {a: 0}, follow: {after: 100ms, go: "1"}}`)
  const rows = simulate(loop, readScript(['0s go']), { untilMs: 86_400_000, everyMs: 0 })
  t.equal(rows.length, 20_000)
})
