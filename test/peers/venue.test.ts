/**
 * Boxes of a venue as processes in network namespaces, joined by a bridge: real multicast, real PTP, real disks, cables
 * that are pulled and processes that are killed. How long things took is told, and judged by what is promised to people.
 */
import { execFileSync } from 'node:child_process'
import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { LinuxClock, ownAnchor } from '../../drivers/linux/clock.js'
import { compileInto } from '../fixtures/compiled.js'
import { LAN, makeNamespaces, type Namespaces, whyNoNamespaces } from './namespaces.js'
import { type Follow, follow } from './ptp4l.js'
import { lampShow, makeDisk, startVenueBox, VENUE_PORT, type VenueBox } from './venue-boxes.js'

const BOX = 'test/fixtures/venue-box'
const WORKERS = ['drivers/linux/firing-worker', 'drivers/linux/sqlite-worker']
const clock = new LinuxClock(ownAnchor())
const NAMES = ['box-1', 'box-2', 'box-3']
/** Namespaces share one kernel clock; the machine may stand still at any line. */
const TOGETHER_MS = 400

const whyNot = process.env['CI'] === undefined ? whyNoNamespaces() : null
const skip = whyNot ?? false
const compiled = whyNot === null ? t.testdir() : ''
if (whyNot === null) compileInto(compiled, [BOX, ...WORKERS])
t.setTimeout(175_000)

interface Site {
  readonly namespaces: Namespaces
  readonly boxes: VenueBox[]
  /** On the disk that the box of this number had before. */
  start(number: number): VenueBox
}

function site(t: Test, count: number): Site {
  const namespaces = makeNamespaces(NAMES.length)
  t.teardown(() => namespaces.remove())
  const disks = NAMES.map(() => makeDisk())
  t.teardown(() => {
    for (const disk of disks) disk.remove()
  })
  const boxes: VenueBox[] = []
  const start = (number: number): VenueBox => {
    const box = startVenueBox(join(compiled, `${BOX}.js`), namespaces, number, {
      box: NAMES[number] ?? '',
      stateFolder: disks[number]?.folder ?? '',
      showText: lampShow(NAMES),
    })
    boxes[number] = box
    t.teardown(() => box.stop())
    return box
  }
  for (let number = 0; number < count; number++) start(number)
  return { namespaces, boxes, start }
}

const leaderOf = (box: VenueBox): string | null => box.last('venue/state')?.leader ?? null

/** All of them say the same, and are in step. @returns who leads */
async function agreed(boxes: readonly VenueBox[]): Promise<string> {
  const [first] = boxes
  if (!first) throw new Error('no box')
  const isAgreed = (): boolean => {
    const leader = leaderOf(first)
    const positions = new Set(boxes.map(box => box.last('venue/state')?.position))
    const members = boxes.map(box => box.last('venue/state')?.members ?? [])
    return (
      leader !== null &&
      positions.size === 1 &&
      boxes.every(box => leaderOf(box) === leader) &&
      members.every(
        list => list.filter(({ lastHeardMs }) => lastHeardMs < 900).length === boxes.length,
      )
    )
  }
  await first.until(isAgreed, `one leader for ${boxes.map(({ box }) => box).join()}`)
  return leaderOf(first) ?? ''
}

const firesOf = (box: VenueBox, fire: string): readonly number[] =>
  box.said('cue/fired').flatMap(({ message }) => (message.fire === fire ? message.atShowMs : []))

/** Asks for a cue, and waits until each box has fired it. @returns when each lamp changed, on the kernel's clock */
async function fire(
  by: VenueBox,
  boxes: readonly VenueBox[],
  cue: string,
  id: string,
): Promise<readonly number[]> {
  const before = boxes.map(box => box.said('lamp').length)
  by.ask({ id, action: 'fire', cue })
  await by.until(() => boxes.every(box => firesOf(box, id).length > 0), `${id} everywhere`)
  await by.until(
    () => boxes.every((box, index) => box.said('lamp').length > (before[index] ?? 0)),
    `the lamps of ${id}`,
  )
  return boxes.map(box => box.said('lamp').at(-1)?.firedMs ?? Number.NaN)
}

const spreadOf = (moments: readonly number[]): number => Math.max(...moments) - Math.min(...moments)

function firedOnce(t: Test, boxes: readonly VenueBox[], id: string): void {
  const moments = boxes.map(box => firesOf(box, id))
  t.same(
    moments,
    boxes.map(() => [moments[0]?.[0]]),
    `${id} once on each box, at the same moment`,
  )
}

