/**
 * Goal: what was acknowledged outlives the process. Method: a child commits, eight at a time, and is killed at a moment
 * drawn from the seed. The kernel survives here; what a power cut does to the file is in sqlite-engine.test.ts.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import t from 'tap'
import { SqliteEngine } from '../../../drivers/linux/sqlite-engine.js'
import { BoxError } from '../../../runtime/core/errors.js'
import { randomFrom } from '../../../runtime/core/random.js'
import { compileInto } from '../../fixtures/compiled.js'

const ROUNDS = 20
const ROUND_MS_MAX = 10_000

// Twenty processes are started and killed, on a machine that may have other things to do.
t.setTimeout(180_000)

t.test(
  `a process killed ${ROUNDS} times while committing loses nothing it acknowledged`,
  async t => {
    const folder = t.testdir()
    compileInto(folder, ['test/fixtures/commit-forever', 'drivers/linux/sqlite-worker'])
    const path = join(folder, 'box.db')
    const random = randomFrom(Number(process.env['SEED'] ?? 1))
    const acknowledged = new Set<number>()
    let next = 0
    let unacknowledged = 0
    for (let round = 0; round < ROUNDS; round++) {
      const told = await untilKilled(folder, [path, `${next}`], 1 + Math.floor(random() * 60))
      for (const id of told) acknowledged.add(id)
      const found = idsIn(path)
      const lost = [...acknowledged].filter(id => !found.has(id))
      t.same(lost, [], `round ${round}: ${told.length} were acknowledged`)
      unacknowledged += [...found].filter(id => !acknowledged.has(id)).length
      next = Math.max(0, ...found, ...acknowledged) + 100
    }
    t.ok(acknowledged.size > ROUNDS, `${acknowledged.size} commits were acknowledged`)
    t.comment(`${unacknowledged} commits were on the disk before anybody was told`)
  },
)

/** Runs the child until it has acknowledged so many commits, kills it, and returns what it had told. */
async function untilKilled(
  folder: string,
  parameters: readonly string[],
  commits: number,
): Promise<readonly number[]> {
  const script = join(folder, 'test/fixtures/commit-forever.js')
  const child = spawn(process.execPath, [script, ...parameters], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {},
  })
  const deadline = setTimeout(() => child.kill('SIGKILL'), ROUND_MS_MAX)
  let text = ''
  child.stdout.on('data', part => {
    text += String(part)
    if (text.split('\n').length > commits) child.kill('SIGKILL')
  })
  await once(child, 'close')
  clearTimeout(deadline)
  // A line without an end was cut off by the kill.
  return text.split('\n').slice(0, -1).map(Number)
}

/** The commits in the file; one that is there by half fails the test. */
function idsIn(path: string): ReadonlySet<number> {
  const engine = new SqliteEngine(path, { fileBytesMax: 2 ** 30 })
  const { rottenPath } = engine.open()
  t.equal(rottenPath, null)
  const all = scanned(engine)
  engine.close()
  const ids = all.filter(key => key.startsWith('a-')).map(key => key.slice(2))
  const there = new Set(all)
  const halves = all.filter(key => !there.has(`${key[0] === 'a' ? 'b' : 'a'}${key.slice(1)}`))
  if (halves.length > 0) throw new BoxError('storage.rotten', `half a commit: ${halves.join()}`)
  return new Set(ids.map(Number))
}

function scanned(engine: SqliteEngine): readonly string[] {
  const [answer] = engine.run([
    { kind: 'scan', table: 't', from: new Uint8Array(), before: null, limit: 10_000 },
  ])
  return answer?.kind === 'rows' ? answer.rows.map(({ key }) => key) : []
}
