export type Facts = Readonly<Record<string, unknown>>

/** One line per thing that happened: a dotted event name, then facts. Never keys, tokens, pass codes or names of people. */
export interface Log {
  /** A technician will want to know. */
  info(event: string, facts?: Facts): void
  /** Degraded, still working. */
  warn(event: string, facts?: Facts): void
  /** A person must act. */
  error(event: string, facts?: Facts): void
}
