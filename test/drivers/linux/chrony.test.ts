/** What becomes of a chronyd that cannot be started. It never has the right to set the machine's clock: `-x`, always. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { LinuxChrony } from '../../../drivers/linux/chrony.js'
import { LinuxClock, ownAnchor } from '../../../drivers/linux/clock.js'
import { skipWithout } from '../../peers/peer.js'

const clock = new LinuxClock(ownAnchor())
const chronyIn = (folder: string): LinuxChrony =>
  new LinuxChrony(clock, { folder, maySetSystem: false })

/** Short enough for the name of a socket. */
function folderFor(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'roadcase-test-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

t.test('a configuration that cannot be written is a device that does not work', async t => {
  const folder = folderFor(t)
  mkdirSync(join(folder, 'chrony', 'chrony.conf'), { recursive: true })
  await t.rejects(
    chronyIn(folder).start(() => [], false),
    { code: 'device.io', message: /EISDIR/ },
  )
})

t.test(
  'one that ends before it answers could not be started, and why',
  skipWithout('chronyd'),
  async t => {
    const chrony = chronyIn(folderFor(t))
    let endings = 0
    chrony.onEnded(() => endings++)
    await t.rejects(
      chrony.start(() => ['port 0', 'thisis nodirective'], false),
      { code: 'device.absent', message: /exit code 1/ },
    )
    t.equal(endings, 0, 'which is told once')
  },
)
