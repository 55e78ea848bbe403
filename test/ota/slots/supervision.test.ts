import t from 'tap'
import {
  beginWatch,
  nextStep,
  usualLimits,
  type Watch,
  type WatchEvent,
} from '../../../ota/slots/supervision.js'

/** Ticks and events by their moments; what was done, as words. */
function watched(
  mode: 'trial' | 'good',
  events: readonly (readonly [number, WatchEvent])[],
  untilMs: number,
): string[] {
  let watch: Watch = beginWatch(mode, usualLimits, 0)
  const done: string[] = []
  const take = (event: WatchEvent, atMs: number): void => {
    const step = nextStep(watch, event, atMs)
    watch = step.watch
    for (const action of step.actions)
      if (action.kind === 'leave')
        done.push(`${atMs} ${action.verdict.kind}: ${action.verdict.why}`)
      else if (action.kind !== 'ping') done.push(`${atMs} ${action.kind} ${action.program}`)
  }
  for (let atMs = 0; atMs <= untilMs && !done.some(one => one.includes(':')); atMs += 250) {
    take({ kind: 'tick' }, atMs)
    for (const [when, event] of events) if (when === atMs) take(event, atMs)
  }
  return done
}

const heard = (kind: 'ready' | 'pong' | 'passed'): WatchEvent => ({
  kind: 'heard',
  program: 'box',
  message: { kind },
})
const ended = (program: 'box' | 'updater'): WatchEvent => ({
  kind: 'ended',
  program,
  how: 'exit code 1',
})
const begun = ['0 start box', '0 start updater']
const pongs = (untilMs: number): (readonly [number, WatchEvent])[] =>
  Array.from({ length: untilMs / 2_000 }, (_, index) => [(index + 1) * 2_000, heard('pong')])

t.test('on trial, whatever ends costs an attempt', async t => {
  t.same(watched('trial', [[500, ended('updater')]], 1_000), [
    ...begun,
    '500 again: updater ended: exit code 1',
  ])
})

t.test('on trial, no READY in time is the end of it', async t => {
  t.same(watched('trial', [], 60_000), [
    ...begun,
    '30000 failed: box was not ready within 30000 ms',
  ])
})

t.test('on trial, silence after READY is the end of it', async t => {
  const events = [[1_000, heard('ready')]] as const
  t.same(watched('trial', events, 60_000), [...begun, '16000 failed: box was silent for 15000 ms'])
})

t.test('on trial, time runs out with the words of the gate', async t => {
  const gate: WatchEvent = {
    kind: 'heard',
    program: 'updater',
    message: { kind: 'gate', unmet: ['devices: front'], trialMs: null },
  }
  const events = [[1_000, heard('ready')], [1_000, gate], ...pongs(90_000)] as const
  t.same(watched('trial', events, 90_000), [
    ...begun,
    '75000 failed: not found good within 75000 ms: devices: front',
  ])
})

t.test('a good release is started again after pauses that grow, for ever', async t => {
  const ends = [250, 1_000, 1_750, 3_000].map(atMs => [atMs, ended('box')] as const)
  t.same(watched('good', ends, 6_000), [
    ...begun,
    '500 start box',
    '1500 start box',
    '2750 start box',
    '4750 start box',
  ])
})

t.test('a good release that hangs is killed, and no trial is lost', async t => {
  const done = watched('good', [[1_000, heard('ready')]], 60_000)
  t.same(done, [...begun, '16000 kill box'])
})

t.test('nobody is silent, or late, because the launcher itself was stopped', async t => {
  for (const mode of ['good', 'trial'] as const) {
    let watch: Watch = beginWatch(mode, usualLimits, 0)
    const done: string[] = []
    const take = (event: WatchEvent, atMs: number): void => {
      const step = nextStep(watch, event, atMs)
      watch = step.watch
      for (const action of step.actions) if (action.kind !== 'ping') done.push(action.kind)
    }
    take({ kind: 'tick' }, 0)
    take(heard('ready'), 1_000)
    take({ kind: 'tick' }, 1_000)
    // A process that is stopped for two minutes, or waits so long for a card or a full pipe.
    take({ kind: 'tick' }, 121_000)
    t.same(done, ['start', 'start'], `${mode}: nothing is ended for it`)
    for (let atMs = 121_250; atMs <= 140_000; atMs += 250) take({ kind: 'tick' }, atMs)
    t.equal(done[2], mode === 'good' ? 'kill' : 'leave', 'who hangs is found all the same')
  }
})

t.test('from the moment it passed, a trial is a good release', async t => {
  const events = [[1_000, heard('ready')], [2_000, heard('passed')], ...pongs(100_000)] as const
  t.same(watched('trial', [...events, [90_000, ended('box')]], 91_000), [
    ...begun,
    '90250 start box',
  ])
})
