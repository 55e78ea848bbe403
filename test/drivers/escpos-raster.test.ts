import fc from 'fast-check'
import t from 'tap'
import { enlarged, hasRealTime, rasterBands, withoutRealTime } from '../../drivers/escpos-raster.js'
import type { Bitmap } from '../../runtime/ports/ticket.js'

/** `#` is black. */
function drawn(...lines: readonly string[]): Bitmap {
  const width = lines[0]?.length ?? 0
  const rowBytes = Math.ceil(width / 8)
  const rows = new Uint8Array(rowBytes * lines.length)
  for (const [y, line] of lines.entries())
    for (const [x, sign] of [...line].entries())
      if (sign === '#')
        rows[y * rowBytes + (x >> 3)] = (rows[y * rowBytes + (x >> 3)] ?? 0) | (0x80 >> (x & 7))
  return { width, height: lines.length, rows }
}

t.test(
  'a bitmap stands so many dots from the edge, and what is beyond its width is nothing',
  async t => {
    const bitmap = { ...drawn('#.#'), rows: Uint8Array.of(0b1011_1111) }
    const bytesAt = (left: number): number[] => [...(rasterBands(bitmap, left)[0] ?? [])].slice(4)
    t.same(bytesAt(0), [1, 0, 1, 0, 0b1010_0000])
    t.same(bytesAt(3), [1, 0, 1, 0, 0b0001_0100])
    t.same(bytesAt(6), [2, 0, 1, 0, 0b0000_0010, 0b1000_0000])
    t.same(bytesAt(16), [3, 0, 1, 0, 0, 0, 0b1010_0000])
  },
)

t.test('bands have at most 64 rows, and all rows are in them', async t => {
  const bitmap = {
    width: 8,
    height: 130,
    rows: Uint8Array.from({ length: 130 }, (_, y) => y | 0x80),
  }
  const bands = rasterBands(bitmap, 0)
  t.same(
    bands.map(band => [...band.subarray(0, 8)]),
    [64, 64, 2].map(rows => [0x1d, 0x76, 0x30, 0, 1, 0, rows, 0]),
  )
  t.same(
    bands.flatMap(band => [...band.subarray(8)]),
    [...bitmap.rows],
  )
})

t.test('a module becomes a square of dots, a bar as high as is asked for', async t => {
  t.same(
    enlarged(drawn('#.', '.#'), { dotWidth: 3, dotHeight: 2 }),
    drawn('###...', '###...', '...###', '...###'),
  )
  t.same(enlarged(drawn('##.#'), { dotWidth: 1, dotHeight: 3 }), drawn('##.#', '##.#', '##.#'))
})

t.test('no dots make a printer answer, clear its buffers or open the drawer', async t => {
  for (const second of [0x04, 0x05, 0x14]) {
    const bytes = Uint8Array.of(0x10, 0x10, second, 0x10, second)
    t.ok(hasRealTime(bytes))
    withoutRealTime(bytes)
    t.same([...bytes], [0x10, 0x18, second, 0x18, second])
  }
  // Bytes that are often the dangerous ones.
  const byte = fc.oneof(fc.constantFrom(0x10, 0x04, 0x05, 0x14), fc.integer({ min: 0, max: 255 }))
  let dangerCount = 0
  const holds = fc.property(
    fc.array(byte, { minLength: 300, maxLength: 300 }),
    fc.integer({ min: 0, max: 20 }),
    (dots, left) => {
      const bitmap = { width: 24, height: 100, rows: Uint8Array.from(dots) }
      if (hasRealTime(bitmap.rows)) dangerCount++
      return rasterBands(bitmap, left).every(band => !hasRealTime(band))
    },
  )
  t.doesNotThrow(() => fc.assert(holds, { numRuns: 200 }))
  t.ok(dangerCount > 100, `${dangerCount} pictures were dangerous`)
})

t.test('not one dot is lost to that, and few are added', async t => {
  const holds = fc.property(fc.uint8Array({ minLength: 64, maxLength: 64 }), dots => {
    const safe = Uint8Array.from(dots)
    withoutRealTime(safe)
    return dots.every((before, at) => {
      const after = safe[at] ?? 0
      return (before & after) === before && ((after ^ before) & ~0x08) === 0
    })
  })
  t.doesNotThrow(() => fc.assert(holds))
})
