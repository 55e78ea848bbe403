import t from 'tap'
import { CliFailure, exitCodes } from '../../runtime/cli/failure.js'
import { type OtaLink, UpdaterAway } from '../../runtime/cli/ota-link.js'
import type { OtaReply, OtaRequest } from '../../runtime/core/ota-control.js'
import { type } from './cli-world.js'

const digest = 'ab'.repeat(32)
const state: NonNullable<OtaReply['state']> = {
  phase: 'waiting',
  running: { digest, version: '1.4.0' },
  slot: 'a',
  slots: {
    a: {
      ...{ kind: 'good', version: '1.4.0', isCopy: false, readMinutes: 3, damage: null },
      words: '1.4.0, runs; whole, read 3 min ago',
    },
    b: {
      ...{ kind: 'good', version: '1.3.0', isCopy: false, readMinutes: 3, damage: 'x is missing' },
      words: '1.3.0, to go back to; damaged, read 3 min ago: x is missing',
    },
  },
  previous: { digest: 'ef'.repeat(32), version: '1.3.0' },
  candidate: { digest: 'cd'.repeat(32), version: '1.5.0' },
  ordered: { digest: 'cd'.repeat(32), version: '1.5.0' },
  progress: null,
  unmet: [{ step: 'switch', name: 'not-armed', words: 'a show is armed' }],
  checked: { wallMs: 1_795_400_000_000, isFresh: true, words: '1.5.0 is ordered' },
  floor: '1.2.0',
  refused: [{ digest: '12'.repeat(32), version: '1.4.9', why: 'gate: lamp-2 does not answer' }],
  switchShowMs: null,
  holds: [{ id: 'h3', owner: 'Kim', reason: 'rehearsal', leftMinutes: 61 }],
  trouble: null,
  os: null,
}
const ordered = { digest: 'cd'.repeat(32), version: '1.5.0' }
const criteria: OtaReply['criteria'] = [
  { step: 'take', name: 'news', isMet: true, words: 'it is another release' },
  { step: 'switch', name: 'not-armed', isMet: false, words: 'a show is armed' },
]
const reply: OtaReply = { state, criteria, systemCriteria: [], words: 'done so' }

/** `away`: nobody is there; `between two`: nor here, and it is a box. `cut off`: the updater ended before it answered. */
type Said = OtaReply | 'away' | 'between two' | 'cut off'

function link(replies: readonly Said[] = [reply]): { link: OtaLink; asked: OtaRequest[] } {
  const asked: OtaRequest[] = []
  const answer = async (request: OtaRequest): Promise<OtaReply> => {
    asked.push(request)
    const said = replies[Math.min(asked.length, replies.length) - 1] ?? reply
    if (typeof said === 'string')
      throw new UpdaterAway('no updater runs', {
        wasHeard: said === 'cut off',
        mayReturn: said === 'between two',
      })
    return said
  }
  return { link: { ask: answer, pause: async () => {} }, asked }
}

t.test('status tells what runs, what is ordered, and what stands in the way', async t => {
  const { out, exitCode } = await type(['ota', 'status'], { otaLink: () => link().link })
  t.equal(exitCode, 0)
  t.equal(
    out,
    `Runs       1.4.0 (abababababab), slot a
Ordered    1.5.0 (cdcdcdcdcdcd)
Now        waiting
Back to    1.3.0 (efefefefefef)
Slot a     1.4.0, runs; whole, read 3 min ago
Slot b     1.3.0, to go back to; damaged, read 3 min ago: x is missing
Floor      1.2.0
Checked    2026-11-23 01:33 UTC: 1.5.0 is ordered
Waits for  a show is armed
Hold h3    Kim: rehearsal, 1 h 1 min more
Refused    1.4.9 (121212121212): gate: lamp-2 does not answer
`.replace(
      '2026-11-23 01:33',
      new Date(1_795_400_000_000).toISOString().slice(0, 16).replace('T', ' '),
    ),
  )
})

