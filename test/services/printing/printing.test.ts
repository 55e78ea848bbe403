/** The printing service: what is accepted is on disk, and what may be on paper is never printed again in silence. */
import t from 'tap'
import { after } from '../../../runtime/core/time.js'
import type { PrintOutcome } from '../../../runtime/ports/printer.js'
import { Rig, WALL_MS } from './rig.js'
import { TICKET_MILLIMETRES } from './scripted-printer.js'

const unknown: PrintOutcome = { kind: 'unknown', why: new Error('cable') }

async function started(...options: ConstructorParameters<typeof Rig>): Promise<Rig> {
  const rig = new Rig(...options)
  await rig.start()
  return rig
}

t.test('a ticket is answered when it is on disk, printed, and confirmed', async t => {
  const rig = await started()
  const answer = await rig.asked()
  t.match(answer, { isAccepted: true, isRepeated: false, code: null, origin: 'test' })
  await rig.clock.advance(1_000)
  t.equal(rig.story('r-1'), 'queued sending confirmed')
  t.equal(rig.printer.printed.length, 1)
  t.match((await rig.printing.job('r-1'))?.state, 'confirmed')
})

t.test('the serial is on the ticket, in letters and in a code', async t => {
  const rig = await started()
  const { serial } = await rig.asked()
  await rig.clock.advance(1_000)
  const lines = rig.printer.printed[0]?.split('\n') ?? []
  t.equal(lines.filter(line => line === serial).length, 2)
})

t.test('a serial that was given is taken as it is', async t => {
  const rig = await started()
  const ticket = { blocks: [{ kind: 'qr', content: 'https://tour.example/CLAIM-7' }] }
  const answer = await rig.asked({ serial: 'CLAIM-7', ticket })
  t.equal(answer.serial, 'CLAIM-7')
  await rig.clock.advance(1_000)
  t.equal(rig.printer.printed[0], 'https://tour.example/CLAIM-7', 'and not added where it is')
})

t.test('one at a time, in order of arrival', async t => {
  const rig = await started()
  for (let count = 0; count < 20; count++) rig.ask()
  await rig.clock.advance(10_000)
  t.same(
    rig.printer.printed.map(text => text.split('\n')[0]),
    Array.from({ length: 20 }, (_, index) => `ticket of r-${index + 1}`),
  )
})

t.test(
  'each printer has a queue of its own, and the first is meant when none is named',
  async t => {
    const rig = await started({ printers: ['counter', 'door'] })
    rig.printers.get('counter')?.set('absent')
    rig.ask({ printer: 'door' })
    rig.ask()
    await rig.clock.advance(1_000)
    t.equal(rig.story('r-1'), 'queued sending confirmed')
    t.equal(rig.story('r-2'), 'queued')
    rig.printers.get('counter')?.set(null)
    await rig.clock.advance(1_000)
    t.equal(rig.story('r-2'), 'queued sending confirmed')
  },
)

t.test('`sending` is on disk before the printer is called', async t => {
  const rig = await started()
  rig.printer.script.push(async (ticket, progress) => {
    const kept = await rig.printing.job('r-1')
    t.equal(kept?.state, 'sending')
    return rig.printer.confirmed(ticket, progress)
  })
  rig.ask()
  await rig.clock.advance(1_000)
  t.equal(rig.printer.calls, 1)
})

t.test('what cannot be journalled is not printed', async t => {
  const rig = await started()
  rig.printer.set('absent')
  await rig.asked()
  rig.disk.fault = 'storage.full'
  rig.printer.set(null)
  await rig.clock.advance(60_000)
  t.equal(rig.printer.calls, 0)
  t.ok(rig.log.events('error').filter(event => event === 'print.not-begun').length < 8, 'it pauses')
  rig.disk.fault = null
  await rig.clock.advance(31_000)
  t.equal(rig.story('r-1'), 'queued sending confirmed')
})

