/** A broker on loopback that lets everybody in. */
import { createServer } from 'node:net'
import { Aedes } from 'aedes'

/** Of a test, or of a benchmark. */
interface Ending {
  teardown(close: () => Promise<void>): void
}

/** @param maySubscribe asked each time */
export async function startAedes(
  t: Ending,
  maySubscribe: () => boolean = () => true,
): Promise<{ readonly port: number }> {
  const broker = await Aedes.createBroker({
    authorizeSubscribe: (_client, subscription, done) =>
      done(null, maySubscribe() ? subscription : null),
  })
  const server = createServer(stream => broker.handle(stream))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(async () => {
    await new Promise<void>(resolve => broker.close(() => resolve()))
    await new Promise(resolve => server.close(resolve))
  })
  const address = server.address()
  return { port: typeof address === 'object' && address !== null ? address.port : 0 }
}