t.test('a refused release that runs for want of another is told as that', async t => {
  const refused = [{ digest: state.running?.digest ?? '', version: '1.4.0', why: 'lamps flicker' }]
  const last = { ...state, ...{ phase: 'idle' as const, candidate: null, unmet: [], refused } }
  const status = async (told: OtaReply['state']): Promise<string> => {
    const { link: asks } = link([{ ...reply, state: told }])
    return (await type(['ota', 'status'], { otaLink: () => asks })).out
  }
  t.match(await status(last), /Now +the last resort: 1\.4\.0 was refused here, .*ota clear 1\.4\.0/)
  t.match(await status({ ...last, refused: [] }), /Now +nothing to do\n/)
})

t.test('nothing ordered, nothing known and what runs being ordered are three things', async t => {
  const { checked } = state
  const none = { ...state, candidate: null, ordered: null }
  const cases = [
    [{ ...none, ordered: state.running }, /Ordered +1\.4\.0, which runs\n/],
    [none, /Ordered +nothing for this box\n/],
    [
      { ...none, checked: checked && { ...checked, isFresh: false } },
      /Ordered +nothing that counts now: see "Checked"\n/,
    ],
    [
      { ...none, checked: null },
      /Ordered +not known\n[\s\S]*Checked +not since the updater started/,
    ],
  ] as const
  for (const [told, words] of cases) {
    const { out } = await type(['ota', 'status'], {
      otaLink: () => link([{ ...reply, state: told }]).link,
    })
    t.match(out, words)
  }
})

t.test('a moment by a clock that nobody vouches for is not told as one', async t => {
  const unmet = [{ step: 'switch' as const, name: 'time', words: 'the box does not know the date' }]
  const asks = link([{ ...reply, state: { ...state, unmet } }]).link
  const { out } = await type(['ota', 'status'], { otaLink: () => asks })
  t.match(out, /Checked +at a date that the box does not know: 1\.5\.0 is ordered\n/)
})

t.test('a check that reached nobody ends as one', async t => {
  const checked = state.checked && { ...state.checked, isFresh: false, words: 'http://r: nobody' }
  const asks = link([{ ...reply, state: { ...state, checked } }]).link
  const { out, error, exitCode } = await type(['ota', 'check'], { otaLink: () => asks })
  t.equal(exitCode, exitCodes.unreachable)
  t.match(out, /^done so\nRuns/, 'and tells what is known')
  t.match(error, /no repository was reached and believed, so 1\.5\.0 is what is known/)
})

t.test('an updater that is just started again is waited for, and not for ever', async t => {
  for (const words of [['status'], ['why'], ['check'], ['hold', 'x'], ['clear', '1.4.9']]) {
    const { link: asks, asked } = link(['between two', 'between two', reply])
    t.equal((await type(['ota', ...words], { otaLink: () => asks })).exitCode, 0, words.join(' '))
    t.equal(asked.length, 3)
  }
  for (const [said, times] of [
    ['between two', 21],
    ['away', 1],
    ['cut off', 1],
  ] as const) {
    const { link: asks, asked } = link([said])
    const { exitCode } = await type(['ota', 'status'], { otaLink: () => asks })
    t.same([exitCode, asked.length], [exitCodes.unreachable, times], said)
  }
})

t.test('status and why tell what is wrong with the slots themselves', async t => {
  const trouble = 'the records of slots a and b are gone: restart the unit of the box'
  const troubled: OtaReply = { ...reply, state: { ...state, trouble } }
  for (const word of ['status', 'why']) {
    const { out } = await type(['ota', word], { otaLink: () => link([troubled]).link })
    t.ok(out.includes(trouble), out)
  }
})

