import { readFileSync } from 'node:fs'
import t from 'tap'
import { SimulatedKeys } from '../../../drivers/simulated/keys.js'
import { ConfigError } from '../../../runtime/core/errors.js'
import { randomFrom } from '../../../runtime/core/random.js'
import { checkShow } from '../../../runtime/services/show/check-show.js'
import type { KnownDevice } from '../../../runtime/services/show/draft.js'
import { readShow } from './stage.js'

const small = readFileSync('test/fixtures/shows/small.yaml', 'utf8')
const keys = new SimulatedKeys(randomFrom(1))

/** Every problem as `line:column path: message`. */
function problemsOf(
  text: string,
  devices: readonly KnownDevice[] | null = null,
  templates: readonly string[] | null = null,
): string[] {
  try {
    checkShow(text, { keys, box: 'box-1', devices, templates })
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map(
      ({ path, message, place }) => `${place?.line}:${place?.column} ${path}: ${message}`,
    )
  }
  return []
}

/** A show with the given lines below a patch of a dimmer, a color, a switch and a camera. */
const show = (lines: string): string => `apiVersion: show/v1
name: test
patch:
  dim: {kind: dimmer, out: "box#0"}
  rgb: {kind: rgb, out: "box#1..3"}
  lamp: {kind: switch, out: relay}
  cam: {kind: capture, out: camera}
${lines}`

t.test('a good show is taken as it is', async t => {
  const { cues, outputs, scenes, warnings, groups } = readShow(small)
  t.same(
    cues.map(({ id }) => id),
    ['1', '2', '3', '4'],
  )
  t.same(
    outputs.map(({ name, offset }) => [name, offset]),
    [
      ['color', 0],
      ['front', 3],
      ['lamp', 4],
    ],
  )
  t.same(
    groups.get('all')?.map(({ name }) => name),
    ['front', 'color', 'lamp'],
  )
  t.equal(scenes.get('house')?.length, 3)
  t.same(warnings, [])
  t.same(
    cues.map(({ next }) => next),
    ['2', '3', '4', null],
  )
})

t.test('the digest knows the show, not how it is written', async t => {
  const before = readShow(small).digest
  t.match(before, /^[0-9a-f]{64}$/)
  t.equal(readShow(`# a comment\n${small}`).digest, before)
  t.equal(readShow(small.replace('fade: 4s', 'fade: 4000ms')).digest, before)
  t.equal(readShow(small.replace('{all: 40%}', '{all: 0.4}')).digest, before)
  t.not(readShow(small.replace('fade: 4s', 'fade: 4001ms')).digest, before)
  const swapped = small.replace('kind: switch, out: relay', 'out: relay, kind: switch')
  t.equal(readShow(swapped).digest, before)
})

