/** Sound that a child hears for us; programs that stand in for ALSA's, which needs a card. */
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { LinuxClock, ownAnchor } from '../../../drivers/linux/clock.js'
import { RecordedSound } from '../../../drivers/linux/recorded-sound.js'

const DEADLINE_MS = 30_000
const clock = new LinuxClock(ownAnchor())

function sound(folder: string, script: string): RecordedSound {
  const program = join(folder, 'recorder')
  writeFileSync(program, `#!/bin/sh\n${script}\n`)
  chmodSync(program, 0o755)
  return new RecordedSound(clock, { device: 'hw:9', sampleRate: 48_000, program })
}

async function until(isSo: () => boolean): Promise<void> {
  const limit = clock.monotonicMs() + DEADLINE_MS
  while (!isSo()) {
    if (clock.monotonicMs() > limit) throw new Error('it did not happen')
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

t.test('samples are the same in whatever pieces their bytes come', async t => {
  const input = sound(
    t.testdir(),
    `printf '\\001\\000\\002'; sleep 0.2; printf '\\200\\377'; exec sleep 60`,
  )
  const heard: number[] = []
  input.onBlock(({ samples }) => heard.push(...samples))
  await input.open()
  await until(() => heard.length >= 2)
  t.same(heard, [1, -32_766])
  await input.close()
})

t.test(
  'what the program says when it ends is why the sound is lost; then it may be opened again',
  async t => {
    const input = sound(t.testdir(), 'echo "arecord: main:831: audio open error" >&2; exit 1')
    const lost: string[] = []
    input.onLost(why => lost.push(why.message))
    await input.open()
    await until(() => lost.length > 0)
    t.match(lost[0], /hw:9: arecord: main:831: audio open error/)
    await input.open()
    await until(() => lost.length > 1)
    await input.close()
    t.equal(lost.length, 2)
  },
)

t.test('who closes it is not told of a loss, and no child is left', async t => {
  const folder = t.testdir()
  const input = sound(folder, `echo $$ > ${folder}/pid; exec sleep 60`)
  let lost = 0
  input.onLost(() => lost++)
  await input.open()
  await t.rejects(input.open(), { code: 'device.busy' })
  await input.close()
  await input.close()
  t.equal(lost, 0)
})

t.test('a program that is not there is an absent device', async t => {
  const input = new RecordedSound(clock, {
    ...{ device: 'default', sampleRate: 48_000, program: '/nowhere/arecord' },
  })
  await t.rejects(input.open(), { code: 'device.absent' })
})
