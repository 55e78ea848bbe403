/**
 * Runs the tests as the compiler wrote them: `node dist/test/suite.js [FILE...]`, a file as `test/core/bus.test.ts`.
 * So a file starts in a fraction of the time that `npx tap run FILE` takes, which compiles it first. Files that are named
 * in ROADCASE_TOGETHER, with blanks in between, run one after the other in this very process; what is named as an
 * argument then is all of them.
 */
import './light-hooks.js'
import './to-the-end.js'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const FILE_SECONDS_MAX = 360
const TOGETHER_SECONDS_MAX = 20 * 60
/** For those that set limits of their own: they build a kernel, or fetch a version of Node, where there is none. */
const SUITE_SECONDS_MAX = 2 * 60 * 60
const OWN_LIMITS = ['test/lab/lab.test.ts', 'test/nodes.test.ts']
/**
 * Side by side, on a small machine with two processors: the lab, which is idle for half of its time, what waits for most of
 * its time, and two for what computes. Whoever has nothing left of its own kind takes from the others.
 */
const LANES = 4

/**
 * Rooms whose files share a process, since one of its own costs more than most of them: what needs nothing but memory,
 * files or sockets on loopback. What kills, keeps the processor busy against a clock, or has a limit of its own, has its own
 * process.
 */
const SHARED = [
  /^test\/(boards|cli|core|runtime|services|drivers(?!\/linux\/)|gateways\/\w+(?!\/kill\.)|ports)\//,
  /^test\/(ota\/\w+)\/(?!killed?\.|launcher\.|apply-in-child\.|bundler\.)/,
  /^test\/(drivers\/linux)\/(firing|gpio|input|power|ptp4l|pmc|guard-[pw]|bus-[lw]|p|e|date|attach|interface|log|spin)[\w-]*\.test/,
  /^test\/(drivers\/linux)\/(card-trouble|chrony|clock|control-door|device-stream|files|i2c|libc|midi-file)\.test/,
  /^test\/(drivers\/linux)\/(native|ntp-network|rauc-answers|recorded-sound|serial|usb-printer|tcp-stream)\.test/,
  /^test\/(drivers\/linux)\/(datagrams|host|last-act|libc-sockets|sqlite-engine|unguarded)\.test/,
  // Whole boxes in memory: what each kind of them runs most is compiled once.
  /^test\/(simulation\/(?:power|ptp|venue))-?[\w-]*\.test/,
  /^test\/(simulation)\/(box|faults|printing|time-of-day|timecode)\.test/,
]
const roomOf = (file: string): string | undefined =>
  SHARED.map(rule => rule.exec(file)?.[1]).find(room => room !== undefined)

/** The long ones first, longest first, so that none is left alone at the end. */
const LONG = [
  ...OWN_LIMITS,
  'test/peers/ota-venue.test.ts',
  'test/ota/slots/launcher.test.ts',
  'test/gateways/broker',
  'test/ota/release-build.test.ts',
  'test/simulation/venue',
  'test/simulation/power',
  'test/simulation/ptp',
  'test/simulation',
  'test/simulation/seeds.test.ts',
  'test/peers/chromium.test.ts',
  'test/peers/venue.test.ts',
  'test/services',
  'test/peers/chromium-link.test.ts',
  'test/gateways/broker/kill.test.ts',
  'test/drivers/linux/guard.test.ts',
  'test/peers/whole-box.test.ts',
  'test/simulation/flood.test.ts',
]

/**
 * What waits for two thirds of its time or more, longest first: a trial that must last, a daemon that finds the time, an
 * answer that never comes. One after the other, so that at any time somebody waits, and never all at once.
 */
const WAITING = [
  'test/peers/ota.test.ts',
  'test/peers/ptp.test.ts',
  'test/peers/ntp.test.ts',
  'test/peers/nts.test.ts',
  'test/peers/mosquitto-tls.test.ts',
  'test/peers/nut.test.ts',
  'test/peers/aplay.test.ts',
  'test/gateways/nut',
  'test/drivers/linux/venue-link.test.ts',
]