t.test('a request that cannot be kept is refused, and nothing is printed', async t => {
  const rig = await started()
  rig.disk.fault = 'storage.full'
  t.match(await rig.asked({ id: 'x' }), { isAccepted: false, code: 'storage.full' })
  rig.disk.fault = null
  await rig.clock.advance(5_000)
  t.equal(rig.printer.calls, 0)
  t.match(await rig.asked({ id: 'x' }), { isAccepted: true, isRepeated: false })
})

t.test('a confirmation is journalled when the disk takes it again', async t => {
  const rig = await started()
  rig.printer.script.push(async (ticket, progress) => {
    const outcome = await rig.printer.confirmed(ticket, progress)
    rig.disk.fault = 'storage.full'
    return outcome
  })
  rig.ask()
  rig.ask()
  await rig.clock.advance(20_000)
  t.equal(rig.story('r-1'), 'queued sending')
  t.equal(rig.printer.calls, 1, 'the next one waits for the disk')
  rig.disk.fault = null
  await rig.clock.advance(31_000)
  t.equal(rig.story('r-1'), 'queued sending confirmed')
  t.equal(rig.story('r-2'), 'queued sending confirmed')
})

t.test(
  'a confirmation that was not kept makes it unknown after a restart, not printed again',
  async t => {
    const rig = await started()
    rig.printer.script.push(async (ticket, progress) => {
      const outcome = await rig.printer.confirmed(ticket, progress)
      rig.disk.fault = 'storage.full'
      return outcome
    })
    rig.ask({ kind: 'redeemable' })
    await rig.clock.advance(5_000)
    rig.disk.fault = null
    await rig.restart()
    await rig.clock.advance(60_000)
    t.equal(rig.story('r-1'), 'queued sending unknown')
    t.equal(rig.printer.calls, 1)
  },
)

t.test('untouched goes back to its place, and is tried again after growing pauses', async t => {
  const rig = await started()
  const times: number[] = []
  for (let count = 0; count < 6; count++)
    rig.printer.script.push(async (ticket, progress) => {
      times.push(rig.clock.monotonicMs())
      return rig.printer.untouched(ticket, progress)
    })
  rig.ask({ kind: 'redeemable' })
  rig.ask()
  await rig.clock.advance(120_000)
  const pauses = times.slice(1).map((at, index) => Math.round((at - (times[index] ?? 0)) / 1000))
  t.same(pauses, [1, 2, 4, 8, 16])
  t.match(rig.story('r-1'), /^(queued sending ){7}confirmed$/)
  t.match(rig.printer.printed[0], /^ticket of r-1/, 'before what came later')
  t.notMatch(rig.printer.printed.join(), /REPRINT/)
})

t.test('a printer that is well again is tried soon, and not at each turn', async t => {
  const rig = await started()
  for (let count = 0; count < 5; count++) rig.printer.script.push(rig.printer.untouched)
  rig.ask()
  await rig.clock.advance(16_000)
  t.equal(rig.printer.calls, 5)
  rig.printer.set('paper-end')
  await rig.clock.advance(2_000)
  rig.printer.set(null)
  await rig.clock.advance(100)
  t.equal(rig.story('r-1').split(' ').at(-1), 'confirmed')
})

t.test('nothing is begun while the printer says why not', async t => {
  const rig = await started()
  rig.printer.set('cover-open')
  rig.ask()
  await rig.clock.advance(60_000)
  t.equal(rig.printer.calls, 0)
  rig.printer.set(null)
  await rig.clock.advance(1_000)
  t.equal(rig.story('r-1'), 'queued sending confirmed')
})

t.test('a redeemable that may be on paper waits for a person', async t => {
  const rig = await started()
  rig.printer.script.push(rig.printer.torn)
  rig.ask({ kind: 'redeemable' })
  rig.ask()
  await rig.clock.advance(60_000)
  t.equal(rig.story('r-1'), 'queued sending unknown')
  t.match(
    rig.changes.find(({ state }) => state === 'unknown'),
    { job: 'r-1', sentBytes: 500, totalBytes: 1000, code: 'device.io' },
  )
  t.equal(rig.story('r-2'), 'queued sending confirmed', 'the next one goes on')
})

