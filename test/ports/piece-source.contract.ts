/** What every source of pieces promises. Each has one object, of three pieces and a bit. */
import type { Test } from 'tap'
import type { PieceAsk, PieceSource } from '../../runtime/ports/piece-source.js'
import { randomObject } from '../ota/fetch/objects.js'

export const contractObject = randomObject(3 * 262_144 + 77, 5)
const { object, bytes } = contractObject

export const askOf = (first: number, count: number): PieceAsk => ({
  target: object.target,
  sha256: object.sha256,
  byteCount: object.byteCount,
  pieceByteCount: object.pieceByteCount,
  from: first * object.pieceByteCount,
  to: Math.min(object.byteCount, (first + count) * object.pieceByteCount),
})

export interface Given {
  readonly bytes: Buffer
  /** Of the first byte. */
  readonly at: number
}

/** Everything that a source gives for an ask, as one; the bytes have to follow each other. */
export async function givenBy(source: PieceSource, ask: PieceAsk): Promise<Given> {
  const parts: Buffer[] = []
  let [first, next] = [-1, -1]
  const { done } = source.ask(ask, async (at, part) => {
    if (first < 0) [first, next] = [at, at]
    if (at !== next) throw new Error(`${at} comes after ${next}`)
    next += part.length
    parts.push(Buffer.from(part))
    return true
  })
  await done
  return { at: first, bytes: Buffer.concat(parts) }
}

export function pieceSourceContract(t: Test, makeSource: (t: Test) => Promise<PieceSource>): void {
  const promise = (name: string, prove: (t: Test, source: PieceSource) => Promise<void>): void =>
    void t.test(name, async t => prove(t, await makeSource(t)))

  promise('it gives what is asked, the last piece too', async (t, source) => {
    for (const [first, count] of [
      [0, 1],
      [1, 2],
      [3, 1],
      [0, 4],
    ] as const) {
      const ask = askOf(first, count)
      const given = await givenBy(source, ask)
      t.equal(given.at, ask.from)
      t.ok(given.bytes.equals(bytes.subarray(ask.from, ask.to)), `${first} ${count}`)
    }
  })

  promise('it stops when no more is wanted', async (t, source) => {
    let calls = 0
    const { done } = source.ask(askOf(0, 4), async () => {
      calls++
      return false
    })
    await done
    t.equal(calls, 1)
  })

  promise('it stops when it is cancelled', async (t, source) => {
    let calls = 0
    const transfer = source.ask(askOf(0, 4), async () => {
      if (++calls === 1) transfer.cancel()
      return true
    })
    await transfer.done
    t.equal(calls, 1)
    const early = source.ask(askOf(0, 4), async () => true)
    early.cancel()
    await early.done
  })

  promise('what the taker throws comes out as it is', async (t, source) => {
    const defect = new Error('a defect')
    const { done } = source.ask(askOf(0, 1), () => Promise.reject(defect))
    await t.rejects(done, defect)
  })

  promise('an object that it has not got is absent', async (t, source) => {
    const sha256 = 'f'.repeat(64)
    const ask = { ...askOf(0, 1), sha256, target: `objects/${sha256}.full` }
    await t.rejects(givenBy(source, ask), { code: 'fetch.absent' })
  })
}
