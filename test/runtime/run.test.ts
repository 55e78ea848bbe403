import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { LinuxClock, ownAnchor } from '../../drivers/linux/clock.js'
import { LinuxLog } from '../../drivers/linux/log.js'
import { type RunningBox, runBox } from '../../runtime/run.js'
import { freePort } from '../peers/free-port.js'

/** A folder with a box that has nothing but a page and a broker, and what its last start came to. */
async function bench(t: Test) {
  const folder = mkdtempSync(join(tmpdir(), 'roadcase-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const port = await freePort()
  writeFileSync(
    join(folder, 'box.json'),
    JSON.stringify({
      schemaVersion: 1,
      tour: 'tour',
      box: 'box',
      broker: { kind: 'embedded', port: 0 },
      page: { port },
    }),
  )
  const stateFolder = join(folder, 'state')
  const fd = openSync('/dev/null', 'w')
  const log = new LinuxLog(new LinuxClock(ownAnchor()), { process: 'test', fd })
  t.teardown(() => {
    log.flush()
    closeSync(fd)
  })
  const start = (changes: { stateFolder?: string } = {}): Promise<RunningBox> =>
    runBox({
      configFile: join(folder, 'box.json'),
      boardName: 'simulated',
      stateFolder,
      log,
      ...changes,
    })
  return { folder, stateFolder, port, start }
}

t.test('a box whose start fails at the last step leaves nothing running', async t => {
  const { stateFolder, port, start } = await bench(t)
  // Where the box writes how it can be reached, a folder stands.
  mkdirSync(join(stateFolder, 'control.json', 'full'), { recursive: true })
  await t.rejects(start(), { code: 'storage.io' })
  t.notOk(await isListening(port), 'nobody serves the page')
  rmSync(join(stateFolder, 'control.json'), { recursive: true })
  const box = await start()
  t.ok(await isListening(port), 'and the next start has all to itself')
  await box.stop()
})

t.test('a state folder that cannot be made is named', async t => {
  const { folder, start } = await bench(t)
  await t.rejects(start({ stateFolder: join(folder, 'box.json', 'state') }), {
    code: 'storage.io',
    message: /box\.json\/state cannot be made: name another with --state/,
  })
})

function isListening(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
