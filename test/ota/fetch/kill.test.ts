import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import t from 'tap'
import { PIECE_BYTES } from '../../../ota/release/description.js'
import { randomFrom } from '../../../runtime/core/random.js'
import { randomObject } from './objects.js'
import { startHub } from './test-hub.js'

const KILLS = 20
const CHILD = join('dist', 'test/fixtures/fetch-until-killed.js')

interface Run {
  /** Proven when it began, and at its last word. */
  readonly first: number
  readonly last: number
  /** Over the wire in this run. */
  readonly came: number
  readonly isDone: boolean
}

/** @param words after which it is killed, some moment later; null lets it end */
async function run(
  args: readonly string[],
  kill: { words: number; afterMs: number } | null,
): Promise<Run> {
  const child = spawn(process.execPath, [CHILD, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines: string[] = []
  createInterface({ input: child.stdout }).on('line', line => {
    lines.push(line)
    if (lines.length === kill?.words) setTimeout(() => child.kill('SIGKILL'), kill.afterMs)
  })
  await once(child, 'close')
  const words = lines.filter(line => line !== 'done').map(line => line.split(' ').map(Number))
  const [first = -1] = words[0] ?? []
  const [last = -1, came = 0] = words.at(-1) ?? []
  return { first, last, came, isDone: lines.includes('done') }
}

t.test('killed twenty times at any moment, a fetch loses nothing that was proven', async t => {
  const random = randomFrom(7)
  const test = randomObject(24 * PIECE_BYTES + 1, 9)
  const hub = await startHub(t, test)
  const folder = t.testdir({})
  const description = join(folder, 'object.json')
  writeFileSync(description, JSON.stringify(test.object))
  const args = [join(folder, 'objects'), hub.url, description]
  let before: Run = { first: 0, last: 0, came: 0, isDone: false }
  let [kills, came] = [0, 0]
  for (let index = 0; index < KILLS; index++) {
    const kill = { words: 1 + Math.floor(random() * 3), afterMs: Math.floor(random() * 40) }
    const now = await run(args, kill)
    if (!now.isDone) kills++
    t.ok(now.first >= before.last, `${now.first} after ${before.last}`)
    came += now.came
    before = now
  }
  const last = await run(args, null)
  t.ok(last.isDone && last.first >= before.last)
  t.ok(kills > KILLS / 2, `${kills} kills met a fetch under way`)
  const bytes = readFileSync(join(folder, 'objects', test.object.sha256))
  t.equal(createHash('sha256').update(bytes).digest('hex'), test.object.sha256)
  // What was under way when it was killed comes twice: two transfers, and what the last word did not tell.
  t.ok(came + last.came <= test.bytes.length + kills * 3 * PIECE_BYTES)
})
