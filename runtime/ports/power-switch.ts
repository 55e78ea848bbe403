/** What brings the machine down in order. */
export interface PowerSwitch {
  /** Begins an orderly shutdown of the machine. Throws BoxError `power.refused` when the system does not do it. */
  shutDown(): Promise<void>
}
