/** Whole updaters of a venue, on one simulated clock: their launchers start them anew whenever they ask for it. */
import t from 'tap'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { SimulatedFiles } from '../../../drivers/simulated/files.js'
import { SimulatedLog } from '../../../drivers/simulated/log.js'
import { Asked } from '../../../ota/updater/asked.js'
import type { BoxView } from '../../../ota/updater/criteria.js'
import { Holds } from '../../../ota/updater/holds.js'
import type { OtaState, SlotView } from '../../../ota/updater/parts.js'
import { Together } from '../../../ota/updater/together.js'
import { Updater } from '../../../ota/updater/updater.js'
import { checkUpdaterConfig } from '../../../ota/updater/updater-config.js'
import { VenueRecords } from '../../../ota/updater/venue-record.js'
import { type HeardWord, VENUE_TERMS, type VenueWord } from '../../../ota/updater/venue-switch.js'
import { after } from '../../../runtime/core/time.js'
import { digestOf, orderOf, quiet, StandInSlots } from './updater-bench.js'

const SECOND_MS = 1_000
const NAMES = ['box-1', 'box-2', 'box-3']
/** Slots that really change when they are told to. */
class TurningSlots extends StandInSlots {
  override async activate(): Promise<void> {
    await super.activate()
    const { prepared, running } = this.state
    this.state = { ...this.state, running: prepared, prepared: null, previous: running }
    this.state = { ...this.state, isOnTrial: true }
  }

  override async rollBack(reason: string): Promise<void> {
    await super.rollBack(reason)
    const { running, previous, refused } = this.state
    if (running === null) return
    const refusal = { ...running, why: reason }
    const back: SlotView = { ...this.state, running: previous, previous: null, isOnTrial: false }
    this.state = { ...back, refused: [...refused, refusal] }
  }

  override async clear(digest: string): Promise<void> {
    await super.clear(digest)
    const cleared = this.state.refused.find(one => one.digest === digest)
    const refused = this.state.refused.filter(one => one.digest !== digest)
    this.state = { ...this.state, refused, prepared: cleared ?? this.state.prepared }
  }
}

class VenueBox {
  readonly name: string
  readonly slots = new TurningSlots()
  readonly files = new SimulatedFiles()
  readonly log = new SimulatedLog()
  box: BoxView = quiet
  gate: readonly string[] = []
  said: VenueWord | null = null
  saidMs = 0
  isOff = false
  state: OtaState | null = null
  switchedMs: number | null = null
  together: Together | null = null
  #updater: Updater | null = null
  readonly #venue: Venue

  constructor(name: string, venue: Venue) {
    this.name = name
    this.#venue = venue
  }

  async start(): Promise<void> {
    const { clock } = this.#venue
    const together = new Together(
      {
        log: this.log,
        voice: {
          isOpen: () => true,
          heard: () => this.#venue.heardBy(this.name),
          say: word => {
            this.said = word
            this.saidMs = clock.monotonicMs()
          },
        },
        records: new VenueRecords(this.files),
        slots: this.slots,
      },
      { box: this.name, boxes: NAMES },
    )
    this.together = together
    this.#updater = new Updater(
      {
        clock,
        log: this.log,
        slots: this.slots,
        holds: new Holds(clock, this.files),
        asked: new Asked(this.files, this.log),
        together,
        fleet: () => null,
        orders: {
          look: async () => orderOf(this.#venue.ordered, true),
          recall: async () => null,
        },
        launcher: { gate: () => {}, passed: () => {}, restart: () => this.#again() },
        box: {
          view: async () => this.box,
          look: async () => this.box,
          remember: async () => {},
          silence: () => null,
          gate: async () => this.gate,
          showTime: async () => ({ nowMs: clock.showTimeMs(), errorMs: 0 }),
          tell: async state => {
            this.state = state
          },
        },
      },
      {
        config: checkUpdaterConfig({ schemaVersion: 1, tour: 't', box: this.name }),
        version: '1.0.0',
        architecture: 'x64',
        chance: 0,
      },
    )
    await this.#updater.start()
  }

  /** As the power goes: nothing is said any more, and nothing is remembered but what is on the disk. */
  async cut(): Promise<void> {
    this.isOff = true
    await this.#updater?.stop()
    this.#updater = null
  }

  async stop(): Promise<void> {
    await this.#updater?.stop()
  }

  async look(): Promise<void> {
    await this.#updater?.check()
  }

  /** Three seconds later, like a launcher. */
  #again(): void {
    const { clock } = this.#venue
    if (this.slots.state.isOnTrial) this.switchedMs = clock.monotonicMs()
    const old = this.#updater
    void Promise.resolve().then(() => old?.stop())
    this.#venue.later(3 * SECOND_MS, () => (this.isOff ? Promise.resolve() : this.start()))
  }
}

