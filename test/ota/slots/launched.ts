/** A home with slots and a real launcher process, for tests with releases that misbehave. */
import { type ChildProcess, spawn } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { LinuxKeys } from '../../../drivers/linux/keys.js'
import { LinuxSlotDisk } from '../../../drivers/linux/slot-disk.js'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { SimulatedLog } from '../../../drivers/simulated/log.js'
import { SimulatedPrograms } from '../../../drivers/simulated/programs.js'
import { SlotAgent } from '../../../ota/slots/slot-agent.js'
import type { SlotName, State } from '../../../ota/slots/slot-state.js'
import { StateStore } from '../../../ota/slots/state-store.js'
import { builtLauncher, plainInstaller, type SmallRelease, writeRelease } from './small-release.js'

const LOOK_MS = 10

export interface HomeEvent {
  readonly program: string
  readonly version: string
  readonly slot: string
  /** `start`, `trial`, `ready`, `good`, `settled`. */
  readonly event: string
  readonly atMs: number
}

export class Home {
  readonly path: string
  said = ''
  /** One, unless a test starts a second beside it. */
  readonly #launchers: ChildProcess[] = []

  /** Slot a holds `release`, as a card is written. */
  constructor(path: string, release: SmallRelease) {
    this.path = path
    mkdirSync(path, { recursive: true })
    writeFileSync(join(path, 'launcher.mjs'), builtLauncher())
    copyFileSync(resolve('docs/examples/two-slots/launch'), join(path, 'launch'))
    writeRelease(join(path, 'slots/a'), release)
  }

  /**
   * Starts the script that systemd and pm2 start.
   * @param output where its log goes, when it is not to be heard here
   */
  launch(
    environment: Readonly<Record<string, string>>,
    output: number | 'pipe' = 'pipe',
  ): ChildProcess {
    const env = {
      ...process.env,
      ROADCASE_HOME: this.path,
      ROADCASE_NODE: process.execPath,
      ...environment,
    }
    const child = spawn(join(this.path, 'launch'), [], { env, stdio: ['ignore', output, 'pipe'] })
    const hear = (bytes: Buffer): void => {
      this.said += String(bytes)
    }
    child.stdout?.on('data', hear)
    child.stderr?.on('data', hear)
    this.#launchers.push(child)
    return child
  }

  events(): readonly HomeEvent[] {
    const path = join(this.path, 'events')
    if (!existsSync(path)) return []
    return readFileSync(path, 'utf8')
      .trim()
      .split('\n')
      .map(line => {
        const [program = '', version = '', slot = '', event = '', at = ''] = line.split(' ')
        return { program, version, slot, event, atMs: Number(at) }
      })
  }

  /** @throws Error with what the launcher said when it has not come about in time */
  async until<T>(
    what: string,
    look: () => T | null | undefined | false,
    msMax: number,
  ): Promise<T> {
    const late = Date.now() + msMax
    for (;;) {
      const found = look()
      if (found !== null && found !== undefined && found !== false) return found
      if (Date.now() > late) throw new Error(`not within ${msMax} ms: ${what}\n${this.said}`)
      await pause(LOOK_MS)
    }
  }

  /** The box of this version is ready; of the events after the first `after`. */
  ready(version: string, after: number, msMax: number): Promise<HomeEvent> {
    const isIt = ({ program, version: of, event }: HomeEvent): boolean =>
      program === 'box' && of === version && event === 'ready'
    return this.until(`${version} is ready`, () => this.events().slice(after).find(isIt), msMax)
  }

  /** As the updater of the running slot does it, which here says nothing itself outside of a trial. */
  agent(running: SlotName): SlotAgent {
    const programs = new SimulatedPrograms(() => ({ hear: () => {} }))
    const disk = new LinuxSlotDisk(this.path, null)
    const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
    const ports = { disk, keys: new LinuxKeys(), log: new SimulatedLog(), programs, clock }
    return new SlotAgent(ports, { slot: running, isPassedOver: false, isPreviousLauncher: false })
  }

  async install(running: SlotName, wanted: SmallRelease): Promise<void> {
    const agent = this.agent(running)
    const wishes = { progress: () => {}, isCancelled: () => false }
    await agent.install(wanted.release, plainInstaller(wanted), wishes)
    await agent.activate()
  }

  async state(): Promise<State> {
    const disk = new LinuxSlotDisk(this.path, null)
    const store = new StateStore({ disk, keys: new LinuxKeys(), log: new SimulatedLog() })
    const state = await store.read()
    if (state === null) throw new Error('there is no state')
    return state
  }

  /** Asks the launcher to end, and resolves with its exit code when it is gone. */
  async stop(): Promise<number | null> {
    let code: number | null = null
    for (const launcher of this.#launchers.splice(0)) {
      const isGone = launcher.exitCode !== null || launcher.signalCode !== null
      const ended = new Promise<void>(resolve => launcher.once('exit', () => resolve()))
      launcher.kill('SIGTERM')
      if (!isGone) await ended
      code = launcher.exitCode
    }
    return code
  }
}
