/** What becomes of a ticket, by tables. */
import t from 'tap'
import { BoxError } from '../../../runtime/core/errors.js'
import type { PrintOutcome } from '../../../runtime/ports/printer.js'
import {
  begun,
  decided,
  interrupted,
  isRefusal,
  RETRIES_MAX,
  settled,
} from '../../../runtime/services/printing/decide.js'
import type { DecisionKind, Job, JobState } from '../../../runtime/services/printing/job.js'

const WALL = 1_777_665_600_000

const job = (changes: Partial<Job> = {}): Job => ({
  sequence: 1,
  id: 'x',
  printer: 'counter',
  kind: 'redeemable',
  serial: 'ABC-1',
  origin: 'test',
  state: 'queued',
  expiresAtWallMs: WALL + 1000,
  expiresAfterMs: 1000,
  askedWallMs: WALL,
  wallMs: WALL,
  reprint: 0,
  retries: 0,
  sentBytes: 0,
  totalBytes: null,
  millimetres: null,
  code: null,
  message: null,
  decisions: [],
  ...changes,
})

const why = new BoxError('device.io', 'gone')
const outcomes: Readonly<Record<PrintOutcome['kind'], PrintOutcome>> = {
  confirmed: { kind: 'confirmed', by: 'status-reply' },
  sent: { kind: 'sent' },
  untouched: { kind: 'untouched', why },
  unknown: { kind: 'unknown', why },
}

const settlings: readonly [
  Job['kind'],
  PrintOutcome['kind'],
  retries: number,
  JobState,
  reprint: number,
][] = [
  ['redeemable', 'confirmed', 0, 'confirmed', 0],
  ['redeemable', 'sent', 0, 'sent', 0],
  ['redeemable', 'untouched', 0, 'queued', 0],
  ['redeemable', 'unknown', 0, 'unknown', 0],
  ['receipt', 'confirmed', 0, 'confirmed', 0],
  ['receipt', 'sent', 0, 'sent', 0],
  ['receipt', 'untouched', RETRIES_MAX, 'queued', 0],
  ['receipt', 'unknown', 0, 'queued', 1],
  ['receipt', 'unknown', RETRIES_MAX - 1, 'queued', 1],
  ['receipt', 'unknown', RETRIES_MAX, 'unknown', 0],
]

for (const [kind, outcome, retries, state, reprint] of settlings)
  t.test(`a ${kind} that is ${outcome} after ${retries} retries is ${state}`, async t => {
    const sending = { ...begun(job({ kind, retries }), 80, WALL), sentBytes: 10, totalBytes: 20 }
    const next = settled(sending, outcomes[outcome], WALL + 5)
    t.match(next, { state, reprint, serial: 'ABC-1', wallMs: WALL + 5 })
    const isTried = outcome === 'unknown' && state === 'queued'
    t.equal(next.retries, retries + Number(isTried))
    t.equal(next.expiresAfterMs, isTried ? null : 1000, 'its time is over once it was begun')
    t.equal(next.code, outcome === 'unknown' || outcome === 'untouched' ? 'device.io' : null)
    t.equal(next.sentBytes, outcome === 'untouched' ? 0 : 10)
  })

t.test('what the box went down with may be on paper', async t => {
  t.match(interrupted(job({ state: 'sending' }), WALL), {
    state: 'unknown',
    code: 'print.interrupted',
  })
  t.match(interrupted(job({ state: 'sending', kind: 'receipt' }), WALL), {
    state: 'queued',
    reprint: 1,
    retries: 1,
  })
})

type Verdict = JobState | 'command.refused' | 'print.unsettled'
const verdicts: Readonly<
  Record<JobState, readonly [reprint: Verdict, confirm: Verdict, discard: Verdict]>
> = {
  queued: ['command.refused', 'command.refused', 'failed'],
  sending: ['print.unsettled', 'print.unsettled', 'print.unsettled'],
  sent: ['queued', 'confirmed', 'failed'],
  confirmed: ['queued', 'confirmed', 'command.refused'],
  unknown: ['queued', 'confirmed', 'failed'],
  failed: ['command.refused', 'command.refused', 'command.refused'],
  expired: ['command.refused', 'command.refused', 'command.refused'],
}

for (const [state, row] of Object.entries(verdicts) as [JobState, readonly Verdict[]][])
  for (const [index, decision] of (['reprint', 'confirm', 'discard'] as const).entries())
    t.test(`${decision} of what is ${state}`, async t => {
      const next = decided(job({ state }), { id: 'd', decision, origin: 'ada' }, WALL + 9)
      t.equal(isRefusal(next) ? next.code : next.state, row[index])
      if (isRefusal(next)) return
      t.match(next.decisions, [{ id: 'd', decision, origin: 'ada', wallMs: WALL + 9 }])
      t.equal(next.reprint, decision === 'reprint' ? 1 : 0)
    })

t.test('a reprint that waits may be confirmed after all', async t => {
  const made = { id: 'd', decision: 'confirm' as DecisionKind, origin: 'ada' }
  t.match(decided(job({ reprint: 1 }), made, WALL), { state: 'confirmed' })
})

t.test('after a decision a receipt has its retries again', async t => {
  const made = { id: 'd', decision: 'reprint' as DecisionKind, origin: 'ada' }
  const before = job({ kind: 'receipt', state: 'unknown', retries: RETRIES_MAX, reprint: 3 })
  t.match(decided(before, made, WALL), { state: 'queued', retries: 0, reprint: 4 })
})

t.test('decisions about one ticket have a limit', async t => {
  let state: Job = job({ state: 'confirmed' })
  for (let count = 0; count < 32; count++) {
    const next = decided(state, { id: `d-${count}`, decision: 'confirm', origin: 'ada' }, WALL)
    t.notOk(isRefusal(next), `${count} so far`)
    if (isRefusal(next)) return
    state = next
  }
  t.match(decided(state, { id: 'd', decision: 'confirm', origin: 'ada' }, WALL), {
    code: 'print.limit',
  })
})
