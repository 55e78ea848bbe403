import type {
  EndedStrays,
  Outcome,
  Program,
  Programs,
  ProgramTells,
  WantedProgram,
} from '../../runtime/ports/programs.js'

/** What runs in place of a process: it is told messages, and speaks and ends by `tell`. */
export type SimulatedProgram = (
  wanted: WantedProgram,
  tell: ProgramTells,
) => { hear(message: unknown): void }

/** Programs that are functions. They are gone when they say so, or are killed. */
export class SimulatedPrograms implements Programs {
  /** In order. */
  readonly started: WantedProgram[] = []
  /** How a program that is run to its end comes out. */
  outcome: Outcome | null = { exitCode: 0, said: '' }
  /** Whether the kernel lets go of what is killed. */
  isStuck = false
  readonly #behave: SimulatedProgram
  #runningCount = 0

  constructor(behave: SimulatedProgram) {
    this.#behave = behave
  }

  get runningCount(): number {
    return this.#runningCount
  }

  start(wanted: WantedProgram, tell: ProgramTells): Program {
    this.started.push(wanted)
    this.#runningCount++
    let isOver = false
    const later = (work: () => void): void => void Promise.resolve().then(work)
    const end = (how: string): void =>
      later(() => {
        if (isOver) return
        isOver = true
        this.#runningCount--
        tell.ended(how)
      })
    const heard = (message: unknown): void =>
      later(() => {
        if (!isOver) tell.heard(message)
      })
    const body = this.#behave(wanted, { heard, ended: end })
    return {
      send: message => later(() => isOver || body.hear(message)),
      kill: () => {
        if (this.isStuck) isOver = true
        else end('signal SIGKILL')
      },
    }
  }

  async run(wanted: WantedProgram): Promise<Outcome | null> {
    this.started.push(wanted)
    return this.outcome
  }

  async endStrays(): Promise<EndedStrays> {
    return { count: 0, stuckCount: 0 }
  }
}
