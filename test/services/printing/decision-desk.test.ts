/** Where a person decides: each decision once, each on disk before its answer, each with who made it. */
import t from 'tap'
import { Rig } from './rig.js'

async function withUnknown(): Promise<Rig> {
  const rig = new Rig()
  await rig.start()
  rig.printer.script.push(rig.printer.torn)
  await rig.asked({ kind: 'redeemable' })
  await rig.clock.advance(2_000)
  return rig
}

t.test('a redeemable is printed again when a person says so, marked, with its serial', async t => {
  const rig = await withUnknown()
  const { serial } = await rig.decided('r-1', 'reprint')
  await rig.clock.advance(2_000)
  t.equal(rig.story('r-1'), 'queued sending unknown queued1 sending1 confirmed1')
  t.match(rig.printer.printed[1], /REPRINT/)
  t.match(rig.printer.printed[1], serial ?? '')
  t.match((await rig.printing.job('r-1'))?.decisions, [{ decision: 'reprint', origin: 'operator' }])
  const line = rig.log.lines.find(({ event }) => event === 'print.decided')
  t.match(line?.facts, { job: 'r-1', by: 'operator', decision: 'reprint', was: 'unknown' })
})

t.test('a reprint that is torn again waits again, and is REPRINT 2 the next time', async t => {
  const rig = await withUnknown()
  rig.printer.script.push(rig.printer.torn)
  await rig.decided('r-1', 'reprint')
  await rig.clock.advance(60_000)
  t.match(rig.story('r-1'), /unknown1$/)
  await rig.decided('r-1', 'reprint')
  await rig.clock.advance(60_000)
  t.match(rig.story('r-1'), /confirmed2$/)
  t.match(rig.printer.printed[2], /REPRINT/)
})

t.test('a reprint comes before what came later', async t => {
  const rig = await withUnknown()
  rig.printer.set('paper-end')
  rig.ask()
  await rig.decided('r-1', 'reprint')
  rig.printer.set(null)
  await rig.clock.advance(5_000)
  t.match(rig.printer.printed[1], /REPRINT/)
})

t.test('the same decision again is answered alike, and made once', async t => {
  const rig = await withUnknown()
  const first = await rig.decided('r-1', 'reprint', 'd-1')
  t.match(first, { isAccepted: true, isRepeated: false, job: 'r-1' })
  await rig.clock.advance(2_000)
  for (const restart of [false, true]) {
    if (restart) await rig.restart()
    const again = await rig.decided('r-1', 'reprint', 'd-1')
    t.match(again, { isAccepted: true, isRepeated: true, job: 'r-1', serial: first.serial })
  }
  await rig.clock.advance(60_000)
  t.equal(rig.printer.calls, 2)
})

t.test('many of one id at once are one decision', async t => {
  const rig = await withUnknown()
  for (let count = 0; count < 20; count++)
    rig.bus.publish('print/decided', { id: 'd', job: 'r-1', decision: 'reprint', origin: 'a' })
  await rig.clock.advance(60_000)
  t.equal(rig.printer.calls, 2)
  t.equal(rig.answers.filter(({ id, isRepeated }) => id === 'd' && isRepeated).length, 19)
})

t.test('one id for two decisions is a conflict', async t => {
  const rig = await withUnknown()
  rig.ask()
  await rig.clock.advance(1_000)
  await rig.decided('r-1', 'confirm', 'd-1')
  for (const [job, decision] of [
    ['r-1', 'discard'],
    ['r-2', 'confirm'],
  ] as const) {
    const answer = await rig.decided(job, decision, 'd-1')
    t.match(answer, { isAccepted: false, code: 'print.conflict' })
  }
})