t.test('why lists every criterion, met or not', async t => {
  const { out } = await type(['ota', 'why'], { otaLink: () => link().link })
  t.equal(out, 'yes  news            it is another release\nno   not-armed       a show is armed\n')
  const json = await type(['--json', 'ota', 'why'], { otaLink: () => link().link })
  t.same(JSON.parse(json.out), criteria)
})

t.test('why lists what the gate of a trial waits for', async t => {
  const unmet = [{ step: 'trial' as const, name: 'gate', words: 'lamp-2 does not answer' }]
  const asks = link([{ ...reply, state: { ...state, phase: 'trial', unmet } }]).link
  const { out } = await type(['ota', 'why'], { otaLink: () => asks })
  t.match(out, /no {3}gate +lamp-2 does not answer\n/)
})

t.test('each command asks what it says', async t => {
  const cases: readonly (readonly [readonly string[], OtaRequest])[] = [
    [['check'], { ask: 'check' }],
    [['apply', '--no-follow'], { ask: 'apply', force: null }],
    [
      ['apply', '--no-follow', '--force', 'security', '--owner', 'Sam'],
      { ask: 'apply', force: { owner: 'Sam', reason: 'security' } },
    ],
    [
      ['hold', 'rehearsal', '--for', '90m'],
      { ask: 'hold', owner: 'operator', reason: 'rehearsal', minutes: 90 },
    ],
    [['hold', 'later'], { ask: 'hold', owner: 'operator', reason: 'later', minutes: 720 }],
    [['hold', '--release', 'h3'], { ask: 'unhold', id: 'h3' }],
    [['clear', '1.4.9'], { ask: 'clear', release: '1.4.9' }],
  ]
  for (const [words, request] of cases) {
    const { link: asks, asked } = link()
    t.equal((await type(['ota', ...words], { otaLink: () => asks })).exitCode, 0, words.join(' '))
    t.same(asked, [request])
  }
})

t.test('rollback asks what runs, then goes back', async t => {
  const { link: asks, asked } = link()
  t.equal((await type(['ota', 'rollback', 'lamps flicker'], { otaLink: () => asks })).exitCode, 0)
  t.same(asked, [{ ask: 'status' }, { ask: 'rollback', reason: 'lamps flicker' }])
})

t.test('apply shows how far it is until the release runs', async t => {
  const at = (doneBytes: number) => ({
    doneBytes,
    allBytes: 4_000_000,
    uplinkBytes: doneBytes / 2,
    peerBytes: doneBytes / 2,
    stickBytes: 0,
  })
  const { link: asks } = link([
    reply,
    { ...reply, state: { ...state, phase: 'fetching', progress: at(1_000_000) } },
    { ...reply, state: { ...state, phase: 'fetching', progress: at(3_000_000) } },
    { ...reply, state: { ...state, phase: 'switching' } },
    'away',
    { ...reply, state: null },
    { ...reply, state: { ...state, phase: 'trial', running: ordered, candidate: null } },
    { ...reply, state: { ...state, phase: 'idle', running: ordered, candidate: null } },
  ])
  const { out, exitCode } = await type(['ota', 'apply'], { otaLink: () => asks })
  t.equal(exitCode, 0)
  t.equal(
    out,
    `1.5.0 fetching 25 % of 4.0 MB (uplink 0.5 MB, other boxes 0.5 MB)
1.5.0 fetching 75 % of 4.0 MB (uplink 1.5 MB, other boxes 1.5 MB)
1.5.0 switching
the updater starts again
1.5.0 trial
1.5.0 runs
`,
  )
})

t.test('apply that ends with the release before says so, and why', async t => {
  const refused = [{ ...ordered, why: 'box ended: exit code 1' }]
  const { link: asks } = link([
    reply,
    { ...reply, state: { ...state, phase: 'switching' } },
    'away',
    { ...reply, state: { ...state, phase: 'idle', candidate: null, refused } },
  ])
  const { error, exitCode } = await type(['ota', 'apply'], { otaLink: () => asks })
  t.equal(exitCode, exitCodes.refused)
  t.match(error, /1\.5\.0 was not kept, 1\.4\.0 runs: box ended: exit code 1/)
})

