import t from 'tap'
import type { RunOptions, SimulateOptions } from '../../runtime/cli/actions.js'
import type { CommandAsked } from '../../runtime/cli/box-link.js'
import { CliFailure, exitCodes } from '../../runtime/cli/failure.js'
import { BoxError, ConfigError } from '../../runtime/core/errors.js'
import type { BoxSnapshot, LogLine } from '../../runtime/gateways/page/api.js'
import { noLink, type Typed, type } from './cli-world.js'

const commands = [
  'run',
  'check',
  'simulate',
  'diff',
  'board',
  'print',
  'go',
  'back',
  'goto',
  'fire',
  'panic',
  'release',
  'blackout',
  'level',
  'clear',
  'scene',
  'arm',
  'disarm',
  'status',
  'lateness',
  'logs',
]

t.test('every command has a help with an example, and help is no failure', async t => {
  const all = await type(['--help'])
  t.equal(all.exitCode, 0)
  t.match(all.out, /5 {2}the box cannot be reached/)
  t.match(all.out, /6 {2}not done yet: it waits for signatures, for a person, or/)
  for (const command of commands) {
    t.match(all.out, new RegExp(`^ {2}${command} `, 'm'), command)
    const help = await type([command, '--help'])
    t.equal(help.exitCode, 0, command)
    t.match(help.out, new RegExp(`Example:\n {2}\\$ roadcase ${command}`), command)
    t.match(help.out, '--json', command)
  }
})

t.test('what is written wrong is a usage error that says what is meant', async t => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['goo'], /unknown command 'goo'\n\(Did you mean one of go/],
    [['goto'], /missing required argument 'cue'/],
    [['level', 'front', '140%'], /level like 40%/],
    [['level', 'front', '40%', '--fade', 'soon'], /duration like 1.5s/],
    [['blackout', 'maybe'], /on or off/],
    [['logs', '--lines', '0'], /1 to 1000/],
    [['status', '--jsno'], /unknown option '--jsno'/],
    [['simulate', 'a.yaml', '--every', 'often'], /duration like 1.5s/],
  ]
  for (const [words, expected] of cases) {
    const typed = await type(words)
    t.equal(typed.exitCode, exitCodes.usage, words.join(' '))
    t.match(typed.error, expected)
    t.equal(typed.out, '')
  }
})

t.test('each command asks the box what it says', async t => {
  const asked: CommandAsked[] = []
  const link = {
    ...noLink,
    command: async (command: CommandAsked) => {
      asked.push(JSON.parse(JSON.stringify(command)))
      return { id: 'one', isAccepted: true, code: null, message: null }
    },
  }
  const lines = [
    'go',
    'back',
    'goto 2.5',
    'fire 3',
    'panic',
    'release',
    'arm',
    'disarm',
    'blackout on',
    'blackout off',
    'level front 40% --fade 2s',
    'level front 0.25',
    'clear',
    'clear front',
    'scene house --fade 500ms',
  ]
  for (const line of lines)
    t.match(await type(line.split(' '), { link: () => link }), { exitCode: 0, error: '' }, line)
  t.same(asked, [
    { action: 'go' },
    { action: 'back' },
    { action: 'goto', cue: '2.5' },
    { action: 'fire', cue: '3' },
    { action: 'panic' },
    { action: 'release' },
    { action: 'arm' },
    { action: 'disarm' },
    { action: 'blackout', on: true },
    { action: 'blackout', on: false },
    { action: 'level', target: 'front', level: 0.4, fadeMs: 2000 },
    { action: 'level', target: 'front', level: 0.25 },
    { action: 'clear' },
    { action: 'clear', target: 'front' },
    { action: 'scene', scene: 'house', fadeMs: 500 },
  ])
})

t.test('each kind of failure has its exit code and one sentence', async t => {
  const fails = (error: unknown): Promise<Typed> =>
    type(['go'], { link: () => ({ ...noLink, command: () => Promise.reject(error) }) })
  const problem = { path: 'box.devices', message: 'is missing', place: null }
  t.match(await fails(new CliFailure(exitCodes.unreachable, 'no box')), {
    exitCode: 5,
    error: 'roadcase: no box\n',
  })
  t.match(await fails(new CliFailure(exitCodes.refused, 'not armed')), { exitCode: 4 })
  t.match(await fails(new BoxError('port.taken', 'port 1883 is taken')), { exitCode: 4 })
  t.match(await fails(new ConfigError([problem])), { exitCode: 3 })
  t.match(await fails(new TypeError('x is undefined')), {
    exitCode: 1,
    error: /mistake in roadcase/,
  })
})

