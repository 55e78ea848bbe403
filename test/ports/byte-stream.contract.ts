/**
 * What every byte stream promises, whatever is at the far end. A bench is one cable with a far side that reads all it
 * gets, until told otherwise. Each test makes a bench of its own.
 */
import type { Test } from 'tap'
import { assert, DeviceError } from '../../runtime/core/errors.js'
import type { ByteStream } from '../../runtime/ports/host.js'

export interface ByteStreamBench {
  /** A new handle of the same cable. */
  stream(): ByteStream
  /** All that has arrived at the far side since the bench was made or the cable came back. */
  arrived(): Uint8Array
  setTaking(isTaking: boolean): void
  say(bytes: Uint8Array): Promise<void>
  /** The far side is gone, whatever was on its way. */
  vanish(): Promise<void>
  comeBack(): Promise<void>
  /** A far side that reads nothing is sent no more than so much. */
  readonly keptBytesMax: number
  /** Lets a little time pass. */
  pass(): Promise<void>
  close(): Promise<void>
}

const PASSES_MAX = 5000
/** More passes than anything that is already under way takes. */
const PASSES_ENOUGH = 30
const MEGABYTE = 1024 * 1024
const BLOCK_BYTES = 65_536

type Promised = (name: string, prove: (t: Test, bench: ByteStreamBench) => Promise<void>) => void

