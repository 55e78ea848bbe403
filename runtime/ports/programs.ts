/** Programs that the launcher keeps running, and a channel of messages to each. */
export interface Programs {
  /** Never throws: a program that cannot be started ends at once. */
  start(wanted: WantedProgram, tell: ProgramTells): Program
  /** Runs a program to its end, at most `msMax`. Null when it was not there, was killed, or took too long. */
  run(wanted: WantedProgram, msMax: number): Promise<Outcome | null>
  /**
   * Ends programs that an earlier launcher of this home left behind. Resolves when they are gone, or `stuckMs` after they
   * were killed.
   */
  endStrays(limits: StrayLimits): Promise<EndedStrays>
}

export interface StrayLimits {
  /** Between being asked to end and being killed. */
  readonly patienceMs: number
  /** From there on, for those that the kernel does not let go of. */
  readonly stuckMs: number
}

export interface EndedStrays {
  readonly count: number
  /** Of them, those that were not gone in the end. */
  readonly stuckCount: number
}

export interface WantedProgram {
  /** Null: the one that the launcher itself runs on. */
  readonly node: string | null
  readonly words: readonly string[]
  readonly folder: string
  readonly environment: Readonly<Record<string, string>>
}

export interface ProgramTells {
  heard(message: unknown): void
  /**
   * Once, after the process is gone, never during `start`. It may never come: a process that waits inside the kernel, for
   * a card or a device that does not answer, is not gone when it is killed.
   * @param how for people: `exit code 1`, `signal SIGKILL`, or why it could not be started
   */
  ended(how: string): void
}

export interface Program {
  /** What it does not take any more is dropped. */
  send(message: unknown): void
  /** SIGKILL: from then on the program runs no instruction of its own. */
  kill(): void
}

export interface Outcome {
  readonly exitCode: number
  /** The end of what it wrote. */
  readonly said: string
}
