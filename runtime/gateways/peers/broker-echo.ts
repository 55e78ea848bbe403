/** Whether the broker of this machine does what it is for: takes a client in, and gives it what the box has said. */
import { connectAsync } from 'mqtt'
import { after } from '../../core/time.js'
import type { Clock } from '../../ports/clock.js'

export interface EchoAsked {
  readonly port: number
  readonly username: string
  readonly password: string
  /** Of something that the box retains. */
  readonly topic: string
}

/** Never throws: a broker that does not answer is not heard. */
export async function hearsBroker(
  clock: Clock,
  { port, username, password, topic }: EchoAsked,
  msMax: number,
): Promise<boolean> {
  const options = { username, password, connectTimeout: msMax, reconnectPeriod: 0, clean: true }
  try {
    const client = await connectAsync(`mqtt://127.0.0.1:${port}`, options, false)
    const cancel = clock.runAt(after(clock.monotonicMs(), msMax), () => client.stream.destroy())
    try {
      const heard = new Promise<boolean>(resolve => {
        client.once('message', () => resolve(true))
        client.once('close', () => resolve(false))
      })
      await client.subscribeAsync(topic)
      return await heard
    } finally {
      cancel()
      client.end(true)
    }
  } catch {
    // Refused, or nobody there: then it is not heard.
    return false
  }
}