t.test('what cannot work is refused with its place, its path and what would be right', async t => {
  const table: [string, string][] = [
    [
      'cues: [{id: "1", scene: house}]',
      '8:18 show.cues[0].scene: names house, which is not a scene',
    ],
    [
      'scenes: {house: {dimm: 1}}',
      '8:18 show.scenes.house.dimm: is not an output or group (did you mean "dim"?)',
    ],
    ['scenes: {house: {cam: 1}}', '8:18 show.scenes.house.cam: is a capture, which has no level'],
    [
      'scenes: {a: {lamp: {color: "#ff0000"}}}',
      '8:21 show.scenes.a.lamp.color: needs an rgb or rgbw output; this is a switch',
    ],
    ['scenes: {a: {dim: {}}}', '8:14 show.scenes.a.dim: must have a level, a color or a hue'],
    ['scenes: {a: {dim: 40}}', '8:14 show.scenes.a.dim: must be between 0 and 1, is 40'],
    ['groups: {a: [b], b: [a]}', '8:22 show.groups.b[0]: holds itself: a > b > a'],
    ['groups: {dim: [rgb]}', '8:10 show.groups.dim: has the name of an output: choose another'],
    ['groups: {a: [cam]}', '8:14 show.groups.a[0]: names cam, which is a capture'],
    [
      'cues: [{id: "1"}, {id: "1"}]',
      '8:20 show.cues[1].id: is "1", as that of cues[0] is: ids are unique',
    ],
    [
      'cues: [{id: "1", follow: {after: 0s, go: "1"}}]',
      '8:18 show.cues[0].follow: is part of the loop 1 > 1 and must take at least 100 ms',
    ],
    [
      'cues: [{id: "1", follow: {go: "1"}}]',
      '8:18 show.cues[0].follow: must have exactly one of after and wait',
    ],
    [
      'cues: [{id: "1", follow: {after: 1s}}]',
      '8:18 show.cues[0].follow: follows with the next cue, and there is none',
    ],
    [
      'cues: [{id: "1", next: "7"}]',
      '8:18 show.cues[0].next: names 7, which is not a cue (did you mean "1"?)',
    ],
    ['cues: [{id: "1", do: [{print: {}}]}]', '8:24 show.cues[0].do[0].print.template: is missing'],
    [
      'cues: [{id: "1", do: [{at: 1s}]}]',
      '8:23 show.cues[0].do[0]: must do exactly one of capture, mqtt, http and print',
    ],
    [
      'cues: [{id: "1", do: [{capture: cama}]}]',
      '8:24 show.cues[0].do[0].capture: names cama, which the patch does not have as a capture (did you mean "cam"?)',
    ],
    [
      'cues: [{id: "1", fade: 5}]',
      '8:18 show.cues[0].fade: must be a duration such as 1.5s, or an object with up, down and delay, is 5',
    ],
    [
      'cues: [{id: "1", curve: [[0, 0], [0.5, 1], [0.5, 0], [1, 0.9]]}]',
      '8:54 show.cues[0].curve[3]: must be [1, 1]',
    ],
    [
      'cues: [{id: "1", chase: {steps: [{dim: 1}, {dim: 0}], period: 50ms, fade: 26ms}}]',
      '8:69 show.cues[0].chase.fade: must be at most one step, 25 ms',
    ],
    [
      'panic: {fade: 301ms}',
      '8:9 show.panic.fade: must be a duration of at most 300ms, is "301ms"',
    ],
    ['panic: {scene: a}', '8:9 show.panic.scene: names a, which is not a scene'],
    [
      'triggers: [{on: "go:press", do: {cue: "9"}}]',
      '8:34 show.triggers[0].do.cue: names 9, which is not a cue',
    ],
    [
      'triggers: [{on: {mqtt: "door/#"}, do: next}]',
      '8:18 show.triggers[0].on.mqtt: must be a topic of at most 10 levels and 170 characters, without + and #, that does not begin with $, is "door/#"',
    ],
    [
      'triggers: [{on: {timecode: "10:00:30"}, do: next}]',
      '8:18 show.triggers[0].on.timecode: must be a timecode like 10:00:30:00, in quotes, is "10:00:30"',
    ],
    [
      'triggers: [{on: {timecode: "24:00:00:00"}, do: next}]',
      '8:18 show.triggers[0].on.timecode: must be a timecode like 10:00:30:00, in quotes, is "24:00:00:00"',
    ],
    [
      'triggers: [{on: {mqtt: "$SYS/x"}, do: next}]',
      '8:18 show.triggers[0].on.mqtt: must be a topic of at most 10 levels and 170 characters, without + and #, that does not begin with $, is "$SYS/x"',
    ],
    [
      'cues: [{id: "1", do: [{mqtt: {topic: a/b/c/d/e/f/g/h/i/j/k}}]}]',
      '8:31 show.cues[0].do[0].mqtt.topic: must be a topic of at most 10 levels and 170 characters, without + and #, that does not begin with $, is "a/b/c/d/e/f/g/h/i/j/k"',
    ],
    [
      'triggers: [{on: {mqtt: vb/tour/all/cue}, do: next}]',
      '8:18 show.triggers[0].on.mqtt: is where commands to all boxes come: they are carried out, and no trigger hears them',
    ],
    [
      'triggers: [{on: {mqtt: door, payload: open, json: {a: 1}}, do: next}]',
      '8:45 show.triggers[0].on.json: cannot stand beside payload: a message is one or the other',
    ],
    [
      'cues: [{id: "1", do: [{mqtt: {topic: door}}]}]\ntriggers: [{on: {mqtt: door}, do: next}]',
      '9:18 show.triggers[0].on.mqtt: is where cue 1 publishes: the show would set itself off, again and again',
    ],
    ['cuse: []', '8:1 show.cuse: is not a known setting (did you mean "cues"?)'],
    [
      'cues: [{id: "1", at: "2027-03-01 20:00"}]',
      '8:18 show.cues[0].at: must be a moment such as 2027-03-01T20:00:00+01:00, is "2027-03-01 20:00"',
    ],
    [
      'groups: {a: [dim, lamp], b: [dim, rgb]}\nscenes: {s: {a: 1, b: 0}}',
      '9:20 show.scenes.s.b: also sets dim, as "a" does: give dim an entry of its own',
    ],
  ]
  for (const [lines, problem] of table) {
    const found = problemsOf(show(lines))
    t.ok(found.includes(problem), `${lines}\n     ${problem}`, { found })
  }
})

