/** A key stands for one ticket, a serial too: whatever comes twice, late or wrong. */
import t from 'tap'
import { serialOf } from '../../../runtime/services/printing/serials.js'
import { readTemplate } from '../../../runtime/services/printing/template.js'
import { Rig } from './rig.js'

async function started(...options: ConstructorParameters<typeof Rig>): Promise<Rig> {
  const rig = new Rig(...options)
  await rig.start()
  return rig
}

const ticket = (text: string): unknown => ({ blocks: [{ kind: 'text', text }] })

t.test('the same request again is the same job and serial, and prints nothing new', async t => {
  const rig = await started()
  const first = await rig.asked({ id: 'x', ticket: ticket('one') })
  await rig.clock.advance(1_000)
  for (const restart of [false, true]) {
    if (restart) await rig.restart()
    const again = await rig.asked({ id: 'x', ticket: ticket('one') })
    t.match(again, { isAccepted: true, isRepeated: true, job: 'x', serial: first.serial })
  }
  await rig.clock.advance(60_000)
  t.equal(rig.printer.calls, 1)
})

t.test('requests with one key are one ticket, whatever their ids', async t => {
  const rig = await started()
  const first = await rig.asked({ id: 'a', key: 'sale-1', ticket: ticket('one') })
  t.match(first, { id: 'a', job: 'sale-1', isRepeated: false })
  const second = await rig.asked({ id: 'b', key: 'sale-1', ticket: ticket('one') })
  t.match(second, { id: 'b', job: 'sale-1', isRepeated: true, serial: first.serial })
})

t.test('many at once with one key are one ticket', async t => {
  const rig = await started()
  for (let count = 0; count < 50; count++) {
    rig.ask({ id: `id-${count}`, key: `sale-${count % 5}`, ticket: ticket(`${count % 5}`) })
  }
  await rig.clock.advance(20_000)
  t.equal(rig.answers.length, 50)
  t.ok(rig.answers.every(({ isAccepted }) => isAccepted))
  t.equal(rig.answers.filter(({ isRepeated }) => !isRepeated).length, 5)
  t.equal(new Set(rig.answers.map(({ job, serial }) => `${job} ${serial}`)).size, 5)
  t.equal(rig.printer.calls, 5)
})

for (const [what, other] of [
  ['another text', { ticket: ticket('two') }],
  ['another kind', { ticket: ticket('one'), kind: 'redeemable' }],
  ['another printer', { ticket: ticket('one'), printer: 'door' }],
  ['another serial', { ticket: ticket('one'), serial: 'ABC-1' }],
] as const)
  t.test(`the same key for ${what} is a conflict`, async t => {
    const rig = await started({ printers: ['counter', 'door'] })
    const first = await rig.asked({ id: 'x', ticket: ticket('one') })
    const second = await rig.asked({ id: 'x', ...other })
    t.match(second, { isAccepted: false, code: 'print.conflict', job: 'x', serial: first.serial })
    await rig.clock.advance(10_000)
    t.equal(rig.printer.calls, 1)
  })

t.test('until when a ticket is wanted is not what it is', async t => {
  const rig = await started()
  await rig.asked({ id: 'x', ticket: ticket('one'), expiresAfterMs: 5_000 })
  const again = await rig.asked({ id: 'x', ticket: ticket('one'), expiresAfterMs: 9_000 })
  t.match(again, { isAccepted: true, isRepeated: true })
})

t.test('a serial is taken once, whoever asks', async t => {
  const rig = await started()
  await rig.asked({ id: 'x', serial: 'ABC-1' })
  const other = await rig.asked({ id: 'y', serial: 'ABC-1' })
  t.match(other, { isAccepted: false, code: 'print.conflict', message: /ABC-1 is taken by job x/ })
  await rig.restart()
  t.match(await rig.asked({ id: 'z', serial: 'ABC-1' }), { code: 'print.conflict' })
})

t.test('a serial that somebody took from the box is passed over', async t => {
  const rig = await started()
  const { serial } = await rig.asked()
  const next = (serial ?? '').replace(/-0001-.$/, '')
  const mine = serialOf(next, 3)
  t.match(await rig.asked({ serial: mine }), { isAccepted: true, serial: mine })
  t.match(await rig.asked(), { isAccepted: true, serial: serialOf(next, 4) })
})

t.test('serials go on over a restart, and begin a new book on a new disk', async t => {
  const rig = await started()
  const first = await rig.asked()
  await rig.restart()
  const second = await rig.asked()
  t.match(second.serial, new RegExp(`^${first.serial?.slice(0, 6)}-0002-`))
})

