import t from 'tap'
import {
  colorOfHue,
  readColor,
  readDurationMs,
  readInput,
  readLevel,
  readMomentMs,
  readOut,
} from '../../../runtime/services/show/words.js'

t.test('durations carry their unit', async t => {
  const table: [string, number | null][] = [
    ['1.5s', 1500],
    ['200ms', 200],
    ['2m', 120_000],
    ['1h', 3_600_000],
    ['0s', 0],
    ['0.0004s', 0],
    ['5', null],
    ['-1s', null],
    ['1,5s', null],
    ['1e3s', null],
    ['1s ', null],
    ['9999999999s', null],
  ]
  for (const [text, ms] of table) t.equal(readDurationMs(text), ms, text)
})

t.test('levels are percent, on or off', async t => {
  const table: [string, number | null][] = [
    ['40%', 0.4],
    ['0%', 0],
    ['100%', 1],
    ['12.5%', 0.125],
    ['on', 1],
    ['off', 0],
    ['101%', null],
    ['40', null],
    ['true', null],
  ]
  for (const [text, level] of table) t.equal(readLevel(text), level, text)
})

t.test('colors are six hexadecimal digits or a hue', async t => {
  t.same(readColor('#ff0080'), [1, 0, 128 / 255])
  t.equal(readColor('#ff008'), null)
  t.equal(readColor('red'), null)
  t.same(colorOfHue(0), [1, 0, 0])
  t.same(colorOfHue(60), [1, 1, 0])
  t.same(colorOfHue(120), [0, 1, 0])
  t.same(colorOfHue(240), [0, 0, 1])
  t.same(colorOfHue(360), [1, 0, 0])
})

t.test('a moment names its offset from UTC', async t => {
  const table: [string, number | null][] = [
    ['1970-01-01T00:00:00Z', 0],
    ['2027-03-01T20:00:00+01:00', 1_803_927_600_000],
    ['2027-03-01T19:00:00Z', 1_803_927_600_000],
    ['2028-02-29T00:00:00.250-05:30', 1_835_415_000_250],
    ['2027-02-29T00:00:00Z', null],
    ['2027-13-01T00:00:00Z', null],
    ['2027-03-01T24:00:00Z', null],
    ['2027-03-01T20:00:00', null],
    ['2027-03-01 20:00:00Z', null],
    ['2027-03-01T20:00:00+15:00', null],
  ]
  for (const [text, ms] of table) t.equal(readMomentMs(text), ms, text)
})

t.test('moments agree with the calendar of the language over centuries', async t => {
  for (let day = 0; day < 366 * 300; day += 17) {
    const text = new Date(day * 86_400_000 + 3_723_000).toISOString().replace('.000', '')
    if (readMomentMs(text) !== Date.parse(text)) t.fail(text)
  }
  t.pass('all days agree')
})

t.test('an output names a device, its channels and perhaps its box', async t => {
  t.same(readOut('wash'), { box: null, device: 'wash', channels: null })
  t.same(readOut('wash#3'), { box: null, device: 'wash', channels: { first: 3, last: 3 } })
  t.same(readOut('wash#0..3'), { box: null, device: 'wash', channels: { first: 0, last: 3 } })
  t.same(readOut('box-2/wash#1')?.box, 'box-2')
  for (const wrong of ['', '#1', 'wash#', 'wash#3..1', 'wash#0...3', 'Wash', 'a/b/c', 'wash#1000'])
    t.equal(readOut(wrong), null, wrong)
})

t.test('a trigger names an input and what happens to it', async t => {
  t.same(readInput('go:press'), { box: null, input: 'go', event: 'press' })
  t.same(readInput('box-2/panic:long-press'), { box: 'box-2', input: 'panic', event: 'long-press' })
  for (const wrong of ['go', 'go:pressed', ':press', 'go:press:press', 'Go:press'])
    t.equal(readInput(wrong), null, wrong)
})
