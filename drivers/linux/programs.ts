import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { after } from '../../runtime/core/time.js'
import type { Cancel, Clock } from '../../runtime/ports/clock.js'
import type {
  EndedStrays,
  Outcome,
  Program,
  Programs,
  ProgramTells,
  StrayLimits,
  WantedProgram,
} from '../../runtime/ports/programs.js'
import { lastSaid } from './child.js'

/** In the environment of every program that is started here, and so of whatever it starts. */
const MARK = 'ROADCASE_LAUNCHER'
const LOOK_MS = 50

/** Programs as child processes, each with Node's channel of messages. */
export class LinuxPrograms implements Programs {
  readonly #clock: Clock
  readonly #home: string
  readonly #environment: NodeJS.ProcessEnv

  /** @param home tells the programs of this launcher from those of another one on the same machine */
  constructor(clock: Clock, options: { home: string; environment: NodeJS.ProcessEnv }) {
    this.#clock = clock
    this.#home = options.home
    this.#environment = { ...options.environment, [MARK]: options.home }
  }

  start(wanted: WantedProgram, tell: ProgramTells): Program {
    const child = this.#spawn(wanted, ['ignore', 'inherit', 'inherit', 'ipc'])
    let isOver = false
    const end = (how: string): void => {
      if (isOver) return
      isOver = true
      tell.ended(how)
    }
    child.on('message', message => tell.heard(message))
    child.once('error', error => {
      if (child.pid === undefined) end(error.message)
    })
    child.once('exit', (code, signal) => end(howEnded(code, signal)))
    return {
      send: message => {
        // It may end between the look and the word: then it is told by its end.
        if (child.connected) child.send(toText(message), () => {})
      },
      kill: () => void child.kill('SIGKILL'),
    }
  }

  run(wanted: WantedProgram, msMax: number): Promise<Outcome | null> {
    const child = this.#spawn(wanted, ['ignore', 'pipe', 'pipe'])
    const [said, complained] = [child.stdout, child.stderr].map(from => from && lastSaid(from))
    return new Promise(resolve => {
      let cancel: Cancel = () => {}
      const end = (exitCode: number | null): void => {
        cancel()
        const all = `${said?.() ?? ''} ${complained?.() ?? ''}`.trim()
        resolve(exitCode === null ? null : { exitCode, said: all })
      }
      // Not waited for: the kernel may not let go of it.
      cancel = this.#clock.runAt(after(this.#clock.monotonicMs(), msMax), () => {
        child.kill('SIGKILL')
        end(null)
      })
      child.once('error', () => end(null))
      child.once('close', code => end(code))
    })
  }

  async endStrays({ patienceMs, stuckMs }: StrayLimits): Promise<EndedStrays> {
    const first = this.#strays()
    for (const pid of first) signal(pid, 'SIGTERM')
    const late = after(this.#clock.monotonicMs(), patienceMs)
    const latest = after(late, stuckMs)
    let left = first
    while (left.length > 0 && this.#clock.monotonicMs() < latest) {
      if (this.#clock.monotonicMs() >= late) for (const pid of left) signal(pid, 'SIGKILL')
      await new Promise<void>(resolve => {
        this.#clock.runAt(after(this.#clock.monotonicMs(), LOOK_MS), resolve)
      })
      left = this.#strays()
    }
    return { count: first.length, stuckCount: left.length }
  }

  #spawn(wanted: WantedProgram, stdio: ('ignore' | 'inherit' | 'pipe' | 'ipc')[]): ChildProcess {
    return spawn(wanted.node ?? process.execPath, wanted.words, {
      cwd: wanted.folder,
      env: { ...this.#environment, ...wanted.environment },
      stdio,
    })
  }

  /** From /proc: what a launcher started is known by its environment, whoever is its parent now. */
  #strays(): number[] {
    return readdirSync('/proc')
      .filter(name => /^\d+$/.test(name))
      .map(Number)
      .filter(pid => pid !== process.pid && hasMark(pid, `${MARK}=${this.#home}`))
  }
}

function hasMark(pid: number, mark: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(mark)
  } catch {
    // Gone meanwhile, or somebody else's.
    return false
  }
}

function signal(pid: number, name: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, name)
  } catch {
    // Gone meanwhile: that is what was wanted.
  }
}

const howEnded = (code: number | null, name: NodeJS.Signals | null): string =>
  name === null ? `exit code ${code}` : `signal ${name}`

/** What the channel takes: the messages of the launcher are texts and small objects. */
const toText = (message: unknown): string | object =>
  typeof message === 'object' && message !== null ? message : String(message)
