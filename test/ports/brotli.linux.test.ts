/** What the apply leans on: a stream is pulled, never pushed, and whatever is no stream is told as such. */
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib'
import t from 'tap'
import { LinuxBrotli } from '../../drivers/linux/brotli.js'

const brotli = new LinuxBrotli()
const CHUNK_BYTES_MAX = 64 * 1024
const text = Buffer.from('lights, shutter, ticket. '.repeat(4_000))

/** Gives a stream in parts, and counts how many were asked for. */
function reading(packed: Uint8Array, partBytes: number) {
  let given = 0
  const reader = brotli.decompress(async () => {
    const part = packed.subarray(given * partBytes, (given + 1) * partBytes)
    if (part.length === 0) return null
    given++
    return part
  })
  return { reader, given: () => given }
}

async function readAll(packed: Uint8Array, partBytes: number): Promise<Buffer> {
  const { reader } = reading(packed, partBytes)
  const parts: Uint8Array[] = []
  try {
    for (let part = await reader.read(); part !== null; part = await reader.read())
      parts.push(Uint8Array.from(part))
  } finally {
    reader.close()
  }
  return Buffer.concat(parts)
}

t.test('what is packed is plain brotli, and comes out again from parts of any size', async t => {
  for (const [windowBits, quality] of [
    [10, 0],
    [22, 5],
    [24, 11],
  ] as const) {
    const packed = await brotli.compress(text, { windowBits, quality })
    t.equal(Buffer.compare(brotliDecompressSync(packed), text), 0)
    t.same(packed, await brotli.compress(text, { windowBits, quality }), 'the same bytes again')
    for (const partBytes of [1, 7, 16_384, packed.length])
      t.equal(Buffer.compare(await readAll(packed, partBytes), text), 0)
  }
  t.equal((await readAll(brotliCompressSync(new Uint8Array()), 10)).length, 0)
})

t.test('input is asked for only when nothing more can be made of what there is', async t => {
  const bomb = await brotli.compress(Buffer.alloc(16 * 1024 * 1024), { windowBits: 22, quality: 5 })
  const { reader, given } = reading(bomb, 16)
  for (let count = 0; count < 20; count++) {
    const chunk = await reader.read()
    t.ok((chunk?.length ?? 0) <= CHUNK_BYTES_MAX)
  }
  t.ok(given() <= 4, `${given()} parts for 20 chunks`)
  reader.close()
})

t.test('what is no stream, ends too early or goes on is told', async t => {
  const packed = brotliCompressSync(text)
  const spoilt = Uint8Array.from(packed)
  spoilt.fill(0xff, 20)
  for (const wrong of [
    new Uint8Array(),
    packed.subarray(0, packed.length - 1),
    Buffer.concat([packed, Uint8Array.of(1)]),
    spoilt,
  ])
    for (const partBytes of [7, 1 << 20])
      await t.rejects(readAll(wrong, partBytes), { code: 'release.invalid' })
})

t.test('what fails while input is fetched is heard by who reads', async t => {
  const reader = brotli.decompress(async () => {
    throw new RangeError('no such frame')
  })
  await t.rejects(reader.read(), { message: 'no such frame' })
  reader.close()
})
