/** What every PWM output promises, whether made of memory or of files of the kernel. */
import type { Test } from 'tap'
import type { PwmOutput } from '../../runtime/ports/host.js'

export interface PwmBench {
  /** A handle of the same output as the host gives it out. */
  output(): PwmOutput
  /** What a meter on the pin shows: the share of the time that it is active. */
  duty(): number
  frequencyHz(): number
  /** The process can no longer drive its outputs: it is dead or hangs, and somebody has stood in for it. */
  fallSilent(): void
}

export function pwmContract(t: Test, makeBench: (t: Test) => PwmBench): void {
  t.test('an output opens at its frequency with a duty of zero', async t => {
    const bench = makeBench(t)
    await bench.output().open(1000)
    t.equal(bench.frequencyHz(), 1000)
    t.equal(bench.duty(), 0)
  })

  t.test(
    'a duty is set at once, and what is out of range is the nearest that is in it',
    async t => {
      const bench = makeBench(t)
      const output = bench.output()
      await output.open(1000)
      const seen: number[] = []
      for (const duty of [0.25, 1, 0.001, 0, 2, -1, 0.5]) {
        output.setDuty(duty)
        seen.push(bench.duty())
      }
      t.same(seen, [0.25, 1, 0.001, 0, 1, 0, 0.5])
    },
  )

  t.test('an output that is taken is refused as busy, and goes on as it was', async t => {
    const bench = makeBench(t)
    const output = bench.output()
    await output.open(1000)
    output.setDuty(0.5)
    await t.rejects(bench.output().open(2000), { code: 'device.busy' })
    t.equal(bench.frequencyHz(), 1000)
    t.equal(bench.duty(), 0.5)
  })

  t.test('a closed output is dark, refuses a duty, and may be opened again', async t => {
    const bench = makeBench(t)
    const output = bench.output()
    await output.open(1000)
    output.setDuty(0.5)
    await output.close()
    await output.close()
    t.equal(bench.duty(), 0)
    t.throws(() => output.setDuty(1), { code: 'device.absent' })
    await output.open(2000)
    t.equal(bench.frequencyHz(), 2000)
    t.equal(bench.duty(), 0)
  })

  t.test('an output whose process no longer drives it is dark', async t => {
    const bench = makeBench(t)
    const output = bench.output()
    await output.open(1000)
    output.setDuty(0.5)
    bench.fallSilent()
    t.equal(bench.duty(), 0)
    output.setDuty(0.25)
    t.equal(bench.duty(), 0.25, 'and may be driven again by a process that comes back')
    await output.close()
    bench.fallSilent()
    t.equal(bench.duty(), 0)
  })

  t.test('a frequency from 1 to 100000 Hz is possible, and no other', async t => {
    const bench = makeBench(t)
    const output = bench.output()
    for (const frequencyHz of [0, 0.5, 100_001, Number.NaN])
      await t.rejects(output.open(frequencyHz), { code: 'device.limit' })
    for (const frequencyHz of [1, 100_000]) {
      await output.open(frequencyHz)
      t.equal(bench.frequencyHz(), frequencyHz)
      await output.close()
    }
  })
}
