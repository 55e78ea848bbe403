import { readFileSync } from 'node:fs'
import t from 'tap'
import { type Decision, decide } from '../../../runtime/services/show/decide.js'
import { advance, fold, stateAt } from '../../../runtime/services/show/fold.js'
import type { ShowState } from '../../../runtime/services/show/state.js'
import type { ShowCommand } from '../../../runtime/topics.js'
import { fireOf, readShow, stateAfter } from './stage.js'

const text = readFileSync('test/fixtures/shows/small.yaml', 'utf8')
const small = readShow(text)
const start = stateAfter(small, [])
const panicking = stateAfter(small, [{ atMs: 0, deed: { kind: 'panic' } }])

let ids = 0

type Asked = Omit<ShowCommand, 'id' | 'origin'>

const ask = (state: ShowState, command: Asked, leadMs = 0, show = small) =>
  decide(
    show,
    state,
    { ...command, id: 'command', origin: 'test' },
    {
      nowMs: 10_000,
      wallMs: 99_000,
      leadMs,
      newId: () => `id-${++ids}`,
    },
  )

const play = (show: typeof small, state: ShowState, decision: Decision): ShowState =>
  (decision.kind === 'act' ? decision.events : []).reduce(
    (at, event) => fold(show, at, event).state,
    state,
  )

t.test('commands that make no sense are told why', async t => {
  const table: [Asked, string, string][] = [
    [{ action: 'fire' }, 'command.invalid', 'cue is missing'],
    [{ action: 'fire', cue: '9' }, 'command.invalid', '9 is not a cue (did you mean "1"?)'],
    [{ action: 'goto', cue: 'x9' }, 'command.invalid', 'x9 is not a cue (there is 1, 2, 3, 4)'],
    [{ action: 'fire', cue: 'nope' }, 'command.invalid', 'nope is not a cue (there is 1, 2, 3, 4)'],
    [
      { action: 'level', target: 'chandelier', level: 1 },
      'command.invalid',
      'chandelier is not an output or group (there is color, front, lamp, both, all)',
    ],
    [{ action: 'scene' }, 'command.invalid', 'scene is missing'],
    [
      { action: 'scene', scene: 'hose' },
      'command.invalid',
      'hose is not a scene (did you mean "house"?)',
    ],
    [{ action: 'level', target: 'front' }, 'command.invalid', 'target or level is missing'],
    [
      { action: 'level', target: 'cam', level: 1 },
      'command.invalid',
      'cam is a capture, which has no level',
    ],
    [
      { action: 'clear', target: 'frnt' },
      'command.invalid',
      'frnt is not an output or group (did you mean "front"?)',
    ],
    [{ action: 'back' }, 'command.refused', 'there is no cue before this one'],
    [{ action: 'go', atShowMs: 1e9 }, 'command.invalid', 'atShowMs must be within a day'],
  ]
  for (const [command, code, message] of table)
    t.same(ask(start, command), { kind: 'refuse', code, message }, message)
})

t.test('GO means the next cue, and nothing after the last', async t => {
  t.match(ask(start, { action: 'go' }), {
    events: [{ atMs: 10_000, t0Ms: 10_000, deed: { kind: 'fire', cue: '1', id: /^id-/ } }],
  })
  const end = stateAfter(small, [{ atMs: 0, deed: fireOf('4') }])
  t.match(ask(end, { action: 'go' }), { kind: 'refuse', message: 'there is no next cue' })
})

t.test('a second GO within the lead of the first means the cue after it', async t => {
  const first = ask(start, { action: 'go' }, 60)
  const [event] = first.kind === 'act' ? first.events : []
  t.match(event, { t0Ms: 10_060, deed: { cue: '1' } })
  const state = event ? fold(small, start, event).state : start
  t.match(ask(state, { action: 'go' }, 60), { events: [{ deed: { cue: '2' } }] })
})

t.test('panic is never refused, and everything that moves lights is while it lasts', async t => {
  t.match(ask(panicking, { action: 'panic' }), {
    events: [{ t0Ms: 10_000, deed: { kind: 'panic', id: /./ } }],
  })
  t.match(ask({ ...start, epoch: 9 }, { action: 'panic', epoch: 0, atShowMs: 1e15 }), {
    events: [{ t0Ms: 10_000, deed: { kind: 'panic' } }],
  })
  for (const command of [
    { action: 'go' },
    { action: 'back' },
    { action: 'fire', cue: '1' },
    { action: 'scene', scene: 'house' },
  ] satisfies Asked[])
    t.match(ask(panicking, command), { kind: 'refuse', message: /panic is on/ }, command.action)
  for (const command of [
    { action: 'goto', cue: '1' },
    { action: 'blackout' },
    { action: 'level', target: 'all', level: 0 },
    { action: 'release' },
  ] satisfies Asked[])
    t.match(ask(panicking, command), { kind: 'act' }, command.action)
})

t.test('a leader that was replaced is not obeyed', async t => {
  const state = { ...start, epoch: 3 }
  t.match(ask(state, { action: 'go', epoch: 2 }), { kind: 'refuse', code: 'command.refused' })
  t.match(ask(state, { action: 'go', epoch: 4 }), { events: [{ deed: { epoch: 4 } }] })
  t.match(ask(state, { action: 'go' }), { events: [{ deed: { epoch: 3 } }] })
})

