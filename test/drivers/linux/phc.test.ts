import t from 'tap'
import { momentOf, tightest } from '../../../drivers/linux/phc.js'
import { monotonicMs } from '../../../runtime/core/time.js'

/** `struct ptp_sys_offset`: five readings of the clock between six of the system's. */
function structure(times: readonly bigint[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(832))
  for (const [index, ns] of times.entries()) {
    view.setBigInt64(16 + index * 16, ns / 1_000_000_000n, true)
    view.setUint32(16 + index * 16 + 8, Number(ns % 1_000_000_000n), true)
  }
  return new Uint8Array(view.buffer)
}

t.test('of five readings the one between the nearest system times counts', async t => {
  const at = 1_790_000_000_999_999_000n
  const widths = [9_000n, 4_000n, 800n, 5_000n, 7_000n]
  const times = [at]
  let system = at
  for (const [index, width] of widths.entries()) {
    times.push(5_000_000_000n + BigInt(index))
    system += width
    times.push(system)
  }
  t.same(tightest(structure(times)), { phcNs: 5_000_000_002n, systemNs: at + 13_000n + 400n })
})

t.test('a moment is found along the line of the last seconds', async t => {
  const at = (second: number) => ({
    phcNs: BigInt(second) * 1_000_100_000n,
    at: monotonicMs(7_000 + second * 1_000),
  })
  t.equal(momentOf([], 5n), null)
  t.equal(momentOf([at(0)], 1_000_000n), 7_001, 'the rate is not known yet')
  const moment = momentOf([at(0), at(5), at(10)], BigInt(10.5 * 1_000_100_000)) ?? 0
  t.ok(Math.abs(moment - 17_500) < 1e-6, `100 ppm are taken into account: ${moment}`)
  const before = momentOf([at(0), at(10)], BigInt(9.9 * 1_000_100_000)) ?? 0
  t.ok(Math.abs(before - 16_900) < 1e-6)
})
