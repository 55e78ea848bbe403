/** A raw MIDI port, for which a named pipe stands in: no card is needed. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { LinuxClock, ownAnchor } from '../../../drivers/linux/clock.js'
import { LinuxTimecodeLinks } from '../../../drivers/linux/timecode-links.js'

const DEADLINE_MS = 20_000

t.test('bytes come as they are, and who is not there is absent', async t => {
  const path = join(t.testdir(), 'midi')
  execFileSync('mkfifo', [path])
  const clock = new LinuxClock(ownAnchor())
  const links = new LinuxTimecodeLinks(clock)
  const port = links.midi(path)
  const heard: number[] = []
  port.onBytes(bytes => heard.push(...bytes))
  await port.open()
  writeFileSync(path, Uint8Array.of(0xf1, 0x08, 0xf8, 0xf1, 0x11))
  const limit = clock.monotonicMs() + DEADLINE_MS
  while (heard.length < 5 && clock.monotonicMs() < limit)
    await new Promise(resolve => setTimeout(resolve, 5))
  t.same(heard, [0xf1, 0x08, 0xf8, 0xf1, 0x11])
  await port.close()
  await t.rejects(links.midi(`${path}-none`).open(), { code: 'device.absent' })
})
