/** Keys and releases as an engineer uses them: the real commands, on real files. */
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { LinuxPublicFolder } from '../../drivers/linux/public-folder.js'
import { KeysTool, openRing } from '../../ota/keys-cli.js'
import { PublishTool } from '../../ota/publish-cli.js'
import { exitCodes } from '../../runtime/cli/failure.js'
import { keySource, publishOptions } from '../../runtime/cli/key-options.js'
import { printable } from '../../runtime/cli/terminal.js'
import { builtRelease } from '../ota/publish/publish-world.js'
import { noLink, type Typed, type } from './cli-world.js'

class Desk {
  readonly folder = mkdtempSync(join(tmpdir(), 'roadcase-desk-'))
  readonly #secret = join(this.folder, 'secret')
  /** Milliseconds by which the machine that publishes is ahead of this one. */
  aheadMs = 0

  constructor(t: Test) {
    t.teardown(() => rmSync(this.folder, { recursive: true, force: true }))
    writeFileSync(this.#secret, 'correct horse battery\n', { mode: 0o600 })
  }

  at(name: string): string {
    return join(this.folder, name)
  }

  /** @param whose folder of keys */
  run(whose: string, line: string): Promise<Typed> {
    const words = line.split(' ').map(word => word.replace(/^@/, `${this.folder}/`))
    const own = ['--keys', this.at(whose), '--passphrase-file', this.#secret]
    const isPublishing = words[0] === 'release' || words[1] === 'rotate'
    const places = ['--repository', this.at('repository'), '--draft', this.at('draft.json')]
    return type([...words, ...own, ...(isPublishing ? places : [])], {
      keys: async flags => new KeysTool(openRing(keySource(flags, {}))),
      publishing: async flags =>
        new PublishTool({
          ...publishOptions(flags, {}),
          wallMs: () => Date.now() + this.aheadMs,
        }),
    })
  }

  async does(whose: string, line: string): Promise<string> {
    const { exitCode, out, error } = await this.run(whose, line)
    if (exitCode !== 0) throw new Error(`${line}: ${error}`)
    return out
  }
}

t.test('what comes with a draft turns no line around', t => {
  t.equal(printable('a\u202eb\u2066c\u2028d\u001be\u200fü\u{1f600}'), 'a b c d e ü\u{1f600}')
  t.end()
})

t.test('a ceremony of three, a release, a tour, an order', async t => {
  const desk = new Desk(t)
  for (const name of ['anna', 'bert', 'carla']) {
    // A passphrase takes its time, and one shall.
    const how = name === 'anna' ? '' : ' --no-passphrase'
    t.match(
      await desk.does(name, `keys create ${name}${how}`),
      new RegExp(`^${name}: [\\da-f]{5}( [\\da-f]{5}){3}, ed25519, in ${name}.key`),
    )
    writeFileSync(desk.at(`${name}.json`), await desk.does(name, `keys export ${name}`))
    await desk.does('server', `keys import @${name}.json`)
  }
  for (const name of ['build', 'online', 'dora'])
    await desk.does('server', `keys create ${name} --no-passphrase`)
  const init = await desk.run(
    'server',
    'release init --root anna,bert,carla --releases build --online online',
  )
  t.equal(init.exitCode, exitCodes.waiting)
  t.match(init.error, /not published.*\n.*0 of 2 signatures/)
  t.notOk(existsSync(desk.at('repository/metadata')))
  const again = await desk.run(
    'server',
    'release init --root anna,bert --releases build --online online',
  )
  t.match(again, {
    exitCode: exitCodes.refused,
    error:
      /draft\.json waits already, .*name another .*--draft.*\n {2}root 1, until [\s\S]*\n {2}root: 0 of 2 signatures/,
  })
  t.match(
    await desk.does('anna', 'keys inspect @draft.json'),
    /root 1, until[\s\S]*2 of anna, [\s\S]*still missing/,
  )
  t.match(await desk.does('anna', 'keys sign @draft.json'), /1 of 2 signatures/)
  t.match(await desk.run('anna', 'keys sign @draft.json'), {
    exitCode: exitCodes.refused,
    error: /no signature was added/,
    out: /^root 1, until .*\n {2}root: 2 of anna, /,
  })
  const early = await desk.run('server', 'release accept @draft.json')
  t.match(early, { exitCode: exitCodes.waiting, error: /not published.*\n.*1 of 2 signatures/ })
  t.match(await desk.does('carla', 'keys sign @draft.json --key carla'), /all signatures are there/)
  const accepted = await desk.does('server', 'release accept @draft.json')
  t.match(accepted, /^root 1, until .*\n {2}root: 2 of anna, [\s\S]*published, and deleted/)
  t.notOk(existsSync(desk.at('draft.json')), 'the next draft finds its place free')
  t.match(await desk.run('server', 'release tour summer --key dora'), {
    exitCode: exitCodes.waiting,
  })
  for (const name of ['bert', 'carla']) await desk.does(name, 'keys sign @draft.json')
  await desk.does('server', 'release accept @draft.json')
  const built = await builtRelease('1.5.0')
  for (const name of [...(await built.list('objects')), 'description.json']) {
    const bytes = await built.read(name, 1e6)
    await new LinuxPublicFolder(desk.at('built')).write(name, [bytes ?? Buffer.of()])
  }
  t.match(await desk.does('server', 'release publish @built'), /^1.5.0 for x64 is published/)
  t.match(await desk.does('server', 'release publish @built'), /nothing to do/)
  await desk.does('server', 'release order summer --x64 1.5.0')
  t.match(
    await desk.does('server', 'release verify'),
    /tour-summer 2: 364 days left, 1 of 1 keys[\s\S]*3 targets/,
  )
  t.match(
    await desk.does('server', 'release list'),
    /Releases\n1.5.0 x64 {2}300 kB, published 20\d\d-\d\d-\d\d, ordered by summer\n\nOperating systems: none\n\nTours\nsummer {2}release 1.5.0 for x64, all boxes of a venue at once, until 20.* \(364 days\)/,
  )
  t.match(JSON.parse(await desk.does('server', 'release list --json')), {
    releases: [{ version: '1.5.0', tours: ['summer'] }],
    tours: [{ tour: 'summer', releases: { x64: '1.5.0' }, activation: 'venue' }],
  })
  for (const line of [
    'release tour sumer --end',
    'keys rotate sumer --threshold 1',
    'release renew sumer',
  ])
    t.match(await desk.run('server', line), {
      exitCode: exitCodes.refused,
      error:
        /no (role and no )?tour sumer, .*; there are: summer|no role and no tour sumer; roles: root, .*; tours: summer/,
    })
  t.same(await desk.run('server', 'release refresh'), { exitCode: 0, out: '', error: '' })
  t.match(await desk.run('server', 'keys rotate summer --add build'), {
    exitCode: exitCodes.waiting,
    error: /targets: 0 of 2/,
  })
  t.match(await desk.run('server', 'release order summer --x64 1.5.0'), {
    exitCode: 0,
    out: /nothing to do/,
    error:
      /draft\.json waits for signatures.*\n {2}targets 3 after 2, until .*\n {2}targets: 0 of 2/,
  })
  t.match(await desk.run('server', 'release publish @built/objects'), {
    exitCode: exitCodes.refused,
    error: /no description\.json in this folder: give the one .* was told to write into/,
  })
  t.match(await desk.run('server', 'keys rotate root --threshold 1'), {
    exitCode: exitCodes.refused,
    error: /1 of 3 is not more than half.*--weaker/,
  })
  t.match(JSON.parse(await desk.does('server', 'release verify --json')), {
    problems: [],
    targetCount: 3,
  })
  const soon =
    /^roadcase: root, targets, releases, objects, tour-summer end on 20\d\d-\d\d-\d\d, in 2\d days: "roadcase release renew root,targets,releases,objects,tour-summer"\n$/
  desk.aheadMs = 340 * 86_400_000
  t.match(await desk.run('server', 'release list'), {
    exitCode: 0,
    out: /Tours/,
    error: /timestamp ended on 20.*: "roadcase release refresh"/,
  })
  t.match(await desk.run('server', 'release refresh'), {
    exitCode: exitCodes.waiting,
    out: 'signed again\n',
    error: soon,
  })
  t.match(await desk.run('server', 'release refresh --json'), {
    exitCode: exitCodes.waiting,
    out: /"role": "tour-summer",\n +"expires"/,
  })
  t.match(await desk.run('server', 'release publish @built'), {
    exitCode: 0,
    error: /renew root,targets/,
  })
  desk.aheadMs = 0
  const [object = ''] = readdirSync(desk.at('repository/targets/objects'))
  writeFileSync(join(desk.at('repository/targets/objects'), object), 'rotten')
  const [order = ''] = readdirSync(desk.at('repository/targets/tours/summer'))
  writeFileSync(join(desk.at('repository/targets/tours/summer'), order), 'rotten')
  t.match(await desk.run('server', 'release list'), {
    exitCode: exitCodes.invalid,
    out: /1\.5\.0 x64[\s\S]*summer {2}its order cannot be read, until/,
    error: /not all of it can be read:\n {2}tours\/summer\/order\.json is not what was signed/,
  })
  t.match(await desk.run('server', 'release verify'), {
    exitCode: exitCodes.invalid,
    error: /is not what was signed/,
  })
})

t.test('"release" alone ends a panic, and a word that is misspelt does not', async t => {
  const asked: unknown[] = []
  const link = {
    ...noLink,
    command: async (command: unknown) => {
      asked.push(command)
      return { id: 'one', isAccepted: true, code: null, message: null }
    },
  }
  t.equal((await type(['release', 'pubish'], { link: () => link })).exitCode, exitCodes.usage)
  t.equal((await type(['release', '--now'], { link: () => link })).exitCode, exitCodes.usage)
  t.same(asked, [])
  t.equal((await type(['release'], { link: () => link })).exitCode, 0)
  t.same(asked, [{ action: 'release' }])
})

t.test('every command has a help with an example', async t => {
  const all = {
    keys: ['create', 'adopt', 'export', 'import', 'list', 'inspect', 'sign', 'rotate'],
    release: [
      ...['init', 'publish', 'order', 'tour', 'accept', 'refresh', 'renew', 'remove', 'prune'],
      ...['verify', 'list'],
    ],
  }
  for (const [above, names] of Object.entries(all))
    for (const name of names) {
      const help = await type([above, name, '--help'])
      t.equal(help.exitCode, 0)
      t.match(help.out, new RegExp(`Example:\n {2}\\$ roadcase ${above} ${name}`), name)
    }
})

t.test(
  'what is written wrong is said, and a secret in a file that others read is refused',
  async t => {
    const desk = new Desk(t)
    for (const line of [
      'keys adopt anna --token ceremony',
      'keys rotate root',
      'keys rotate root --threshold 1 --weaker ',
      'release order summer',
      'release tour summer',
      'release tour summer --end --key anna',
      'release refresh --timestamp-days 0',
      'release renew ,',
      'keys list --passphrase-fd 3',
    ])
      t.equal((await desk.run('keys', line)).exitCode, exitCodes.usage, line)
    t.match(await desk.does('keys', 'keys list'), /^no keys in /)
    chmodSync(desk.at('secret'), 0o644)
    t.match(await desk.run('keys', 'keys create anna'), {
      exitCode: exitCodes.refused,
      error: /chmod 600/,
    })
    t.notOk(existsSync(desk.at('keys/anna.key')))
    chmodSync(desk.at('secret'), 0o600)
    writeFileSync(desk.at('secret'), 'short\n')
    t.match(await desk.run('keys', 'keys create anna'), {
      exitCode: exitCodes.refused,
      error: /at least 12/,
    })
    t.equal(readFileSync(desk.at('secret'), 'utf8'), 'short\n')
  },
)
