import type { Payload } from '../../runtime/topics.js'

/** A box that has followed another one for a while. */
export const clockState: Payload<'clock/state'> = {
  state: 'following',
  identity: '020000fffe000002',
  leader: '020000fffe000001',
  lastLeader: null,
  timeline: '00ff10203040a0b1',
  interface: 'eth0',
  domain: 42,
  stamps: 'kernel',
  offsetMicroseconds: -4.25,
  pathDelayMicroseconds: 55,
  ratePpm: 12.5,
  errorMs: 0.09,
  inheritedErrorMs: 0,
  clocksHeard: 2,
  isFrozen: true,
  wallMs: 1_790_000_300_000,
  trouble: null,
  counts: {
    leaderChanges: 1,
    steps: 1,
    distrusted: 0,
    malformed: 0,
    otherVersion: 12,
    otherDomain: 7,
    negativeDelays: 0,
    unanswered: 0,
    notSent: 0,
  },
}

/** An audio network's, that was switched on a while ago and counts from 1970. */
export const houseState: Payload<'clock/house'> = {
  state: 'following',
  leader: '00a0deadbeef0001',
  interface: 'eth0',
  domain: 0,
  stamps: 'kernel',
  aheadMs: -1_790_000_000_000.25,
  ratePpm: -3.5,
  errorMs: 0.07,
  steps: 1,
  wallMs: 1_790_000_300_000,
  trouble: null,
}