t.test('the patch is checked against itself', async t => {
  const patch = (lines: string): string => `apiVersion: show/v1\nname: a\npatch:\n${lines}`
  t.same(problemsOf(patch('  a: {kind: dimmer, out: "x#0..3"}\n  b: {kind: rgb, out: "x#3..5"}')), [
    '5:18 show.patch.b.out: shares channels of x with a',
  ])
  t.same(problemsOf(patch('  a: {kind: switch, out: x}\n  b: {kind: dimmer, out: "box-1/x#9"}')), [
    '5:21 show.patch.b.out: shares channels of x with a',
  ])
  t.same(
    problemsOf(patch('  a: {kind: dimmer, out: "x#1"}\n  b: {kind: dimmer, out: "box-2/x#1"}')),
    [],
  )
  t.same(problemsOf(patch('  a: {kind: rgbw, out: "x#0..4"}')), [
    '4:19 show.patch.a.out: gives 5 channels to an rgbw output, which needs 4 for each fixture',
  ])
  t.same(problemsOf(patch('  a: {kind: dimmer, out: x, count: 3}')), [
    '4:29 show.patch.a.count: belongs to a capture, not to a light',
  ])
})

t.test('the patch is checked against the devices of the box', async t => {
  const devices: KnownDevice[] = [
    { name: 'wash', kind: 'light', channelCount: 4, isDimmable: true },
    { name: 'relay', kind: 'light', channelCount: 1, isDimmable: false },
    { name: 'camera', kind: 'capture', channelCount: null, isDimmable: null },
    { name: 'go', kind: 'input', channelCount: null, isDimmable: null },
  ]
  const text = `apiVersion: show/v1
name: a
patch:
  a: {kind: dimmer, out: "wahs#1"}
  b: {kind: dimmer, out: "wash#4"}
  c: {kind: dimmer, out: relay}
  d: {kind: switch, out: camera}
  e: {kind: capture, out: go}
  f: {kind: dimmer, out: "box-2/anything#7"}
triggers:
  - {on: "goo:press", do: next}
  - {on: "box-2/goo:press", do: next}
`
  t.same(problemsOf(text, devices), [
    '4:21 show.patch.a.out: names wahs, and the box has no such device (did you mean "wash"?)',
    '5:21 show.patch.b.out: uses channel 4, and wash has 4 (0 to 3)',
    '6:7 show.patch.c.kind: must be switch: relay can only be on or off',
    '7:21 show.patch.d.out: names camera, which is a capture',
    '8:22 show.patch.e.out: names go, which is an input',
    '11:6 show.triggers[0].on: names goo, which is not an input or chord of the box (did you mean "go"?)',
  ])
})

t.test('names that the language itself uses are only names', async t => {
  const text = show(`groups: {constructor: [dim]}
scenes: {constructor: {constructor: 50%}, toString: {dim: 1}}
cues: [{id: constructor, scene: toString}, {id: valueOf, levels: {constructor: 0}}]`)
  t.same(problemsOf(text), [])
  t.ok(problemsOf(show('cues: [{id: "1", scene: toString}]'))[0]?.includes('is not a scene'))
  t.ok(problemsOf(show('groups: {a: [constructor]}'))[0]?.includes('is not an output'))
})

t.test('cues that nothing reaches are pointed out, and allowed', async t => {
  const { warnings } = readShow(show('cues: [{id: "1", next: "3"}, {id: "2"}, {id: "3"}]'))
  t.same(warnings, ['show.cues[1]: nothing reaches cue 2'])
})

t.test('an entry of its own goes before a group, and a small group before a large one', async t => {
  const { scenes, outputs } = readShow(
    show(`groups: {all: [dim, rgb, lamp], two: [dim, rgb]}
scenes: {a: {dim: 10%, all: 30%, two: 20%}}`),
  )
  t.same(
    scenes
      .get('a')
      ?.map(({ output, to }) => [outputs[output]?.name, to[0]])
      .sort(),
    [
      ['dim', 0.1],
      ['lamp', 0.3],
      ['rgb', 0.2],
    ],
  )
})