t.test('apply that has to wait says for what, and ends as one that waits', async t => {
  const { error, exitCode } = await type(['ota', 'apply'], { otaLink: () => link().link })
  t.equal(exitCode, exitCodes.waiting)
  t.match(error, /1\.5\.0 waits: a show is armed/)
  const refused = [{ ...ordered, why: 'box ended' }]
  const asks = link([{ ...reply, state: { ...state, refused } }]).link
  t.equal(
    (await type(['ota', 'apply'], { otaLink: () => asks })).exitCode,
    exitCodes.waiting,
    'refused before',
  )
})

t.test('apply goes on while the other boxes get ready, and between two steps', async t => {
  const othersGetReady = {
    ...state,
    unmet: [{ step: 'switch' as const, name: 'venue', words: 'box-13 is preparing' }],
  }
  const { link: asks } = link([
    { ...reply, state: { ...state, phase: 'writing' } },
    { ...reply, state: { ...state, phase: 'writing' } },
    { ...reply, state: { ...state, phase: 'writing' } },
    { ...reply, state: { ...state, phase: 'writing' } },
    { ...reply, state: { ...state, unmet: [] } },
    ...Array.from({ length: 10 }, () => ({ ...reply, state: othersGetReady })),
    { ...reply, state: { ...state, phase: 'agreed', unmet: [] } },
    { ...reply, state: { ...state, phase: 'idle', running: ordered, candidate: null } },
  ])
  const { out, exitCode } = await type(['ota', 'apply'], { otaLink: () => asks })
  t.equal(exitCode, 0)
  t.equal(out, '1.5.0 writing\n1.5.0 waits: box-13 is preparing\n1.5.0 agreed\n1.5.0 runs\n')
  const forEver = link([{ ...reply, state: othersGetReady }]).link
  const { error, exitCode: late } = await type(['ota', 'apply'], { otaLink: () => forEver })
  t.equal(late, exitCodes.waiting, 'a box that never gets ready')
  t.match(error, /1\.5\.0 waits: box-13 is preparing/)
})

t.test('apply that waits for nothing waits on: it is between two turns', async t => {
  const nothing = { ...reply, state: { ...state, unmet: [] } }
  const { link: asks } = link([
    ...Array.from({ length: 8 }, () => nothing),
    { ...reply, state: { ...state, phase: 'switching', unmet: [] } },
    { ...reply, state: { ...state, phase: 'idle', running: ordered, candidate: null } },
  ])
  const { out, exitCode } = await type(['ota', 'apply'], { otaLink: () => asks })
  t.equal(exitCode, 0)
  t.equal(out, '1.5.0 switching\n1.5.0 runs\n')
  const { error } = await type(['ota', 'apply'], { otaLink: () => link([nothing]).link })
  t.match(error, /1\.5\.0 waits: nothing is in its way, and it is not taken/)
})

t.test('apply says once why nothing comes', async t => {
  const at = (seconds: number, doneBytes = 0): OtaReply => {
    const words = `nothing of it has come for ${seconds} s: no stick has the rest`
    const unmet = [{ step: 'switch' as const, name: 'pieces', words }]
    const progress = { doneBytes, allBytes: 400_000, uplinkBytes: 0, peerBytes: 0, stickBytes: 0 }
    return { ...reply, state: { ...state, phase: 'fetching', progress, unmet } }
  }
  const running = { ...state, phase: 'idle' as const, running: ordered, candidate: null }
  const { link: asks } = link([reply, at(20), at(21), at(22), { ...reply, state: running }])
  const { out } = await type(['ota', 'apply'], { otaLink: () => asks })
  t.equal(
    out,
    '1.5.0 fetching 0 % of 0.4 MB\nnothing of it has come for 20 s: no stick has the rest\n1.5.0 runs\n',
  )
})

