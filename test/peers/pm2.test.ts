/** The box under pm2, as `npm run pm2` starts it: pm2 is a program of its own, and brings a killed box back. */
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { fillBoxFolder } from './box-folder.js'

const WAIT_MS_MAX = 45_000
const PM2 = 'node_modules/pm2/bin'

t.setTimeout(180_000)
t.test('a box that is killed is brought back by pm2, and remembers how often', async t => {
  if (!statSync('dist/program/main.js', { throwIfNoEntry: false }))
    execFileSync('npm', ['run', 'build'])
  // pm2 puts its sockets there, and a socket's path has at most 107 bytes.
  const folder = mkdtempSync(join(tmpdir(), 'roadcase-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const { configFile, stateFolder } = fillBoxFolder(folder)
  // What the test runner puts into its children must not reach pm2's.
  const { NODE_OPTIONS: _, ...ownEnv } = process.env
  const env = {
    ...ownEnv,
    PM2_HOME: join(folder, 'pm2'),
    PM2_DISABLE_VERSION_CHECK: 'true',
    ROADCASE_ARGUMENTS: `--config ${configFile} --board simulated --state ${stateFolder}`,
  }
  const pm2 = spawn(
    process.execPath,
    [join(PM2, 'pm2-runtime'), 'start', 'runtime/ecosystem.config.cjs'],
    { env, stdio: 'ignore' },
  )
  const ended = new Promise<void>(resolve => pm2.once('exit', () => resolve()))
  t.teardown(async () => {
    // SIGINT lets it end its child; whoever kills it leaves an orphan.
    if (pm2.exitCode === null) pm2.kill('SIGINT')
    await ended
  })

  const bootOf = async (): Promise<number> => {
    try {
      const { url } = JSON.parse(readFileSync(join(stateFolder, 'control.json'), 'utf8'))
      const answer = await fetch(`${url}/api/state`)
      const state = (await answer.json()) as { info: { boot: number } | null }
      return state.info?.boot ?? 0
    } catch {
      // Not there, or not there yet.
      return 0
    }
  }
  t.ok(await reaches(bootOf, 1), 'the box is up')
  const listed = execFileSync(process.execPath, [join(PM2, 'pm2'), 'jlist'], {
    env,
    encoding: 'utf8',
  })
  const [box] = JSON.parse(listed.slice(listed.indexOf('['))) as { name: string; pid: number }[]
  t.equal(box?.name, 'box')
  process.kill(box?.pid ?? 0, 'SIGKILL')
  t.ok(await reaches(bootOf, 2), 'and up again after it was killed')
  pm2.kill('SIGINT')
  await ended
  t.equal(await bootOf(), 0, 'and gone when pm2 is asked to end')
})

async function reaches(read: () => Promise<number>, wanted: number): Promise<boolean> {
  const limitMs = performance.now() + WAIT_MS_MAX
  while (performance.now() < limitMs) {
    if ((await read()) === wanted) return true
    await pause(100)
  }
  return false
}
