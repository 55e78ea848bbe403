/**
 * An evening of a venue at its worst, drawn from a seed: boxes ask, die, come back, stand still and are cut off from each
 * other on a bad network. What must hold all the while, and what must hold when it is quiet again.
 */
import { VenueWorld } from './venue-world.js'

const STEPS = 40
const QUIET_MS = 8_000
/** A take-over on a network that loses a third of all. */
const TAKE_OVER_MS_MAX = 1_000
const ALL_TOGETHER_MS = 1_500

export interface Stormed {
  /** What was not as it must be. */
  readonly broken: readonly string[]
  /** How often each dangerous state was reached. */
  readonly reached: ReadonlyMap<string, number>
  /** From the death of a leader that others followed until another led. */
  readonly takeOverMs: readonly number[]
}

interface AskedFire {
  readonly id: string
  readonly by: string
  readonly atMs: number
  /** Who was there, in one party, and remained so until the cue was over. */
  readonly witnesses: Set<string>
}

export async function storm(seed: number): Promise<Stormed> {
  const evening = new Evening(seed)
  await evening.play()
  return { broken: evening.broken, reached: evening.reached, takeOverMs: evening.takeOverMs }
}

class Evening {
  readonly broken: string[] = []
  readonly reached = new Map<string, number>()
  readonly takeOverMs: number[] = []
  readonly #world: VenueWorld
  readonly #random: () => number
  readonly #asked: AskedFire[] = []
  /** Until when, by name: who stands still, or has just come, witnesses nothing. */
  readonly #stalled = new Map<string, number>()
  #isParted = false
  #isInPanic = false
  readonly #isLossy: boolean

