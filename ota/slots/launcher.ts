/**
 * Starts the release of the slot that is to run, keeps it running, and watches a trial. It lies outside of the slots and
 * outlives them; it decides little and fetches nothing. It writes the state only while nothing of a slot runs.
 */
import { messageOf } from '../../runtime/core/errors.js'
import { after } from '../../runtime/core/time.js'
import type { Cancel, Clock } from '../../runtime/ports/clock.js'
import type { Program, Programs } from '../../runtime/ports/programs.js'
import { type Choice, type ChoicePorts, chooseSlot, giveUpTrial } from './choice.js'
import { type LaunchOrders, readOrders } from './launch-orders.js'
import { LAUNCHER_FILE } from './launcher-update.js'
import { PING, readMessage, SHUTDOWN } from './messages.js'
import { slotFolder } from './slot-check.js'
import { slotNames } from './slot-state.js'
import {
  beginWatch,
  isSilent,
  type Limits,
  nextStep,
  type ProgramName,
  type Verdict,
  type Watch,
  type WatchAction,
  type WatchEvent,
} from './supervision.js'

export interface LauncherPorts extends ChoicePorts {
  readonly clock: Clock
  readonly programs: Programs
}

export interface LauncherOptions {
  readonly limits: Limits
  /** Handed to the box, for people who start the launcher with some. */
  readonly boxWords: readonly string[]
  /** Between being asked to end and being killed. */
  readonly patienceMs: number
  /** After it was killed: what the kernel has not let go of by then counts as gone. */
  readonly stuckMs: number
  /** The box is up: for whoever started the launcher. */
  readonly onReady: () => void
}

interface Past {
  /** Of the last attempt that this launcher saw end. */
  readonly lastWhy: string | null
  /** In a row, for pauses that grow. */
  readonly failures: number
}

const TICK_MS = 250
const PAUSE_MS_MIN = 500
const PAUSE_MS_MAX = 30_000

export class Launcher {
  readonly #ports: LauncherPorts
  readonly #options: LauncherOptions
  readonly #running = new Map<ProgramName, Program>()
  #isEnding = false
  /** Wakes whatever the launcher waits for. */
  #wake: () => void = () => {}
  #watch: Watch | null = null
  #orders: LaunchOrders | null = null
  #candidate: Choice | null = null
  #verdict: Verdict | null = null

  constructor(ports: LauncherPorts, options: LauncherOptions) {
    this.#ports = ports
    this.#options = options
  }

