import { execFileSync, type StdioOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, openSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { LineOutput } from '../../../drivers/linux/line-output.js'
import { settle } from '../../../drivers/simulated/clock.js'
import { compileInto } from '../../fixtures/compiled.js'

const LINES = 3000
const LINE = `${'x'.repeat(999)}\n`
/** What a pipe of Linux holds, pipe(7). */
const PIPE_BYTES = 65_536
/** Nothing takes so long when all is well. */
const LIMIT_MS = 20_000

/** A pipe that nobody reads until told to. */
function pipe(t: Test): number {
  const path = join(t.testdir(), 'pipe')
  execFileSync('mkfifo', [path])
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
  t.teardown(() => closeSync(fd))
  return fd
}

t.test('lines come out in order, however many are written at once', async t => {
  const path = join(t.testdir(), 'lines')
  const fd = openSync(path, 'w')
  t.teardown(() => closeSync(fd))
  const output = new LineOutput(fd)
  for (let line = 0; line < 500; line++) {
    output.write(`${line}\n`)
    if (line % 50 === 0) await settle()
  }
  while (readFileSync(path, 'utf8').split('\n').length < 501) {
    output.flush()
    await settle()
  }
  t.same(
    readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map(Number)
      .sort((a, b) => a - b),
    Array.from({ length: 500 }, (_, line) => line),
  )
  t.equal(output.lostLines, 0)
})

t.test('a stalled reader costs lines, and is served again when it reads', async t => {
  const fd = pipe(t)
  const output = new LineOutput(fd)
  for (let line = 0; line < LINES; line++) output.write(LINE)
  const lostAtOnce = output.lostLines
  t.ok(lostAtOnce > LINES - 1200, `${lostAtOnce} of ${LINES} lines were lost`)
  await settle()
  const buffer = Buffer.alloc(PIPE_BYTES)
  let byteCount = 0
  while (byteCount < (LINES - lostAtOnce) * LINE.length) byteCount += await readSome(fd, buffer)
  t.equal(output.lostLines, lostAtOnce, 'what was taken is written')
  output.write('and on\n')
  t.ok((await readSome(fd, buffer)) > 0)
})

async function readSome(fd: number, buffer: Buffer): Promise<number> {
  for (let tries = 1; ; tries++) {
    try {
      return readSync(fd, buffer)
    } catch (error) {
      // Nothing there yet.
      if (tries === 1000) throw error
      await new Promise(resolve => setTimeout(resolve, 5))
    }
  }
}

/** Whose reader never reads: as a child's standard output is what a shell makes, or what Node and pm2 make. */
const stalled = {
  'a pipe': (t: Test): StdioOptions => {
    const reader = pipe(t)
    const writer = openSync(`/proc/self/fd/${reader}`, constants.O_WRONLY)
    t.teardown(() => closeSync(writer))
    return ['ignore', writer, 'inherit']
  },
  'a socket': (): StdioOptions => ['ignore', 'pipe', 'inherit'],
} as const

for (const [kind, stdio] of Object.entries(stalled))
  t.test(`a process ends although nobody reads what it says to ${kind}`, async t => {
    const output = stdio(t)
    // Also takes away the name of the pipe, which is open by now.
    const folder = t.testdir()
    compileInto(folder, ['test/fixtures/last-lines'])
    const script = join(folder, 'test/fixtures/last-lines.js')
    const child = spawn('env', ['-i', process.execPath, script], { stdio: output })
    const deadline = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS)
    const [status, signal] = await once(child, 'exit')
    clearTimeout(deadline)
    t.same([status, signal], [3, null])
    child.stdout?.destroy()
  })

t.test('a descriptor that is not ours alone waits as it did', async t => {
  const reader = pipe(t)
  const writer = openSync(`/proc/self/fd/${reader}`, constants.O_WRONLY)
  t.teardown(() => closeSync(writer))
  new LineOutput(writer).write(LINE)
  await readSome(reader, Buffer.alloc(PIPE_BYTES))
  const [, flags = ''] =
    /flags:\s+(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${writer}`, 'latin1')) ?? []
  t.equal(Number.parseInt(flags, 8) & constants.O_NONBLOCK, 0)
})

t.test('lines that a full pipe gave back are not forgotten by the last flush', async t => {
  const fd = pipe(t)
  const output = new LineOutput(fd)
  output.write(`${'x'.repeat(PIPE_BYTES - 1)}\n`)
  output.flush()
  t.equal(output.lostLines, 0, 'the pipe is full')
  output.write('given back\n')
  // It is tried, and given back.
  await new Promise(resolve => setTimeout(resolve, 200))
  const buffer = Buffer.alloc(PIPE_BYTES)
  t.equal(await readSome(fd, buffer), PIPE_BYTES)
  output.flush()
  t.equal(buffer.toString('latin1', 0, await readSome(fd, buffer)), 'given back\n')
})

t.test('the last flush gives a stalled reader a second and no more', async t => {
  const output = new LineOutput(pipe(t))
  for (let line = 0; line < 200; line++) output.write(LINE)
  await settle()
  for (let line = 0; line < 200; line++) output.write(LINE)
  output.flush()
  t.ok(output.lostLines > 0)
})