t.test(
  'a receipt that may be on paper is printed again with REPRINT and the same serial',
  async t => {
    const rig = await started()
    rig.printer.script.push(rig.printer.torn)
    const { serial } = await rig.asked({ kind: 'receipt' })
    await rig.clock.advance(60_000)
    t.equal(rig.story('r-1'), 'queued sending queued1 sending1 confirmed1')
    t.notMatch(rig.printer.printed[0], /REPRINT/)
    t.match(rig.printer.printed[1], /REPRINT/)
    for (const text of rig.printer.printed) t.match(text, serial ?? '')
  },
)

t.test('a receipt is printed again three times, then a person decides', async t => {
  const rig = await started()
  for (let count = 0; count < 9; count++) rig.printer.script.push(rig.printer.torn)
  rig.ask({ kind: 'receipt' })
  await rig.clock.advance(600_000)
  t.equal(rig.printer.calls, 4)
  t.match(rig.story('r-1'), /unknown3$/)
})

t.test('a printer that cannot confirm has sent it, and that is the end of it', async t => {
  const rig = await started()
  rig.printer.script.push(rig.printer.sent)
  rig.ask({ kind: 'receipt' })
  await rig.clock.advance(60_000)
  t.equal(rig.story('r-1'), 'queued sending sent')
  await rig.restart()
  await rig.clock.advance(60_000)
  t.equal(rig.printer.calls, 1)
})

for (const [kind, story, calls] of [
  ['redeemable', 'queued sending unknown', 1],
  ['receipt', 'queued sending queued1 sending1 confirmed1', 2],
] as const)
  t.test(`killed in the middle, a ${kind} is ${story.split(' ').at(-1)}`, async t => {
    const rig = await started()
    rig.printer.script.push(rig.printer.stuck)
    rig.ask({ kind })
    await rig.clock.advance(5_000)
    t.equal(rig.story('r-1'), 'queued sending')
    await rig.restart()
    rig.printer.end(unknown)
    await rig.clock.advance(60_000)
    t.equal(rig.story('r-1'), story)
    t.equal(rig.printer.calls, calls)
    t.equal(rig.changes.find(({ code }) => code !== null)?.code, 'print.interrupted')
  })

t.test('stopped in the middle, what the printer says then is still journalled', async t => {
  const rig = await started()
  rig.printer.script.push(rig.printer.stuck)
  rig.ask({ kind: 'redeemable' })
  await rig.clock.advance(5_000)
  await rig.during(rig.printing.stop())
  await rig.printer.stop()
  await rig.clock.advance(10)
  t.equal(rig.story('r-1'), 'queued sending unknown')
  t.match(rig.changes.at(-1), { code: 'device.io' })
})

t.test('a box that is told to stop begins nothing more', async t => {
  const rig = await started()
  for (let count = 0; count < 3; count++) rig.ask()
  await rig.clock.advance(20)
  await rig.during(rig.printing.stop())
  await rig.during(rig.printing.stop())
  await rig.clock.advance(60_000)
  t.equal(rig.printer.calls, 1)
  t.equal(rig.story('r-1'), 'queued sending confirmed', 'the one in hand is finished')
  await rig.restart()
  await rig.clock.advance(1_000)
  t.equal(rig.printer.calls, 3)
})

t.test('what waited before a restart is printed after it, in order', async t => {
  const rig = await started()
  rig.printer.set('absent')
  for (let count = 0; count < 5; count++) rig.ask()
  await rig.clock.advance(100)
  await rig.restart()
  rig.printer.set(null)
  await rig.clock.advance(10_000)
  t.same(
    rig.printer.printed.map(text => text.split('\n')[0]),
    Array.from({ length: 5 }, (_, index) => `ticket of r-${index + 1}`),
  )
})

