/** One place in the log that the boxes of a venue share: whose reign, and the how-manieth entry of all. */
export interface Place {
  readonly epoch: number
  readonly position: number
}

/** What one command, or the leader's clock, made happen. */
export interface SharedEntry {
  readonly place: Place
  /** Of the command, or of the first fire: the same id again is the same deed. */
  readonly id: string
  /** The show's own, as plain JSON; moments are the leader's show time. */
  readonly events: readonly unknown[]
}

export interface AdoptTerms {
  /** Of the last entries in it. */
  readonly ids: readonly string[]
  /** From the leader's show time to this box's. */
  readonly shiftMs: number
}

/** What this box knows better than the box whose whole it has taken. It stays by it; the leader must hear of it. */
export interface Doubt {
  /** Ids of panics. */
  readonly unheard: readonly string[]
  /** Ids of panics in which the leader still is. */
  readonly released: readonly string[]
}

/** One box's show, as the company of the venue's boxes sees it. */
export interface Player<Command> {
  /** Boxes with another show are not led. */
  readonly digest: string
  /** How far its journal goes. */
  readonly place: Place
  /** What happens is kept over a restart: its disk works, and has for a while. */
  readonly isKeeping: boolean
  /** Of the commands in its journal, the last ones last. */
  readonly ids: readonly string[]
  /** Decides as the leader does, carries out, and answers on the bus. Panic is carried out whoever leads. */
  obey(command: Command): void
  /**
   * Carries out what the leader decided, whatever has become of the clock since.
   * @param shiftMs from the leader's show time to this box's
   * @returns false when the events are none
   */
  play(entry: SharedEntry, shiftMs: number): boolean
  /** Everything that another box needs to go on from here: plain JSON. */
  whole(): unknown
  /**
   * Takes another box's whole in place of its own.
   * @returns null when it is none
   */
  adopt(whole: unknown, place: Place, terms: AdoptTerms): Doubt | null
  /** A person has released these panics, and this box, which leads, was not there. */
  noteReleased(ids: readonly string[]): void
  /** Equal where two boxes would show the same, and seldom equal otherwise. */
  fingerprint(): number
  knows(id: string): boolean
  /** Does what only a leader does, and what was due since then (show time), when the last one was last heard. */
  takeOver(sinceShowMs: number): void
  /** Leaves that to another box. */
  standDown(): void
  /** Nobody else is there any more, or somebody is again. */
  noteLost(isLost: boolean): void
}

/** The boxes of a venue, as one box's show sees them. */
export interface Company<Command> {
  join(player: Player<Command>): void
  leave(): void
  /** Whether this box decides: for all, or because it is alone. */
  decidesHere(): boolean
  /** Takes a command that another box must decide, now or as soon as one leads; panic is told to everybody. */
  passOn(command: Command): void
  /** What was decided here happens on all boxes. */
  share(id: string, events: readonly unknown[]): Place
  /** Calls back once another box has what is at that place, or none is there to have it. */
  whenShared(place: Place, done: () => void): void
  /** How far ahead a cue must be planned so that every box hears of it in time. */
  leadMs(): number
}
