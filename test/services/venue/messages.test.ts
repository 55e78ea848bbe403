/** What is a message, and what is none; and that every kind fits into one datagram. */
import t from 'tap'
import { randomFrom } from '../../../runtime/core/random.js'
import {
  type Beat,
  decode,
  encode,
  MEMBERS_MAX,
  MESSAGE_BYTES_MAX,
  type Message,
} from '../../../runtime/services/venue/messages.js'

const longName = 'b'.repeat(63)
const place = { epoch: Number.MAX_SAFE_INTEGER, position: Number.MAX_SAFE_INTEGER }
const beat: Beat = {
  kind: 'beat',
  box: longName,
  count: 1e9,
  show: 'f'.repeat(16),
  role: 'following',
  leader: longName,
  epoch: Number.MAX_SAFE_INTEGER,
  head: place,
  party: MEMBERS_MAX,
  canLead: false,
  isKeeping: false,
  isSettled: false,
  isPreferred: false,
  showMs: 1_777_665_600_000.123,
  boundMs: 0.123456789,
  deliveryP99Ms: 123.456789,
  fingerprint: Number.MAX_SAFE_INTEGER,
  hears: Array.from({ length: MEMBERS_MAX - 1 }, () => 'abcdef01'),
}
const command = {
  id: 'i'.repeat(64),
  action: 'fire' as const,
  cue: 'c'.repeat(63),
  origin: 'o'.repeat(128),
}
const deed = {
  kind: 'fire',
  id: 'i'.repeat(64),
  cue: 'c'.repeat(63),
  epoch: Number.MAX_SAFE_INTEGER,
  origin: 'o'.repeat(128),
  way: 'follow',
}
const event = { atMs: 1_777_665_600_000.123, t0Ms: 1_777_665_600_000.123, deed }
const ids = Array.from({ length: 8 }, (_, index) => `${index}`.repeat(64))
const release = { ...event, deed: { kind: 'release', fadeMs: 86_400_000, ids } }
const lead = { ...event, deed: { kind: 'lead', epoch: Number.MAX_SAFE_INTEGER } }
const entry = { box: longName, id: 'i'.repeat(66), events: [event, event] }
const messages: readonly Message[] = [
  beat,
  { kind: 'entry', place, before: place, ...entry },
  { kind: 'entry', place, before: place, ...entry, events: [lead, release] },
  { kind: 'released', box: longName, ids },
  { kind: 'want', box: longName, epoch: 1, head: place },
  { kind: 'behind', box: longName, epoch: 1, base: place },
  { kind: 'offer', ...entry },
  { kind: 'ask', box: longName, command },
  { kind: 'panic', box: longName, command },
  {
    kind: 'answer',
    box: longName,
    id: command.id,
    isAccepted: false,
    code: 'command.refused',
    message: 'm'.repeat(512),
  },
  { kind: 'bye', box: longName },
]

t.test('every kind comes back as it was, and fits into a datagram at its longest', async t => {
  for (const message of messages) {
    const bytes = encode(message)
    t.same(decode(bytes), message, message.kind)
    t.ok(bytes.length <= MESSAGE_BYTES_MAX, `${message.kind}: ${bytes.length} bytes`)
  }
})

t.test('what is none is null, whatever it is', async t => {
  for (const text of [
    '',
    '{',
    'null',
    '[]',
    '{"kind":"beat"}',
    '{"kind":"bye","box":"Ä"}',
    '{"kind":"bye","box":"a","more":1}',
  ])
    t.equal(decode(new TextEncoder().encode(text)), null, text)
  t.equal(decode(Uint8Array.of(0xff, 0xfe)), null)
})

t.test('a hundred thousand mutated messages throw nothing', async t => {
  const random = randomFrom(9)
  const originals = messages.map(encode)
  let acceptedCount = 0
  for (let round = 0; round < 100_000; round++) {
    const bytes = Uint8Array.from(originals[round % originals.length] ?? [])
    for (let change = 1 + Math.floor(random() * 4); change > 0; change--)
      bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256)
    if (decode(bytes) !== null) acceptedCount++
  }
  t.ok(acceptedCount < 50_000, 'a letter in a name may change; what is no message is none')
})
