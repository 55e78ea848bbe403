/**
 * Checks the tree itself: what the compiler and the linter cannot see. Each check is shown a planted file first, so that
 * it is known to be able to fail.
 */
import { execFileSync } from 'node:child_process'
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { errorCodes } from '../runtime/core/errors.js'
import {
  codesWithoutParagraph,
  deadLinks,
  roomsWithoutReadme,
  unlistedDecisions,
} from './tidy/documents.js'
import { deadFiles, forbiddenImports, homes, strayPackages } from './tidy/imports.js'
import { lockedHosts, looseVersions } from './tidy/packages.js'
import {
  driversWithoutTest,
  emptyWords,
  longFiles,
  machinePaths,
  runBits,
  unrepeatable,
} from './tidy/rules.js'
import { readTree, type TreeFile } from './tidy/tree.js'

interface Check {
  readonly promise: string
  readonly problems: (files: readonly TreeFile[]) => readonly string[]
  /** Violations, and beside them what looks like one and is none. */
  readonly planted: readonly TreeFile[]
  /** Beginnings of the lines that the planted files must bring, no more and no fewer. */
  readonly found: readonly string[]
}

const file = (path: string, text = '', isExecutable = false): TreeFile => ({
  path,
  text,
  isExecutable,
})

/** Split, so that this file is not one of its own finds. */
const HOME = ['', 'home', 'pi', 'box.json'].join('/')
const REGISTRY = ['https://regis', 'try.npm', 'js.org/zod'].join('')

const readmeParts = [
  '## What lives here',
  '## What it may import',
  '## How to add one',
  '## Read this file first\n',
].join('\n')

const CODES = ['device.absent', 'link.down', 'storage.full']