t.test('--json stands before or after the command, and --state reaches the link', async t => {
  const folders: string[] = []
  const answer = { id: 'one', isAccepted: true, code: null, message: null }
  const link = (folder: string): typeof noLink => {
    folders.push(folder)
    return { ...noLink, command: async () => answer }
  }
  for (const words of [
    ['--json', 'go', '--state', '/a'],
    ['go', '--json'],
  ]) {
    const typed = await type(words, { link })
    t.same(JSON.parse(typed.out), answer)
  }
  t.same(folders, ['/a', '/state'])
})

t.test('run hands over what was asked for', async t => {
  const runs: RunOptions[] = []
  const run = async (options: RunOptions): Promise<void> => void runs.push(options)
  await type(['run'], { run })
  await type(['run', '--config', 'b.json', '--board', 'simulated', '--state', '/s'], { run })
  t.same(runs, [
    { configFile: 'box.json', boardName: null, stateFolder: '/state' },
    { configFile: 'b.json', boardName: 'simulated', stateFolder: '/s' },
  ])
})

t.test('check names every problem of every file where it stands, and fails once', async t => {
  const check = async (file: string) => {
    if (file === 'good.yaml')
      return { kind: 'show', name: 'drop', warnings: ['cue 9 is never reached'] } as const
    const place = { line: 12, column: 5 }
    throw new ConfigError([
      { path: 'show.cues[3].fade', message: 'must be a duration', place },
      { path: 'show.name', message: 'is missing', place: null },
    ])
  }
  const typed = await type(['check', 'bad.yaml', 'good.yaml'], { check })
  t.equal(typed.exitCode, exitCodes.invalid)
  t.match(typed.out, 'good.yaml: valid show drop\ngood.yaml: warning cue 9 is never reached')
  t.match(typed.error, 'bad.yaml:12:5: show.cues[3].fade: must be a duration\n')
  t.match(typed.error, 'bad.yaml: show.name: is missing\n')
  t.match(typed.error, 'roadcase: 1 of 2 files must be put right\n')
  const json = await type(['check', 'bad.yaml', '--json'], { check })
  t.match(JSON.parse(json.out), [{ file: 'bad.yaml', isValid: false, problems: { length: 2 } }])
})

t.test('simulate reads moments, deeds and durations', async t => {
  const seen: SimulateOptions[] = []
  const simulate = async (_: string, options: SimulateOptions) => {
    seen.push(options)
    return { text: 'table\n', json: { rows: [] } }
  }
  const lines = [
    ['--go', '0s, 1.5s,2m', '--every', '40ms', '--do', '12s fire 3', '--do', '20s panic'],
    ['--until', '10s', '--json'],
    ['--do', '2s go'],
  ]
  const [text, json] = await Promise.all(
    lines.map(line => type(['simulate', 'a.yaml', ...line], { simulate })),
  )
  t.equal(text?.out, 'table\n')
  t.same(JSON.parse(json?.out ?? ''), { rows: [] })
  t.same(seen, [
    {
      goMs: [0, 1500, 120_000],
      deeds: ['12s fire 3', '20s panic'],
      untilMs: null,
      everyMs: 40,
    },
    { goMs: [0], deeds: [], untilMs: 10_000, everyMs: 0 },
    { goMs: [], deeds: ['2s go'], untilMs: null, everyMs: 0 },
  ])
})