t.test('apply that finds nothing to take, and nobody to ask, does not end as done', async t => {
  const checked = state.checked && { ...state.checked, isFresh: false, words: 'http://r: nobody' }
  const idle = {
    ...state,
    phase: 'idle' as const,
    candidate: null,
    ordered: state.running,
    checked,
  }
  const asks = link([{ ...reply, state: idle }]).link
  const { error, exitCode } = await type(['ota', 'apply'], { otaLink: () => asks })
  t.equal(exitCode, exitCodes.unreachable)
  t.match(error, /1\.4\.0 runs, and whether another release is ordered is not known: http:/)
})

t.test('one that failed a moment ago did not wait, though it is ordered still', async t => {
  const refused = [{ ...ordered, why: 'box ended' }]
  const { link: asks } = link([
    reply,
    { ...reply, state: { ...state, phase: 'switching' } },
    'away',
    { ...reply, state: { ...state, refused } },
  ])
  const { error, exitCode } = await type(['ota', 'apply'], { otaLink: () => asks })
  t.equal(exitCode, exitCodes.refused)
  t.match(error, /1\.5\.0 was not kept, 1\.4\.0 runs: box ended/)
})

t.test('apply does not wait for ever for an updater that has gone', async t => {
  const { link: asks } = link([reply, 'away'])
  const { error, exitCode } = await type(['ota', 'apply'], { otaLink: () => asks })
  t.equal(exitCode, exitCodes.unreachable)
  t.match(error, /no updater runs/)
})

t.test('a rollback that ends the updater before it answers is looked after', async t => {
  const back = { ...reply, state: { ...state, running: state.previous, previous: null } }
  const done = link([reply, 'cut off', 'away', { ...reply, state: null }, back])
  const typed = await type(['ota', 'rollback', 'lamps flicker'], { otaLink: () => done.link })
  t.equal(typed.exitCode, 0)
  t.match(
    typed.out,
    /1\.3\.0 runs again, 1\.4\.0 is not taken again until it is cleared\nRuns +1\.3\.0/,
  )
  const failed = link([reply, 'cut off', 'away', reply])
  const same = await type(['ota', 'rollback', 'lamps flicker'], { otaLink: () => failed.link })
  t.equal(same.exitCode, exitCodes.refused)
  t.match(same.error, /1\.4\.0 runs still/)
  const gone = link([reply, 'away'])
  const nobody = await type(['ota', 'rollback', 'lamps flicker'], { otaLink: () => gone.link })
  t.equal(nobody.exitCode, exitCodes.unreachable)
})

t.test('what cannot be is refused before anybody is asked', async t => {
  for (const words of [
    ['hold'],
    ['hold', 'x', '--for', '400h'],
    ['hold', 'x', '--for', '0s'],
    ['hold', 'x', '--for', '30s'],
    ['hold', 'x', '--for', '90s'],
    ['rollback'],
  ])
    t.equal((await type(['ota', ...words])).exitCode, exitCodes.usage, words.join(' '))
})

t.test('the folder of the slots may be named; without an updater that is said', async t => {
  const homes: string[] = []
  const nobody = (home: string): OtaLink => {
    homes.push(home)
    return {
      ask: async () => {
        throw new CliFailure(exitCodes.unreachable, 'no updater runs in /x')
      },
      pause: async () => {},
    }
  }
  const { exitCode, error } = await type(['ota', '--home', '/x', 'status'], { otaLink: nobody })
  t.same([exitCode, homes], [exitCodes.unreachable, ['/x']])
  t.match(error, /no updater runs/)
})

