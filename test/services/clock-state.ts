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

/** A box that was switched on a while ago, and asks two servers that agree. */
export const wallState: Payload<'clock/wall'> = {
  wallMs: 1_790_000_300_000,
  isUtcKnown: true,
  source: 'ntp',
  errorMs: 12.5,
  aheadMs: -0.25,
  stratum: 3,
  rootDelayMs: 20,
  rootDispersionMs: 2.5,
  leap: 'none',
  referenceId: '192.0.2.1',
  isFrozen: false,
  engine: 'embedded',
  servedPerSecond: 4,
  servers: [
    { host: 'a.example', state: 'followed', stratum: 2, aheadMs: 0.1, delayMs: 20 },
    { host: 'b.example', state: 'followed', stratum: 2, aheadMs: 0.2, delayMs: 21 },
    { host: 'c.example', state: 'silent', stratum: null, aheadMs: null, delayMs: null },
  ],
  trouble: null,
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
