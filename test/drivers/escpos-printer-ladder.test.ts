import t from 'tap'
import { echo, initialize, joined, statusInTurn } from '../../drivers/escpos-printer-commands.js'
import { Ladder, processId } from '../../drivers/escpos-printer-ladder.js'
import { ReplyReader } from '../../drivers/escpos-status.js'
import { at } from './bench.js'

const auto = (firstId = 1000): Ladder => new Ladder({ confirmation: 'auto', firstId })
const hearEcho = (ladder: Ladder, id: string): void =>
  ladder.hear({ kind: 'process-id', id }, at(0))

function hearStatus(ladder: Ladder, count: number, nowMs = 0): void {
  for (let heard = 0; heard < count; heard++) ladder.hear({ kind: 'status', byte: 0 }, at(nowMs))
}

/** How often the printer is asked for its status. */
const statusCount = (bytes: Uint8Array): number => {
  let count = 0
  for (let from = 0; from < bytes.length; from++)
    if (statusInTurn.every((byte, offset) => bytes[from + offset] === byte)) count++
  return count
}

t.test('process ids are printable, all different, and survive what comes in between', async t => {
  const ids = new Set<string>()
  for (let number = 0; number < 5000; number++) {
    const id = processId(number)
    if (!/^[!-~]{4}$/.test(id)) t.fail(id)
    ids.add(id)
    const stray = [...echo(id).slice(7)]
    stray.splice(number % 4, 0, 0x12)
    const [reply] = new ReplyReader({ isSerial: false }).read(
      Uint8Array.of(0x37, 0x22, ...stray, 0),
    )
    if (reply?.kind !== 'process-id' || reply.id !== id) t.fail(`${id} is read as ${reply}`)
  }
  t.equal(ids.size, 5000)
})

t.test('an unknown printer is asked by all means, and proves one', async t => {
  const ladder = auto()
  const bytes = ladder.request(at(0))
  t.same(bytes.slice(0, 11), echo(processId(1001)))
  t.ok(statusCount(bytes) > 1)
  t.equal(ladder.rung, null)
  hearEcho(ladder, processId(1001))
  t.equal(ladder.rung, 'process-id')
  t.equal(ladder.answer, 'process-id')
  t.same(ladder.request(at(1)), echo(processId(1002)))
  t.equal(ladder.answer, null)
})

t.test('an echo without an id confirms nothing, whatever was asked', async t => {
  for (const confirmation of ['auto', 'process-id', 'status-reply', 'none'] as const) {
    const ladder = new Ladder({ confirmation, firstId: 1000 })
    hearEcho(ladder, '')
    ladder.request(at(0))
    hearEcho(ladder, '')
    t.equal(ladder.answer, null, confirmation)
  }
})

t.test('the echo of another ticket confirms nothing', async t => {
  const ladder = auto()
  ladder.request(at(0))
  hearEcho(ladder, '1234')
  t.equal(ladder.rung, null, 'somebody else can be echoed, too')
  ladder.request(at(0))
  hearEcho(ladder, processId(1001))
  t.equal(ladder.rung, 'process-id', 'it can')
  t.equal(ladder.answer, null, 'it was not this one')
})

t.test('a printer that answers questions only, and the late echo of one that could', async t => {
  const ladder = auto()
  hearStatus(ladder, statusCount(ladder.request(at(0))))
  t.equal(ladder.rung, 'status-reply')
  const again = ladder.request(at(5000))
  t.same(again, statusInTurn)
  hearEcho(ladder, processId(1001))
  t.equal(ladder.answer, null, 'an old echo confirms no new ticket')
})

t.test('answers that a former process was owed confirm nothing', async t => {
  const ladder = new Ladder({ confirmation: 'status-reply', firstId: 1 })
  const asked = statusCount(ladder.request(at(0)))
  hearStatus(ladder, asked - 1)
  t.equal(ladder.answer, null)
  hearStatus(ladder, 1)
  t.equal(ladder.answer, 'status-reply')
})

t.test('until all is quiet more answers are wanted than may be old', async t => {
  const ladder = new Ladder({ confirmation: 'status-reply', firstId: 1 })
  const asked = statusCount(ladder.request(at(0)))
  hearStatus(ladder, asked, 10)
  const soon = statusCount(ladder.request(at(20)))
  t.equal(soon, asked, 'five may still come')
  hearStatus(ladder, soon, 30)
  t.equal(statusCount(ladder.request(at(1000))), asked)
  hearStatus(ladder, asked, 1000)
  t.equal(statusCount(ladder.request(at(2500))), 1, 'nothing came for more than a second')
})

t.test('an unanswered question is never answered by its successor', async t => {
  const ladder = new Ladder({ confirmation: 'status-reply', firstId: 1 })
  hearStatus(ladder, statusCount(ladder.request(at(0))), 0)
  t.equal(statusCount(ladder.request(at(5000))), 1)
  t.equal(statusCount(ladder.request(at(50_000))), 2)
  hearStatus(ladder, 1, 50_001)
  t.equal(ladder.answer, null, 'it may be the answer to the one before')
  hearStatus(ladder, 1, 50_002)
  t.equal(ladder.answer, 'status-reply')
})

t.test('a printer that has stopped answering is not asked for ever more', async t => {
  const ladder = new Ladder({ confirmation: 'status-reply', firstId: 1 })
  const counts = Array.from({ length: 5 }, (_, round) =>
    statusCount(ladder.request(at(round * 60_000))),
  )
  t.same(counts, [6, 12, 0, 0, 0])
})

t.test('who was given up and answers later is believed', async t => {
  const ladder = auto()
  ladder.request(at(0))
  ladder.giveUp()
  t.equal(ladder.rung, 'none')
  t.equal(ladder.request(at(1)).length, 0)
  hearEcho(ladder, processId(1001))
  t.equal(ladder.rung, 'process-id')
  t.equal(ladder.answer, null)
})

t.test('a pinned printer is what was said of it', async t => {
  const none = new Ladder({ confirmation: 'none', firstId: 1 })
  t.equal(none.request(at(0)).length, 0)
  hearEcho(none, processId(2))
  hearStatus(none, 20)
  t.equal(none.rung, 'none')
  const echoing = new Ladder({ confirmation: 'process-id', firstId: 1 })
  t.same(echoing.request(at(0)), echo(processId(2)))
  hearStatus(echoing, 20)
  echoing.giveUp()
  t.equal(echoing.rung, 'process-id')
  t.equal(echoing.answer, null)
})

t.test('the bytes are those of the manual', async t => {
  const bytes = joined(echo('AB!~'), initialize)
  t.same([...bytes], [0x1d, 0x28, 0x48, 6, 0, 0x30, 0x30, 0x41, 0x42, 0x21, 0x7e, 0x1b, 0x40])
})
