/**
 * One evening gone wrong, drawn from a seed: commands, presses and faults in any order, power cuts at any call to the
 * disk, and the invariants after each step. What dangerous states it came through is counted.
 */
import type { SimulatedHost } from '../../drivers/simulated/host.js'
import { SimulatedKeys } from '../../drivers/simulated/keys.js'
import { randomFrom } from '../../runtime/core/random.js'
import { showTimeMs } from '../../runtime/core/time.js'
import { checkShow } from '../../runtime/services/show/check-show.js'
import { isFollow } from '../../runtime/services/show/fire.js'
import { nextChange } from '../../runtime/services/show/levels.js'
import type { ShowState } from '../../runtime/services/show/state.js'
import type { ShowCommand } from '../../runtime/topics.js'
import { Invariants } from './invariants.js'
import { readKeptShow } from './kept-show.js'
import { drawCommand } from './storm-commands.js'
import { Faults } from './storm-faults.js'
import { buttonLines, stormConfig, stormShow } from './storm-show.js'
import { type StartOptions, World } from './world.js'

const STEPS = 45
const LIVES_MAX = 12
const HEALED_MS = 50_000
const DAY_MS = 86_400_000

/** How often each dangerous state was reached. */
export type Reached = Map<string, number>

const show = checkShow(stormShow, {
  keys: new SimulatedKeys(() => 0),
  box: 'box-1',
  devices: null,
  templates: null,
})

type Asked = Omit<ShowCommand, 'origin'>

export class Storm {
  readonly world: World
  readonly #random: () => number
  readonly #invariants: Invariants
  readonly #faults: Faults
  readonly #reached: Reached
  readonly #asked: Asked[] = []
  #steps = 0
  #isCutAhead = false

  constructor(seed: number, reached: Reached) {
    this.#random = randomFrom(seed)
    this.#reached = reached
    this.world = new World({ seed: seed + 1_000_000, showText: stormShow, configText: stormConfig })
    // Before the invariants let go of the life that ends.
    this.#watchCuts()
    this.#invariants = new Invariants(this.world, show)
    const { lights } = this.#invariants
    this.#faults = new Faults(this.world, lights, this.#random, what => this.#reach(what))
  }

