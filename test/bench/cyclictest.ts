/** The machine's own limit: how late rt-tests' cyclictest, a thread of real-time priority in C, is woken. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** That of the firing thread: both are kept from a processor by the same things. */
const PRIORITY = 49
const INTERVAL_MICROSECONDS = 10_000
const MICROSECONDS_MAX = 100_000
const NOT_THERE = ['ENOENT', 'EACCES']

const run = promisify(execFile)

/** How late each of so many wake-ups was, in milliseconds; null where cyclictest is missing or may not. */
export async function cyclictest(count: number): Promise<readonly number[] | null> {
  const options = [
    '--quiet',
    '--threads=1',
    `--priority=${PRIORITY}`,
    `--interval=${INTERVAL_MICROSECONDS}`,
    `--loops=${count}`,
    `--histogram=${MICROSECONDS_MAX}`,
  ]
  try {
    const { stdout } = await run('cyclictest', options, {
      timeout: 30_000 + count * 20,
      maxBuffer: 16_777_216,
    })
    return wakeUpsIn(stdout)
  } catch (error) {
    if (error instanceof Error && 'code' in error && isNotThere(error.code)) return null
    throw error
  }
}

/** 1: it was refused the priority. */
const isNotThere = (code: unknown): boolean =>
  code === 1 || (typeof code === 'string' && NOT_THERE.includes(code))

/** Lines of a histogram: microseconds, and how often. */
function wakeUpsIn(text: string): readonly number[] {
  const lateMs: number[] = []
  for (const line of text.split('\n')) {
    const [, microseconds, count] = /^(\d{6}) (\d+)$/.exec(line.trim()) ?? []
    for (let left = Number(count ?? 0); left > 0; left--) lateMs.push(Number(microseconds) / 1_000)
  }
  // What is beyond the histogram is only counted.
  const beyond = /^# Histogram Overflows: 0*(\d+)/m.exec(text)?.[1] ?? '0'
  for (let left = Number(beyond); left > 0; left--) lateMs.push(MICROSECONDS_MAX / 1_000)
  return lateMs
}
