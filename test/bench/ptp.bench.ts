/**
 * How far a follower's time is from its leader's, for ptp4l and the box as either: `node dist/test/bench/ptp.bench.js
 * [seconds]`, as root, with linuxptp. Leader and follower are processes in namespaces that a bridge joins. All read one
 * kernel's clock, so what they differ by is the follower's error; a box begins its timeline somewhere, which is constant
 * and taken off. For ptp4l as the follower it is the offset
 * that it measures, as it does not steer (`free_running`); for a box, its show time. Both are read sixteen times a second.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeNamespaces, type Namespaces } from '../peers/namespaces.js'
import { type Ptp4l, type Ptp4lSettings, startPtp4l, whyNoPtp } from '../peers/ptp4l.js'
import { type BoxClock, startVenueClock } from '../peers/venue-clock.js'
import { percentiles, printTable } from './table.js'

type Stamps = 'kernel' | 'program'
type Program = 'ptp4l' | 'Roadcase'

const SECONDS = Number(process.argv[2] ?? 40)
/** The filter's line goes back for thirty seconds; after ten it is as good as it gets on a network of one machine. */
const SETTLE_SECONDS = 10
const SCRIPT = fileURLToPath(new URL('../fixtures/venue-clock.js', import.meta.url))

/** One end, and what it shows. */
interface End {
  /** Ready to be measured. */
  settled(): Promise<void>
  /** Microseconds since the last call: of a leader and of a box, ahead of the system's time; of ptp4l, ahead of its leader. */
  take(): readonly number[]
  stop(): Promise<void>
}

const pause = (seconds: number): Promise<void> =>
  new Promise(resolve => setTimeout(resolve, seconds * 1_000))

/** Zero is what it says before it has measured. */
const isFound = (offsetMicroseconds: number): boolean => offsetMicroseconds !== 0

function endOfPtp4l(ptp4l: Ptp4l, isLeader: boolean): End {
  let taken = 0
  return {
    settled: () =>
      isLeader
        ? ptp4l.until(() => ptp4l.output().includes('assuming the grand master role'), 'its role')
        : ptp4l.until(() => ptp4l.offsetsMicroseconds().some(isFound), 'its first offset'),
    take: () => {
      if (isLeader) return [0]
      const offsets = ptp4l.offsetsMicroseconds()
      const from = taken
      taken = offsets.length
      return offsets.slice(from)
    },
    stop: () => ptp4l.stop(),
  }
}

function endOfBox(box: BoxClock, isLeader: boolean): End {
  let taken = 0
  const state = isLeader ? 'leading' : 'following'
  return {
    settled: () => box.until(() => box.state()?.state === state, state),
    take: () => {
      const from = taken
      taken = box.aheadMicroseconds.length
      return box.aheadMicroseconds.slice(from)
    },
    stop: () => box.stop(),
  }
}

function start(
  program: Program,
  stamps: Stamps,
  at: { readonly namespaces: Namespaces; readonly number: number; readonly folder: string },
): End {
  const isLeader = at.number === 0
  if (program === 'ptp4l') {
    const role: Ptp4lSettings = isLeader ? { priority1: 10 } : { clientOnly: 1 }
    return endOfPtp4l(startPtp4l(at.namespaces, at.number, role), isLeader)
  }
  const stateFolder = join(at.folder, String(at.number))
  const settings = { stateFolder, stamps, isPreferred: isLeader }
  return endOfBox(startVenueClock(SCRIPT, at.namespaces, at.number, settings), isLeader)
}

const middle = (values: readonly number[]): number => percentiles(values).p50

async function measure(
  leads: Program,
  follows: Program,
  stamps: Stamps,
): Promise<Record<string, string | number>> {
  const folder = mkdtempSync(join(tmpdir(), 'roadcase-bench-'))
  const namespaces = makeNamespaces(2)
  const leader = start(leads, stamps, { namespaces, number: 0, folder })
  await leader.settled()
  const follower = start(follows, stamps, { namespaces, number: 1, folder })
  await follower.settled()
  await pause(SETTLE_SECONDS)
  leader.take()
  follower.take()
  await pause(SECONDS)
  const begunAt = middle(leader.take())
  // What ptp4l calls its offset is its own time, the system's, less the leader's.
  const sign = follows === 'ptp4l' ? 1 : -1
  const errors = follower.take().map(ahead => ahead + sign * begunAt)
  await follower.stop()
  await leader.stop()
  namespaces.remove()
  rmSync(folder, { recursive: true, force: true })
  const { n, p50, p99, max } = percentiles(errors.map(Math.abs))
  return {
    'leader → follower': `${leads} → ${follows}`,
    stamps,
    n,
    'median µs': rounded(middle(errors)),
    '|p50| µs': rounded(p50),
    '|p99| µs': rounded(p99),
    'max µs': rounded(max),
    load: loadavg()[0]?.toFixed(1) ?? '',
  }
}

const rounded = (microseconds: number): string => microseconds.toFixed(1)

const whyNot = whyNoPtp()
if (whyNot !== null) process.stdout.write(`not measured: ${whyNot}\n`)
else {
  const rows = [await measure('ptp4l', 'ptp4l', 'kernel')]
  for (const stamps of ['kernel', 'program'] as const)
    for (const [leads, follows] of [
      ['ptp4l', 'Roadcase'],
      ['Roadcase', 'ptp4l'],
      ['Roadcase', 'Roadcase'],
    ] as const)
      rows.push(await measure(leads, follows, stamps))
  printTable(rows)
}
