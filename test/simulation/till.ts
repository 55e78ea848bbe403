/** A printer of the storm and the paper that comes out of it, whatever is between the two. It outlives the boxes. */
import type { Clock } from '../../runtime/ports/clock.js'
import type { Printer } from '../../runtime/ports/printer.js'

/** What a person holds in his hand. */
export interface Copy {
  readonly text: string
  /** What the ticket is for: its line that begins with that word. */
  readonly title: string
  readonly isWhole: boolean
}

export interface Till {
  readonly name: string
  /** In the order in which they came out. */
  readonly copies: readonly Copy[]
  /** A printer that cannot confirm may lose what it has taken: then `sent` says nothing of the paper. */
  readonly isSentOnPaper: boolean
  /** Something happens to it, or is mended. */
  disturb(): void
  /** Everything is well, and stays so. */
  mend(): void
  /** As the driver of one life of a box sees it. */
  driver(clock: Clock): Printer
  /** The box that it was plugged into has died. */
  orphan(): void
}

const byTitle = (text: string): string =>
  text.split('\n').find(line => line.startsWith('for ')) ?? ''

export const copyOf = (text: string, isWhole: boolean): Copy => ({
  text,
  title: byTitle(text),
  isWhole,
})
