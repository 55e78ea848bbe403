import t from 'tap'
import { linesBuffer, type SharedLine, SharedLines } from '../../../drivers/linux/firing-lines.js'

const lamp: SharedLine = { fd: 12, method: 'chardev', isSafeActive: true }

t.test('the firing thread gets an open line as the main thread opened it', async t => {
  const lines = new SharedLines(linesBuffer(3))
  const other = new SharedLines(lines.buffer)
  lines.open(2, lamp)
  const seen: SharedLine[] = []
  t.equal(
    other.use(2, line => void seen.push(line)),
    true,
  )
  t.same(seen, [lamp])
})

t.test('nobody gets a line that is closed, or that never was open', async t => {
  const lines = new SharedLines(linesBuffer(3))
  lines.open(0, lamp)
  lines.close(0)
  t.equal(
    lines.use(0, () => t.fail('closed')),
    false,
  )
  t.equal(
    lines.use(1, () => t.fail('never open')),
    false,
  )
})

t.test('a line is busy while it is written to, also when that fails', async t => {
  const lines = new SharedLines(linesBuffer(1))
  lines.open(0, lamp)
  t.throws(() =>
    lines.use(0, () => {
      t.equal(lines.waitWhileBusy(0, 1), false)
      throw new Error('gone')
    }),
  )
  t.equal(lines.waitWhileBusy(0, 1), true)
})