t.test('a ticket that cannot be printed fails, and the next one goes on', async t => {
  const rig = await started()
  rig.ask({ ticket: { blocks: [{ kind: 'image', image: 'no-such-picture' }] } })
  rig.ask()
  await rig.clock.advance(5_000)
  t.equal(rig.story('r-1'), 'queued failed')
  t.match(rig.changes.find(({ state }) => state === 'failed')?.code, 'ticket.invalid')
  t.equal(rig.story('r-2'), 'queued sending confirmed')
})

t.test('a ticket expires where it waits, by the wall clock or after a while', async t => {
  const rig = await started()
  rig.printer.set('absent')
  rig.ask({ expiresAtWallMs: rig.clock.wallTimeMs() + 60_000 })
  rig.ask({ expiresAfterMs: 90_000 })
  rig.ask()
  await rig.clock.advance(58_000)
  t.equal(rig.story('r-1'), 'queued')
  await rig.clock.advance(4_000)
  t.equal(rig.story('r-1'), 'queued expired')
  t.equal(rig.story('r-2'), 'queued')
  await rig.clock.advance(32_000)
  t.equal(rig.story('r-2'), 'queued expired')
  rig.printer.set(null)
  await rig.clock.advance(1_000)
  t.equal(rig.printer.calls, 1)
  t.equal(rig.story('r-3'), 'queued sending confirmed')
})

t.test('what is over is not begun, not even a moment later', async t => {
  const rig = await started()
  rig.printer.script.push(rig.printer.stuck)
  rig.ask()
  rig.ask({ expiresAfterMs: 1_000 })
  await rig.clock.advance(1_000)
  rig.printer.end({ kind: 'sent' })
  await rig.clock.advance(1)
  t.equal(rig.story('r-2'), 'queued expired')
  t.equal(rig.printer.calls, 1)
})

t.test('once begun, an expiry is over', async t => {
  const rig = await started()
  rig.printer.script.push(rig.printer.stuck)
  rig.ask({ kind: 'receipt', expiresAfterMs: 5_000 })
  await rig.clock.advance(60_000)
  rig.printer.end(unknown)
  await rig.clock.advance(60_000)
  t.equal(rig.story('r-1'), 'queued sending queued1 sending1 confirmed1')
})

t.test('over a restart an expiry goes on', async t => {
  const rig = await started()
  rig.printer.set('absent')
  rig.ask({ expiresAfterMs: 60_000 })
  rig.ask({ expiresAfterMs: 3_600_000 })
  await rig.clock.advance(10_000)
  await rig.restart({ offMs: 120_000 })
  rig.printer.set(null)
  await rig.clock.advance(5_000)
  t.equal(rig.story('r-1'), 'queued expired')
  t.equal(rig.story('r-2'), 'queued sending confirmed')
})

t.test('while the power is low nothing is accepted, and what waits is kept', async t => {
  const rig = await started()
  rig.printer.script.push(rig.printer.stuck)
  rig.ask()
  rig.ask()
  await rig.clock.advance(1_000)
  rig.bus.publish('power/state', { ...power, arePrintsRefused: true })
  t.match(await rig.asked({ id: 'late' }), { isAccepted: false, code: 'power.low' })
  t.match(await rig.asked({ id: 'r-2', ticket: ticketOf('r-2') }), {
    isAccepted: true,
    isRepeated: true,
  })
  rig.printer.end({ kind: 'sent' })
  await rig.clock.advance(60_000)
  t.equal(rig.story('r-1'), 'queued sending sent', 'the one in hand is finished')
  t.equal(rig.story('r-2'), 'queued')
  t.match(rig.states.at(-1), { isReady: false, hindrance: 'power', queued: 1 })
  rig.bus.publish('power/state', { ...power, arePrintsRefused: false })
  await rig.clock.advance(1_000)
  t.equal(rig.story('r-2'), 'queued sending confirmed')
  t.match(await rig.asked({ id: 'late' }), { isAccepted: true, isRepeated: false })
})

const ticketOf = (id: string): unknown => ({ blocks: [{ kind: 'text', text: `ticket of ${id}` }] })

