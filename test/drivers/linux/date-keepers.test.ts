import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { errorMsIn, LinuxDateKeepers } from '../../../drivers/linux/date-keepers.js'

function timex(isWide: boolean, status: number, maxErrorMicroseconds: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(208))
  view.setUint32(isWide ? 24 : 12, maxErrorMicroseconds, true)
  view.setInt32(isWide ? 40 : 20, status, true)
  return new Uint8Array(view.buffer)
}

t.test('the kernel says whether somebody keeps its date right, and how right', async t => {
  for (const isWide of [true, false]) {
    t.equal(errorMsIn(timex(isWide, 0x2001, 12_500), isWide), 12.5)
    t.equal(errorMsIn(timex(isWide, 0x2041, 12_500), isWide), null, 'STA_UNSYNC')
    t.equal(errorMsIn(timex(isWide, 0x40, 16_000_000), isWide), null)
  }
})

t.test('this machine answers', async t => {
  const errorMs = await new LinuxDateKeepers().systemErrorMs()
  t.ok(errorMs === null || (errorMs >= 0 && errorMs <= 17_000), `${errorMs}`)
})

t.test(
  'a clock with a battery is read to the second; none, or one without a date, is null',
  async t => {
    const folder = t.testdir()
    const file = join(folder, 'since_epoch')
    t.equal(await new LinuxDateKeepers(file).rtcMs(), null)
    for (const [text, ms] of [
      ['1795372842\n', 1_795_372_842_000],
      ['0\n', null],
      ['', null],
      ['soon', null],
    ] as const) {
      writeFileSync(file, text)
      t.equal(await new LinuxDateKeepers(file).rtcMs(), ms, text)
    }
  },
)