const checks: readonly Check[] = [
  {
    promise: 'no file is dead',
    problems: deadFiles,
    planted: [
      file('runtime/main.ts', "import { box } from './box.js'"),
      file('runtime/box.ts', "new Worker(new URL('./fire-worker.js', import.meta.url))"),
      file('runtime/fire-worker.ts', "const { aim } = await import('./aim.js')"),
      file('runtime/aim.ts'),
      file('runtime/forgotten.ts', "import { aim } from './aim.js'"),
      file('test/aim.test.ts', "import './world.js'"),
      file('test/world.ts'),
      file('test/kill.test.ts', "run('test/fixtures/victim.js')"),
      file('test/fixtures/victim.ts'),
      file('runtime/gateways/page/assets/app.js'),
    ],
    found: ['runtime/forgotten.ts: nothing imports it'],
  },
  {
    promise: 'every driver has its test',
    problems: driversWithoutTest,
    planted: [
      file('drivers/lamp.ts'),
      file('drivers/relay.ts'),
      file('test/drivers/relay.test.ts'),
      file('drivers/linux/gpio.ts'),
    ],
    found: ['drivers/lamp.ts: has no test: write test/drivers/lamp.test.ts'],
  },
  {
    promise: 'nothing outside drivers/linux and the tests makes two runs differ',
    problems: unrepeatable,
    planted: [
      file('runtime/a.ts', 'const chance = Math.random()'),
      file('runtime/b.ts', '\nconst now = Date.now()'),
      file('drivers/c.ts', 'const id = randomUUID()'),
      file('drivers/simulated/d.ts', 'process.hrtime.bigint()'),
      file('drivers/linux/clock.ts', 'process.hrtime.bigint()'),
      file('test/e.test.ts', 'Math.random()'),
      file('runtime/cli/link.ts', 'const id = randomUUID()'),
      file('runtime/f.ts', ' * Never Math.random: a seed replays it.'),
    ],
    found: [
      'runtime/a.ts:1: two runs would differ: ask core/random.ts',
      'runtime/b.ts:2: two runs would differ: ask the Clock port',
      'drivers/c.ts:1: two runs would differ: ask the Keys port',
      'drivers/simulated/d.ts:1: two runs would differ: ask the Clock port',
    ],
  },
  {
    promise: 'each wrapped package is imported in its one home only',
    problems: strayPackages,
    planted: [
      ...Object.entries(homes).map(([name, home]) =>
        file(home.place.endsWith('/') ? `${home.place}x.ts` : home.place, `import '${name}'`),
      ),
      file('drivers/linux/y.ts', "const { default: koffi } = await import('koffi')"),
      file('runtime/services/z.ts', "import { z } from 'zod'"),
      file('runtime/gateways/page/w.ts', "import { x } from 'fastify/types'"),
      file('drivers/v.ts', "createRequire(import.meta.url).resolve('johnny-five')"),
      file('test/z.test.ts', "import { z } from 'zod'"),
    ],
    found: [
      'runtime/services/z.ts: imports zod, which lives in runtime/core/schema.ts only',
      'runtime/core/schema.ts: imports zod, which exactly one file may',
      'runtime/services/z.ts: imports zod, which exactly one file may',
      'drivers/linux/x.ts: imports koffi, which exactly one file may',
      'drivers/linux/y.ts: imports koffi, which exactly one file may',
      'drivers/v.ts: imports johnny-five, which lives in drivers/linux/ only',
      'drivers/linux/x.ts: imports johnny-five, which exactly one file may',
      'drivers/v.ts: imports johnny-five, which exactly one file may',
    ],
  },
  {
    promise: 'pm2 is not imported, and nothing of the box hangs on johnny-five',
    problems: forbiddenImports,
    planted: [
      file('runtime/a.ts', "import pm2 from 'pm2'"),
      file('runtime/b.ts', "import { loadJohnnyFive } from '../drivers/linux/johnny-five.js'"),
      file('runtime/c.ts', "// started by 'pm2-runtime'"),
      file('docs/examples/sketch.mjs', "import '../../drivers/linux/johnny-five.js'"),
      file('drivers/linux/johnny-five.ts', "const main = resolve(require, 'johnny-five')"),
    ],
    found: ['runtime/a.ts: imports pm2', 'runtime/b.ts: hangs the box on johnny-five'],
  },
  {
    promise: 'every error code has its paragraph in docs/operating.md, and no other has one',
    problems: files =>
      codesWithoutParagraph(files, files.some(f => f.path === 'package.json') ? errorCodes : CODES),
    planted: [
      file(
        'docs/operating.md',
        [
          '### `device.absent`\n\n**You see** x. **Do** y.',
          '### `link.down`\n\n**You see** x.',
          '### `ghost.code`\n\n**You see** x. **Do** y.',
          '### Other things',
        ].join('\n'),
      ),
    ],
    found: [
      'docs/operating.md: `link.down` needs both',
      'docs/operating.md: has no paragraph "### `storage.full`"',
      'docs/operating.md: explains `ghost.code`',
    ],
  },
  {
    promise: 'links in documents lead somewhere',
    problems: deadLinks,
    planted: [
      file('README.md', '[a](docs/a.md) [b](docs) [c](https://x.org) ![d](docs/d.svg) [e](#e)'),
      file('docs/a.md', '[up](../README.md#what) <img src="gone.png"> [room](../docs/)'),
    ],
    found: ['README.md: links to docs/d.svg', 'docs/a.md: links to gone.png'],
  },
  {
    promise: 'every decision is listed in docs/architecture.md',
    problems: unlistedDecisions,
    planted: [
      file('docs/architecture.md', '- [0001](decisions/0001-a.md) A'),
      file('docs/decisions/0001-a.md'),
      file('docs/decisions/0002-b.md'),
    ],
    found: ['docs/architecture.md: does not list docs/decisions/0002-b.md'],
  },
  {
    promise: 'each room has a README of at most forty lines',
    problems: roomsWithoutReadme,
    planted: [
      ...['boards', 'drivers', 'runtime'].map(room => file(`${room}/README.md`, readmeParts)),
      file('ota/README.md', `${readmeParts}${'\n'.repeat(49)}.`),
      file('test/README.md', '## What lives here'),
    ],
    found: [
      'ota/README.md: 54 lines',
      'provisioning/README.md: is missing',
      'test/README.md: has no part "## What it may import"',
      'test/README.md: has no part "## How to add one"',
      'test/README.md: has no part "## Read this file first"',
    ],
  },
  {
    promise: 'names of files and exports say something',
    problems: emptyWords,
    planted: [
      file('runtime/cue-manager.ts'),
      file('drivers/utils.ts'),
      file('runtime/a.ts', 'export class LampManager {'),
      file('runtime/b.ts', 'export const eventHandler = 1\nexport interface BoxInfo {'),
      file('runtime/c.ts', 'export type CueData = 1\nexport const utility = 1'),
      file('runtime/information-desk.ts', 'export async function manage() {}'),
    ],
    found: [
      'runtime/cue-manager.ts: its name',
      'drivers/utils.ts: its name',
      'runtime/a.ts:1: LampManager',
      'runtime/b.ts:1: eventHandler',
      'runtime/b.ts:2: BoxInfo',
      'runtime/c.ts:1: CueData',
    ],
  },
  {
    promise: 'no tracked file knows a path or a host of one machine',
    problems: machinePaths,
    planted: [
      file('runtime/a.ts', `read('${HOME}')`),
      file('package-lock.json', `"resolved": "${REGISTRY}"`),
      file('docs/a.md', 'homework/home/x and https://example.org/home/x are fine'),
    ],
    found: ['runtime/a.ts:1: a path', 'package-lock.json:1: a host'],
  },
  {
    promise: 'no file is longer than 300 lines, blank ones not counted',
    problems: longFiles,
    planted: [
      file('runtime/long.ts', 'x\n'.repeat(301)),
      file('runtime/just.ts', 'x\n\n'.repeat(300)),
      file('test/long.test.ts', 'x\n'.repeat(999)),
    ],
    found: ['runtime/long.ts: 301 lines'],
  },
  {
    promise: 'scripts can be run, and nothing else can',
    problems: runBits,
    planted: [
      file('flash.sh', '#!/bin/sh'),
      file('.ci/run', '#!/usr/bin/env bash'),
      file('good.sh', '#!/bin/sh', true),
      file('README.md', '# x', true),
      file('runtime/cli.ts', '#!/usr/bin/env node'),
    ],
    found: ['flash.sh: cannot be run', '.ci/run: cannot be run', 'README.md: has the run bit'],
  },
  {
    promise: 'package.json pins exact versions',
    problems: looseVersions,
    planted: [
      file(
        'package.json',
        '{"dependencies":{"a":"^1.0.0","b":"1.2.3"},"devDependencies":{"c":"latest","d":"1.0.0-rc.1","e":"npm:a@1.0.0","f":"npm:a@^1.0.0"}}',
      ),
    ],
    found: [
      'package.json: a is "^1.0.0"',
      'package.json: c is "latest"',
      'package.json: f is "npm:a@^1.0.0"',
    ],
  },
  {
    promise: 'the lock file does not say where packages were fetched',
    problems: lockedHosts,
    planted: [file('package-lock.json', '{"packages":{"":{},"node_modules/a":{"resolved":"x"}}}')],
    found: ['package-lock.json: node_modules/a'],
  },
]

