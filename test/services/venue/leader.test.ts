/** What a leader sends to those who ask, however often they do. */
import t from 'tap'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { Leader } from '../../../runtime/services/venue/leader.js'
import type { Member } from '../../../runtime/services/venue/members.js'
import type { Beat, Message } from '../../../runtime/services/venue/messages.js'
import { VenueLog } from '../../../runtime/services/venue/venue-log.js'

const NOWHERE = { epoch: 0, position: 0 }

function memberOf(clock: SimulatedClock, box: string): Member {
  const beat: Beat = {
    kind: 'beat',
    box,
    count: 1,
    show: 'a'.repeat(16),
    role: 'following',
    leader: 'box-1',
    epoch: 7,
    head: NOWHERE,
    party: 1,
    canLead: true,
    isKeeping: true,
    isSettled: true,
    isPreferred: false,
    showMs: 0,
    boundMs: 0,
    deliveryP99Ms: 0,
    fingerprint: 0,
    hears: [],
  }
  const heardAt = clock.monotonicMs()
  return { box, session: box, address: box, heardAt, beat, isProven: true, apartMs: 0 }
}

t.test(
  'who asks for what is lacking without an end gets it now and then, and so do the others',
  async t => {
    const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
    const log = new VenueLog(NOWHERE)
    const sent: { readonly kind: Message['kind']; readonly to: string | null }[] = []
    const leader = new Leader(clock, {
      box: 'box-1',
      log,
      leadership: { role: 'leading', epoch: 7, base: NOWHERE, party: () => [] },
      player: {
        digest: 'a'.repeat(64),
        place: NOWHERE,
        ids: [],
        isKeeping: true,
        obey: () => {},
        play: () => true,
        whole: () => null,
        adopt: () => ({ unheard: [], released: [] }),
        noteReleased: () => {},
        fingerprint: () => 0,
        knows: () => false,
        takeOver: () => {},
        standDown: () => {},
        noteLost: () => {},
      },
      send: ({ kind }, to) => void sent.push({ kind, to }),
    })
    for (let count = 0; count < 64; count++) leader.share(`id-${count}`, [])
    await clock.advance(1_000)
    sent.splice(0)
    const want = (box: string, head = NOWHERE): void =>
      leader.hear({ kind: 'want', box, epoch: 7, head: { ...head } }, memberOf(clock, box))
    for (let turn = 0; turn < 1_000; turn++) {
      for (let count = 0; count < 10; count++) {
        want('mad')
        want('mad-too', { epoch: 3, position: 1 })
      }
      if (turn % 40 === 0) want('box-2')
      await clock.advance(1)
    }
    const to = (box: string): number => sent.filter(one => one.to === box).length
    t.equal(to('box-2'), 25 * 64, 'whoever asks as a box does is told each time')
    t.ok(to('mad') <= 51 * 64, `${to('mad')} entries in a second`)
    t.ok(to('mad-too') <= 51, `${to('mad-too')} answers in a second`)
    leader.stop()
  },
)
