import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { LinuxLog } from '../../../drivers/linux/log.js'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { BoxError } from '../../../runtime/core/errors.js'
import { wallTimeMs } from '../../../runtime/core/time.js'

interface Bench {
  readonly log: LinuxLog
  readonly clock: SimulatedClock
  /** Every line written so far, as JSON. */
  written(): readonly Record<string, unknown>[]
}

function bench(t: Test): Bench {
  const path = join(t.testdir(), 'log')
  const fd = openSync(path, 'w')
  t.teardown(() => closeSync(fd))
  const clock = new SimulatedClock({ showStartMs: Date.UTC(2026, 4, 1, 20), driftPpm: 0 })
  const log = new LinuxLog(clock, { process: 'box', fd })
  return {
    log,
    clock,
    written: () => {
      log.flush()
      return readFileSync(path, 'utf8')
        .split('\n')
        .filter(line => line !== '')
        .map(line => JSON.parse(line))
    },
  }
}

t.test('a line is one JSON object with level, time, process, event and facts', async t => {
  const { log, written } = bench(t)
  log.info('cue.fired', { cue: '2.5', lateMs: 0.3 })
  log.warn('link.down')
  t.same(written(), [
    {
      level: 'info',
      process: 'box',
      time: '2026-05-01T20:00:00.000Z',
      event: 'cue.fired',
      facts: { cue: '2.5', lateMs: 0.3 },
    },
    {
      level: 'warn',
      process: 'box',
      time: '2026-05-01T20:00:00.000Z',
      event: 'link.down',
      facts: {},
    },
  ])
})

t.test('facts cannot pass for the level or the event of their line', async t => {
  const { log, written } = bench(t)
  log.info('cue.fired', {
    level: 'error',
    event: 'forged',
    time: 'never',
    text: '"}\n{"level":"error"',
  })
  const lines = written()
  t.equal(lines.length, 1)
  t.match(lines[0], { level: 'info', event: 'cue.fired' })
})

t.test('an error is written with code, message, stack and causes', async t => {
  const { log, written } = bench(t)
  const cause = Object.assign(new Error('EIO'), { errno: 5 })
  log.error('store.failed', { error: new BoxError('storage.io', 'cannot write', { cause }) })
  t.match(written()[0], {
    level: 'error',
    facts: {
      error: {
        name: 'BoxError',
        code: 'storage.io',
        message: 'cannot write',
        stack: /log\.test/,
        cause: { message: 'EIO', errno: 5 },
      },
    },
  })
})

t.test('a time before or after all calendars does not stop the log', async t => {
  const { log, clock, written } = bench(t)
  clock.stepWall(1e18)
  log.info('clock.stepped')
  t.match(written(), [{ event: 'clock.stepped' }])
})

t.test('what was written is also found in memory', async t => {
  const { log } = bench(t)
  log.info('a')
  log.info('b')
  t.same(
    log.recent().map(({ event }) => event),
    ['a', 'b'],
  )
})

t.test('what is held back is told at the latest when the log is flushed', async t => {
  const { log, written } = bench(t)
  for (let count = 0; count < 50; count++) log.warn('packet.refused', { count })
  const lines = written()
  t.equal(lines.length, 21)
  t.match(lines[20], { event: 'log.repeated', facts: { of: 'packet.refused', heldBack: 30 } })
})

t.test('a reader that is gone costs nothing but the lines', async t => {
  const fd = openSync('/dev/full', 'w')
  t.teardown(() => closeSync(fd))
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const log = new LinuxLog(clock, { process: 'box', fd })
  for (let count = 0; count < 100; count++) log.info(`event.${count}`, { text: 'x'.repeat(1000) })
  log.flush()
  t.equal(log.recent().length, 100)
  t.ok(log.lostLines > 0)
})

t.test('lines have the date that the box shows, whatever the system says', async t => {
  const { log, written } = bench(t)
  log.info('before')
  log.followWall({ wallAt: () => wallTimeMs(Date.UTC(2026, 10, 22)) })
  log.info('after')
  t.match(written(), [{ event: 'before' }, { event: 'after', time: '2026-11-22T00:00:00.000Z' }])
})