  /** What did not hold, in order. */
  async run(): Promise<readonly string[]> {
    for (let life = 0; life < LIVES_MAX && this.#steps < STEPS; life++) await this.#live()
    await this.#endWell()
    const { atRest, moving, dark, panic } = this.#invariants.lights.checked
    this.#reach('a light held against the show at rest', atRest)
    this.#reach('a light held against the show in a fade', moving)
    this.#reach('a faulty dimmer seen dark', dark)
    this.#reach('a light seen in panic', panic)
    return this.#invariants.broken
  }

  async #live(): Promise<void> {
    this.#isCutAhead = this.#draw(0.5)
    const options = this.#isCutAhead ? this.#cutAhead() : {}
    const isSpoilt = this.#draw(0.2)
    const spoil = (host: SimulatedHost): void => {
      if (isSpoilt) this.#faults.spoil(host)
    }
    if (await this.#begin({ ...options, spoil }))
      while (this.world.isOn && this.#steps++ < STEPS) await this.#step()
    else this.#reach('a power cut while the box starts')
    if (!this.world.isOn) await this.#stayOff()
  }

  #cutAhead(): StartOptions {
    return this.#draw(0.8)
      ? { storeCalls: 1 + Math.floor(this.#random() * 40) }
      : { fileCalls: 1 + Math.floor(this.#random() * 8) }
  }

  async #begin(options: StartOptions): Promise<boolean> {
    const kept = await readKeptShow(this.world.store, show)
    this.#invariants.checkKept(kept)
    return this.world.start(options)
  }

  async #stayOff(): Promise<void> {
    this.#faults.forget()
    const isLong = this.#draw(0.05)
    if (isLong) this.#reach('away for longer than half a day')
    const offMs = isLong ? 13 * 3_600_000 : Math.floor(this.#random() * 15_000)
    await this.world.clock.advance(offMs)
    if (!this.#draw(0.15)) return
    this.#reach('back with a clock that had stood still')
    this.world.clock.stepWall(-offMs - Math.floor(this.#random() * 100_000))
  }

  async #step(): Promise<void> {
    const draw = this.#random()
    if (draw < 0.62) this.#command()
    else if (draw < 0.74) this.#press()
    else if (draw < 0.94) this.#faults.begin()
    else if (draw < 0.97) this.#stepClock()
    else {
      this.world.store.cutPower()
      return
    }
    await this.#pass(this.#pause())
  }

  #pause(): number {
    const draw = this.#random()
    if (draw < 0.15) return 0
    if (draw < 0.5) return this.#random() * 60
    return draw < 0.85 ? this.#random() * 500 : this.#random() * 4_000
  }

  async #pass(durationMs: number): Promise<void> {
    // In two parts, so that the middle is looked at too.
    for (const part of [durationMs * 0.4, durationMs * 0.6]) {
      await this.world.clock.advance(part)
      this.#faults.look()
      this.#invariants.check()
    }
  }

  #command(): void {
    const command = drawCommand(this.#random, {
      nowMs: this.world.ownClock.showTimeMs(),
      state: this.#invariants.model.state,
      before: this.#asked,
      newId: () => `request-${this.#asked.length}`,
    })
    const { state } = this.#invariants.model
    if (this.#asked.some(({ id }) => id === command.id)) this.#reach('a command asked twice')
    if (command.epoch !== undefined && command.epoch < state.epoch) this.#reach('an old epoch')
    this.#countListMoves(command, state)
    if (command.action === 'panic' && this.#faults.count > 0) this.#reach('panic beside a fault')
    if (this.world.store.fault !== null) this.#reach('a command while the disk fails')
    this.#asked.push(command)
    this.world.ask(command)
  }

  #countListMoves({ action, epoch = 0 }: Asked, state: ShowState): void {
    const isFollowing = state.waiting.some(({ deed }) => isFollow(deed))
    if (action === 'goto' && isFollowing) this.#reach('a goto while a follow waits')
    if (action === 'go' && state.isNextChosen && !state.panic.isOn) this.#reach('a jump')
    if (epoch > state.epoch && state.waiting.some(({ deed }) => !isFollow(deed)))
      this.#reach('a newer leader while something is scheduled')
  }

  #press(): void {
    const line = buttonLines[Math.floor(this.#random() * buttonLines.length)] ?? 'go-button'
    if (this.world.host.wire(line).isActive) return
    this.#reach('a button pressed')
    this.world.press(line, this.#draw(0.3) ? 1_000 : 60 + this.#random() * 200)
  }

  #stepClock(): void {
    const byMs = this.#draw(0.5) ? DAY_MS : -DAY_MS
    if (this.#isFading) this.#reach('the wall clock steps by a day in a fade')
    this.world.clock.stepWall(byMs)
  }

  async #endWell(): Promise<void> {
    this.#faults.healAll()
    // What is still to come of the evening's cuts must not fall into its end.
    if (this.world.isOn && this.#isCutAhead) this.world.store.cutPower()
    if (!this.world.isOn) await this.#begin({})
    await this.#pass(HEALED_MS)
    for (const { device } of this.world.box.fitted) {
      const state = this.#invariants.lights.stateOf(device.name)
      if (state !== 'ready') this.#invariants.broken.push(`${device.name} stays ${state}`)
    }
    const id = 'the-last'
    this.world.ask({ id, action: 'panic' })
    await this.#pass(1_000)
    if (!this.world.answered.some(answer => answer.id === id && answer.isAccepted))
      this.#invariants.broken.push('panic at the end was not acknowledged')
    await this.world.stop()
    this.#invariants.checkSafe()
  }

  get #isFading(): boolean {
    const t = showTimeMs(this.world.ownClock.showTimeMs())
    return nextChange(show, this.#invariants.model.state, t)?.kind === 'fading'
  }

  #watchCuts(): void {
    this.world.store.powerCut.listen(({ unsyncedCommits, keptCommits }) => {
      if (unsyncedCommits > keptCommits) this.#reach('a commit lost before its answer')
      if (keptCommits > 0) this.#reach('a commit kept without its answer')
    })
    this.world.ending.listen(() => {
      if (this.#invariants.unansweredCount > 0) this.#reach('a power cut before an answer')
      if (this.#isFading) this.#reach('a power cut in a fade')
      if (this.#faults.count > 0) this.#reach('a power cut beside a fault')
    })
    this.world.disk.powerCut.listen(({ tornFiles, lostNames }) => {
      if (tornFiles > 0) this.#reach('a torn file')
      if (lostNames > 0) this.#reach('a lost name of a file')
    })
  }

  #draw(share: number): boolean {
    return this.#random() < share
  }

  #reach(what: string, times = 1): void {
    this.#reached.set(what, (this.#reached.get(what) ?? 0) + times)
  }
}
