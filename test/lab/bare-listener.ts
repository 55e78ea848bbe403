/**
 * The least that turns a message into a change of a line: a client of somebody else's broker, and the kernel. What the
 * box is measured beside. Says `listening` when it is.
 */
import { connectAsync } from 'mqtt'
import { lab } from '../../boards/lab.js'
import { openBareLine } from './bare-line.js'
import { offsetOf } from './far-side.js'

export const BARE_TOPIC = 'bare/lamp'

export async function listen(port: string, gpio: string): Promise<void> {
  const line = await openBareLine(gpio === 'sysfs' ? 'sysfs' : 'chardev', offsetOf(lab, 'light-1'))
  const client = await connectAsync(`mqtt://127.0.0.1:${port}`)
  client.on('message', (_topic, payload) => line.set(payload.toString() === 'on'))
  await client.subscribeAsync(BARE_TOPIC, { qos: 1 })
  process.once('SIGTERM', () => {
    line.close()
    process.exit(0)
  })
  process.stdout.write('listening\n')
}
