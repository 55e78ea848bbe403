import { execFileSync } from 'node:child_process'
import { closeSync, constants, openSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { LineOutput } from '../../../drivers/linux/line-output.js'
import { settle } from '../../../drivers/simulated/clock.js'

const LINES = 3000
const LINE = `${'x'.repeat(999)}\n`
/** What a pipe of Linux holds, pipe(7). */
const PIPE_BYTES = 65_536

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
  for (;;) {
    try {
      return readSync(fd, buffer)
    } catch {
      // Nothing there yet.
      await new Promise(resolve => setTimeout(resolve, 5))
    }
  }
}

t.test('the last flush gives a stalled reader a second and no more', async t => {
  const output = new LineOutput(pipe(t))
  for (let line = 0; line < 200; line++) output.write(LINE)
  await settle()
  for (let line = 0; line < 200; line++) output.write(LINE)
  output.flush()
  t.ok(output.lostLines > 0)
})