t.test('GO on any of three boxes fires the lamps of all', { skip }, async t => {
  const { boxes } = site(t, 3)
  await agreed(boxes)
  const spreads: number[] = []
  for (let round = 0; round < 9; round++) {
    const by = boxes[round % 3]
    if (!by) throw new Error('no box')
    const moments = await fire(by, boxes, round % 2 === 0 ? 'on' : 'off', `fire-${round}`)
    spreads.push(spreadOf(moments))
    firedOnce(t, boxes, `fire-${round}`)
  }
  t.ok(Math.max(...spreads) < TOGETHER_MS)
  t.comment(`lamps apart by ${spreads.map(ms => ms.toFixed(3)).join(' ')} ms`)
})

t.test(
  'the leader is killed in mid-show: nothing is lost, and nothing happens twice',
  { skip },
  async t => {
    const { boxes, start } = site(t, 3)
    const leader = await agreed(boxes)
    const dead = boxes.findIndex(({ box }) => box === leader)
    const left = boxes.filter((_, number) => number !== dead)
    const [one, other] = left
    if (!one || !other) throw new Error('no boxes are left')
    await fire(one, boxes, 'first', 'before')
    const killedMs = clock.monotonicMs()
    await boxes[dead]?.kill()
    one.ask({ id: 'between', action: 'level', target: 'all', level: 1 })
    other.ask({ id: 'also', action: 'fire', cue: 'on' })
    const next = await agreed(left)
    t.not(next, leader)
    await one.until(
      () => left.every(box => firesOf(box, 'also').length > 0),
      'what was asked while nobody led',
    )
    firedOnce(t, left, 'before')
    firedOnce(t, left, 'also')
    for (const [box, id] of [
      [one, 'between'],
      [other, 'also'],
    ] as const) {
      await box.until(() => box.said('command/answered').some(line => line.message.id === id), id)
      t.ok(box.said('command/answered').find(line => line.message.id === id)?.message.isAccepted)
    }
    const led = left.flatMap(box =>
      box
        .said('venue/leader-changed')
        .filter(line => line.message.role === 'leading' && line.atMs > killedMs),
    )
    t.ok(led.length > 0, 'one has taken over')
    t.comment(`taken over ${Math.round((led[0]?.atMs ?? 0) - killedMs)} ms after the kill`)
    one.ask({ id: 'hands-off', action: 'clear' })
    const back = start(dead)
    t.not(await agreed([...left, back]), leader, 'who comes back does not take it back')
    await back.until(() => back.last('show/state')?.current === 'on', 'the cue of the others')
    await fire(back, [...left, back], 'off', 'after')
    firedOnce(t, [...left, back], 'after')
  },
)

t.test(
  'a box whose cable is pulled goes on with its follow, takes a GO, and comes back',
  { skip },
  async t => {
    const { boxes, namespaces } = site(t, 3)
    const leader = await agreed(boxes)
    const cut = boxes.findIndex(({ box }) => box !== leader)
    const lonely = boxes[cut]
    const others = boxes.filter((_, number) => number !== cut)
    const [one] = others
    if (!lonely || !one) throw new Error('no boxes')
    await fire(one, boxes, 'first', 'parted')
    namespaces.plug(cut, false)
    await lonely.until(() => leaderOf(lonely) === lonely.box, 'leading itself')
    await one.until(() => boxes.every(box => firesOf(box, 'parted.1').length > 0), 'the follow')
    firedOnce(t, boxes, 'parted.1')
    await fire(lonely, [lonely], 'on', 'alone')
    t.same(
      others.map(box => firesOf(box, 'alone')),
      [[], []],
    )
    await fire(one, others, 'on', 'together')
    namespaces.plug(cut, true)
    t.not(await agreed(boxes), lonely.box, 'one of the two goes on')
    await lonely.until(() => lonely.said('venue/dropped').length > 0, 'what was decided apart')
    t.same(lonely.said('venue/dropped')[0]?.message.ids, ['alone'])
    await fire(lonely, boxes, 'off', 'again')
    firedOnce(t, boxes, 'again')
  },
)

t.test('an interface that is turned off and on again joins as before', { skip }, async t => {
  const { boxes, namespaces } = site(t, 2)
  const leader = await agreed(boxes)
  const cut = boxes.findIndex(({ box }) => box === leader)
  const [off, on] = cut === 0 ? [boxes[0], boxes[1]] : [boxes[1], boxes[0]]
  if (!off || !on) throw new Error('no boxes')
  namespaces.turn(cut, false)
  await on.until(() => leaderOf(on) === on.box, 'the other leads')
  await off.until(() => off.last('venue/state')?.trouble !== null, 'its trouble')
  namespaces.turn(cut, true)
  await agreed(boxes)
  await fire(off, boxes, 'on', 'joined')
  firedOnce(t, boxes, 'joined')
})

