import { pathToFileURL } from 'node:url'
import t from 'tap'

interface BoxTime {
  forget(): void
  hear(boxMs: number, nowMs: number): void
  read(nowMs: number): number | null
}

const path = 'runtime/gateways/page/assets/box-time.js'
const page: { readonly BoxTime: new () => BoxTime } = await import(pathToFileURL(path).href)

t.test(
  'the page does not know the clock of the box before it was told, or after a break',
  async t => {
    const time = new page.BoxTime()
    t.equal(time.read(100), null)
    time.hear(5_000, 100)
    t.equal(time.read(150), 5_050)
    time.forget()
    t.equal(time.read(200), null)
  },
)

t.test('the word that came fastest counts', async t => {
  const time = new page.BoxTime()
  time.hear(5_000, 300)
  time.hear(5_100, 110)
  t.equal(time.read(110), 5_100, 'the second was faster')
  time.hear(5_100, 4_110)
  const known = time.read(4_110) ?? 0
  t.ok(known > 9_090 && known <= 9_100, `a word that was held back changes little: ${known}`)
})

t.test('two clocks that drift apart are never far apart', async t => {
  const time = new page.BoxTime()
  // The clock of the box runs 100 ppm slow: 2.9 s in a working day.
  for (let now = 0; now <= 8 * 3_600_000; now += 5_000) time.hear(now * 0.9999, now)
  const last = 8 * 3_600_000
  const error = (time.read(last) ?? 0) - last * 0.9999
  t.ok(Math.abs(error) < 10, `${error} ms`)
})
