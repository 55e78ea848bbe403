import t from 'tap'
import {
  ask,
  automaticStatus,
  closing,
  flush,
  initialize,
  joined,
  Question,
  statusInTurn,
  tearOff,
  withoutInitialize,
} from '../../drivers/escpos-printer-commands.js'

t.test('the bytes are those of the command reference', async t => {
  t.same([...initialize], [0x1b, 0x40])
  t.same([...ask(Question.paper)], [0x10, 0x04, 4])
  t.same([...automaticStatus], [0x1d, 0x61, 0x0f])
  t.same([...statusInTurn], [0x1d, 0x72, 1])
  t.same([...tearOff('partial')], [0x1d, 0x56, 66, 0])
  t.same([...tearOff('full')], [0x1d, 0x56, 65, 0])
  t.same([...tearOff('none')], [0x1b, 0x64, 3])
})

t.test(
  'a flush is longer than the longest command of a ticket, and is nothing but NULs',
  async t => {
    const band = 8 + 64 * 128
    t.ok(closing.length + flush.length > band, 'a band of the widest head')
    t.ok([...closing, ...flush].every(byte => byte === 0))
  },
)

t.test('a ticket is initialized once', async t => {
  const ticket = Uint8Array.of(0x41, 0x0a)
  t.same(withoutInitialize(joined(initialize, ticket)), ticket)
  t.same(withoutInitialize(ticket), ticket)
})
