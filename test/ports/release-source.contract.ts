import type { Test } from 'tap'
import { BoxError } from '../../runtime/core/errors.js'
import type { ReleaseSource } from '../../runtime/ports/release-source.js'

export interface SourceBench {
  readonly source: ReleaseSource
  /** Puts a file there; the name as a folder has it. */
  readonly put: (name: string, bytes: Uint8Array) => void
  /** The far side is gone. */
  readonly vanish: () => Promise<void>
}

export function releaseSourceContract(t: Test, makeBench: (t: Test) => Promise<SourceBench>): void {
  t.test('bytes come as they are, up to as many as were asked for', async t => {
    const { source, put } = await makeBench(t)
    const every = Uint8Array.from({ length: 100_000 }, (_, at) => at % 251)
    put('metadata/1.root.json', every)
    put('empty', new Uint8Array())
    t.same(await source.fetch('metadata/1.root.json', 100_000), every)
    t.same(await source.fetch('empty', 0), new Uint8Array())
    await rejectsWith(t, source.fetch('metadata/1.root.json', 99_999), 'trust.limit')
    await rejectsWith(t, source.fetch('metadata/1.root.json', 0), 'trust.limit')
  })

  t.test('names are encoded as in an address', async t => {
    const { source, put } = await makeBench(t)
    put('targets/a b/ü?#%.json', Uint8Array.of(1))
    t.same(await source.fetch('targets/a%20b/%C3%BC%3F%23%25.json', 10), Uint8Array.of(1))
  })

  t.test('what is not there is null', async t => {
    const { source, put } = await makeBench(t)
    put('a/b', Uint8Array.of(1))
    for (const path of ['c', 'a/c', 'a/b/c', 'x'.repeat(300), '%00', 'a%2Fb'])
      t.equal(await source.fetch(path, 10), null, path)
  })

  t.test('a source that is gone is `link.down`', async t => {
    const { source, put, vanish } = await makeBench(t)
    put('a', Uint8Array.of(1))
    await vanish()
    await rejectsWith(t, source.fetch('a', 10), 'link.down')
  })
}

export async function rejectsWith(t: Test, work: Promise<unknown>, code: string): Promise<void> {
  const thrown: unknown = await work.then(
    () => null,
    (error: unknown) => error,
  )
  t.ok(thrown instanceof BoxError && thrown.code === code, `${String(thrown)} is ${code}`)
}