interface Run {
  /** A file, or the room that its files share. */
  readonly name: string
  readonly files: readonly string[]
  readonly secondsMax: number
}

const everyFile = (): string[] =>
  readdirSync('test', { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith('.test.ts'))
    .map(path => join('test', path))
    .sort()

function runsOf(files: readonly string[]): Run[] {
  const rooms = new Map<string, string[]>()
  const alone: Run[] = []
  for (const file of files) {
    const room = roomOf(file)
    if (room === undefined) alone.push({ name: file, files: [file], secondsMax: limitOf(file) })
    else rooms.set(`test/${room}`, [...(rooms.get(`test/${room}`) ?? []), file])
  }
  const together = [...rooms].map(([name, files]) => ({
    name,
    files,
    secondsMax: TOGETHER_SECONDS_MAX,
  }))
  return [...together, ...alone]
}

/** Of those in `order` by their place there, all others after them. */
const inOrder = (runs: readonly Run[], order: readonly string[]): Run[] => {
  const rank = ({ name }: Run): number =>
    order.includes(name) ? order.indexOf(name) : order.length
  return runs.toSorted((one, other) => rank(one) - rank(other))
}

/** Each lane takes the next one when it is done with the last. */
async function runAll(runs: readonly Run[]): Promise<void> {
  const isWaiting = ({ name }: Run): boolean => WAITING.includes(name)
  const waiting = inOrder(runs.filter(isWaiting), WAITING)
  const others = inOrder(
    runs.filter(run => !isWaiting(run)),
    LONG,
  )
  const lane = async (first: Run[], then: Run[]): Promise<void> => {
    for (;;) {
      const run = first.shift() ?? then.shift()
      if (run === undefined) return
      await start(run)
    }
  }
  t.jobs = LANES
  const lanes = Array.from({ length: LANES - 1 }, () => lane(others, waiting))
  await Promise.all([...lanes, lane(waiting, others)])
}

const limitOf = (file: string): number =>
  OWN_LIMITS.includes(file) ? SUITE_SECONDS_MAX : FILE_SECONDS_MAX

function start({ name, files, secondsMax }: Run): Promise<unknown> {
  const [first = '', ...others] = files
  const isAlone = others.length === 0
  const hooks = ['./light-hooks.js', './to-the-end.js'].flatMap(hook => [
    '--import',
    new URL(hook, import.meta.url).href,
  ])
  const program = isAlone ? [...hooks, scriptOf(first)] : [fileURLToPath(import.meta.url), name]
  const args = ['--enable-source-maps', ...program]
  const together = isAlone ? {} : { ROADCASE_TOGETHER: files.join(' ') }
  const env = { ...process.env, ...together, TAP_TIMEOUT: String(secondsMax) }
  return t.spawn(process.execPath, args, { timeout: secondsMax * 1000, env, buffered: true }, name)
}

async function runHere(files: readonly string[]): Promise<void> {
  for (const file of files) {
    t.comment(file)
    await import(scriptOf(file))
    // What a file sets for itself alone would end all of them.
    t.setTimeout(TOGETHER_SECONDS_MAX * 1000)
  }
}

const scriptOf = (file: string): string =>
  fileURLToPath(new URL(`../${file.replace(/\.ts$/, '.js')}`, import.meta.url))

const together = process.env['ROADCASE_TOGETHER']
if (together !== undefined) await runHere(together.split(' '))
else {
  t.setTimeout(SUITE_SECONDS_MAX * 1000)
  // What one file makes, and others need too.
  const shared = mkdtempSync(join(tmpdir(), 'roadcase-suite-'))
  process.env['ROADCASE_SUITE'] = shared
  const removeShared = (): void => rmSync(shared, { recursive: true, force: true })
  t.teardown(removeShared)
  // Nothing is torn down then, and a whole release may lie there.
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)
    process.once(signal, () => {
      removeShared()
      process.exit(code)
    })
  const asked = process.argv.slice(2)
  await runAll(runsOf(asked.length > 0 ? asked : everyFile()))
}
