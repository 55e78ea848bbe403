/** Real mounts that take no writes, as the kernel makes of a card near its end: the box starts, and the lights go. */
import { execFileSync } from 'node:child_process'
import { closeSync, cpSync, existsSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { LinuxClock, ownAnchor } from '../../drivers/linux/clock.js'
import { LinuxLog } from '../../drivers/linux/log.js'
import { HttpBoxLink } from '../../runtime/cli/box-link.js'
import { controlFileInMemory } from '../../runtime/cli/control.js'
import { runBox } from '../../runtime/run.js'
import { fillBoxFolder } from './box-folder.js'
import { whyNoNamespaces } from './namespaces.js'
import { follow } from './ptp4l.js'

const skip = whyNoNamespaces() ?? false

/** In a mount namespace of the program's own: `$1` bound onto itself, for reading only. */
const READ_ONLY = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1"'
/** And a file system of 8 MiB, into which nothing goes any more. */
const FULL = `mkdir "$1/disk" && mount -t tmpfs -o size=8m none "$1/disk" && cp -a "$1/state" "$1/disk" &&
  mount --bind "$1/disk/state" "$1/state" && { head -c 16m /dev/zero > "$1/disk/fill" || true; }`

const fire = (cue: string) => ({ action: 'fire', cue }) as const

/**
 * A box that has fired cue 1.
 * @param isPulled as its pulled plug leaves it: the newest lies in the write-ahead log
 */
async function used(t: Test, isPulled: boolean) {
  const folder = mkdtempSync(join(tmpdir(), 'roadcase-card-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const { configFile, stateFolder } = fillBoxFolder(folder)
  const fd = openSync('/dev/null', 'w')
  const log = new LinuxLog(new LinuxClock(ownAnchor()), { process: 'test', fd })
  const box = await runBox({ configFile, stateFolder, boardName: 'simulated', log })
  await new HttpBoxLink(stateFolder).command(fire('1'))
  cpSync(stateFolder, join(folder, 'pulled'), { recursive: true })
  await box.stop()
  log.flush()
  closeSync(fd)
  if (isPulled) {
    rmSync(stateFolder, { recursive: true })
    cpSync(join(folder, 'pulled'), stateFolder, { recursive: true })
  }
  return { folder, configFile, stateFolder }
}

async function startOn(t: Test, card: typeof READ_ONLY | typeof FULL) {
  const { folder, configFile, stateFolder } = await used(t, card === READ_ONLY)
  const program = [process.execPath, 'dist/program/main.js', '--config', configFile]
  const words = ['sh', folder, ...program, '--board', 'simulated', '--state', stateFolder]
  const start = `set -e; ${card}; shift; exec "$@"`
  const box = follow('unshare', ['--mount', 'sh', '-c', start, ...words])
  t.teardown(() => box.stop())
  await box.until(() => box.output().includes('box.ready'), 'a box')
  const link = new HttpBoxLink(stateFolder)
  const current = async () => (await link.state()).showState?.current
  const status = ['dist/program/roadcase.js', '--state', stateFolder, 'status']
  return {
    ...{ folder, stateFolder, box, link, current },
    status: () => `${execFileSync(process.execPath, status)}`,
  }
}

t.test('a box starts from a card that takes no writes, and says so', { skip }, async t => {
  const { stateFolder, box, link, current, status } = await startOn(t, READ_ONLY)
  t.equal((await link.state()).info?.cardTrouble, 'read-only')
  t.equal(await current(), '1', 'it stands where the plug was pulled')
  await t.rejects(link.command(fire('4')), {
    message: /^done, but not kept over a restart: the card takes no writes: change it/,
  })
  t.equal(await current(), '4', 'and the cue is fired')
  t.match(status(), /^Card +took no writes when the box started: nothing is kept/m)
  t.ok(existsSync(controlFileInMemory(stateFolder)))
  await box.stop()
  t.notOk(existsSync(controlFileInMemory(stateFolder)), 'nothing is left in the memory')
})

t.test('and from one that is full, which keeps things when there is room', { skip }, async t => {
  const { folder, box, link, current, status } = await startOn(t, FULL)
  t.equal(await current(), '1')
  await t.rejects(link.command(fire('4')), {
    message: /^done, but not kept over a restart: the card is full: free space on it/,
  })
  t.equal(await current(), '4')
  t.match(status(), /^Card +was full when the box started: nothing is kept/m)
  rmSync(join(`/proc/${box.child.pid}/root`, folder, 'disk/fill'))
  const isKept = (): Promise<boolean> =>
    link.command(fire('1')).then(
      () => true,
      () => false,
    )
  await box.until(isKept, 'a cue that is kept')
  t.equal(await current(), '1')
})
