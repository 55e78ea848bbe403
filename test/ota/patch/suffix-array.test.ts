import t from 'tap'
import { align, TEXT_COSTS } from '../../../ota/patch/alignment.js'
import { suffixArrayOf } from '../../../ota/patch/suffix-array.js'
import { randomFrom } from '../../../runtime/core/random.js'

const randomBytes = (random: () => number, byteCount: number, letters: number): Uint8Array =>
  Uint8Array.from({ length: byteCount }, () => random() * letters)

t.test('suffixes stand in the order in which sorting puts them', async t => {
  const random = randomFrom(1)
  let wrong = 0
  for (let count = 0; count < 2000; count++) {
    const letters = [1, 2, 3, 256][count % 4] ?? 2
    const bytes = randomBytes(random, Math.floor(random() * 60), letters)
    const sorted = [...bytes.keys()].sort((one, other) =>
      Buffer.compare(bytes.subarray(one), bytes.subarray(other)),
    )
    const suffixes = suffixArrayOf(bytes)
    if (sorted.some((place, index) => suffixes[index] !== place)) wrong++
  }
  t.equal(wrong, 0)
})

t.test('the segments make the new bytes, and read only what is complete', async t => {
  const random = randomFrom(2)
  for (let count = 0; count < 20; count++) {
    const old = randomBytes(random, 3000, 20)
    const middle = Math.floor(random() * 2000)
    const one = Uint8Array.from([
      ...old.subarray(middle),
      ...randomBytes(random, 200, 20),
      ...old.subarray(0, middle),
    ])
    const next = Uint8Array.from([...one, ...one])
    const files = [one.length, next.length].map(end => ({ end, costs: TEXT_COSTS }))
    const segments = align(old, next, files)
    let at = 0
    let literals = 0
    for (const { oldAt, byteCount } of segments) {
      if (oldAt < 0) literals += byteCount
      else t.same(tooFar({ at, oldAt, byteCount }, old.length, one.length), [], 'all is complete')
      at += byteCount
    }
    t.equal(at, next.length)
    t.ok(literals < 400, `${literals} new bytes`)
  }
})

/** Which of the bytes that a segment reads are not there yet when they are read: of two files as long, the first is. */
function tooFar(
  { at, oldAt, byteCount }: { at: number; oldAt: number; byteCount: number },
  oldByteCount: number,
  fileByteCount: number,
): number[] {
  return Array.from({ length: byteCount }, (_, index) => index).filter(
    index => oldAt + index >= oldByteCount + (at + index < fileByteCount ? 0 : fileByteCount),
  )
}
