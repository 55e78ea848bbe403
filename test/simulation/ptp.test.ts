import t from 'tap'
import { at, playEvening, venue } from './ptp-evening.js'

const SEED = Number(process.env['SEED'] ?? 1)
const HOURS = Number(process.env['HOURS'] ?? 12)
/** Once a second; `SYNC=-3` is eight times a second, as a box does it, and takes eight times as long. */
const SYNC = Number(process.env['SYNC'] ?? 0)

t.test(
  'twelve hours of kicked cables and dying leaders: five boxes stay within 100 us, and time never steps',
  async t => {
    const evening = playEvening({ ...venue, seed: SEED, hours: HOURS, logSyncInterval: SYNC })
    const { spreadUs, takeOverMs } = evening
    const shares = [0.5, 0.99, 0.999, 1].map(share => at(spreadUs, share).toFixed(1))
    t.comment(`SEED=${SEED}: spread p50/p99/p99.9/max ${shares.join(' / ')} us over ${HOURS} h`)
    t.comment(`take-over in ${takeOverMs.map(ms => ms.toFixed(0)).join(', ')} ms`)
    t.comment(`${evening.outages} cables, ${evening.messages} messages`)
    t.ok(at(spreadUs, 1) < 100, `${at(spreadUs, 1)} us`)
    t.equal(evening.jumps, 0)
    t.equal(evening.stepsAfterFirstLock, 0)
    t.equal(evening.wonBack, 0, 'a leader that comes back follows')
    t.ok(takeOverMs.every(ms => ms < 1000))
    t.equal(evening.outsideBound, 0)
    t.ok(evening.insideBound > 10_000 * HOURS, 'bounds were looked at')
    t.ok(evening.leadersKilled >= HOURS - 2, 'leaders died')
    t.equal(takeOverMs.length, evening.leadersKilled, 'each was replaced')
    t.ok(evening.outages > 10 * HOURS, 'cables were kicked')
  },
)
