/** What every partition promises. Each test has an empty one of 8192 bytes. */
import { createHash } from 'node:crypto'
import type { Test } from 'tap'
import type { Partition } from '../../runtime/ports/partition.js'

const SIZE = 8192
const noHead = new Uint8Array()
const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

export function partitionContract(
  t: Test,
  makePartition: (t: Test, byteCount: number) => Partition,
): void {
  const promise = (name: string, prove: (t: Test, partition: Partition) => Promise<void>): void =>
    void t.test(name, async t => prove(t, makePartition(t, SIZE)))

  promise(
    'what was written and synced is read back, and what is around it stays',
    async (t, partition) => {
      t.equal(await partition.byteCount(), SIZE)
      const expected = new Uint8Array(SIZE)
      for (const [offset, count] of [
        [0, 10],
        [1000, 700],
        [8000, 192],
      ] as const) {
        const bytes = new Uint8Array(count).fill(count % 251)
        expected.set(bytes, offset)
        await partition.write(offset, bytes)
      }
      await partition.sync()
      t.equal(await partition.sha256({ byteCount: SIZE, head: noHead }), digest(expected))
      t.equal(
        await partition.sha256({ byteCount: 1500, head: noHead }),
        digest(expected.subarray(0, 1500)),
      )
      t.equal(await partition.byteCount(), SIZE)
    },
  )

  promise('a head counts in place of what is there', async (t, partition) => {
    await partition.write(0, new Uint8Array(SIZE).fill(7))
    await partition.sync()
    const expected = new Uint8Array(4000).fill(7).fill(9, 0, 512)
    const head = new Uint8Array(512).fill(9)
    t.equal(await partition.sha256({ byteCount: 4000, head }), digest(expected))
  })

  promise('nothing is written beyond its end', async (t, partition) => {
    await t.rejects(partition.write(SIZE - 1, new Uint8Array(2)), { code: 'storage.limit' })
    t.equal(await partition.byteCount(), SIZE)
  })
}