const power = {
  stage: 'battery',
  isExternal: false,
  isCharging: false,
  percent: 9,
  percentError: 2,
  millivolts: 3600,
  milliwatts: -4000,
  secondsToEmpty: 400,
  secondsToEmptyMin: 300,
  emptyAtWallMs: null,
  showEndsAtWallMs: null,
  isEnough: null,
  forecast: null,
  lightCap: 1,
  packs: 1,
} as const

t.test('a disk that cannot be read at the start is tried again', async t => {
  const rig = new Rig()
  rig.areScansBad = true
  await rig.start()
  t.match(await rig.asked({ id: 'x' }), { isAccepted: false, code: 'storage.io' })
  rig.areScansBad = false
  await rig.clock.advance(10_000)
  t.match(await rig.asked({ id: 'x' }), { isAccepted: true })
})

t.test('a printer tells its state at most twice a second, and the last of it always', async t => {
  const rig = await started()
  await rig.clock.advance(1_000)
  rig.states.length = 0
  for (let count = 0; count < 40; count++) {
    rig.ask()
    await rig.clock.advance(50)
  }
  await rig.clock.advance(5_000)
  t.ok(rig.states.length <= 12, `${rig.states.length} times in about 3 s`)
  t.match(rig.states.at(-1), {
    printer: 'counter',
    isReady: true,
    hindrance: null,
    queued: 0,
    sending: 0,
    confirmed: 40,
    usedMillimetres: 40 * TICKET_MILLIMETRES,
    tookMsP50: 50,
  })
  const count = rig.states.length
  await rig.clock.advance(60_000)
  t.equal(rig.states.length, count, 'and nothing when nothing happens')
})

t.test('the numbers and the paper are kept over a restart', async t => {
  const rollMillimetres = new Map([['counter', 10_000]])
  const rig = await started({ options: { rollMillimetres } })
  rig.printer.script.push(rig.printer.torn, rig.printer.sent)
  rig.ask({ kind: 'redeemable' })
  rig.ask()
  rig.ask()
  await rig.clock.advance(10_000)
  await rig.restart()
  await rig.clock.advance(1_000)
  t.match(rig.states.at(-1), {
    unknown: 1,
    sent: 1,
    confirmed: 1,
    usedMillimetres: 2.5 * TICKET_MILLIMETRES,
    ticketsLeft: 97,
  })
  rig.printer.set('paper-end', { paper: 'end' })
  await rig.clock.advance(1_000)
  t.match(rig.states.at(-1), { ticketsLeft: 0, paper: 'end', isReady: false })
  await rig.restart()
  rig.printer.set(null, { paper: 'enough' })
  await rig.clock.advance(1_000)
  t.match(rig.states.at(-1), { ticketsLeft: 100, usedMillimetres: 0 }, 'a new roll')
})

t.test('how far a ticket has come is journalled now and then', async t => {
  const rig = await started()
  rig.printer.script.push(async (ticket, progress) => {
    for (let sentBytes = 0; sentBytes <= 1000; sentBytes += 10) {
      progress({ sentBytes, totalBytes: 1000 })
      await new Promise<void>(resolve => {
        rig.clock.runAt(after(rig.clock.monotonicMs(), 100), resolve)
      })
    }
    return rig.printer.stuck(ticket, progress)
  })
  rig.ask({ kind: 'redeemable' })
  await rig.clock.advance(5_000)
  await rig.restart()
  t.equal(rig.story('r-1'), 'queued sending unknown')
  const sentBytes = (await rig.printing.job('r-1'))?.sentBytes ?? 0
  t.ok(sentBytes >= 300 && sentBytes <= 500, `${sentBytes} bytes are known of`)
})

