/** Boxes of one venue with a new operating system, on one board that loses and delays words; each is away while it starts. */
import t from 'tap'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { BoardVoice } from '../../../ota/updater/board-voice.js'
import type { VenueWord } from '../../../ota/updater/venue-switch.js'
import { randomFrom } from '../../../runtime/core/random.js'
import { after } from '../../../runtime/core/time.js'
import type { PeerBoard } from '../../../runtime/ports/peer-link.js'
import { smallOs } from '../os/os-world.js'
import { OsBench, orders, signedOs } from './os-updater-bench.js'

/** Coarser than in a box, which turns every half second. */
const TURN_MS = 1_500
const DOWN_MS = 90_000
const MINUTE_MS = 60_000
const factory = smallOs('1.0.0')
const second = signedOs('2.0.0')
const NAMES = ['box-1', 'box-2', 'box-3', 'box-4']

interface Air {
  readonly loss: number
  readonly delayMsMax: number
}

class Venue {
  readonly clock = new SimulatedClock({ showStartMs: 1.8e12, driftPpm: 0 })
  readonly boxes: readonly VenueBox[]
  readonly random: () => number
  readonly air: Air
  /** The most that were away at once. */
  awayMost = 0
  /** Of them, the most that were not there. */
  downMost = 0

  constructor(air: Air, seed: number, config: object = {}) {
    this.air = air
    this.random = randomFrom(seed)
    this.boxes = NAMES.map(name => new VenueBox(name, this, config))
  }

  say(from: VenueBox, bytes: Uint8Array): void {
    for (const box of this.boxes) {
      if (box === from || this.random() < this.air.loss) continue
      const atMs = after(this.clock.monotonicMs(), this.random() * this.air.delayMsMax)
      this.clock.runAt(atMs, () => box.hear(from.name, bytes))
    }
  }

  /** @param isDone ends it before */
  async pass(minutes: number, isDone: () => boolean = () => false): Promise<void> {
    const untilMs = this.clock.monotonicMs() + minutes * MINUTE_MS
    while (this.clock.monotonicMs() < untilMs && !isDone()) {
      for (const box of this.boxes) await box.turn()
      const away = this.boxes.filter(({ isAway }) => isAway).length
      this.awayMost = Math.max(this.awayMost, away)
      const down = this.boxes.filter(({ isDown }) => isDown).length
      this.downMost = Math.max(this.downMost, down)
      await this.clock.advance(TURN_MS)
    }
  }
}

class VenueBox {
  readonly name: string
  readonly bench: OsBench
  readonly #venue: Venue
  #voice: BoardVoice
  #listener: (box: string, bytes: Uint8Array) => void = () => {}
  #upMs: number | null = null
  isDark = false
  isWell = true
  /** The new system does not mount the partition with autoboot.txt: nobody can judge it. */
  isSilentInNew = false
  isOpen = true
  /** How often it has rebooted. */
  reboots = 0

  constructor(name: string, venue: Venue, config: object) {
    this.name = name
    this.#venue = venue
    this.bench = new OsBench(factory, {
      clock: venue.clock,
      config: { box: name, venue: {}, ...config },
    })
    this.bench.known = [second]
    this.bench.look = orders(second)
    this.#voice = this.#start()
  }

  /** Away from the others, or about to prove itself. */
  get isAway(): boolean {
    return this.#upMs !== null || this.isDark || this.bench.updater.report().phase === 'trial'
  }

  get isDown(): boolean {
    return this.#upMs !== null
  }

