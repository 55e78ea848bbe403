import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { askDoor, ControlDoor } from '../../../drivers/linux/control-door.js'

const limits = { lineBytesMax: 1_000, patienceMs: 2_000 }

async function opened(t: Test, answer: (line: string) => Promise<string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'roadcase-door-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  // On a new card nothing has made it yet.
  const path = join(folder, 'ota', 'x.sock')
  const door = new ControlDoor(path, limits)
  await door.open(answer)
  t.teardown(() => door.close())
  return path
}

t.test('a line is answered by a line, for this user only', async t => {
  const path = await opened(t, async line => `${line.toUpperCase()}é`)
  t.equal(await askDoor(path, 'ask é', limits), 'ASK Éé')
  t.equal((await stat(path)).mode & 0o777, 0o600)
})

t.test('what a process that was killed left behind is in nobody’s way', async t => {
  const path = await opened(t, async () => 'first')
  const second = new ControlDoor(path, limits)
  await t.rejects(
    second.open(async () => 'second'),
    { code: 'port.taken' },
  )
  const stale = `${path}.stale`
  await writeFile(stale, '')
  const third = new ControlDoor(stale, limits)
  await third.open(async () => 'third')
  t.teardown(() => third.close())
  t.equal(await askDoor(stale, 'x', limits), 'third')
})

t.test('nobody there, nothing said, too much said: each ends with a word, in time', async t => {
  const path = await opened(t, async line => line)
  await t.rejects(askDoor(`${path}.no`, 'x', limits), { code: 'link.down' })
  await t.rejects(askDoor(path, 'x'.repeat(2_000), limits), { code: 'link.down' })
  const silent = await opened(t, () => new Promise(() => {}))
  await t.rejects(askDoor(silent, 'x', { ...limits, patienceMs: 50 }), { code: 'link.timeout' })
  const mute = createConnection(path)
  await new Promise(resolve => mute.once('close', resolve))
  t.equal(await askDoor(path, 'still', limits), 'still')
})

t.test('a path that the kernel would cut off is refused', async t => {
  const door = new ControlDoor(`/tmp/${'x'.repeat(120)}`, limits)
  await t.rejects(
    door.open(async () => ''),
    { code: 'storage.limit', message: /107 bytes/ },
  )
})

t.test('who was heard is answered before the door closes', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'roadcase-door-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const path = join(folder, 'x.sock')
  const door = new ControlDoor(path, limits)
  let closed: Promise<void> = Promise.resolve()
  await door.open(async () => {
    closed = door.close()
    await new Promise(resolve => setTimeout(resolve, 100))
    return 'going down'
  })
  t.equal(await askDoor(path, 'down', limits), 'going down')
  await closed
  await t.rejects(askDoor(path, 'again', limits), { code: 'link.down' })
})
