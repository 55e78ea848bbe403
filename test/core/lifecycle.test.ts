import t from 'tap'
import { SimulatedClock, settle } from '../../drivers/simulated/clock.js'
import { SimulatedLog } from '../../drivers/simulated/log.js'
import { BoxError, ConfigError, messageOf } from '../../runtime/core/errors.js'
import { type Service, startAll, within } from '../../runtime/core/lifecycle.js'

class Bench {
  readonly clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  readonly log = new SimulatedLog()
  readonly seen: string[] = []

  service(
    name: string,
    faults: { start?: () => Promise<void>; stop?: () => Promise<void> } = {},
  ): Service {
    return {
      name,
      start: () => {
        this.seen.push(`start ${name}`)
        return faults.start?.() ?? Promise.resolve()
      },
      stop: () => {
        this.seen.push(`stop ${name}`)
        return faults.stop?.() ?? Promise.resolve()
      },
    }
  }

  start(...services: readonly Service[]): Promise<() => Promise<void>> {
    return startAll(this.clock, this.log, services)
  }
}

const never = (): Promise<void> => new Promise(() => {})

t.test('services start in order, each after the one before, and stop in reverse', async t => {
  const bench = new Bench()
  const stop = await bench.start(
    bench.service('store'),
    bench.service('cues'),
    bench.service('page'),
  )
  await stop()
  t.same(bench.seen, [
    'start store',
    'start cues',
    'start page',
    'stop page',
    'stop cues',
    'stop store',
  ])
})

t.test('stopping twice stops once, and the second waits for the first', async t => {
  const bench = new Bench()
  let release = (): void => {}
  const slow = bench.service('slow', { stop: () => new Promise(resolve => (release = resolve)) })
  const stop = await bench.start(bench.service('store'), slow)
  const first = stop()
  let isSecondDone = false
  const second = stop().then(() => {
    isSecondDone = true
  })
  await settle()
  t.equal(isSecondDone, false)
  release()
  await Promise.all([first, second])
  t.same(bench.seen.slice(2), ['stop slow', 'stop store'])
})

t.test(
  'a failed start stops what had started and what had failed, and names the service',
  async t => {
    const bench = new Bench()
    const cause = new TypeError('oh')
    const thrown = await bench
      .start(
        bench.service('a'),
        bench.service('b', { start: () => Promise.reject(cause) }),
        bench.service('c'),
      )
      .catch((error: unknown) => error)
    t.match(String(thrown), 'b did not start')
    t.ok(thrown instanceof Error && thrown.cause === cause)
    t.same(bench.seen, ['start a', 'start b', 'stop b', 'stop a'])
  },
)

t.test('a failure with a code keeps it, and names the service too', async t => {
  const bench = new Bench()
  const cause = new BoxError('port.taken', 'port 8080 is taken')
  const thrown = await bench
    .start(bench.service('page', { start: () => Promise.reject(cause) }))
    .catch((error: unknown) => error)
  t.match(thrown, { code: 'port.taken' })
  t.equal(messageOf(thrown), 'page did not start (port 8080 is taken)')
})

t.test('a config error is thrown as it is: it says itself where', async t => {
  const bench = new Bench()
  const cause = new ConfigError([{ path: 'box.page', message: 'is missing', place: null }])
  const thrown = await bench
    .start(bench.service('page', { start: () => Promise.reject(cause) }))
    .catch((error: unknown) => error)
  t.equal(thrown, cause)
})

t.test('a start that throws before it returns a promise fails like any other', async t => {
  const bench = new Bench()
  const thrower = bench.service('b', {
    start: () => {
      throw new TypeError('oh')
    },
  })
  await t.rejects(bench.start(bench.service('a'), thrower), /b did not start/)
  t.same(bench.seen, ['start a', 'start b', 'stop b', 'stop a'])
})

t.test('a start that never ends fails after 30 s', async t => {
  const bench = new Bench()
  const started = bench.start(bench.service('a', { start: never })).catch((error: unknown) => error)
  await bench.clock.advance(29_999)
  t.same(bench.seen, ['start a'])
  await bench.clock.advance(1)
  t.match(await started, { code: 'service.timeout', message: /a did not start/ })
})

t.test(
  'a stop that never ends, fails or throws is logged, and the others are still stopped',
  async t => {
    const bench = new Bench()
    const stop = await bench.start(
      bench.service('a'),
      bench.service('b', { stop: never }),
      bench.service('c', { stop: () => Promise.reject(new Error('oh')) }),
      bench.service('d', {
        stop: () => {
          throw new TypeError('oh')
        },
      }),
    )
    const stopped = stop()
    await bench.clock.advance(5_000)
    await stopped
    t.same(bench.seen.slice(4), ['stop d', 'stop c', 'stop b', 'stop a'])
    t.same(
      bench.log.lines.map(({ event, facts }) => `${event} ${facts['service']}`),
      ['service.stop-failed d', 'service.stop-failed c', 'service.stop-failed b'],
    )
  },
)

t.test('work within its limit gives its result, or its own failure', async t => {
  const { clock } = new Bench()
  t.equal(await within(clock, 100, 'work', Promise.resolve(7)), 7)
  await t.rejects(within(clock, 100, 'work', Promise.reject(new TypeError('oh'))), TypeError)
})

t.test('work that is late is a time-out, and what becomes of it later harms nobody', async t => {
  const { clock } = new Bench()
  let fail = (_: Error): void => {}
  const work = new Promise<void>((_, reject) => (fail = reject))
  const late = within(clock, 100, 'the printer did not answer', work).catch(
    (error: unknown) => error,
  )
  await clock.advance(100)
  t.match(await late, {
    code: 'service.timeout',
    message: 'the printer did not answer within 100 ms',
  })
  fail(new Error('later'))
  await settle()
})
