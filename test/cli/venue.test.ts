/** The venue as people read it. */
import t from 'tap'
import { paintFor } from '../../runtime/cli/terminal.js'
import { venueRows, venueText } from '../../runtime/cli/venue.js'
import type { Payload } from '../../runtime/topics.js'

const paint = paintFor({ write: () => {}, writeError: () => {}, isColour: false })
const member = {
  box: 'box-1',
  role: 'leading' as const,
  isSameShow: true,
  isProven: true,
  positionsBehind: 0,
  lastHeardMs: 0,
  clockApartMs: 0,
  deliveryP99Ms: 0,
}
const venue: Payload<'venue/state'> = {
  role: 'leading',
  leader: 'box-1',
  epoch: 7,
  position: 12,
  interface: 'eth0',
  leadMs: 21.4,
  members: [
    member,
    { ...member, box: 'box-2', role: 'following', deliveryP99Ms: 1.25, lastHeardMs: 90 },
    {
      ...member,
      box: 'till',
      role: 'listening',
      lastHeardMs: 12_000,
      isSameShow: false,
      positionsBehind: 3,
    },
    { ...member, box: 'door', role: 'following', isProven: false, clockApartMs: -480 },
  ],
  refused: { forged: 3, replayed: 0, malformed: 0, outOfTurn: 0, flood: 0 },
  trouble: null,
}

t.test('a line for each box says what a technician must know of it', async t => {
  t.equal(
    venueText(venue, paint),
    `leading on eth0
epoch 7, entry 12, cues 21 ms ahead
refused: 3 forged, 0 replayed, 0 malformed, 0 out of turn, 0 too many
box      role       heard     behind  delivery p99  notes
box-1 *  leading    now       0       0.0 ms
box-2    following  now       0       1.3 ms
till     listening  12 s ago  3       0.0 ms        gone, another show
door     following  now       0       0.0 ms        does not hear this box, clock -480 ms apart
`,
  )
})

t.test('a box alone says so', async t => {
  t.match(venueText(null, paint), /^This box is alone/)
})

t.test('the status has one line for it, and none for a box alone', async t => {
  const state = { venue: { ...venue, role: 'following' as const, trouble: 'eth0 is gone' } }
  t.same(venueRows(state, paint), [
    ['Venue', 'following box-1 on eth0, 3 of 4 boxes, eth0 is gone'],
  ])
  t.same(venueRows({ venue: null }, paint), [])
})

t.test('what the system says of trouble does not move the cursor', async t => {
  const trouble = 'eth0\u001b[2J is\ngone'
  t.notMatch(venueText({ ...venue, trouble }, paint), '\u001b')
  t.match(venueRows({ venue: { ...venue, trouble } }, paint)[0]?.[1], 'eth0 [2J is gone')
})
