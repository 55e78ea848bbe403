/** The player's life, with programs that stand in for ALSA's. */
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Aplay } from '../../../drivers/linux/aplay.js'
import { LinuxClock, ownAnchor } from '../../../drivers/linux/clock.js'

const DEADLINE_MS = 30_000
/** What ALSA's does while it waits for something: it takes a request to end for none. */
const STUBBORN = `trap '' TERM; for last; do :; done`
const clock = new LinuxClock(ownAnchor())
const { PATH = '', TMPDIR } = process.env

/** Puts a player of that script where the real one would be looked for, and an empty folder for what it leaves. */
function place(folder: string, script: string): void {
  const program = join(folder, 'aplay')
  writeFileSync(program, `#!/bin/sh\necho $$ > ${folder}/pid\n${script}\n`)
  chmodSync(program, 0o755)
  process.env['PATH'] = `${folder}:${PATH}`
  process.env['TMPDIR'] = join(folder, 'temporary')
}

t.afterEach(() => {
  process.env['PATH'] = PATH
  if (TMPDIR === undefined) delete process.env['TMPDIR']
  else process.env['TMPDIR'] = TMPDIR
})

async function until(isSo: () => boolean): Promise<void> {
  const limit = clock.monotonicMs() + DEADLINE_MS
  while (!isSo()) {
    if (clock.monotonicMs() > limit) throw new Error('it did not happen')
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

const isGone = (folder: string): boolean =>
  !existsSync(`/proc/${readFileSync(join(folder, 'pid'), 'utf8').trim()}`)

t.test('while it plays nothing lies about that a killed box would leave', async t => {
  const folder = t.testdir({ temporary: {} })
  place(folder, 'for last; do :; done; exec cat "$last" > /dev/null')
  const sound = new Aplay(clock, 'default')
  await sound.start()
  t.same(readdirSync(join(folder, 'temporary')), [])
  t.ok(sound.write(new Float32Array(480)) > 0)
  await sound.stop()
  t.ok(isGone(folder))
})

t.test('a player that never takes anything is an error, and is not left behind', async t => {
  const folder = t.testdir({ temporary: {} })
  place(folder, `${STUBBORN}; while :; do sleep 0.2; done`)
  const sound = new Aplay(clock, 'default')
  await t.rejects(sound.start(), { code: 'device.absent' })
  await until(() => isGone(folder))
  t.same(readdirSync(join(folder, 'temporary')), [])
})

t.test('a player that hangs up and does not end is not left behind', async t => {
  const folder = t.testdir({ temporary: {} })
  place(folder, `${STUBBORN}; exec 3<"$last"; exec 3<&-; while :; do sleep 0.2; done`)
  const sound = new Aplay(clock, 'default')
  let losses = 0
  sound.onLost(() => losses++)
  await sound.start()
  await until(() => {
    sound.write(new Float32Array(480))
    return losses > 0
  })
  await until(() => isGone(folder))
})

t.test('without room for its pipe it is a device that does not work, not a fault', async t => {
  const folder = t.testdir({})
  place(folder, 'exit 1')
  await t.rejects(new Aplay(clock, 'default').start(), { code: 'device.absent', message: /ENOENT/ })
})