t.test('finished jobs are forgotten when they are old or too many, with their keys', async t => {
  const rig = await started({ options: { keptMax: 100, keptDays: 2 } })
  rig.printer.script.push(rig.printer.torn)
  rig.ask({ kind: 'redeemable' })
  for (let count = 0; count < 150; count++) {
    rig.ask()
    await rig.clock.advance(100)
  }
  await rig.clock.advance(200_000)
  const kept = async (id: string): Promise<boolean> => (await rig.printing.job(id)) !== null
  t.same(
    await Promise.all(['r-1', 'r-2', 'r-51', 'r-52', 'r-151'].map(kept)),
    [true, false, false, true, true],
    'the oldest of those that nobody need look at',
  )
  t.match(
    await rig.asked({ id: 'r-2' }),
    { isAccepted: true, isRepeated: false },
    'its key is free',
  )
  const serials = rig.answers.flatMap(({ serial, isRepeated }) => (isRepeated ? [] : [serial]))
  t.equal(new Set(serials).size, serials.length, 'and no serial comes twice')
  await rig.clock.advance(1_000)
  await rig.restart({ offMs: 3 * 86_400_000 })
  await rig.clock.advance(400_000)
  t.same(
    await Promise.all(['r-1', 'r-2', 'r-52', 'r-151'].map(kept)),
    [true, false, false, false],
    'and all that are old, but for the one that nobody has looked at',
  )
  const left = await rig.printing.jobs({ printer: null, state: null, before: null, limit: 10 })
  t.match(left, { jobs: [{ id: 'r-1', state: 'unknown' }], before: null })
})

t.test('a clock that is set makes nothing old: keys and doubts are kept', async t => {
  const rig = await started({ options: { keptDays: 2 } })
  rig.printer.script.push(rig.printer.torn)
  const ticket = { blocks: [{ kind: 'text', text: 'one drink' }] }
  for (const id of ['r-1', 'r-2']) rig.ask({ id, kind: 'redeemable', ticket })
  await rig.clock.advance(70_000)
  for (const days of [40, -40, 400]) {
    rig.clock.stepWall(days * 86_400_000)
    await rig.clock.advance(130_000)
    for (const id of ['r-1', 'r-2']) {
      const again = await rig.asked({ id, kind: 'redeemable', ticket })
      t.match(again, { isAccepted: true, isRepeated: true }, `${id}, ${days} days`)
    }
  }
  t.equal(rig.story('r-1'), 'queued sending unknown')
})

t.test('too many that nobody has looked at keep new ones out', async t => {
  const rig = await started()
  for (let count = 0; count < 1_000; count++) {
    rig.printer.script.push(rig.printer.torn)
    rig.ask({ kind: 'redeemable' })
    await rig.clock.advance(31_000)
  }
  t.match(await rig.asked(), {
    isAccepted: false,
    code: 'print.limit',
    message: /1000 tickets wait for a person/,
  })
  await rig.decided('r-1', 'confirm')
  t.match(await rig.asked(), { isAccepted: true })
})

t.test('the oldest are forgotten first, wherever the last look ended', async t => {
  const rig = await started({ options: { keptMax: 100 } })
  const printed = async (count: number): Promise<void> => {
    for (let asked = 0; asked < count; asked++) {
      rig.ask()
      await rig.clock.advance(100)
    }
  }
  await printed(100)
  await rig.clock.advance(65_000)
  await printed(10)
  await rig.clock.advance(65_000)
  const left = await rig.printing.jobs({ printer: null, state: null, before: null, limit: 200 })
  t.same(
    left.jobs.map(({ id }) => id),
    Array.from({ length: 100 }, (_, index) => `r-${110 - index}`),
  )
})

t.test('what waits is never forgotten', async t => {
  const rig = await started({ options: { keptMax: 100, keptDays: 1 } })
  rig.printer.set('absent')
  rig.ask()
  await rig.clock.advance(1_000)
  rig.clock.stepWall(10 * 86_400_000)
  await rig.clock.advance(300_000)
  rig.printer.set(null)
  await rig.clock.advance(2_000)
  t.equal(rig.story('r-1'), 'queued sending confirmed')
  t.ok(rig.clock.wallTimeMs() > WALL_MS)
})
