/**
 * Goal: chronyd sets the date of a machine as the box lets it: at once where it is far off, never while a show is armed,
 * and without hurrying the clock that cues are fired by. Method: the real programs on the lab's kernel, which has a date of
 * its own, before a server that is an hour ahead.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { hasProgram } from '../peers/namespaces.js'
import { serveTime } from '../peers/time-server.js'
import { type BoxDate, startWallClock } from '../peers/wall-clock.js'

const HOUR_MS = 3_600_000
const TEN_MINUTES_MS = 600_000
/** The machine may stand still for long. */
const SAME_MS = 5_000
/** Microseconds for each of a hundred ticks a second: a slew of chronyd's own choice would add a twelfth. */
const TICK = { min: 9_900, max: 10_100 }

const isHere = hasProgram('chronyd') && hasProgram('chronyc')
const skip = isHere || process.env['CI'] !== undefined ? false : 'chrony is not installed'
const here = {
  within: (_: number, program: string, args: readonly string[]): [string, string[]] => [
    program,
    [...args],
  ],
}
const script = (name: string): string => `dist/test/fixtures/${name}.js`

const server = (t: Test, aheadMs: number): ReturnType<typeof serveTime> =>
  serveTime(t, script('time-server'), here, 0, {
    aheadMs,
    isSteady: true,
    stratum: 2,
    allow: ['127.0.0.0/8'],
  })

function box(t: Test, ntp: object): BoxDate {
  const folder = mkdtempSync(join(tmpdir(), 'date-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const started = startWallClock(script('wall-clock'), here, 0, folder, ntp, true)
  t.teardown(() => started.stop())
  return started
}

/** How far the machine's date has been set since, by the clock that nobody sets. */
function setSince(): () => number {
  const [date, at] = [Date.now(), process.hrtime.bigint()]
  return () => Date.now() - date - Number(process.hrtime.bigint() - at) / 1e6
}

const near = (ms: number, wantedMs: number): boolean => Math.abs(ms - wantedMs) < SAME_MS

function tick(): number {
  const said = execFileSync('busybox', ['adjtimex'], { encoding: 'utf8' })
  return Number(/tick:\s+(\d+)/.exec(said)?.[1])
}

const isUnhurried = (): boolean => tick() >= TICK.min && tick() <= TICK.max

t.equal(hostname(), 'roadcase-lab', 'no other machine has its date set')

t.test(
  'a machine that is an hour behind is set at the start, not while armed',
  { skip },
  async t => {
    const set = setSince()
    await server(t, HOUR_MS)
    const leader = box(t, { engine: 'chrony', servers: [{ host: '127.0.0.1' }] })
    await leader.until(() => near(set(), HOUR_MS), 'the date of the machine')
    await leader.until(() => leader.state()?.source === 'ntp', 'knowing it')
    await leader.until(() => near(leader.aheadMs(), 0), 'showing it')
    t.match(leader.state(), { engine: 'chrony', isUtcKnown: true, stratum: 3, trouble: null })
    t.ok(leader.logged.some(line => /^wall\.daemon \{.*"sets":true/.test(line)))
    t.ok(isUnhurried())

    leader.arm(true)
    const isSilent = (): boolean => leader.state()?.servers[0]?.state === 'silent'
    await leader.until(isSilent, 'asking nobody')
    t.ok(near(set(), HOUR_MS), 'nothing has set it')
    leader.arm(false)
    const isFollowed = (): boolean => leader.state()?.servers[0]?.state === 'followed'
    await leader.until(isFollowed, 'asking again')
    t.ok(near(set(), HOUR_MS))
    t.ok(isUnhurried())
  },
)

t.test('a follower that starts armed is set when the show is over', { skip }, async t => {
  const set = setSince()
  await server(t, TEN_MINUTES_MS)
  const follower = box(t, { engine: 'chrony', follow: '127.0.0.1' })
  follower.arm(true)
  const isFar = (): boolean => (follower.state()?.aheadMs ?? 0) < -SAME_MS
  await follower.until(isFar, 'knowing how far it is')
  t.match(follower.state(), { isFrozen: true, source: 'leader' })
  t.ok(near(set(), 0), 'the machine keeps its date')
  t.ok(isUnhurried(), 'and its pace')
  follower.arm(false)
  await follower.until(() => near(set(), TEN_MINUTES_MS), 'the date of the leader')
  t.ok(isUnhurried())
})