t.test('a cue that comes late is joined, fired now or skipped, as it says', async t => {
  const late = (policy: string, atShowMs: number) => {
    const show = readShow(text.replace('name: Doors,', `name: Doors, late: ${policy},`))
    return ask(start, { action: 'fire', cue: '1', atShowMs }, 0, show)
  }
  t.match(late('join', 5000), { events: [{ t0Ms: 5000 }] })
  t.match(late('fire', 5000), { events: [{ t0Ms: 10_000 }] })
  t.match(late('skip', 5000), {
    kind: 'refuse',
    message: 'came 5000 ms late, and cue 1 is skipped when late',
  })
  for (const policy of ['join', 'fire', 'skip'])
    t.match(late(policy, 9800), { events: [{ t0Ms: 9800 }] }, 'that is in time')
  t.match(late('join', -50_000_000), { kind: 'refuse' })
})

t.test('a fire is known by the name that its sender gave it', async t => {
  t.match(ask(start, { action: 'fire', cue: '4' }), { events: [{ deed: { id: 'command' } }] })
  const state = stateAfter(small, [{ atMs: 0, deed: fireOf('4', 'command') }])
  t.same(ask(state, { action: 'fire', cue: '4' }), { kind: 'act', events: [] })
})

t.test('a newer leader means the list without what the older one had scheduled', async t => {
  const state = stateAfter(small, [{ atMs: 0, t0Ms: 10_040, deed: fireOf('1', 'A', 3) }])
  t.match(ask(state, { action: 'go', epoch: 3 }, 60), { events: [{ deed: { cue: '2' } }] })
  const decision = ask(state, { action: 'go', epoch: 4 }, 60)
  t.match(decision, { events: [{ t0Ms: 10_060, deed: { cue: '1', epoch: 4 } }] })
  const after = play(small, state, decision)
  t.equal(after.waiting.length, 1, 'and only its own cue is fired')
})

t.test('a newer leader is one from the first thing it says, whatever that is', async t => {
  const state = stateAfter(small, [{ atMs: 0, t0Ms: 10_040, deed: fireOf('1', 'A', 3) }])
  const words: Asked[] = [
    { action: 'goto', cue: '2' },
    { action: 'blackout' },
    { action: 'level', target: 'all', level: 0 },
    { action: 'panic' },
    { action: 'release' },
    { action: 'arm' },
  ]
  for (const command of words) {
    const after = play(small, state, ask(state, { ...command, epoch: 4 }))
    t.match(after, { epoch: 4, waiting: [] }, command.action)
    t.match(ask(after, { action: 'go', epoch: 3 }), { kind: 'refuse' }, command.action)
  }
  const refused = ask(state, { action: 'goto', cue: '9', epoch: 4 })
  t.equal(refused.kind, 'refuse', 'what makes no sense is nothing said')
})

t.test('GO after a goto is a jump, and the GO after that is not', async t => {
  const chosen = play(small, start, ask(start, { action: 'goto', cue: '3' }))
  t.match(chosen, { current: null, next: '3' })
  const jumped = ask(chosen, { action: 'go' })
  t.match(jumped, { events: [{ deed: { cue: '3', way: 'jump' } }] })
  const after = play(small, chosen, jumped)
  t.match(ask(after, { action: 'go' }), { events: [{ deed: { cue: '4', way: 'go' } }] })
  t.match(ask(chosen, { action: 'fire', cue: '3' }), { events: [{ deed: { way: 'go' } }] })
  const fired = play(small, chosen, ask(chosen, { action: 'fire', cue: '2' }))
  t.match(ask(fired, { action: 'go' }), { events: [{ deed: { cue: '3', way: 'go' } }] })
})

t.test('a goto right behind a GO comes after it', async t => {
  const gone = play(small, start, ask(start, { action: 'go' }, 60))
  const chosen = play(small, gone, ask(gone, { action: 'goto', cue: '4' }, 60))
  t.match(stateAt(small, chosen, 10_060), { current: '1', next: '4' })
  t.match(ask(chosen, { action: 'go' }, 60), { events: [{ deed: { cue: '4', way: 'jump' } }] })
})

t.test(
  'who acts before a follow acts in its place, although its lead would end behind it',
  async t => {
    // Cue 2 is followed by 3 at 10.03 s.
    const state = stateAfter(small, [
      { atMs: 0, deed: fireOf('1') },
      { atMs: 7030, deed: fireOf('2') },
    ])
    const cues = (command: Asked) =>
      advance(small, play(small, state, ask(state, command, 60)), 10_500).state
    t.match(ask(state, { action: 'go' }, 60), { events: [{ t0Ms: 10_000, deed: { cue: '3' } }] })
    t.match(cues({ action: 'go' }), { current: '3', currentT0Ms: 10_000, next: '4' })
    t.match(cues({ action: 'go', atShowMs: 10_040 }), { current: '3' }, 'a button is no exception')
    t.match(cues({ action: 'back' }), { current: '1', next: '2' })
    t.match(cues({ action: 'fire', cue: '1' }), { current: '1', currentT0Ms: 10_000 })
    t.match(cues({ action: 'goto', cue: '1' }), { current: '2', next: '1' })
    const chosen = play(small, state, ask(state, { action: 'goto', cue: '1' }, 60))
    t.match(ask(chosen, { action: 'go' }, 60), { events: [{ deed: { cue: '1', way: 'jump' } }] })
    t.match(ask(state, { action: 'go', atShowMs: 12_000 }, 60), {
      events: [{ t0Ms: 12_000, deed: { cue: '4' } }],
    })
  },
)

t.test('an arming that is scheduled counts from when it takes effect', async t => {
  t.match(ask(start, { action: 'arm', atShowMs: 70_000 }), {
    events: [{ t0Ms: 70_000, deed: { kind: 'arm', wallMs: 159_000 } }],
  })
})