const state: BoxSnapshot = {
  wallMs: 0,
  isOperator: true,
  board: { name: 'simulated', title: 'Simulated board' },
  show: { name: 'drop', digest: 'd', cues: [{ id: '2', name: 'Reveal' }], outputs: [] },
  availability: { state: 'ready', boot: 1 },
  info: {
    tour: 'spring',
    box: 'lobby',
    board: 'simulated',
    version: '1',
    boot: 1,
    show: null,
    devices: [],
    outputs: [],
  },
  showState: {
    name: 'drop',
    digest: 'd',
    isArmed: true,
    current: '2',
    next: '3',
    epoch: 1,
    running: [],
    isBlackout: false,
    isPanic: true,
    manual: { front: 0.5 },
  },
  late: { count: 7, p50: 0.3, p95: 1, p99: 1.25, max: 2 },
  telemetry: null,
  power: null,
  venue: null,
  batteries: [],
  clock: null,
  printers: [],
  broker: {
    kind: 'embedded',
    url: null,
    isConnected: true,
    sinceWallMs: 0,
    trouble: null,
    clients: 4,
    waiting: 2,
    dropped: 0,
    refused: 1,
  },
  devices: [
    {
      device: 'wash',
      driver: 'pca9685-light',
      kind: 'light',
      state: 'faulty',
      code: 'device.absent',
      message: 'no chip at 0x41',
    },
  ],
  levels: {},
  colors: {},
  lines: null,
  recent: [],
}

t.test('status is a table that shows what is wrong', async t => {
  const link = { ...noLink, state: async () => state }
  const typed = await type(['status'], { link: () => link })
  t.equal(
    typed.out,
    [
      'Box       lobby of spring, Simulated board, ready',
      'Show      drop, armed, PANIC, by hand: front',
      'Cue       2 Reveal, next 3',
      'Devices   1 faulty',
      '          wash: no chip at 0x41 (device.absent)',
      'MQTT      broker of this box, 4 clients, 2 waiting, 1 refused',
      'Lateness  p50 0.30 ms, p99 1.25 ms, worst 2.00 ms, of 7',
      '',
    ].join('\n'),
  )
  t.same(JSON.parse((await type(['status', '--json'], { link: () => link })).out), state)
})

t.test('status says whether another broker is reached, since when, and why not', async t => {
  const broker = {
    ...{ kind: 'external' as const, url: 'mqtts://broker.local', sinceWallMs: 1_790_000_000_000 },
    ...{ clients: null, waiting: 12, dropped: 3, refused: 0 },
  }
  const trouble = { wallMs: 1_790_000_060_000, message: 'box.broker.url: nobody\u001b[2J listens' }
  const shown = async (more: { isConnected: boolean; trouble: typeof trouble | null }) => {
    const link = { ...noLink, state: async () => ({ ...state, broker: { ...broker, ...more } }) }
    const { out } = await type(['status'], { link: () => link })
    return out.slice(out.indexOf('MQTT'), out.indexOf('Lateness')).replace(/\d\d:\d\d:\d\d/g, 'T')
  }
  t.equal(
    await shown({ isConnected: true, trouble: null }),
    'MQTT      mqtts://broker.local, connected since 2026-09-21 T, 12 waiting, 3 dropped\n',
  )
  t.equal(
    await shown({ isConnected: false, trouble }),
    [
      'MQTT      mqtts://broker.local, not connected since 2026-09-21 T, 12 waiting, 3 dropped',
      '          box.broker.url: nobody [2J listens (2026-09-21 T)\n',
    ].join('\n'),
  )
  t.match(await shown({ isConnected: true, trouble }), /until then: box\.broker\.url/)
})

t.test('colors come only where the terminal has them', async t => {
  const link = { ...noLink, state: async () => state }
  const sequence = '\u001b['
  t.notOk((await type(['status'], { link: () => link }, false)).out.includes(sequence))
  t.ok((await type(['status'], { link: () => link }, true)).out.includes(sequence))
})

t.test('logs are lines that cannot move the cursor, and follow goes on', async t => {
  const line = (event: string): LogLine => ({
    wallMs: 0,
    level: 'warn',
    event,
    facts: { device: 'wash', message: 'a\u001b[2Jb', count: 2 },
  })
  const link = {
    ...noLink,
    logs: async (limit: number) => [line(`last-${limit}`)],
    follow: async (onLine: (line: LogLine) => void) => {
      onLine(line('new'))
      throw new CliFailure(exitCodes.unreachable, 'the box ended')
    },
  }
  const typed = await type(['logs', '-n', '5', '--follow'], { link: () => link })
  t.equal(typed.exitCode, 5)
  t.match(typed.out, /warn {2}last-5 device=wash message="a\\u001b\[2Jb" count=2\n.*new/)
  const json = await type(['logs', '--json'], { link: () => link })
  t.same(JSON.parse(json.out), line('last-50'))
})
