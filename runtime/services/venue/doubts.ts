/** A panic that nobody has taken back counts, whoever leads; and so does it that one was taken back. */
import type { Doubt } from '../../ports/company.js'
import type { Asks } from './asks.js'
import type { VenueMemberOptions } from './member-options.js'
import type { Member } from './members.js'

interface Parties {
  readonly asks: Pick<Asks, 'add'>
  readonly leader: Member | null
}

/** Tells the leader what this box knows better. Where that is lost the states differ, and it comes to this again. */
export function insist(
  { unheard, released }: Doubt,
  { box, send, notice }: Pick<VenueMemberOptions, 'box' | 'send' | 'notice'>,
  { asks, leader }: Parties,
): void {
  for (const id of unheard) asks.add({ id, action: 'panic', origin: box })
  if (released.length > 0 && leader)
    send({ kind: 'released', box, ids: [...released] }, leader.address)
  if (unheard.length > 0 || released.length > 0) notice({ kind: 'doubt', unheard, released })
}
