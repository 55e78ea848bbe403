/**
 * Two boxes of a venue in network namespaces, as root: how far apart their lamps change when either is asked for a cue, by
 * the firing thread on CLOCK_MONOTONIC, which both share; how late each lamp is; and, with a third box, how long nobody
 * leads when the leader is killed: `node dist/test/bench/venue.bench.js [cues, 300] [kills, 20]`. Judges nothing.
 */
import { loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import { LinuxClock, ownAnchor } from '../../drivers/linux/clock.js'
import { makeNamespaces, type Namespaces, whyNoNamespaces } from '../peers/namespaces.js'
import {
  type Disk,
  lampShow,
  makeDisk,
  startVenueBox,
  type VenueBox,
} from '../peers/venue-boxes.js'
import { percentiles, printTable } from './table.js'

const CUES = Number(process.argv[2] ?? 300)
const KILLS = Number(process.argv[3] ?? 20)
/** The venue's clock has settled by then. */
const SETTLE_MS = 20_000
const CUE_EVERY_MS = 150
const NAMES = ['box-1', 'box-2', 'box-3']
const SCRIPT = fileURLToPath(new URL('../fixtures/venue-box.js', import.meta.url))
const clock = new LinuxClock(ownAnchor())

const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

function start(namespaces: Namespaces, number: number, disks: readonly Disk[]): VenueBox {
  return startVenueBox(SCRIPT, namespaces, number, {
    box: NAMES[number] ?? '',
    stateFolder: disks[number]?.folder ?? '',
    showText: lampShow(NAMES),
  })
}

const leaderOf = (box: VenueBox): string | null => box.last('venue/state')?.leader ?? null

async function agreed(boxes: readonly VenueBox[]): Promise<string> {
  const [first] = boxes
  const leader = (): string | null => (first ? leaderOf(first) : null)
  const isHeard = (box: VenueBox): boolean =>
    (box.last('venue/state')?.members ?? []).filter(({ lastHeardMs }) => lastHeardMs < 900)
      .length === boxes.length
  await first?.until(
    () => leader() !== null && boxes.every(box => leaderOf(box) === leader() && isHeard(box)),
    'one leader',
  )
  return leader() ?? ''
}

const row = (what: string, values: readonly number[]): Record<string, string | number> => {
  const { n, p50, p99, max } = percentiles(values)
  return { what, n, p50, p99, max, load: loadavg()[0]?.toFixed(1) ?? '' }
}

/** Both lamps, cue by cue: a lamp that changed less often than it was asked to would shift all that follow. */
async function measureCues(): Promise<readonly Record<string, string | number>[]> {
  const namespaces = makeNamespaces(2)
  const disks = [makeDisk(), makeDisk()]
  const boxes = [0, 1].map(number => start(namespaces, number, disks))
  await agreed(boxes)
  await pause(SETTLE_MS)
  const asked: { readonly id: string; readonly by: number; readonly atMs: number }[] = []
  for (let cue = 0; cue < CUES; cue++) {
    const by = Math.floor(cue / 2) % 2
    asked.push({ id: `cue-${cue}`, by, atMs: clock.monotonicMs() })
    boxes[by]?.ask({
      id: `cue-${cue}`,
      action: 'fire',
      cue: cue % 2 === 0 ? 'on' : 'off',
    })
    await pause(CUE_EVERY_MS + 7 * Math.random())
  }
  await pause(1_000)
  const [one = [], other = []] = boxes.map(box => box.said('lamp'))
  const leadMs = boxes.map(box => box.last('venue/state')?.leadMs ?? 0)
  const apartMs = one.map((lamp, index) =>
    Math.abs(lamp.firedMs - (other[index]?.firedMs ?? Number.NaN)),
  )
  const lateMs = [...one, ...other].map(({ plannedMs, firedMs }) => firedMs - plannedMs)
  const fires = boxes.map(box => box.said('cue/fired').length)
  const answers = boxes.flatMap(box => box.said('command/answered'))
  const answerMs = asked.flatMap(({ id, by, atMs }) => {
    const answer = boxes[by]?.said('command/answered').find(({ message }) => message.id === id)
    return answer ? [answer.atMs - atMs] : []
  })
  await end(boxes, namespaces, disks)
  process.stdout.write(
    `${CUES} cues asked, ${answers.length} answers, fired ${fires.join(' and ')}, lamps changed ${one.length} and ${other.length} times; lead ${Math.max(...leadMs)} ms\n\n`,
  )
  return [
    row('|box-1 − box-2|, ms', apartMs),
    row('lateness of each lamp, ms', lateMs),
    row('from asking to the answer, ms', answerMs),
  ]
}

const firesOf = (box: VenueBox, fire: string): number =>
  box.said('cue/fired').filter(({ message }) => message.fire === fire).length

/** What three boxes were for, and are not any more. */
async function end(
  boxes: readonly VenueBox[],
  namespaces: Namespaces,
  disks: readonly Disk[],
): Promise<void> {
  for (const box of boxes) await box.stop()
  namespaces.remove()
  for (const disk of disks) disk.remove()
}

async function measureKills(): Promise<readonly Record<string, string | number>[]> {
  const namespaces = makeNamespaces(3)
  const disks = NAMES.map(() => makeDisk())
  const boxes = NAMES.map((_, number) => start(namespaces, number, disks))
  const takeOverMs: number[] = []
  const answerMs: number[] = []
  let lost = 0
  let doubled = 0
  for (let kill = 0; kill < KILLS; kill++) {
    const leader = await agreed(boxes)
    const dead = boxes.findIndex(({ box }) => box === leader)
    const left = boxes.filter((_, number) => number !== dead)
    const id = `kill-${kill}`
    const killedAt = clock.monotonicMs()
    const ended = boxes[dead]?.kill()
    left[0]?.ask({ id, action: 'fire', cue: kill % 2 === 0 ? 'on' : 'off' })
    await ended
    await agreed(left)
    await pause(1_500)
    const led = left.flatMap(box => box.said('venue/leader-changed'))
    const first = led.find(({ message, atMs }) => message.role === 'leading' && atMs > killedAt)
    takeOverMs.push((first?.atMs ?? Number.NaN) - killedAt)
    const answer = left[0]?.said('command/answered').find(({ message }) => message.id === id)
    if (answer?.message.isAccepted) answerMs.push(answer.atMs - killedAt)
    const counts = left.map(box => firesOf(box, id))
    lost += counts.filter(count => count === 0).length
    doubled += counts.filter(count => count > 1).length
    boxes[dead] = start(namespaces, dead, disks)
  }
  await end(boxes, namespaces, disks)
  process.stdout.write(
    `\n${KILLS} leaders killed with a fire on its way: on two boxes each, ${lost} lost, ${doubled} twice\n\n`,
  )
  return [
    row('kill -9 to the next leader, ms', takeOverMs),
    row('kill -9 to the answer of the fire, ms', answerMs),
  ]
}

const whyNot = whyNoNamespaces()
if (whyNot !== null) process.stdout.write(`not measured: ${whyNot}\n`)
else {
  printTable(await measureCues())
  printTable(await measureKills())
}