export function byteStreamContract(
  t: Test,
  makeBench: (t: Test) => Promise<ByteStreamBench> | ByteStreamBench,
): void {
  const promise: Promised = (name, prove) =>
    void t.test(name, async t => {
      const bench = await makeBench(t)
      t.teardown(() => bench.close())
      await prove(t, bench)
    })

  promise('bytes arrive as they are, in the order of the writes', async (t, bench) => {
    const { stream } = await opened(t, bench)
    const all = everyByte()
    const writes = [all, new Uint8Array(0), all.toReversed(), Uint8Array.of(1, 2, 3)]
    await within(bench, Promise.all(writes.map(bytes => stream.write(bytes))))
    const wanted = writes.flatMap(bytes => [...bytes])
    await until(bench, () => bench.arrived().length >= wanted.length)
    t.same([...bench.arrived()], wanted)
    t.equal(stream.takenBytes(), wanted.length)
  })

  promise('the caller may use its bytes again at once', async (t, bench) => {
    const { stream } = await opened(t, bench)
    const bytes = Uint8Array.of(7, 7)
    const written = stream.write(bytes)
    bytes.fill(0)
    await within(bench, written)
    await until(bench, () => bench.arrived().length === 2)
    t.same([...bench.arrived()], [7, 7])
  })

  promise('a long write is whole at the far side', async (t, bench) => {
    const { stream } = await opened(t, bench)
    const bytes = pattern(0, 300_000)
    await within(bench, stream.write(bytes))
    t.equal(stream.takenBytes(), bytes.length)
    await until(bench, () => bench.arrived().length >= bytes.length)
    t.ok(isSame(bench.arrived(), bytes))
  })

  promise('what the far side says is heard in order, each byte once', async (t, bench) => {
    const { stream } = await opened(t, bench)
    const heard: number[] = []
    stream.onBytes(bytes => void heard.push(...bytes))
    const all = [...everyByte()]
    for (let at = 0; at < all.length; at += 50)
      await bench.say(Uint8Array.from(all.slice(at, at + 50)))
    await until(bench, () => heard.length >= all.length)
    await settled(bench)
    t.same(heard, all)
  })

  promise(
    'what was said before anybody listens is kept for the first who does',
    async (t, bench) => {
      const { stream } = await opened(t, bench)
      await bench.say(Uint8Array.of(1, 2))
      await settled(bench)
      const heard: number[] = []
      stream.onBytes(bytes => void heard.push(...bytes))
      t.same(heard, [], 'not before the call has returned')
      await bench.say(Uint8Array.of(3))
      await until(bench, () => heard.length >= 3)
      t.same(heard, [1, 2, 3])
    },
  )

  promise('a far side that takes nothing is waited for, and gets everything', async (t, bench) => {
    const { stream } = await opened(t, bench)
    bench.setTaking(false)
    const { askedBytes, takenBytes, waiting } = await filled(bench, stream)
    t.ok(takenBytes < askedBytes)
    t.ok(takenBytes >= bench.arrived().length)
    bench.setTaking(true)
    t.equal(await within(bench, waiting), 'ok')
    t.equal(stream.takenBytes(), askedBytes)
    await until(bench, () => bench.arrived().length >= askedBytes)
    t.ok(isSame(bench.arrived(), pattern(0, askedBytes)))
  })

  promise('a megabyte waits, and no more', async (t, bench) => {
    const { stream } = await opened(t, bench)
    bench.setTaking(false)
    const refused = await codeOf(stream.write(new Uint8Array(MEGABYTE + 1)))
    t.equal(refused, 'device.limit')
    const first = codeOf(stream.write(new Uint8Array(MEGABYTE)))
    t.equal(await codeOf(stream.write(new Uint8Array(MEGABYTE))), 'device.limit')
    await stream.close()
    t.equal(await first, 'device.absent')
  })

  promise('closing ends a write that waits, and drops what it had left', async (t, bench) => {
    const { stream, lost } = await opened(t, bench)
    bench.setTaking(false)
    const { takenBytes, waiting } = await filled(bench, stream)
    const next = codeOf(stream.write(Uint8Array.of(1)))
    await stream.close()
    await stream.close()
    t.same(await Promise.all([waiting, next]), ['device.absent', 'device.absent'])
    bench.setTaking(true)
    await settled(bench)
    t.equal(stream.takenBytes(), takenBytes)
    t.ok(bench.arrived().length <= takenBytes)
    t.same(lost, [])
    t.equal(await codeOf(stream.write(Uint8Array.of(1))), 'device.absent')
  })

  promise('nothing can be written before it is opened', async (t, bench) => {
    t.equal(await codeOf(bench.stream().write(Uint8Array.of(1))), 'device.absent')
  })

  promise('one handle has it open at a time, and the next one begins afresh', async (t, bench) => {
    const { stream } = await opened(t, bench)
    const other = bench.stream()
    t.equal(await codeOf(other.open()), 'device.busy')
    t.equal(await codeOf(stream.open()), 'device.busy')
    await within(bench, stream.write(Uint8Array.of(1)))
    await until(bench, () => bench.arrived().length === 1)
    await stream.close()
    t.equal(await codeOf(other.open()), 'ok')
    t.equal(other.takenBytes(), 0)
    await within(bench, other.write(Uint8Array.of(2)))
    await until(bench, () => bench.arrived().length === 2)
    t.same([...bench.arrived()], [1, 2])
    await other.close()
  })

  promise('a far side that is gone is told once, and ends what waits', async (t, bench) => {
    const { stream, lost } = await opened(t, bench)
    bench.setTaking(false)
    const { takenBytes, waiting } = await filled(bench, stream)
    await bench.vanish()
    await until(bench, () => lost.length > 0)
    t.equal(await waiting, 'device.absent')
    t.equal(await codeOf(stream.write(Uint8Array.of(1))), 'device.absent')
    await settled(bench)
    t.equal(lost.length, 1)
    t.ok(lost[0] instanceof DeviceError)
    t.equal(stream.takenBytes(), takenBytes)
    await stream.close()
    await settled(bench)
    t.equal(lost.length, 1)
  })

  promise('a far side that is gone is told to an owner who only waits', async (t, bench) => {
    const { stream, lost } = await opened(t, bench)
    await bench.vanish()
    await until(bench, () => lost.length > 0)
    await settled(bench)
    t.equal(lost.length, 1)
    await stream.close()
  })

  promise('what the far side said last is heard before its loss', async (t, bench) => {
    const { stream } = await opened(t, bench)
    const told: string[] = []
    stream.onBytes(bytes => void told.push(`heard ${[...bytes].join(' ')}`))
    stream.onLost(() => void told.push('lost'))
    await bench.say(Uint8Array.of(9))
    await until(bench, () => told.length > 0)
    await bench.vanish()
    await until(bench, () => told.length > 1)
    t.same(told, ['heard 9', 'lost'])
  })

  promise('a loss after closing is nobody’s', async (t, bench) => {
    const { stream, lost } = await opened(t, bench)
    await stream.close()
    await bench.vanish()
    await settled(bench)
    t.same(lost, [])
  })

  promise('it opens again when the far side is back, and counts from nought', async (t, bench) => {
    const { stream, lost } = await opened(t, bench)
    await within(bench, stream.write(Uint8Array.of(1, 2, 3)))
    await until(bench, () => bench.arrived().length === 3)
    await bench.vanish()
    await until(bench, () => lost.length > 0)
    t.equal(stream.takenBytes(), 3)
    t.not(await codeOf(stream.open()), 'ok')
    await bench.comeBack()
    await reopened(bench, stream)
    t.equal(stream.takenBytes(), 0)
    await within(bench, stream.write(Uint8Array.of(4)))
    await until(bench, () => bench.arrived().length > 0)
    t.same([...bench.arrived()], [4])
    await bench.vanish()
    await until(bench, () => lost.length > 1)
    t.equal(lost.length, 2)
  })
}