t.test('who comes late shows what the others show, and fires with them', { skip }, async t => {
  const { boxes, start } = site(t, 2)
  await agreed(boxes)
  const [one] = boxes
  if (!one) throw new Error('no box')
  await fire(one, boxes, 'on', 'early')
  const late = start(2)
  await agreed([...boxes.slice(0, 2), late])
  await late.until(() => late.last('show/state')?.current === 'on', 'the cue of the others')
  await fire(late, boxes, 'off', 'late')
  firedOnce(t, boxes, 'late')
})

const STRANGER = `
const socket = require('node:dgram').createSocket('udp4')
const group = '239.255.43.10'
socket.bind(0, () => {
  socket.setMulticastInterface('10.77.0.3')
  for (let count = 0; count < 2000; count++) {
    const noise = require('node:crypto').randomBytes(count % 1400)
    if (count % 2 === 0) noise.write('RCv1')
    socket.send(noise, ${VENUE_PORT}, count % 3 === 0 ? '10.77.0.1' : group)
  }
  const stream = require('node:net').connect(${VENUE_PORT}, '10.77.0.1', () => stream.end(Buffer.alloc(9000)))
  stream.on('error', () => {})
  setTimeout(() => process.exit(), 2000)
})
`

t.test('what a stranger sends is counted, and changes nothing', { skip }, async t => {
  const { boxes, namespaces } = site(t, 2)
  await agreed(boxes)
  const stranger = follow(...namespaces.within(2, process.execPath, ['-e', STRANGER]))
  t.teardown(() => stranger.stop())
  const [one] = boxes
  if (!one) throw new Error('no box')
  // What comes so thick that it is not looked at is counted as that.
  const refusedBy = (box: VenueBox): number => {
    const { forged = 0, malformed = 0, flood = 0 } = box.last('venue/state')?.refused ?? {}
    return forged + malformed + flood
  }
  await one.until(() => boxes.every(box => refusedBy(box) > 100), 'being counted')
  await stranger.ended
  await fire(one, boxes, 'on', 'undisturbed')
  firedOnce(t, boxes, 'undisturbed')
  t.ok(one.said('logged').filter(({ event }) => event === 'venue.refused').length < 4)
})

/** A box as it is, on the simulated board, with a box.json that names the venue. */
function wholeBox(t: Test, namespaces: Namespaces, number: number): Follow {
  if (!statSync('dist/program/main.js', { throwIfNoEntry: false }))
    execFileSync('npm', ['run', 'build'])
  const disk = makeDisk()
  t.teardown(() => disk.remove())
  const config = {
    schemaVersion: 1,
    tour: 'test',
    box: NAMES[number],
    devices: [{ name: 'lamp', driver: 'gpio-light', options: { line: 'light-1' } }],
    show: { file: 'show.yaml' },
    clock: { ptp: { interface: LAN } },
    venue: { interface: LAN, keyFile: 'venue.key' },
    broker: { kind: 'embedded', port: 0 },
    page: { port: 0 },
  }
  writeFileSync(join(disk.folder, 'box.json'), JSON.stringify(config))
  writeFileSync(join(disk.folder, 'show.yaml'), lampShow(NAMES))
  writeFileSync(join(disk.folder, 'venue.key'), new Uint8Array(32).fill(42), { mode: 0o600 })
  const files = ['--config', join(disk.folder, 'box.json'), '--state', join(disk.folder, 'state')]
  const args = ['dist/program/main.js', ...files, '--board', 'simulated']
  const box = follow(...namespaces.within(number, process.execPath, args))
  t.teardown(() => box.stop())
  return box
}

t.test(
  'a whole box with a venue in its box.json joins, fires with the others, and leads when they are gone',
  { skip },
  async t => {
    const { boxes, namespaces } = site(t, 2)
    await agreed(boxes)
    const [one] = boxes
    if (!one) throw new Error('no box')
    const whole = wholeBox(t, namespaces, 2)
    const member = () => one.last('venue/state')?.members.find(({ box }) => box === NAMES[2])
    await one.until(() => member()?.role === 'following', 'the whole box')
    t.match(member(), { isSameShow: true, isProven: true })
    await fire(one, boxes, 'on', 'for-all')
    await whole.until(
      () => /"event":"cue.fired"[^\n]*"fire":"for-all"/.test(whole.output()),
      'its lamp',
    )
    for (const box of boxes) await box.kill()
    await whole.until(
      () => /"event":"venue.leader"[^\n]*"role":"leading"/.test(whole.output()),
      'its lead',
    )
  },
)