t.test('more than the limit is refused, and says what the limit is', async t => {
  const rig = await started({ options: { queuedMax: 3 } })
  rig.printer.set('absent')
  for (let count = 0; count < 3; count++) t.ok((await rig.asked()).isAccepted)
  const over = await rig.asked({ id: 'over' })
  t.match(over, { isAccepted: false, code: 'print.limit', message: /3 tickets wait/ })
  const repeated = await rig.asked({ id: 'r-1', ticket: ticket('ticket of r-1') })
  t.match(repeated, { isAccepted: true, isRepeated: true }, 'what was taken is still known')
  rig.printer.set(null)
  await rig.clock.advance(10_000)
  t.match(await rig.asked({ id: 'over' }), { isAccepted: true })
})

t.test('the limit holds for many at once, too', async t => {
  const rig = await started({ options: { queuedMax: 10 } })
  rig.printer.set('absent')
  for (let count = 0; count < 30; count++) rig.ask()
  await rig.clock.advance(100)
  t.equal(rig.answers.filter(({ isAccepted }) => isAccepted).length, 10)
  t.ok(rig.answers.every(({ isAccepted, code }) => isAccepted || code === 'print.limit'))
})

for (const [what, request, code, message] of [
  ['an unknown printer', { printer: 'countr' }, 'command.invalid', /did you mean "counter"/],
  ['an unknown template', { template: 'clam' }, 'ticket.invalid', /clam is not a template/],
  ['neither template nor ticket', { ticket: undefined }, 'ticket.invalid', /either/],
  ['both', { template: 'claim', ticket: ticket('x') }, 'ticket.invalid', /either/],
  [
    'a ticket that its serial does not fit on',
    { ticket: { blocks: Array.from({ length: 255 }, () => ({ kind: 'rule' })) } },
    'ticket.invalid',
    /at most 256 blocks/,
  ],
] as const)
  t.test(`${what} is refused, and a right one goes on`, async t => {
    const rig = await started()
    t.match(await rig.asked({ id: 'x', ...request }), {
      isAccepted: false,
      code,
      message,
      job: null,
    })
    await rig.clock.advance(1_000)
    t.match(await rig.asked({ id: 'x' }), { isAccepted: true, isRepeated: false })
  })

t.test('a box without a printer says so', async t => {
  const rig = await started({ printers: [] })
  t.match(await rig.asked(), { isAccepted: false, message: /no printer/ })
})

t.test('a ticket too large to be kept is refused', async t => {
  const rig = await started()
  const blocks = Array.from({ length: 100 }, () => ({ kind: 'text', text: 'x'.repeat(4_000) }))
  t.match(await rig.asked({ ticket: { blocks } }), { isAccepted: false, code: 'ticket.invalid' })
})

const claim = readTemplate(
  `apiVersion: ticket/v1
name: claim
kind: redeemable
fields: {what: {max: 20, isRequired: true}}
blocks:
  - {kind: text, text: "{{what}} of {{box}}, {{tour}}, {{printedAt}}"}
  - {kind: qr, content: "{{serial}}"}
`,
  'claim.yaml',
)

t.test('a template says what kind of ticket it is, and what is on it', async t => {
  const rig = await started({ options: { templates: new Map([['claim', claim]]) } })
  const answer = await rig.asked({ template: 'claim', fields: { what: 'Zine' } })
  await rig.clock.advance(1_000)
  t.match((await rig.printing.job('r-1'))?.kind, 'redeemable')
  const [first, ...codes] = rig.printer.printed[0]?.split('\n') ?? []
  t.match(first, /^Zine of box-12, tour-7, 2026-05-\d\d \d\d:00$/)
  t.same(codes, [answer.serial], 'the serial is there, and not added')
})

t.test('a field that does not fit is refused at once', async t => {
  const rig = await started({ options: { templates: new Map([['claim', claim]]) } })
  const answer = await rig.asked({ template: 'claim', fields: {} })
  t.match(answer, { isAccepted: false, code: 'ticket.invalid', message: /what/ })
})

t.test('a template that changes, or goes, does not change what waits', async t => {
  const rig = await started({ options: { templates: new Map([['claim', claim]]) } })
  rig.printer.set('absent')
  const request = { id: 'x', template: 'claim', fields: { what: 'Zine' } }
  await rig.asked(request)
  await rig.restart({ templates: new Map() })
  t.match(await rig.asked(request), { isAccepted: true, isRepeated: true })
  rig.printer.set(null)
  await rig.clock.advance(1_000)
  t.match(rig.printer.printed[0], /^Zine of box-12/)
})