/** A handle that is open, and what it told of losses. */
async function opened(
  t: Test,
  bench: ByteStreamBench,
): Promise<{ stream: ByteStream; lost: Error[] }> {
  const stream = bench.stream()
  const lost: Error[] = []
  stream.onLost(why => void lost.push(why))
  t.teardown(() => stream.close())
  await stream.open()
  return { stream, lost }
}

async function until(bench: ByteStreamBench, isTrue: () => boolean): Promise<void> {
  for (let passes = 0; passes < PASSES_MAX && !isTrue(); passes++) await bench.pass()
  assert(isTrue(), 'what was waited for happened')
}

/** Lets time pass until the work is done. */
async function within<T>(bench: ByteStreamBench, work: Promise<T>): Promise<T> {
  let isDone = false
  const note = (): void => {
    isDone = true
  }
  work.then(note, note)
  await until(bench, () => isDone)
  return work
}

async function settled(bench: ByteStreamBench): Promise<void> {
  for (let passes = 0; passes < PASSES_ENOUGH; passes++) await bench.pass()
}

/** Writes until nothing more is taken; the last write waits. */
async function filled(
  bench: ByteStreamBench,
  stream: ByteStream,
): Promise<{ askedBytes: number; takenBytes: number; waiting: Promise<string> }> {
  for (let askedBytes = 0; askedBytes <= bench.keptBytesMax; askedBytes += BLOCK_BYTES) {
    let isWaiting = true
    const waiting = codeOf(stream.write(pattern(askedBytes, BLOCK_BYTES)))
    void waiting.then(() => {
      isWaiting = false
    })
    let takenBytes = -1
    for (let idle = 0; isWaiting && idle < PASSES_ENOUGH; idle++) {
      if (takenBytes !== stream.takenBytes()) idle = 0
      takenBytes = stream.takenBytes()
      await bench.pass()
    }
    if (isWaiting) return { askedBytes: askedBytes + BLOCK_BYTES, takenBytes, waiting }
  }
  throw new Error(`more than ${bench.keptBytesMax} bytes are taken`)
}

/** A device file takes a moment to appear. */
async function reopened(bench: ByteStreamBench, stream: ByteStream): Promise<void> {
  for (let tries = 0; tries < PASSES_ENOUGH; tries++) {
    if ((await codeOf(stream.open())) === 'ok') return
    await settled(bench)
  }
  throw new Error('it does not open again')
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'ok',
    (error: unknown) => (error instanceof DeviceError ? error.code : String(error)),
  )
}

const everyByte = (): Uint8Array => Uint8Array.from({ length: 256 }, (_, value) => value)

/** What stands at `from` in a long text of which no two places within reach look alike. */
const pattern = (from: number, byteCount: number): Uint8Array =>
  Uint8Array.from(
    { length: byteCount },
    (_, at) => ((from + at) * 31 + ((from + at) >> 8) * 7) & 0xff,
  )

const isSame = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0

/** What a far side has got, however many pieces it came in. */
export class Arrived {
  #pieces: Uint8Array[] = []

  push(bytes: Uint8Array): void {
    this.#pieces.push(bytes)
  }

  all(): Uint8Array {
    if (this.#pieces.length > 1) this.#pieces = [Buffer.concat(this.#pieces)]
    return this.#pieces[0] ?? new Uint8Array(0)
  }

  clear(): void {
    this.#pieces = []
  }
}
