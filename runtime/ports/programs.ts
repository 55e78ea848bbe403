/** Programs that the launcher keeps running, and a channel of messages to each. */
export interface Programs {
  /** Never throws: a program that cannot be started ends at once. */
  start(wanted: WantedProgram, tell: ProgramTells): Program
  /** Runs a program to its end, at most `msMax`. Null when it was not there, was killed, or took too long. */
  run(wanted: WantedProgram, msMax: number): Promise<Outcome | null>
  /**
   * Ends programs that an earlier launcher of this home left behind, and resolves when they are gone.
   * @returns how many there were
   */
  endStrays(patienceMs: number): Promise<number>
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
   * Once, after the process is gone, never during `start`.
   * @param how for people: `exit code 1`, `signal SIGKILL`, or why it could not be started
   */
  ended(how: string): void
}

export interface Program {
  /** What it does not take any more is dropped. */
  send(message: unknown): void
  /** SIGKILL. */
  kill(): void
}

export interface Outcome {
  readonly exitCode: number
  /** The end of what it wrote. */
  readonly said: string
}