t.test('a document that would take the process down is refused', async t => {
  const texts = [
    '['.repeat(1000),
    '['.repeat(100_000),
    `{"a":${'['.repeat(70)}${']'.repeat(70)}}`,
    '- '.repeat(50_000),
    Array.from({ length: 900 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'),
    `a: &a [x]\n${Array.from({ length: 9 }, (_, i) => `b${i}: [${'*a,'.repeat(90)}]`).join('\n')}`,
    'x'.repeat(2_000_000),
    '\0',
    '',
    'null',
    '[]',
    '"show/v1"',
    '%YAML 9.9\n---\n!!binary x',
    'a: *nowhere',
    '? [a, b]\n: c',
    `apiVersion: show/v2\nname: a\npatch: {}`,
  ]
  for (const text of texts) {
    const found = problemsOf(text)
    t.ok(found.length > 0 && found.every(line => /^\d+:\d+ show/.test(line)), text.slice(0, 20))
  }
})

t.test('a show that was damaged anywhere is refused with a place, or is still a show', async t => {
  let refused = 0
  for (let seed = 0; seed < 600; seed++) {
    const text = damaged(small, randomFrom(seed))
    try {
      readShow(text)
    } catch (error) {
      refused++
      if (!(error instanceof ConfigError)) t.fail(`seed ${seed}: ${String(error)}`, { text })
      else if (error.problems.some(({ place }) => place === null)) t.fail(`seed ${seed}: no place`)
    }
  }
  t.ok(refused > 400, `${refused} of 600 were refused`)
})

type Damage = (text: string, random: () => number) => string

const pick = <T>(list: readonly T[], random: () => number): T => {
  const item = list[Math.floor(random() * list.length)]
  if (item === undefined) throw new Error('nothing to pick from')
  return item
}

/** Exchanges one thing of the given form, somewhere. */
const exchange =
  (form: RegExp, by: readonly string[]): Damage =>
  (text, random) => {
    const found = [...text.matchAll(form)]
    if (found.length === 0) return text
    const match = pick(found, random)
    return text.slice(0, match.index) + pick(by, random) + text.slice(match.index + match[0].length)
  }

const damages: readonly Damage[] = [
  (text, random) => {
    const bytes = Buffer.from(text)
    for (let flip = 0; flip < 3; flip++) {
      const index = Math.floor(random() * bytes.length)
      bytes[index] = (bytes[index] ?? 0) ^ (1 << Math.floor(random() * 8))
    }
    return bytes.toString('latin1')
  },
  (text, random) => text.slice(0, Math.floor(random() * text.length)),
  (text, random) => {
    const lines = text.split('\n')
    lines.splice(Math.floor(random() * lines.length), 1)
    return lines.join('\n')
  },
  exchange(/\d+(\.\d+)?(ms|s|%)/g, [
    '1e999s',
    '-1s',
    '99999999999s',
    '[]',
    '{}',
    'null',
    '101%',
    '""',
  ]),
  exchange(/"\d"/g, ['1', '1e400', '"9"', '"next"', '"../x"', `"${'9'.repeat(100)}"`, '[["1"]]']),
  exchange(/\b(id|name|scene|kind|out|do|fade|levels|patch|cues)(?=:)/g, [
    'idd',
    '"a b"',
    '__proto__',
    'constructor',
    '12',
  ]),
  exchange(/\{/g, ['[', '{a: &x 1, b: *x, ', '', '{{', '{"\\u0000": 1, ']),
  exchange(/: /g, [': !!js/function ', ': &a *a ', ': |\n', ' ', ': 0x7fffffffffffffff, ']),
  exchange(/(front|color|lamp|cam|house|reveal)\b/g, ['nobody', 'all', 'Lamp', '1', 'null', '~']),
  (text, random) =>
    text + pick(['\n<<: *x', '\n---\na: 1', '\n...', '\n\t- x', '\nname: again'], random),
]

function damaged(text: string, random: () => number): string {
  const count = 1 + Math.floor(random() * 3)
  let result = text
  for (let round = 0; round < count; round++) result = pick(damages, random)(result, random)
  return result
}

t.test('an output cannot have the name of a topic of the box', async t => {
  const text = 'apiVersion: show/v1\nname: a\npatch:\n  show: {kind: dimmer, out: wash}\n'
  t.same(problemsOf(text), [
    '4:3 show.patch.show: is a name that the box uses for topics of its own: choose another',
  ])
})

t.test('a ticket is of a template and a printer of the box, where these are known', async t => {
  const known = (name: string, kind: KnownDevice['kind']): KnownDevice => ({
    name,
    kind,
    channelCount: kind === 'light' ? 16 : null,
    isDimmable: kind === 'light' ? true : null,
  })
  const devices = [known('box', 'light'), known('cam', 'capture'), known('desk', 'printer')]
  const problems = (print: string, of = devices): string[] =>
    problemsOf(show(`cues: [{id: "1", do: [{print: ${print}}]}]`), of, ['claim', 'receipt'])
      .filter(problem => problem.includes('print'))
      .map(problem => problem.replace(/^\S+ show\.cues\[0\]\.do\[0\]\./, ''))
  t.same(problems('{template: claim, fields: {name: Ada}, printer: desk, expires: 10m}'), [])
  t.same(problems('{template: claim, printer: box-2/anything}'), [], 'another box knows its own')
  t.same(problems('{template: clam}'), [
    'print.template: names clam, which is no template of this box (did you mean "claim"?)',
  ])
  t.same(problems('{template: claim, printer: box-1/desc}'), [
    'print.printer: names desc, which is no printer of this box (did you mean "desk"?)',
  ])
  t.same(problems('{template: claim}', devices.slice(0, 2)), [
    'print: needs a printer, which this box has not',
  ])
})
