/** What every network promises to those who ask others for something. The bench has a far side that answers as told. */
import type { Test } from 'tap'
import { BoxError } from '../../runtime/core/errors.js'
import type { HttpRequest, Network } from '../../runtime/ports/network.js'

export interface NetworkBench {
  readonly network: Network
  /** Where somebody answers with the status that was asked for. */
  answering(status: number): Promise<string>
  /** Where a request arrives and no answer comes. */
  silent(): Promise<string>
  /** Where nobody listens. */
  absent(): Promise<string>
  /** Lets so much time pass, in whichever way time passes here. */
  pass(durationMs: number): Promise<void>
}

export function networkContract(t: Test, makeBench: (t: Test) => NetworkBench): void {
  t.test('a request resolves with the status, whatever it is', async t => {
    const bench = makeBench(t)
    for (const status of [200, 204, 302, 404, 500])
      t.equal(await bench.network.request(to(await bench.answering(status))), status)
  })

  t.test('a far side that nobody runs is `link.down`', async t => {
    const bench = makeBench(t)
    await rejectsWith(t, bench.network.request(to(await bench.absent())), 'link.down')
  })

  t.test('a far side that does not answer is `link.timeout`', async t => {
    const bench = makeBench(t)
    const late = rejectsWith(
      t,
      bench.network.request(hurried(await bench.silent())),
      'link.timeout',
    )
    await bench.pass(150)
    await late
  })

  t.test('what is not an http or https address is `link.down`', async t => {
    const { network } = makeBench(t)
    for (const url of ['', 'lamp', 'file:///etc/passwd', 'ftp://127.0.0.1/', 'http://'])
      await rejectsWith(t, network.request(to(url)), 'link.down')
  })
}

export const to = (url: string): HttpRequest => ({
  method: 'GET',
  url,
  body: null,
  contentType: null,
  timeoutMs: 5_000,
})

export const hurried = (url: string): HttpRequest => ({ ...to(url), timeoutMs: 100 })

async function rejectsWith(t: Test, work: Promise<unknown>, code: string): Promise<void> {
  const thrown: unknown = await work.then(
    () => null,
    (error: unknown) => error,
  )
  t.ok(thrown instanceof BoxError && thrown.code === code, `${String(thrown)} is ${code}`)
}
