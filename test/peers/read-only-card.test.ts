/** A real mount that takes no writes, as the kernel makes of a card near its end: the box starts, and the lights go. */
import { execFileSync } from 'node:child_process'
import { closeSync, cpSync, existsSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { LinuxClock, ownAnchor } from '../../drivers/linux/clock.js'
import { LinuxLog } from '../../drivers/linux/log.js'
import { HttpBoxLink } from '../../runtime/cli/box-link.js'
import { controlFileInMemory } from '../../runtime/cli/control.js'
import { runBox } from '../../runtime/run.js'
import { fillBoxFolder } from './box-folder.js'
import { whyNoNamespaces } from './namespaces.js'
import { follow } from './ptp4l.js'

const skip = whyNoNamespaces() ?? false

/** Bound onto itself, for reading only, in a mount namespace of the program's own. */
const READ_ONLY = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"'

const fire = (cue: string) => ({ action: 'fire', cue }) as const

t.test('a box starts from a card that takes no writes, and says so', { skip }, async t => {
  const folder = mkdtempSync(join(tmpdir(), 'roadcase-card-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const { configFile, stateFolder } = fillBoxFolder(folder)
  const fd = openSync('/dev/null', 'w')
  const log = new LinuxLog(new LinuxClock(ownAnchor()), { process: 'test', fd })
  const before = await runBox({ configFile, stateFolder, boardName: 'simulated', log })
  await new HttpBoxLink(stateFolder).command(fire('1'))
  // As a pulled plug leaves it: the newest lies in the write-ahead log, and where the box was is written down.
  cpSync(stateFolder, join(folder, 'pulled'), { recursive: true })
  await before.stop()
  log.flush()
  closeSync(fd)
  rmSync(stateFolder, { recursive: true })
  cpSync(join(folder, 'pulled'), stateFolder, { recursive: true })

  const program = [process.execPath, 'dist/program/main.js', '--config', configFile]
  const words = ['sh', folder, ...program, '--board', 'simulated', '--state', stateFolder]
  const box = follow('unshare', ['--mount', 'sh', '-c', READ_ONLY, ...words])
  t.teardown(() => box.stop())
  await box.until(() => box.output().includes('box.ready'), 'a box')
  const link = new HttpBoxLink(stateFolder)
  const { info, showState } = await link.state()
  t.equal(info?.isCardReadOnly, true)
  t.equal(showState?.current, '1', 'it stands where the plug was pulled')
  await t.rejects(link.command(fire('4')), {
    message: /^done, but not kept over a restart: the card takes no writes: change it/,
  })
  t.equal((await link.state()).showState?.current, '4', 'and the cue is fired')
  const status = ['dist/program/roadcase.js', '--state', stateFolder, 'status']
  t.match(`${execFileSync(process.execPath, status)}`, /^Card +takes no writes: nothing is kept/m)
  await box.stop()
  t.notOk(existsSync(controlFileInMemory(stateFolder)), 'nothing is left in the memory')
})
