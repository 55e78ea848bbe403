/** What one box among those of a venue needs to know, and whom it tells. */
import type { Player } from '../../ports/company.js'
import type { Answer } from './asks.js'
import type { Member } from './members.js'
import type { Message, VenueCommand } from './messages.js'
import type { Notice } from './notice.js'

/** Trouble in words: the journal of this box fails, or takes too long. */
export const NOT_KEEPING =
  'the disk of this box keeps nothing, or too slowly: another should lead, and this one be mended'

export interface VenueMemberOptions {
  readonly box: string
  /** Of this start. */
  readonly session: string
  readonly canLead: boolean
  readonly isPreferred: boolean
  readonly player: Player<VenueCommand>
  /** @param to an address; null for all */
  readonly send: (message: Message, to: string | null) => void
  /** The whole state of that box is wanted. */
  readonly fetch: (from: Member) => void
  /** Another box has decided a command that was asked here. */
  readonly answer: (command: VenueCommand, answer: Answer) => void
  readonly notice: (notice: Notice) => void
}