t.test('confirmed and discarded stay so over a restart', async t => {
  const rig = await withUnknown()
  rig.printer.script.push(rig.printer.torn)
  rig.ask({ kind: 'redeemable' })
  await rig.clock.advance(10_000)
  await rig.decided('r-1', 'confirm')
  await rig.decided('r-2', 'discard')
  await rig.restart()
  await rig.clock.advance(60_000)
  t.match(await rig.printing.job('r-1'), { state: 'confirmed', message: 'by operator' })
  t.match(await rig.printing.job('r-2'), { state: 'failed', code: 'print.discarded' })
  t.equal(rig.printer.calls, 2)
  t.match(rig.states.at(-1), { unknown: 0, confirmed: 1, failed: 1 })
})

t.test('what waits can be discarded, and is not printed', async t => {
  const rig = new Rig()
  await rig.start()
  rig.printer.set('absent')
  rig.ask()
  rig.ask()
  await rig.clock.advance(10)
  t.match(await rig.decided('r-1', 'discard'), { isAccepted: true })
  rig.printer.set(null)
  await rig.clock.advance(5_000)
  t.equal(rig.story('r-1'), 'queued failed')
  t.equal(rig.story('r-2'), 'queued sending confirmed')
  t.equal(rig.printer.calls, 1)
})

t.test('a refused decision leaves the job where it waits', async t => {
  const rig = new Rig()
  await rig.start()
  rig.printer.set('absent')
  rig.ask()
  await rig.clock.advance(10)
  t.match(await rig.decided('r-1', 'confirm', 'd'), { isAccepted: false, code: 'command.refused' })
  rig.printer.set(null)
  await rig.clock.advance(5_000)
  t.equal(rig.story('r-1'), 'queued sending confirmed')
  t.match(await rig.decided('r-1', 'confirm', 'd'), { isAccepted: true }, 'and may be made later')
})

t.test('what is being sent cannot be decided about', async t => {
  const rig = new Rig()
  await rig.start()
  rig.printer.script.push(rig.printer.stuck)
  rig.ask()
  await rig.clock.advance(1_000)
  for (const decision of ['reprint', 'confirm', 'discard'] as const)
    t.match(await rig.decided('r-1', decision), { isAccepted: false, code: 'print.unsettled' })
})

t.test('a decision that cannot be kept is none', async t => {
  const rig = await withUnknown()
  rig.disk.fault = 'storage.full'
  t.match(await rig.decided('r-1', 'reprint', 'd'), { isAccepted: false, code: 'storage.full' })
  await rig.clock.advance(10_000)
  t.equal(rig.printer.calls, 1)
  rig.disk.fault = null
  t.match(await rig.decided('r-1', 'reprint', 'd'), { isAccepted: true, isRepeated: false })
  await rig.clock.advance(2_000)
  t.equal(rig.printer.calls, 2)
})

t.test('a ticket is found by its serial, as somebody typed it', async t => {
  const rig = await withUnknown()
  const serial = (await rig.printing.job('r-1'))?.serial ?? ''
  const typed = serial.toLowerCase().replaceAll('-', '').replaceAll('1', 'l')
  t.match(await rig.printing.job(typed), { id: 'r-1' })
  t.match(await rig.decided(typed, 'confirm', 'd'), { isAccepted: true, job: 'r-1', serial })
  t.match(await rig.decided(typed, 'confirm', 'd'), { isAccepted: true, isRepeated: true })
})

t.test('no such ticket is said to be none', async t => {
  const rig = await withUnknown()
  t.match(await rig.decided('nobody', 'confirm'), { isAccepted: false, code: 'print.unknown' })
})

t.test('a job of a printer that is not there any more can be discarded', async t => {
  const rig = new Rig({ printers: ['counter', 'door'] })
  await rig.start()
  rig.printers.get('door')?.set('absent')
  await rig.asked({ printer: 'door' })
  const counter = rig.printers.get('counter')
  if (counter === undefined) throw new Error('there is a counter')
  await rig.restart({ printers: new Map([['counter', counter]]) })
  await rig.clock.advance(5_000)
  t.match(await rig.printing.job('r-1'), { state: 'queued' })
  t.match(await rig.decided('r-1', 'discard'), { isAccepted: true })
})