  hear(from: string, bytes: Uint8Array): void {
    if (this.#upMs === null && this.isOpen) this.#listener(from, bytes)
  }

  async turn(): Promise<void> {
    const { clock } = this.#venue
    if (this.isDark) return
    if (this.#upMs !== null && clock.monotonicMs() < this.#upMs) return
    if (this.#upMs !== null) this.#voice = this.#start()
    this.#upMs = null
    const { world, partition } = this.bench
    world.firmware.isUnmounted = this.isSilentInNew && partition === 3
    this.#voice.say({ ...idle, box: this.name, showMs: clock.showTimeMs() })
    await this.bench.turnNow()
    if (!this.bench.isDown) return
    this.reboots++
    this.#upMs = clock.monotonicMs() + DOWN_MS
  }

  get isDone(): boolean {
    return this.bench.running === second && !this.isAway
  }

  /** The updater ends and starts again, and has forgotten what it heard. */
  restart(): void {
    this.#voice = this.#start()
  }

  #start(): BoardVoice {
    const { clock } = this.#venue
    const board: PeerBoard = {
      start: async () => {},
      stop: async () => {},
      isOpen: () => this.isOpen,
      say: bytes => {
        if (this.isOpen) this.#venue.say(this, bytes)
      },
      onWord: listener => {
        this.#listener = listener
        return () => {}
      },
      onChange: () => () => {},
    }
    const voice = new BoardVoice(clock, board, { box: this.name, isWell: () => this.isWell })
    voice.start()
    this.bench.voice = voice.systems
    this.bench.boot()
    return voice
  }
}

const idle: Omit<VenueWord, 'box' | 'showMs'> = {
  ...{ digest: null, stage: 'idle', at: null, obstacle: null },
}
const clear: Air = { loss: 0, delayMsMax: 0 }
const unmetOf = ({ bench }: VenueBox): string[] =>
  bench.updater.report().unmet.map(({ name }) => name)

t.test('the boxes of a venue start a system one after the other', async t => {
  for (const [air, seed] of [
    [clear, 1],
    [{ loss: 0.2, delayMsMax: 1_500 }, 2],
    [{ loss: 0.3, delayMsMax: 1_500 }, 3],
  ] as const) {
    const venue = new Venue(air, seed)
    await venue.pass(40, () => venue.boxes.every(({ isDone }) => isDone))
    t.equal(venue.awayMost, 1, JSON.stringify(air))
    for (const { bench, reboots, name } of venue.boxes) {
      t.ok(bench.running === second, name)
      t.equal(reboots, 1, name)
    }
  }
})

t.test('what fails on one box is started by no other, unless somebody forces it', async t => {
  const venue = new Venue(clear, 1)
  for (const { bench } of venue.boxes)
    bench.gate = partition => (partition === 3 ? ['devices: 1 is silent'] : [])
  await venue.pass(18)
  t.same(
    venue.boxes.map(({ reboots }) => reboots),
    [2, 0, 0, 0],
  )
  const [one, two] = venue.boxes
  if (!one || !two) throw new Error('there are four')
  t.match(one.bench.updater.report(), { running: 'a', refused: [{ version: '2.0.0' }] })
  t.same(unmetOf(two), ['fleet-failures'])
  t.match(two.bench.updater.report().unmet[0]?.words, /box-1 went back from 2\.0\.0/)
  await two.bench.updater.apply({ owner: 'Kim', reason: 'its lamp was broken' })
  two.bench.gate = () => []
  await venue.pass(5)
  t.ok(two.isDone)
})

t.test(
  'what nobody can judge is left by the box that tries it, and started by no other',
  async t => {
    const venue = new Venue({ loss: 0.2, delayMsMax: 1_500 }, 4)
    for (const box of venue.boxes) box.isSilentInNew = true
    await venue.pass(30)
    t.equal(venue.awayMost, 1)
    t.same(
      venue.boxes.map(({ reboots }) => reboots),
      [2, 0, 0, 0],
    )
    const [first, ...others] = venue.boxes
    const why = /nobody could judge it in a boot: autoboot.txt/
    t.match(first?.bench.updater.report(), { running: 'a', refused: [{ version: '2.0.0', why }] })
    for (const box of others) t.same(unmetOf(box), ['fleet-failures'], box.name)
  },
)

t.test('a box that cannot leave it says that it has failed, and that it stays', async t => {
  const venue = new Venue(clear, 1)
  const [first, ...others] = venue.boxes
  if (!first) throw new Error('there are four')
  first.isSilentInNew = true
  await venue.pass(20, () => first.reboots > 0)
  first.bench.world.firmware.refusal = 'interactive authentication is needed'
  await venue.pass(6)
  t.equal(first.reboots, 1)
  for (const box of others) t.same(unmetOf(box), ['fleet-failures'], box.name)
})

t.test('boxes that were forced into such a system at once leave it, all of them', async t => {
  const venue = new Venue(clear, 1)
  for (const box of venue.boxes) box.isSilentInNew = true
  await venue.pass(1)
  for (const { bench } of venue.boxes)
    await bench.updater.apply({ owner: 'Kim', reason: 'no time' })
  await venue.pass(5)
  t.equal(venue.downMost, 4)
  venue.downMost = 0
  await venue.pass(40, () => venue.boxes.every(({ reboots }) => reboots === 2))
  t.equal(venue.downMost, 1, 'one after the other')
  await venue.pass(3)
  for (const { bench, reboots, name } of venue.boxes) {
    t.equal(reboots, 2, name)
    t.match(bench.updater.report(), { running: 'a', refused: [{ version: '2.0.0' }] }, name)
  }
})

t.test('a box that does not come back is the last that goes', async t => {
  const venue = new Venue(clear, 1)
  const [first, ...others] = venue.boxes
  if (!first) throw new Error('there are four')
  await venue.pass(20, () => first.reboots > 0)
  first.isDark = true
  await venue.pass(15)
  for (const box of others) {
    t.equal(box.reboots, 0, box.name)
    t.ok(unmetOf(box).includes('fleet-failures'), box.name)
    t.ok(unmetOf(box).includes('fleet'), `${box.name}: two of three others are well`)
  }
})

t.test('nobody goes while too few others are well', async t => {
  const venue = new Venue(clear, 1)
  for (const box of venue.boxes.slice(2)) box.isWell = false
  await venue.pass(10)
  t.equal(venue.awayMost, 0)
  t.same(venue.boxes.slice(0, 2).map(unmetOf), [['fleet'], ['fleet']])
  for (const box of venue.boxes) box.isWell = true
  await venue.pass(25, () => venue.boxes.every(({ isDone }) => isDone))
  t.ok(venue.boxes.every(({ isDone }) => isDone))
})

t.test('an updater that starts while another box is away waits for it', async t => {
  const venue = new Venue(clear, 1)
  const [first, last] = [venue.boxes[0], venue.boxes[3]]
  if (!first || !last) throw new Error('there are four')
  await venue.pass(20, () => first.reboots > 0)
  for (const box of venue.boxes.slice(1)) box.restart()
  await venue.pass(40, () => venue.boxes.every(({ isDone }) => isDone))
  t.equal(venue.awayMost, 1)
  t.ok(venue.boxes.every(({ isDone }) => isDone))
})

t.test('a box that does not hear the others stays, or goes when it is forced', async t => {
  const venue = new Venue(clear, 1)
  const [deaf] = venue.boxes
  if (!deaf) throw new Error('there are four')
  deaf.isOpen = false
  await venue.pass(40, () => venue.boxes.slice(1).every(({ isDone }) => isDone))
  t.equal(deaf.reboots, 0)
  t.match(deaf.bench.updater.report().unmet[0]?.words, /the broker of the venue does not answer/)
  t.ok(venue.boxes.slice(1).every(({ bench }) => bench.running === second))
  await deaf.bench.updater.apply({ owner: 'Kim', reason: 'no broker here' })
  await venue.pass(3)
  t.ok(deaf.isDone)
})

t.test('a reboot that is refused lets the others pass', async t => {
  const venue = new Venue(clear, 1)
  const [stuck] = venue.boxes
  if (!stuck) throw new Error('there are four')
  stuck.bench.world.firmware.refusal = 'interactive authentication is needed'
  await venue.pass(45, () => venue.boxes.slice(1).every(({ isDone }) => isDone))
  t.equal(venue.awayMost, 1)
  t.ok(venue.boxes.slice(1).every(({ isDone }) => isDone))
})