const os: NonNullable<typeof state.os> = {
  lacking: null,
  phase: 'waiting',
  running: 'a',
  systems: {
    a: { kind: 'good', version: null, digest: null },
    b: { kind: 'written', version: '2.1.0', digest: '34'.repeat(32) },
  },
  candidate: { digest: '34'.repeat(32), version: '2.1.0' },
  progress: null,
  unmet: [{ step: 'switch', name: 'hold', words: 'Kim holds it back' }],
  floor: null,
  refused: [{ digest: '56'.repeat(32), version: '2.0.0', why: 'gate: ready' }],
  trouble: null,
}

t.test('the operating systems are told beside the releases, and rolled back by name', async t => {
  const told = link([{ ...reply, state: { ...state, os } }])
  const { out } = await type(['ota', 'status'], { otaLink: () => told.link })
  t.match(out, /OS +runs a: as installed; b: 2\.1\.0 written; 2\.1\.0 is ordered; waiting\n/)
  t.match(
    out,
    /OS waits for +Kim holds it back\n *OS refused +2\.0\.0 \(565656565656\): gate: ready/,
  )
  const lacking = 'not updated by this box: ota.json has no "os"'
  const none = link([{ ...reply, state: { ...state, os: { ...os, lacking } } }])
  t.match(
    (await type(['ota', 'status'], { otaLink: () => none.link })).out,
    /OS +not updated by this box/,
  )
  const systemCriteria = [{ ...criteria[1], name: 'hold', isMet: false }] as OtaReply['criteria']
  const why = link([{ ...reply, systemCriteria }])
  t.match((await type(['ota', 'why'], { otaLink: () => why.link })).out, /no {3}os-hold/)
  await type(['ota', 'rollback', '--os', 'the network is gone'], { otaLink: () => told.link })
  t.same(told.asked.at(-1), { ask: 'rollback-os', reason: 'the network is gone' })
})

t.test('apply shows the operating system on its way, until the box reboots', async t => {
  const idle = { ...state, phase: 'idle' as const, candidate: null }
  const bytes = (doneBytes: number, stickBytes: number) => ({
    ...{ doneBytes, allBytes: 400_000_000, uplinkBytes: 0, peerBytes: 0, stickBytes },
  })
  const told = (more: Partial<typeof os>): OtaReply => ({
    ...reply,
    state: { ...idle, os: { ...os, unmet: [], ...more } },
  })
  const fetching = told({ phase: 'fetching', progress: bytes(1e8, 1e8) })
  const { link: asks } = link([
    reply,
    fetching,
    fetching,
    told({}),
    told({ phase: 'writing', progress: bytes(3e8, 0) }),
    told({}),
    told({ phase: 'switching' }),
    'away',
    told({ phase: 'trial', candidate: null, running: 'b' }),
    told({ phase: 'idle', candidate: null, running: 'b' }),
  ])
  const { out, exitCode } = await type(['ota', 'apply'], { otaLink: () => asks })
  t.equal(exitCode, 0)
  t.equal(
    out,
    `operating system 2.1.0 fetching 25 % of 400.0 MB (stick 100.0 MB)
operating system 2.1.0 writing 75 % of 400.0 MB
operating system 2.1.0 is started: the box reboots
the updater starts again
operating system 2.1.0 trial
1.4.0 runs
`,
  )
})

t.test('apply ends when the operating system waits for something, and says for what', async t => {
  const idle = { ...state, phase: 'idle' as const, candidate: null }
  const unmet = [
    { step: 'switch' as const, name: 'written', words: 'it is not written yet' },
    ...os.unmet,
  ]
  const waiting = { ...reply, state: { ...idle, os: { ...os, unmet, trouble: 'nobody has it' } } }
  const { link: asks, asked } = link([waiting])
  const { out, error, exitCode } = await type(['ota', 'apply'], { otaLink: () => asks })
  t.equal(exitCode, 6)
  t.equal(out, '1.4.0 runs\n')
  t.match(error, 'operating system 2.1.0 waits: Kim holds it back; nobody has it')
  t.ok(asked.length < 6, 'at once')
})
