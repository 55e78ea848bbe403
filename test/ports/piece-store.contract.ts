/** What every store of pieces promises. Each test has an empty one of its own. */
import { createHash } from 'node:crypto'
import type { Test } from 'tap'
import type { PieceStore } from '../../runtime/ports/piece-store.js'

const NAME = 'a'.repeat(64)
const OTHER = '0123456789abcdef'.repeat(4)

export function pieceStoreContract(t: Test, makeStore: (t: Test) => PieceStore): void {
  const promise = (name: string, prove: (t: Test, store: PieceStore) => Promise<void>): void =>
    void t.test(name, async t => prove(t, makeStore(t)))

  promise('an empty store has nothing, and room', async (t, store) => {
    t.same(await store.list(), [])
    t.ok((await store.freeByteCount()) > 0)
  })

  promise('what was written is read back, in whatever order', async (t, store) => {
    const file = await store.open(NAME)
    await file.write(6, Uint8Array.of(6, 7))
    await file.write(0, Uint8Array.of(1, 2))
    t.same(Uint8Array.from(await file.read(0, 8)), Uint8Array.of(1, 2, 0, 0, 0, 0, 6, 7))
    t.same(Uint8Array.from(await file.read(6, 100)), Uint8Array.of(6, 7), 'less at the end')
    t.equal((await file.read(8, 5)).length, 0)
    await file.sync()
    await file.close()
    t.match(await store.list(), [{ sha256: NAME, byteCount: 8 }])
    t.ok((await store.list()).every(({ heldByteCount }) => heldByteCount > 0))
    const again = await store.open(NAME)
    t.same(Uint8Array.from(await again.read(0, 2)), Uint8Array.of(1, 2))
    await again.close()
  })

  promise('its hash is that of so many bytes', async (t, store) => {
    const file = await store.open(NAME)
    const bytes = new Uint8Array(3_000_000).map((_, index) => index % 251)
    await file.write(0, bytes)
    for (const count of [0, 1, 2_999_999, 3_000_000]) {
      const right = createHash('sha256').update(bytes.subarray(0, count)).digest('hex')
      t.equal(await file.sha256Hex(count), right)
    }
    await file.close()
  })

  promise('a removed object is gone, and removing it again does no harm', async (t, store) => {
    for (const name of [NAME, OTHER]) {
      const file = await store.open(name)
      await file.write(0, Uint8Array.of(1))
      await file.close()
    }
    await store.remove(NAME)
    await store.remove(NAME)
    const left = await store.list()
    t.same(
      left.map(({ sha256, byteCount }) => `${sha256} ${byteCount}`),
      [`${OTHER} 1`],
    )
  })

  promise('a name that is no hash is a defect of the caller', async (t, store) => {
    for (const name of ['', '../x', 'A'.repeat(64), `${NAME}/x`]) {
      await t.rejects(store.open(name))
      await t.rejects(store.remove(name))
    }
  })
}
