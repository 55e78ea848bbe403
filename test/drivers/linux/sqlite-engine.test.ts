/** The database by itself, without its thread: what it keeps, what it refuses, and what damage it survives. */
import { execFileSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { SqliteEngine, stepsFrom } from '../../../drivers/linux/sqlite-engine.js'
import type {
  PackedChange,
  StoreAnswer,
  StoreRequest,
} from '../../../drivers/linux/sqlite-protocol.js'
import { moveAside } from '../../../drivers/linux/sqlite-rotten.js'
import { settle } from '../../../drivers/simulated/clock.js'
import { BoxError } from '../../../runtime/core/errors.js'
import { randomFrom } from '../../../runtime/core/random.js'

const LIMITS = { fileBytesMax: 64 * 1024 * 1024 }
const SMALL = { fileBytesMax: 256 * 1024 }
const SCAN: StoreRequest = {
  kind: 'scan',
  table: 't',
  from: new Uint8Array(),
  before: null,
  limit: 10_000,
}

const change = (kind: PackedChange['kind'], key: string, byteCount: number): PackedChange => ({
  kind,
  table: 't',
  key: Buffer.from(key),
  value: kind === 'clear' ? null : new Uint8Array(byteCount).fill(7),
})

const commit = (...changes: readonly PackedChange[]): StoreRequest => ({ kind: 'commit', changes })

function keysIn(engine: SqliteEngine): readonly string[] {
  const [answer] = engine.run([SCAN])
  return answer?.kind === 'rows' ? answer.rows.map(({ key }) => key) : [`not rows: ${answer?.kind}`]
}

const told = (answers: readonly StoreAnswer[]): readonly string[] =>
  answers.map(answer => (answer.kind === 'failed' ? `${answer.code}` : answer.kind))

function opened(path: string, limits = LIMITS): SqliteEngine {
  const engine = new SqliteEngine(path, limits)
  engine.open()
  return engine
}

/** Twice, with a turn of the loop between: native objects are finalized in a later turn. */
async function collectGarbage(): Promise<void> {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  for (let times = 0; times < 2; times++) {
    if (typeof collect === 'function') collect()
    await settle()
  }
}

function codeOf(work: () => unknown): string {
  try {
    work()
    return 'ok'
  } catch (error) {
    return error instanceof BoxError ? error.code : `a bug: ${String(error)}`
  }
}

t.test('a store that was closed is read again, and its folders are made', async t => {
  const path = join(t.testdir(), 'a', 'b', 'box.db')
  const engine = opened(path)
  engine.run([commit(change('put', 'a', 3))])
  engine.close()
  engine.close()
  t.same(keysIn(opened(path)), ['a'])
})

t.test(
  'whatever a power cut leaves of the log, a first part of the commits is there, each whole',
  async t => {
    const folder = t.testdir()
    const path = join(folder, 'box.db')
    const engine = opened(path)
    const walBytes: number[] = []
    for (let id = 0; id < 60; id++) {
      engine.run([commit(change('insert', `a-${id}`, 1 + id * 40), change('insert', `b-${id}`, 9))])
      walBytes.push(statSync(`${path}-wal`).size)
    }
    const random = randomFrom(Number(process.env['SEED'] ?? 1))
    const reached = { some: 0, none: 0 }
    for (let round = 0; round < 120; round++) {
      const copy = join(folder, `${round}.db`)
      copyFileSync(path, copy)
      copyFileSync(`${path}-wal`, `${copy}-wal`)
      const total = walBytes.at(-1) ?? 0
      const damagedAt = Math.floor(random() * total)
      damage(`${copy}-wal`, damagedAt, random)
      const survivor = opened(copy)
      const found = new Set(keysIn(survivor))
      survivor.close()
      // Damage in the last bytes of a commit that are zero anyway leaves that one whole too.
      const whole = walBytes.filter(bytes => bytes <= damagedAt).length
      const expected = Array.from({ length: found.size / 2 }, (_, id) => [
        `a-${id}`,
        `b-${id}`,
      ]).flat()
      const isWhole = expected.length === found.size && expected.every(key => found.has(key))
      if (!isWhole || found.size < 2 * whole || found.size > 2 * whole + 2)
        t.fail(
          `round ${round}: damaged at ${damagedAt}, ${found.size} keys, ${whole} commits were whole`,
        )
      if (whole === 0) reached.none++
      else reached.some++
    }
    engine.close()
    t.ok(reached.some > 60, `commits before the damage survived ${reached.some} times`)
  },
)

/** Cuts the file off, or spoils a few bytes, or fills the rest with zeros as a file system may. */
function damage(path: string, at: number, random: () => number): void {
  const kind = random()
  const rest = statSync(path).size - at
  if (kind < 0.4) {
    truncateSync(path, at)
    return
  }
  const spoilt = kind < 0.7 ? Math.min(rest, 1 + Math.floor(random() * 8)) : rest
  const bytes = readFileSync(path).subarray(at, at + spoilt)
  const rubbish = kind < 0.7 ? Buffer.from(bytes.map(byte => byte ^ 0x5a)) : Buffer.alloc(spoilt)
  writeSync(openSync(path, 'r+'), rubbish, 0, spoilt, at)
}

t.test(
  'a file that is no database is moved aside with all its bytes, and an empty one is begun',
  async t => {
    const path = join(t.testdir({ 'box.db': 'this is no database '.repeat(500) }), 'box.db')
    const engine = new SqliteEngine(path, LIMITS)
    t.same(engine.open(), { rottenPath: `${path}.rotten-1`, trouble: null })
    t.equal(readFileSync(`${path}.rotten-1`, 'utf8'), 'this is no database '.repeat(500))
    t.same(told(engine.run([commit(change('put', 'a', 1))])), ['committed'])
    engine.close()
    t.same(opened(path).open(), { rottenPath: null, trouble: null })
  },
)

t.test('a database with a spoilt page is moved aside together with its log', async t => {
  const folder = t.testdir()
  const path = join(folder, 'box.db')
  const engine = opened(path)
  engine.run([commit(...Array.from({ length: 400 }, (_, at) => change('put', `key-${at}`, 900)))])
  engine.close()
  writeSync(openSync(path, 'r+'), Buffer.alloc(4096, 0xee), 0, 4096, 4096 * 5)
  writeFileSync(`${path}-wal`, 'left over')
  t.same(new SqliteEngine(path, LIMITS).open(), {
    rottenPath: `${path}.rotten-1`,
    trouble: null,
  })
  t.equal(readFileSync(`${path}.rotten-1-wal`, 'utf8'), 'left over')
  t.ok(statSync(`${path}.rotten-1`).size > 300_000)
})

t.test('nine rotten files are kept, and no more', async t => {
  const folder = t.testdir()
  const path = join(folder, 'box.db')
  for (let round = 1; round <= 11; round++) {
    writeFileSync(path, `rotten ${round} `.repeat(500))
    t.equal(moveAside(path), `${path}.rotten-${Math.min(round, 9)}`)
  }
  t.match(readFileSync(`${path}.rotten-1`, 'utf8'), /^rotten 1 /)
  t.match(readFileSync(`${path}.rotten-9`, 'utf8'), /^rotten 11 /)
  t.equal(readdirSync(folder).length, 9)
})

t.test(
  'the database that was moved aside does not take the log of the new one with it',
  async t => {
    const path = join(t.testdir(), 'box.db')
    const before = opened(path)
    before.run([commit(...Array.from({ length: 400 }, (_, at) => change('put', `key-${at}`, 900)))])
    before.close()
    writeSync(openSync(path, 'r+'), Buffer.alloc(4096, 0xee), 0, 4096, 4096 * 5)
    const engine = new SqliteEngine(path, LIMITS)
    t.same(engine.open(), { rottenPath: `${path}.rotten-1`, trouble: null })
    engine.run([commit(change('put', 'a', 1000))])
    await collectGarbage()
    t.ok(statSync(`${path}-wal`).size > 1000)
    const copy = `${path}.copy`
    copyFileSync(path, copy)
    copyFileSync(`${path}-wal`, `${copy}-wal`)
    t.same(keysIn(opened(copy)), ['a'])
    engine.close()
  },
)

t.test('a store that a newer runtime wrote is refused and left as it is', async t => {
  const path = join(t.testdir(), 'box.db')
  const engine = opened(path)
  engine.run([commit(change('put', 'a', 1))])
  engine.close()
  // The file format's "user version": 4 bytes, big end first, at offset 60.
  writeSync(openSync(path, 'r+'), Uint8Array.of(0, 0, 0, 99), 0, 4, 60)
  t.equal(
    codeOf(() => new SqliteEngine(path, LIMITS).open()),
    'config.invalid',
  )
  t.notOk(existsSync(`${path}.rotten-1`))
  writeSync(openSync(path, 'r+'), Uint8Array.of(0, 0, 0, 1), 0, 4, 60)
  t.same(keysIn(opened(path)), ['a'])
})

t.test('a runtime that is a way back leaves a newer store that it knows as it is', async t => {
  const between = { known: ['one', 'two'], writtenVersion: 1 }
  t.match(stepsFrom(0, between), [/one; PRAGMA user_version = 1;/])
  t.same(stepsFrom(1, between), [], 'it does not write what the one before it could not read')
  t.same(stepsFrom(2, between), [], 'and reads what the one after it wrote')
  t.equal(
    codeOf(() => stepsFrom(3, between)),
    'config.invalid',
  )
  t.match(stepsFrom(1, { ...between, writtenVersion: 2 }), [/two; PRAGMA user_version = 2;/])
})

t.test('a path where no file can be is a failure of the disk', async t => {
  const folder = t.testdir({ file: '' })
  mkdirSync(join(folder, 'box.db'))
  t.equal(
    codeOf(() => new SqliteEngine(join(folder, 'box.db'), LIMITS).open()),
    'storage.io',
  )
  t.equal(
    codeOf(() => new SqliteEngine(join(folder, 'file', 'x.db'), LIMITS).open()),
    'storage.io',
  )
})

t.test(
  'a full store refuses what does not fit, keeps what it has, and works when there is room',
  async t => {
    const engine = opened(join(t.testdir(), 'box.db'), SMALL)
    engine.run([commit(change('put', 'a', 100_000))])
    t.same(told(engine.run([commit(change('put', 'b', 300_000))])), ['storage.full'])
    t.same(keysIn(engine), ['a'])
    t.same(told(engine.run([commit(change('clear', 'a', 0))])), ['committed'])
    t.same(told(engine.run([commit(change('put', 'c', 150_000))])), ['committed'])
    t.same(keysIn(engine), ['c'])
    engine.close()
  },
)

t.test('one commit that does not fit does not take down those beside it', async t => {
  const engine = opened(join(t.testdir(), 'box.db'), SMALL)
  const answers = engine.run([
    commit(change('put', 'a', 1000)),
    commit(change('put', 'too-large', 300_000), change('put', 'with-it', 1)),
    SCAN,
    commit(change('insert', 'a', 1)),
    commit(change('put', 'b', 1000)),
  ])
  t.same(told(answers), ['committed', 'storage.full', 'rows', 'storage.conflict', 'committed'])
  t.same(keysIn(engine), ['a', 'b'])
  engine.close()
})

t.test(
  'a disk that is really full refuses, keeps what it has, and works when there is room',
  async t => {
    const folder = mkdtempSync(join(tmpdir(), 'roadcase-full-'))
    t.teardown(() => rmdirSync(folder))
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder], { stdio: 'ignore' })
    } catch {
      return t.comment('not run: mounting a small disk takes root')
    }
    t.teardown(() => execFileSync('umount', ['-l', folder]))
    const engine = opened(join(folder, 'box.db'))
    engine.run([commit(change('put', 'a', 1000))])
    const ballast = join(folder, 'ballast')
    const handle = openSync(ballast, 'w')
    t.throws(() => {
      for (;;) writeSync(handle, Buffer.alloc(4096))
    }, /ENOSPC/)
    t.same(told(engine.run([commit(change('put', 'b', 50_000))])), ['storage.full'])
    t.same(keysIn(engine), ['a'])
    truncateSync(ballast, 0)
    t.same(told(engine.run([commit(change('put', 'b', 50_000))])), ['committed'])
    engine.close()
    t.same(keysIn(opened(join(folder, 'box.db'))), ['a', 'b'])
  },
)
