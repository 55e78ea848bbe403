/**
 * Goal: pm2 neither ends the guard together with its box, nor leaves one behind. Method: a box with a dimmer under
 * pm2-runtime on a real kernel, killed, started again by pm2, and deleted, which stops it first.
 */
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { guards, parentOf } from './guards.js'
import { DIMMER_ADDRESS, eventually } from './whole-box.js'

const PM2 = 'node_modules/pm2/bin'

t.test('a box under pm2 has one guard, and none when it has none to guard', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'pm2-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const options = { bus: 'header', address: DIMMER_ADDRESS }
  const devices = [{ name: 'wash', driver: 'pca9685-light', options }]
  const config = { schemaVersion: 1, tour: 'lab', box: 'box-1', devices, gpio: 'chardev' }
  writeFileSync(join(folder, 'box.json'), JSON.stringify(config))
  const env = {
    ...process.env,
    PM2_HOME: join(folder, 'pm2'),
    PM2_DISABLE_VERSION_CHECK: 'true',
    ROADCASE_ARGUMENTS: `--config ${folder}/box.json --board lab --state ${folder}/state`,
  }
  const pm2 = (...words: readonly string[]): string =>
    execFileSync(process.execPath, [join(PM2, 'pm2'), ...words], { env, encoding: 'utf8' })
  const only = (): number => {
    const [guard = 0, ...others] = guards()
    t.ok(guard > 0 && others.length === 0, 'there is one guard')
    return guard
  }
  const runtime = spawn(
    process.execPath,
    [join(PM2, 'pm2-runtime'), 'start', 'runtime/ecosystem.config.cjs'],
    { env, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  t.teardown(() => runtime.kill('SIGINT'))
  let said = ''
  const hear = (bytes: Buffer): void => {
    said += String(bytes)
  }
  runtime.stdout.on('data', hear)
  runtime.stderr.on('data', hear)
  const heard = (event: string, count: number): Promise<boolean> =>
    eventually(() => said.split(`"${event}"`).length - 1 === count)

  t.ok((await heard('guard.ready', 1)) && (await heard('device.ready', 1)), 'it is up')
  const first = only()
  process.kill(parentOf(first), 'SIGKILL')
  t.ok(await heard('guard.spoke', 1), 'its guard outlives a kill')
  t.match(said, /"done":1,"left":0,"failures":\[\]/)
  t.ok((await heard('guard.ready', 2)) && (await heard('device.ready', 2)), 'it is up again')
  const second = only()
  t.not(second, first, 'with a guard of its own')

  pm2('delete', 'box')
  t.ok(await eventually(() => guards().length === 0), 'a stop leaves no guard')
  t.ok(await heard('guard.spoke', 1), 'and there was nothing to say')
})
