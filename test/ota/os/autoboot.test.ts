import t from 'tap'
import { wantedPartition } from '../../../drivers/simulated/firmware.js'
import { digitOf, parseAutoboot } from '../../../ota/os/autoboot.js'
import { ascii, autobootText } from './os-world.js'

t.test('both choices are found, and where their digits stand', async t => {
  const text = autobootText(2, 3)
  const { usual, trial } = parseAutoboot(ascii(text))
  t.same([usual.partition, trial.partition], [2, 3])
  t.same([text[usual.offset], text[trial.offset]], ['2', '3'])
})

t.test('lines of Windows, and lines before any heading, are read as well', async t => {
  const text =
    'boot_partition=5\r\ntryboot_a_b=1\r\n[none]\r\nboot_partition=9\r\n[tryboot]\r\nboot_partition=6\r\n'
  const { usual, trial } = parseAutoboot(ascii(text))
  t.same([usual.partition, trial.partition], [5, 6])
  t.same([text[usual.offset], text[trial.offset]], ['5', '6'])
})

t.test('what the firmware may read in another way is not used', async t => {
  const good = autobootText(2, 3)
  const cases: readonly [string | null, RegExp][] = [
    [null, /there is none/],
    ['', /tryboot_a_b/],
    [good.replace('tryboot_a_b=1\n', ''), /tryboot_a_b/],
    [good.replace('tryboot_a_b=1', 'tryboot_a_b=0'), /tryboot_a_b/],
    [good.replace('boot_partition=2', 'boot_partition=12'), /number from 1 to 9/],
    [good.replace('boot_partition=2', 'boot_partition=0'), /number from 1 to 9/],
    [good.replace('boot_partition=2', 'boot_partition = 2'), /one line with boot_partition/],
    [good.replace('[tryboot]', '[none]'), /\[tryboot\] must have one line/],
    [`${good}boot_partition=2\n`, /\[tryboot\] must have one line/],
    [`${good}[all]\nboot_partition=2\n`, /\[all\] must have one line/],
    ['[tryboot]\nboot_partition=3\n[all]\ntryboot_a_b=1\nboot_partition=2\n', /after \[all\]/],
    [`${good}# ${'x'.repeat(512)}`, /more than 512/],
    [`${good}# ä`, /ASCII/],
  ]
  for (const [text, message] of cases)
    t.throws(
      () => parseAutoboot(text === null ? null : ascii(text)),
      { code: 'os.unsupported', message },
      JSON.stringify(text),
    )
  t.throws(() => digitOf(10), { code: 'os.unsupported' })
})

t.test(
  'a firmware that reads by itself sees the same, before and after a digit is changed',
  async t => {
    for (const [usual, trial] of [
      [2, 2],
      [2, 3],
      [3, 3],
      [3, 2],
    ] as const) {
      const bytes = ascii(autobootText(2, 2))
      const places = parseAutoboot(bytes)
      bytes.set(digitOf(usual), places.usual.offset)
      bytes.set(digitOf(trial), places.trial.offset)
      const text = new TextDecoder().decode(bytes)
      t.equal(text, autobootText(usual, trial))
      t.equal(wantedPartition(text, false), usual)
      t.equal(wantedPartition(text, true), trial)
    }
  },
)