class Venue {
  ordered = '1.1.0'
  readonly clock = new SimulatedClock({ showStartMs: 1.8e12, driftPpm: 0 })
  readonly boxes = NAMES.map(name => new VenueBox(name, this))

  later(ms: number, task: () => Promise<void>): void {
    this.clock.runAt(after(this.clock.monotonicMs(), ms), () => void task())
  }

  heardBy(name: string): ReadonlyMap<string, HeardWord> {
    const heard = new Map<string, HeardWord>()
    for (const box of this.boxes)
      if (box.name !== name && box.said !== null)
        heard.set(box.name, { word: box.said, ageMs: this.clock.monotonicMs() - box.saidMs })
    return heard
  }

  async prepared(): Promise<void> {
    for (const box of this.boxes) await box.start()
    await this.clock.advance(SECOND_MS)
    for (const box of this.boxes) box.slots.go?.resolve()
  }

  running(): (string | undefined)[] {
    return this.boxes.map(({ slots }) => slots.state.running?.version)
  }
}

function venueOf(t: Tap): Venue {
  const venue = new Venue()
  t.teardown(async () => {
    for (const box of venue.boxes) await box.stop()
  })
  return venue
}
type Tap = { teardown(task: () => Promise<void>): void }

t.test('all switch at one moment, and keep it when all have passed', async t => {
  const venue = venueOf(t)
  await venue.prepared()
  await venue.clock.advance(60 * SECOND_MS)
  t.same(venue.running(), ['1.1.0', '1.1.0', '1.1.0'])
  const switched = venue.boxes.map(({ switchedMs }) => switchedMs ?? Number.NaN)
  t.ok(Math.max(...switched) - Math.min(...switched) <= 250, switched.join())
  for (const { slots } of venue.boxes) t.ok(slots.did.includes('good'), slots.did.join())
})

t.test('nobody switches while one box has its show armed, and all are told who', async t => {
  const venue = venueOf(t)
  const [first, second] = venue.boxes
  if (second) second.box = { ...quiet, isArmed: true }
  await venue.prepared()
  await venue.clock.advance(60 * SECOND_MS)
  t.same(venue.running(), ['1.0.0', '1.0.0', '1.0.0'])
  t.match(first?.state?.unmet, [{ name: 'venue', words: /box-2 cannot: a show is armed/ }])
  if (second) second.box = quiet
  await venue.clock.advance(60 * SECOND_MS)
  t.same(venue.running(), ['1.1.0', '1.1.0', '1.1.0'])
})

t.test('one that does not pass takes all back; cleared there, all try again', async t => {
  const venue = venueOf(t)
  const bad = venue.boxes[2]
  if (bad) bad.gate = ['its printer does not answer']
  await venue.prepared()
  await venue.clock.advance(20 * SECOND_MS)
  // As its launcher does it when the time is up.
  await bad?.slots.rollBack('gate: its printer does not answer')
  await venue.clock.advance(10 * SECOND_MS)
  t.same(venue.running(), ['1.0.0', '1.0.0', '1.0.0'])
  t.match(venue.boxes[0]?.slots.did.at(-1), /box-3 has gone back: gate: its printer/)
  for (const { slots } of venue.boxes) t.notOk(slots.did.includes('good'))
  const areToTakeAgain = () => venue.boxes.map(({ together }) => together?.isToBeTakenAgain)
  t.same(areToTakeAgain(), [true, true, false], 'what failed nowhere else may be tried again')
  await venue.clock.advance(600 * SECOND_MS)
  t.same(areToTakeAgain(), [false, false, false], 'and is cleared')
  t.same(venue.running(), ['1.0.0', '1.0.0', '1.0.0'], 'it is refused there, so nowhere tried')
  if (bad) bad.gate = []
  await bad?.slots.clear(digestOf('1.1.0'))
  await venue.clock.advance(120 * SECOND_MS)
  t.same(venue.running(), ['1.1.0', '1.1.0', '1.1.0'])
})

