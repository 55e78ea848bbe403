import { execFileSync } from 'node:child_process'
import { closeSync, constants, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { PlainLog } from '../../../drivers/linux/plain-log.js'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'

const LINES = 3000
const BYTES_MAX = 2 * 1024 * 1024

/** A pipe that nobody reads until told to. */
function pipe(t: Test): number {
  const path = join(t.testdir(), 'pipe')
  execFileSync('mkfifo', [path])
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
  t.teardown(() => closeSync(fd))
  return fd
}

function readWhatIsThere(fd: number): string {
  const buffer = Buffer.alloc(BYTES_MAX)
  try {
    return buffer.toString('utf8', 0, readSync(fd, buffer))
  } catch {
    // EAGAIN: nothing more.
    return ''
  }
}

/** None in a line that is torn. */
function eventIn(line: string): { event: string; facts: { countSinceStart?: number } }[] {
  try {
    return [JSON.parse(line)]
  } catch {
    return []
  }
}

t.test('lines that nobody took are counted, and told once somebody reads again', async t => {
  const fd = pipe(t)
  const log = new PlainLog(new SimulatedClock({ showStartMs: 0, driftPpm: 0 }), {
    process: 'launcher',
    fd,
  })
  for (let line = 0; line < LINES; line++) log.info('slot.started', { text: 'x'.repeat(1000) })
  let said = ''
  const read = (): void => {
    for (let part = readWhatIsThere(fd); part !== ''; part = readWhatIsThere(fd)) said += part
  }
  log.flush()
  read()
  log.warn('slot.left')
  log.flush()
  read()
  log.warn('slot.left', { isAgain: true })
  log.flush()
  read()
  const events = said.split('\n').flatMap(eventIn)
  const told = events.filter(({ event }) => event === 'log.lines-lost')
  const started = events.filter(({ event }) => event === 'slot.started').length
  t.ok(started > 0 && started < LINES, `${started} were written`)
  const counts = told.map(({ facts }) => facts.countSinceStart)
  t.same(counts, [LINES - started], 'once, and each of the others is counted')
})
