/** The store on cards that take no writes: real mounts, each in a namespace of its program's own. */
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { SqliteEngine } from '../../../drivers/linux/sqlite-engine.js'
import type { CardStoreLine } from '../../fixtures/card-store.js'
import { environment, hasProgram, whyNoNamespaces } from '../../peers/namespaces.js'

const skip = whyNoNamespaces() ?? false
const hasLoops = existsSync('/dev/loop-control') && hasProgram('mkfs.ext4')

const FIXTURE = join('dist', 'test/fixtures/card-store.js')
const MOUNT = 'mount -t tmpfs -o size=256k none "$1/card" && cp "$1"/box.db* "$1/card"'
const READ_ONLY = 'mount -o remount,ro "$1/card"'
const FULL = '{ head -c 1m /dev/zero > "$1/card/fill" || true; } 2> /dev/null'
const ROTTEN = 'rm "$1"/box.db-* && head -c 9000 /dev/zero | tr "\\0" x > "$1/box.db"'

/**
 * What the store tells on a card to which the words of the shell have happened; its folder is `$1`.
 * @param repair a word of the shell, too
 */
async function storeAfter(t: Test, words: readonly string[], repair = 'true') {
  const folder = mkdtempSync(join(tmpdir(), 'roadcase-card-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const used = new SqliteEngine(join(folder, 'box.db'), { fileBytesMax: 64 * 1024 * 1024 })
  used.open()
  const [key, value] = [new TextEncoder().encode('k'), Uint8Array.of(1)]
  used.run([{ kind: 'commit', changes: [{ kind: 'put', table: 't', key, value }] }])
  // As a pulled plug leaves it: the newest lies in the write-ahead log, since nobody closes it before.
  const script = [
    'set -e',
    'mkdir "$1/card"',
    ...words,
    'cd "$3"',
    'exec "$4" "$5" "$1/card/box.db" "$2"',
  ]
  const all = [
    'sh',
    folder,
    repair.replaceAll('$1', folder),
    process.cwd(),
    process.execPath,
    FIXTURE,
  ]
  const args = ['--mount', 'sh', '-c', script.join('\n'), ...all]
  const { stdout } = await promisify(execFile)('unshare', args, { env: environment })
  used.close()
  const told: CardStoreLine = JSON.parse(stdout)
  return { told, path: join(folder, 'card/box.db') }
}

t.test(
  'a file system that the kernel gave up since, its mount as it was',
  {
    skip: skip || (hasLoops ? false : 'no loop devices'),
  },
  async t => {
    const { told } = await storeAfter(t, [
      'truncate -s 8M "$1/image" && mkfs.ext4 -q "$1/image"',
      'mount -o loop,errors=remount-ro "$1/image" "$1/card" && cp "$1"/box.db* "$1/card"',
      'device=$(basename "$(findmnt -no SOURCE "$1/card")")',
      'echo here > "/sys/fs/ext4/$device/trigger_fs_error"',
    ])
    const refused = 'storage.io the card takes no writes: change it'
    const opened = { rottenPath: null, trouble: 'read-only' }
    t.same(told, { opened, value: 1, before: refused, after: refused })
  },
)

t.test(
  'a rotten store is left where it is, and put aside once there are writes',
  { skip },
  async t => {
    const words = [ROTTEN, MOUNT, READ_ONLY]
    const { told, path } = await storeAfter(t, words, `mount -o remount,rw "$1/card"`)
    const opened = { rottenPath: path, trouble: 'read-only' }
    const before = 'storage.io the card takes no writes: change it'
    t.same(told, { opened, value: null, before, after: 'committed' })
  },
)

t.test(
  'a store that is rotten is told, too, where there is no room for a new one',
  { skip },
  async t => {
    const { told, path } = await storeAfter(t, [ROTTEN, MOUNT, FULL], 'rm "$1/card/fill"')
    const opened = { rottenPath: `${path}.rotten-1`, trouble: 'full' }
    const before = 'storage.full the card is full: free space on it'
    t.same(told, { opened, value: null, before, after: 'committed' })
  },
)

t.test('a copy goes wherever there is room for it', { skip }, async t => {
  const small = 'mount -t tmpfs -o size=4k none /dev/shm'
  const { told } = await storeAfter(t, [MOUNT, READ_ONLY, small])
  t.same([told.opened, told.value], [{ rottenPath: null, trouble: 'read-only' }, 1])
  const nowhere = await storeAfter(t, [MOUNT, READ_ONLY, small, 'export TMPDIR=/dev/shm'])
  t.match(nowhere.told.opened, /box\.db .*finds no room/)
})