  /** @returns `replaced` when another launcher has taken its place on the disk, and is to be started instead */
  async run(): Promise<'ended' | 'replaced'> {
    const { log, programs } = this.#ports
    const { count, stuckCount } = await programs.endStrays(this.#options)
    if (count > 0) log.warn('launcher.strays-ended', { count })
    if (stuckCount > 0) log.error('launcher.strays-stuck', { count: stuckCount })
    const own = await this.#launcherDigest()
    let past: Past = { lastWhy: null, failures: 0 }
    while (!this.#isEnding) {
      past = await this.#once(past)
      if (!this.#isEnding && (await this.#launcherDigest()) !== own) return 'replaced'
      if (past.failures > 0) await this.#pause(past.failures - 1)
    }
    return 'ended'
  }

  /** Chooses a slot, and runs it until it is to be left. */
  async #once({ lastWhy, failures }: Past): Promise<Past> {
    const { log } = this.#ports
    const candidate = await this.#choose(lastWhy)
    if (candidate === null) return { lastWhy, failures: failures + 1 }
    const verdict = await this.#serve(candidate)
    if (verdict === null) return { lastWhy, failures: 0 }
    log.warn('slot.left', { slot: candidate.slot, verdict: verdict.kind, why: verdict.why })
    if (verdict.kind === 'failed') await giveUpTrial(this.#ports, candidate.slot, verdict.why)
    return { lastWhy: verdict.why, failures: verdict.kind === 'again' ? failures + 1 : 0 }
  }

  /** Ends the programs in good order; `run` resolves when they are gone. */
  end(): void {
    this.#isEnding = true
    this.#wake()
  }

  /** A disk that cannot be read or written is tried again: there is nobody else to do it. */
  async #choose(lastWhy: string | null): Promise<Choice | null> {
    try {
      const candidate = await chooseSlot(this.#ports, lastWhy)
      this.#orders = candidate && (await readOrders(this.#ports.disk, candidate.slot))
      return candidate
    } catch (error) {
      this.#ports.log.error('slots.unreadable', { problem: messageOf(error) })
      return null
    }
  }

  /** Runs a slot until it is to be left; null: the launcher is to end. */
  async #serve(candidate: Choice): Promise<Verdict | null> {
    const { clock, log } = this.#ports
    const { slot, release, mode } = candidate
    log.info('slot.started', { slot, version: release.version, mode })
    const isTrial = mode === 'trial'
    this.#watch = beginWatch(isTrial ? 'trial' : 'good', this.#options.limits, clock.monotonicMs())
    this.#candidate = candidate
    this.#verdict = null
    while (this.#verdict === null && !this.#isEnding) {
      this.#take({ kind: 'tick' })
      if (this.#verdict === null) await this.#wait(TICK_MS)
    }
    const last = this.#watch
    this.#watch = null
    await this.#endAll(last)
    return this.#isEnding ? null : this.#verdict
  }

  #take(event: WatchEvent): void {
    if (this.#watch === null || this.#verdict !== null) return
    const { watch, actions } = nextStep(this.#watch, event, this.#ports.clock.monotonicMs())
    this.#watch = watch
    for (const action of actions) this.#act(action)
  }

  #act(action: WatchAction): void {
    switch (action.kind) {
      case 'start':
        this.#start(action.program)
        break
      case 'kill':
        this.#ports.log.error('program.hangs', { program: action.program })
        this.#kill(action.program)
        break
      case 'ping':
        this.#running.get(action.program)?.send(PING)
        break
      case 'leave':
        this.#verdict = action.verdict
        this.#wake()
    }
  }

  #start(name: ProgramName): void {
    const { disk, programs } = this.#ports
    const [orders, candidate] = [this.#orders, this.#candidate]
    if (orders === null || candidate === null) return
    const folder = slotFolder(candidate.slot)
    const { script, nodeArguments } = orders.programs[name]
    const own = name === 'box' ? this.#options.boxWords : []
    const wanted = {
      node: orders.node === null ? null : disk.pathOf(`${folder}/${orders.node}`),
      words: [...nodeArguments, disk.pathOf(`${folder}/${script}`), ...own],
      folder: disk.pathOf(''),
      environment: {
        ROADCASE_SLOT: candidate.slot,
        ROADCASE_TRIAL: candidate.mode === 'trial' ? '1' : '0',
        ROADCASE_PASSED_OVER: candidate.isPassedOver ? '1' : '0',
      },
    }
    const program = programs.start(wanted, {
      heard: message => void this.#hear(name, program, message),
      ended: how => this.#ended(name, program, how),
    })
    this.#running.set(name, program)
  }

  async #hear(name: ProgramName, program: Program, told: unknown): Promise<void> {
    const message = readMessage(told)
    if (message === null || this.#running.get(name) !== program) return
    if (message.kind === 'ready' && name === 'box') this.#options.onReady()
    // Only what is on the disk counts.
    if (message.kind === 'passed' && !(await this.#isFoundGood())) return
    if (message.kind === 'passed') this.#ports.log.info('trial.passed', { ...this.#candidate })
    this.#take({ kind: 'heard', program: name, message })
  }

  async #isFoundGood(): Promise<boolean> {
    const state = await this.#ports.store.read().catch(() => null)
    const slot = slotNames.find(name => name === this.#candidate?.slot)
    return state !== null && slot !== undefined && state.slots[slot].kind === 'good'
  }

  #ended(name: ProgramName, program: Program, how: string): void {
    if (this.#running.get(name) !== program) return
    this.#running.delete(name)
    if (this.#watch !== null) this.#ports.log.warn('program.ended', { program: name, how })
    this.#take({ kind: 'ended', program: name, how })
    this.#wake()
  }

  /** Asked first, by the channel and not by a signal, which the supervisor may have sent to them already. */
  async #endAll(watch: Watch | null): Promise<void> {
    const { clock } = this.#ports
    for (const [name, program] of this.#running)
      if (watch !== null && isSilent(watch, name, clock.monotonicMs())) this.#kill(name)
      else program.send(SHUTDOWN)
    const late = after(clock.monotonicMs(), this.#options.patienceMs)
    const cancel = clock.runAt(late, () => {
      for (const name of this.#running.keys()) this.#kill(name)
    })
    while (this.#running.size > 0) await this.#wait(TICK_MS)
    cancel()
  }

  /**
   * One that waits inside the kernel, for a card that does not answer for instance, cannot be waited for: it does nothing of
   * its own any more, and the other release may be what helps.
   */
  #kill(name: ProgramName): void {
    const { clock, log } = this.#ports
    const program = this.#running.get(name)
    if (program === undefined) return
    program.kill()
    clock.runAt(after(clock.monotonicMs(), this.#options.stuckMs), () => {
      if (this.#running.get(name) !== program) return
      log.error('program.stuck', { program: name })
      this.#ended(name, program, 'killed, and the kernel does not let go of it')
    })
  }

  /** 0.5 s the first time, twice as long each time after, 30 s at most. */
  async #pause(failures: number): Promise<void> {
    const { clock } = this.#ports
    const pauseMs = Math.min(PAUSE_MS_MAX, PAUSE_MS_MIN * 2 ** Math.min(failures, 10))
    const until = after(clock.monotonicMs(), pauseMs)
    while (!this.#isEnding && clock.monotonicMs() < until)
      await this.#wait(until - clock.monotonicMs())
  }

  #wait(ms: number): Promise<void> {
    const { clock } = this.#ports
    return new Promise(resolve => {
      let cancel: Cancel = () => {}
      this.#wake = () => {
        cancel()
        resolve()
      }
      cancel = clock.runAt(after(clock.monotonicMs(), ms), this.#wake)
    })
  }

  async #launcherDigest(): Promise<string | null> {
    return this.#ports.disk.sha256(LAUNCHER_FILE, 'memory').catch(() => null)
  }
}
