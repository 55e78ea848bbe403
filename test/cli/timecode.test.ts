/** The tools around timecode, as a technician uses them. */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { exitCodes } from '../../runtime/cli/failure.js'
import { paintFor } from '../../runtime/cli/terminal.js'
import { timecodeText } from '../../runtime/cli/timecode.js'
import { type Generated, generateLtc, readLtc } from '../../runtime/cli/timecode-files.js'

const paint = paintFor({ write() {}, writeError() {}, isColour: false })

const make = (file: string, changes = {}): Promise<Generated> =>
  generateLtc({
    rate: '25',
    start: '10:00:00:00',
    seconds: 2,
    sampleRate: 48_000,
    file,
    ...changes,
  })

t.test('what is generated is read again, to its last frame', async t => {
  const folder = t.testdir()
  for (const [rate, start, last, count] of [
    ['24', '23:59:59:00', '00:00:00:23', 48],
    ['25', '10:00:00:00', '10:00:01:24', 50],
    ['29.97df', '10:00:59;00', '10:01:01;01', 60],
    ['30', '00:00:00:00', '00:00:01:29', 60],
  ] as const) {
    const file = join(folder, 'ltc.wav')
    t.match(await make(file, { rate, start }), { from: start, to: last, frameCount: count })
    const [only, ...others] = await readLtc(file, 1)
    t.same(others, [], rate)
    t.match(only, { rate, from: start, to: last, frameCount: count, isReverse: false }, rate)
    t.ok(Math.abs((only?.speed ?? 0) - 1) < 1e-4)
  }
})

t.test('a file of two channels is read by the channel that is named', async t => {
  const file = join(t.testdir(), 'ltc.wav')
  await make(file)
  const mono = readFileSync(file)
  const stereo = Buffer.alloc(44 + 2 * (mono.length - 44))
  mono.copy(stereo, 0, 0, 44)
  stereo.writeUInt16LE(2, 22)
  stereo.writeUInt32LE(stereo.length - 44, 40)
  for (let at = 44; at < mono.length; at += 2) mono.copy(stereo, 44 + 2 * (at - 44) + 2, at, at + 2)
  writeFileSync(file, stereo)
  t.same(await readLtc(file, 1), [])
  t.equal((await readLtc(file, 2))[0]?.frameCount, 50)
  await t.rejects(readLtc(file, 3), /has 2 channels/)
})

t.test('what is no sound file, or no frame, is said so', async t => {
  const folder = t.testdir({ 'x.wav': 'RIFF', 'y.wav': `RIFF....WAVEfmt ${'\0'.repeat(40)}` })
  await t.rejects(readLtc(join(folder, 'none.wav'), 1), /is not there/)
  await t.rejects(readLtc(join(folder, 'x.wav'), 1), /is not a WAV file/)
  await t.rejects(readLtc(join(folder, 'y.wav'), 1), /x|WAV|PCM/)
  await t.rejects(make(join(folder, 'z.wav'), { start: '10:00:00:27' }), /no frame at 25/)
})

t.test('what cannot be read, or takes nothing, is said so in words', async t => {
  const folder = t.testdir({ folder: {} })
  const pipe = join(folder, 'pipe')
  execFileSync('mkfifo', [pipe])
  for (const file of [join(folder, 'folder'), pipe])
    await t.rejects(readLtc(file, 1), { message: /is no file/, exitCode: exitCodes.usage })
  await t.rejects(make('/dev/full'), { message: /ENOSPC/, exitCode: exitCodes.usage })
})

t.test('the state is told in words', async t => {
  t.equal(timecodeText(null, paint), 'this box follows and sends no timecode\n')
  const text = timecodeText(
    {
      ...{ source: 'artnet', state: 'locked', isRunning: true, rate: '25', lostCount: 1 },
      ...{ position: '10:00:00:00', positionShowMs: 0, speed: 1.0001, jitterMs: 0.25 },
      ...{ jumpCount: 2, trouble: null },
      outputs: [{ kind: 'artnet', rate: '30', position: null, trouble: 'no route\u001b[2J' }],
    },
    paint,
  )
  t.match(text, /artnet, locked, 25/)
  t.match(text, /10:00:00:00, speed 100.010 %, jitter 0.25 ms/)
  t.match(text, /1 times, 2 jumps/)
  t.match(text, /artnet at 30, not running, no route/)
  t.notOk(text.includes('\u001b'))
})
