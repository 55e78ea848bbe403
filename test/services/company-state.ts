/** Timecode that has fallen silent and one that is sent, and a venue with a box that has another key. */
import type { Payload } from '../../runtime/topics.js'

export const timecodeState: Payload<'timecode/state'> = {
  source: 'ltc',
  state: 'flywheel',
  isRunning: true,
  rate: '25',
  position: '10:00:30:12',
  positionShowMs: 1_777_665_600_000,
  speed: 1.00002,
  jitterMs: 0.125,
  lostCount: 1,
  jumpCount: 0,
  outputs: [{ kind: 'mtc', rate: '30', position: '01:00:00:00', trouble: null }],
  trouble: null,
}

export const venueState: Payload<'venue/state'> = {
  role: 'leading',
  leader: 'box-1',
  epoch: 7,
  position: 12,
  interface: 'eth0',
  leadMs: 21,
  members: [
    {
      box: 'box-1',
      role: 'leading',
      isSameShow: true,
      isProven: true,
      positionsBehind: 0,
      lastHeardMs: 0,
      clockApartMs: 0,
      deliveryP99Ms: 1.25,
    },
  ],
  refused: { forged: 300, replayed: 0, malformed: 0, outOfTurn: 0, flood: 0 },
  trouble: '10.0.0.7 speaks with another venue key, or for another tour: compare the key file',
}