  constructor(seed: number) {
    const draw = (seed * 2_654_435_761) >>> 0
    const boxes = 2 + (draw % 4)
    const loss = [0, 0.05, 0.15, 0.3][(draw >>> 4) % 4] ?? 0
    this.#isLossy = loss > 0.1
    this.#world = new VenueWorld({
      seed,
      boxes,
      loss,
      doubles: [0, 0.1][(draw >>> 8) % 2] ?? 0,
      delayMs: { min: 0.2, max: [1, 5, 25][(draw >>> 10) % 3] ?? 1 },
      isPreferred: box => (draw >>> 12) % 2 === 0 && box === 'box-2',
    })
    this.#random = this.#world.random
  }

  async play(): Promise<void> {
    const world = this.#world
    for (const name of world.names) {
      await world.start(name)
      await world.clock.advance(this.#below(300))
    }
    await world.clock.advance(2_500)
    for (let step = 0; step < STEPS; step++) {
      await this.#step()
      await world.clock.advance(20 + this.#below(400))
    }
    world.network.heal()
    for (const name of world.names.filter(one => !world.living.includes(one)))
      await world.start(name)
    await world.clock.advance(QUIET_MS)
    this.#judge()
  }

  async #step(): Promise<void> {
    const dice = this.#random()
    if (dice < 0.45) this.#fire()
    else if (dice < 0.55) this.#level()
    else if (dice < 0.6) this.#panic()
    else if (dice < 0.68) await this.#kill()
    else if (dice < 0.78) await this.#comeBack()
    else if (dice < 0.84) this.#stall()
    else if (dice < 0.9) this.#part()
    else if (this.#isParted) this.#heal()
    else if (this.#isInPanic) this.#release()
    else this.#go()
  }

  #fire(): void {
    const world = this.#world
    const by = this.#any()
    const cue = ['1', '2', '4', '5', '6'][this.#below(5)] ?? '1'
    const id = world.ask(by, { action: 'fire', cue })
    const leaders = world.leaders()
    const isOne = leaders.size === 1 && !this.#isParted && this.#isAwake(by)
    const witnesses = new Set(isOne ? world.living.filter(name => this.#isAwake(name)) : [])
    if (witnesses.size > 1) this.#note('a fire that all must see')
    this.#asked.push({ id, by, atMs: world.clock.monotonicMs(), witnesses })
    if (Math.floor(this.#random() * 4) === 0 && world.living.length > 1) {
      world.ask(this.#any(), { id, action: 'fire', cue })
      this.#note('a command asked of two boxes')
    }
  }

  #go(): void {
    this.#world.press(this.#any())
  }

  #level(): void {
    const world = this.#world
    world.ask(this.#any(), {
      action: 'level',
      target: world.names[this.#below(world.names.length)] ?? 'box-1',
      level: this.#below(11) / 10,
      fadeMs: this.#below(500),
    })
  }

  #panic(): void {
    const world = this.#world
    world.ask(this.#any(), { action: 'panic' })
    // What was still to come is taken back.
    for (const fire of this.#recent()) fire.witnesses.clear()
    this.#note('a panic')
    this.#isInPanic = true
  }

  #release(): void {
    this.#world.ask(this.#any(), { action: 'release', fadeMs: 100 })
    this.#isInPanic = false
  }

  async #kill(): Promise<void> {
    const world = this.#world
    if (world.living.length < 2) return
    const name = this.#any()
    const others = world.living.filter(one => one !== name)
    const isLeader = !this.#isParted && others.every(one => world.states.get(one)?.leader === name)
    this.#leaveWitness(name)
    const atMs = world.clock.monotonicMs()
    const before = world.leads.length
    world.kill(name)
    // An heir that stands still, or has just come, is another failure.
    if (!isLeader || !world.living.every(one => this.#isAwake(one))) return
    this.#note('a leader killed')
    for (let waited = 0; waited < 2_000 && world.leads.length === before; waited += 5)
      await world.clock.advance(5)
    const tookMs = (world.leads[before]?.atMs ?? Number.POSITIVE_INFINITY) - atMs
    this.takeOverMs.push(tookMs)
    if (tookMs > TAKE_OVER_MS_MAX && !this.#isLossy)
      this.broken.push(`nobody led for ${tookMs} ms after ${name}`)
  }

  async #comeBack(): Promise<void> {
    const world = this.#world
    const away = world.names.filter(name => !world.living.includes(name))
    const [name] = away
    if (name === undefined) return
    await world.start(name)
    this.#stalled.set(name, world.clock.monotonicMs() + ALL_TOGETHER_MS)
    this.#note('a box came back')
  }

  #stall(): void {
    const name = this.#any()
    const ms = 50 + this.#below(1_500)
    this.#leaveWitness(name)
    this.#world.life(name).clock.stall(ms)
    this.#stalled.set(name, this.#world.clock.monotonicMs() + ms + ALL_TOGETHER_MS)
    this.#note(ms > 500 ? 'a stall longer than a lease' : 'a stall')
  }

  #part(): void {
    const world = this.#world
    if (world.names.length < 2) return
    const count = 1 + this.#below(world.names.length - 1)
    world.network.part([world.names.slice(0, count)])
    this.#isParted = true
    for (const fire of this.#recent()) fire.witnesses.clear()
    this.#note('a network parted')
  }

  #heal(): void {
    this.#world.network.heal()
    this.#isParted = false
    this.#note('a network healed')
  }

  /** What has just been asked may be lost to who goes now. */
  #leaveWitness(name: string): void {
    for (const fire of this.#recent()) {
      fire.witnesses.delete(name)
      // With its leader an unanswered command may be gone.
      if (!this.#world.isAccepted(fire.id)) fire.witnesses.clear()
    }
  }

  #recent(): readonly AskedFire[] {
    const now = this.#world.clock.monotonicMs()
    return this.#asked.filter(({ atMs }) => now - atMs < ALL_TOGETHER_MS)
  }

  #judge(): void {
    this.#judgeFires()
    this.#judgeRest()
  }

  #judgeFires(): void {
    const counts = new Map<string, number>()
    for (const { box, fire } of this.#world.fired) {
      const key = `${fire} on ${box}`
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    for (const [key, count] of counts) if (count > 1) this.broken.push(`${key} ${count} times`)
    for (const fire of this.#asked) if (this.#world.isAccepted(fire.id)) this.#judgeAccepted(fire)
  }

  #judgeAccepted({ id, witnesses }: AskedFire): void {
    this.#note('a fire accepted')
    const moments = new Set<number>()
    for (const box of witnesses) {
      const found = this.#world.fired.find(one => one.fire === id && one.box === box)
      if (found) moments.add(found.atShowMs)
      else this.broken.push(`${id} was accepted, and did not happen on ${box}`)
    }
    if (moments.size > 1) this.broken.push(`${id} at ${[...moments].join(' and ')}`)
  }

  #judgeRest(): void {
    const world = this.#world
    const leaders = [...world.leaders()]
    if (leaders.length !== 1 || leaders[0] === null)
      this.broken.push(`${leaders.join(' and ')} lead in the end`)
    const shows = new Map(
      world.living.map(name => {
        const { current, next, isPanic, isBlackout, manual } = world.shows.get(name) ?? {}
        return [name, JSON.stringify({ current, next, isPanic, isBlackout, manual })]
      }),
    )
    if (new Set(shows.values()).size !== 1)
      this.broken.push(`boxes differ: ${JSON.stringify([...shows])}`)
    const epochs = world.leads.map(({ box, epoch }) => `${epoch} ${box}`)
    const owners = new Map<number, string>()
    for (const { epoch, box } of world.leads) {
      const owner = owners.get(epoch) ?? box
      if (owner !== box)
        this.broken.push(`${owner} and ${box} reigned in ${epoch}: ${epochs.join()}`)
      owners.set(epoch, box)
    }
    if (world.dropped.length > 0) this.#note('something decided apart was dropped')
  }

  #isAwake(name: string): boolean {
    return this.#world.clock.monotonicMs() > (this.#stalled.get(name) ?? 0)
  }

  #any(): string {
    const { living } = this.#world
    return living[this.#below(living.length)] ?? 'box-1'
  }

  #below(count: number): number {
    return Math.floor(this.#random() * count)
  }

  #note(what: string): void {
    this.reached.set(what, (this.reached.get(what) ?? 0) + 1)
  }
}