const tree = readTree('.')

for (const check of checks) {
  t.test(`a file planted against "${check.promise}" is found`, async t => {
    const problems = check.problems(check.planted)
    t.same(
      problems.map((problem, index) => problem.slice(0, check.found[index]?.length ?? 200)),
      check.found,
    )
  })

  t.test(check.promise, async t => {
    t.equal(check.problems(tree).join('\n'), '')
  })
}

t.test('the tree is what git tracks and what it would track, without what is removed', async t => {
  const root = t.testdir({
    'tracked.ts': 'a',
    'new.sh': '#!/bin/sh',
    ignored: { 'x.ts': 'x' },
    'removed.ts': 'r',
    'picture.png': 'not text',
    '.gitignore': 'ignored/\n',
  })
  const git = (...args: string[]): void => void execFileSync('git', args, { cwd: root })
  git('init', '--quiet')
  git('add', 'tracked.ts', 'removed.ts')
  execFileSync('rm', [join(root, 'removed.ts')])
  chmodSync(join(root, 'new.sh'), 0o755)
  t.same(
    readTree(root).toSorted((a, b) => (a.path < b.path ? -1 : 1)),
    [
      file('.gitignore', 'ignored/\n'),
      file('new.sh', '#!/bin/sh', true),
      file('picture.png', ''),
      file('tracked.ts', 'a'),
    ],
  )
})

t.test('the tree that is checked is this one', async t => {
  t.ok(tree.length > 50)
  t.ok(tree.some(({ path }) => path === 'test/tidy.test.ts'))
})
