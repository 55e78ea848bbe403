import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { awayFrom, otaLink, UpdaterAway } from '../../runtime/cli/ota-link.js'
import { BoxError } from '../../runtime/core/errors.js'
import { CONTROL_FILE } from '../../runtime/core/ota-control.js'

/** A home with something at the updater's door. */
async function homeWith(t: Test, server: Server): Promise<string> {
  // t.testdir is too deep for the path of a socket, 107 bytes.
  const home = mkdtempSync(join(tmpdir(), 'ota-link-'))
  t.teardown(() => rmSync(home, { recursive: true, force: true }))
  mkdirSync(join(home, 'ota'))
  await new Promise<void>(done => server.listen(join(home, 'ota', CONTROL_FILE), done))
  t.teardown(() => server.close())
  return home
}

t.test(
  'an updater that ends before it answers was heard; one that is not there was not',
  async t => {
    const home = await homeWith(
      t,
      createServer(socket => void socket.once('data', () => socket.destroy())),
    )
    const heard = await otaLink(home)
      .ask({ ask: 'rollback', reason: 'lamps flicker' })
      .catch((error: unknown) => error)
    t.match(heard, { wasHeard: true, exitCode: 5, message: /ended before it answered/ })
    const empty = join(home, 'empty')
    mkdirSync(empty)
    const nobody = await otaLink(empty)
      .ask({ ask: 'status' })
      .catch((error: unknown) => error)
    t.match(nobody, { wasHeard: false, mayReturn: false, message: /no updater runs in .*--home/ })
    mkdirSync(join(empty, 'slots'))
    const between = await otaLink(empty)
      .ask({ ask: 'status' })
      .catch((error: unknown) => error)
    t.match(between, { wasHeard: false, mayReturn: true, message: /does not answer.*launcher/ })
  },
)

t.test('a user who may not ask is told so, and not that nobody is there', async t => {
  const home = await homeWith(t, createServer())
  chmodSync(join(home, 'ota', CONTROL_FILE), 0)
  // Root may do everything.
  const isRoot = process.geteuid?.() === 0
  if (isRoot) process.seteuid?.(65_534)
  const error = await otaLink(home)
    .ask({ ask: 'status' })
    .catch((error: unknown) => error)
    .finally(() => (isRoot ? process.seteuid?.(0) : undefined))
  t.match(error, { exitCode: 5, message: /this user may not ask the updater/ })
  t.notOk(error instanceof UpdaterAway, 'waiting would not help')
})

t.test(
  'a folder whose socket would have too long a name is not asked under half of it',
  async t => {
    const asked: string[] = []
    const server = createServer(socket => void socket.once('data', bytes => asked.push(`${bytes}`)))
    const home = mkdtempSync(join(tmpdir(), 'ota-link-'))
    t.teardown(() => rmSync(home, { recursive: true, force: true }))
    t.teardown(() => server.close())
    // The first 107 bytes of it are the name of somebody else's.
    const cut = `${home}/`.padEnd(107, 'x')
    await new Promise<void>(done => server.listen(cut, done))
    const error = await otaLink(`${cut}/home`)
      .ask({ ask: 'status' })
      .catch((error: unknown) => error)
    t.match(error, { exitCode: 5, message: /too long for a socket.*107 bytes/ })
    t.same(asked, [])
  },
)

t.test('a card that takes no writes is told as that, unless somebody was there', async t => {
  const cause = new Error('connect ECONNREFUSED')
  const nobody = new BoxError('link.down', 'nobody answers at /x', { cause })
  t.match(awayFrom('/x', nobody, { isReadOnly: true, isBox: true }), {
    exitCode: 5,
    message: /takes no writes \(EROFS\)/,
  })
  t.match(awayFrom('/x', nobody, { isReadOnly: false, isBox: false }), {
    message: /no updater runs in \/x/,
  })
  const ended = new BoxError('link.down', 'it ended without an answer')
  t.match(awayFrom('/x', ended, { isReadOnly: true, isBox: true }), {
    wasHeard: true,
    message: /ended before it answered/,
  })
})
