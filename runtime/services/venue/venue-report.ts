/** The venue as this box hears it, in the words of the topic table. */
import { publishedMs } from '../../core/time.js'
import type { Payload } from '../../topics.js'
import { APART_MS } from './delivery.js'
import type { Member } from './members.js'
import type { Refusal } from './refusals.js'
import type { VenueMember } from './venue-member.js'

type State = Payload<'venue/state'>

export interface Surroundings {
  readonly nowMs: number
  readonly interfaceName: string
  readonly refused: Readonly<Record<Refusal, number>>
  readonly trouble: string | null
}

export function venueReport(member: VenueMember, around: Surroundings): State {
  const { leadership, head, delivery, options } = member
  const { nowMs, interfaceName, refused, trouble } = around
  const { role, leader, epoch } = leadership
  const own: State['members'][number] = {
    box: options.box,
    role,
    isSameShow: true,
    isProven: true,
    positionsBehind: 0,
    lastHeardMs: 0,
    clockApartMs: 0,
    deliveryP99Ms: publishedMs(delivery.p99Ms),
  }
  const others = member.members().map(one => rowOf(one, member, nowMs))
  return {
    role,
    leader,
    epoch,
    position: head.position,
    interface: interfaceName,
    leadMs: publishedMs(member.leader.leadMs()),
    members: [own, ...others].sort((a, b) => (a.box < b.box ? -1 : 1)),
    refused: { ...refused, outOfTurn: member.refusedCount },
    trouble: trouble?.slice(0, 256) ?? null,
  }
}

function rowOf(one: Member, member: VenueMember, nowMs: number): State['members'][number] {
  const { box, beat, isProven, heardAt, apartMs } = one
  return {
    box,
    role: beat.role,
    isSameShow: member.isSameShow(one),
    isProven,
    positionsBehind: Math.max(0, member.head.position - beat.head.position),
    lastHeardMs: Math.round(Math.max(0, nowMs - heardAt)),
    clockApartMs: Math.abs(apartMs) > APART_MS ? Math.round(apartMs) : 0,
    deliveryP99Ms: publishedMs(beat.deliveryP99Ms),
  }
}