t.test(
  'what one box itself does not find good in time is refused there, once; the next release is taken',
  async t => {
    const venue = venueOf(t)
    const bad = venue.boxes[2]
    if (bad) bad.gate = ['its printer does not answer']
    await venue.prepared()
    await venue.clock.advance(900 * SECOND_MS)
    t.same(venue.running(), ['1.0.0', '1.0.0', '1.0.0'])
    t.match(bad?.slots.state.refused, [{ why: /gate: its printer does not answer/ }])
    const tries = venue.boxes.map(
      ({ slots }) => slots.did.filter(deed => deed === 'activate').length,
    )
    t.same(tries, [1, 1, 1], 'nobody tries it again')
    if (bad) bad.gate = []
    venue.ordered = '1.2.0'
    for (const box of venue.boxes) await box.look()
    await venue.clock.advance(SECOND_MS)
    for (const box of venue.boxes) box.slots.go?.resolve()
    await venue.clock.advance(120 * SECOND_MS)
    t.same(venue.running(), ['1.2.0', '1.2.0', '1.2.0'])
  },
)

t.test(
  'a show that is armed in the last second keeps its box; nobody is left half-way',
  async t => {
    const venue = venueOf(t)
    const [, late] = venue.boxes
    await venue.prepared()
    await venue.clock.advance(SECOND_MS)
    const at = venue.boxes[0]?.state?.switchShowMs ?? 0
    await venue.clock.advance(at - venue.clock.showTimeMs() - 300)
    if (late) late.box = { ...quiet, isArmed: true }
    await venue.clock.advance(VENUE_TERMS.deadlineMs + 60 * SECOND_MS)
    t.same(venue.running(), ['1.0.0', '1.0.0', '1.0.0'])
    t.notOk(late?.slots.did.includes('activate'))
    if (late) late.box = quiet
    await venue.clock.advance(VENUE_TERMS.deadlineMs + 120 * SECOND_MS)
    t.same(venue.running(), ['1.1.0', '1.1.0', '1.1.0'], 'and later all take it together')
  },
)

t.test('one that never comes back from the switch takes all back in time', async t => {
  const venue = venueOf(t)
  await venue.prepared()
  await venue.clock.advance(12 * SECOND_MS)
  await venue.boxes[1]?.cut()
  await venue.clock.advance(60 * SECOND_MS)
  t.notOk(venue.boxes[0]?.slots.did.includes('good'), 'it waits')
  await venue.clock.advance(VENUE_TERMS.deadlineMs)
  t.equal(venue.boxes[0]?.slots.state.running?.version, '1.0.0')
  t.equal(venue.boxes[2]?.slots.state.running?.version, '1.0.0')
})

t.test(
  'one whose show was armed in the trial goes back with the others, but after its show',
  async t => {
    const venue = venueOf(t)
    const [good, armed, bad] = venue.boxes
    if (bad) bad.gate = ['its printer does not answer']
    await venue.prepared()
    await venue.clock.advance(15 * SECOND_MS)
    if (armed) armed.box = { ...quiet, isArmed: true }
    await venue.clock.advance(120 * SECOND_MS)
    t.equal(good?.slots.state.running?.version, '1.0.0')
    t.equal(armed?.slots.state.running?.version, '1.1.0', 'it is left alone')
    await venue.clock.advance(600 * SECOND_MS)
    t.equal(armed?.slots.state.running?.version, '1.1.0')
    t.notOk(armed?.slots.did.includes('good'))
    if (armed) armed.box = quiet
    await venue.clock.advance(10 * SECOND_MS)
    t.same(venue.running(), ['1.0.0', '1.0.0', '1.0.0'])
  },
)
