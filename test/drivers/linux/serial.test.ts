import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Claims } from '../../../drivers/linux/claims.js'
import { DeviceStream } from '../../../drivers/linux/device-stream.js'
import { openLibc } from '../../../drivers/linux/libc.js'
import { SerialPort } from '../../../drivers/linux/serial.js'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { PseudoTerminal } from '../../ports/pseudo-terminal.js'

function port(path: string, baudRate: number): DeviceStream {
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  return new DeviceStream(clock, new Claims(), new SerialPort({ name: 'printer', path, baudRate }))
}

t.test('a terminal has its speed, and does nothing to bytes', async t => {
  const path = join(t.testdir({}), 'port')
  const far = new PseudoTerminal(await openLibc(), path)
  far.plug()
  t.teardown(() => far.unplug())
  const near = port(path, 38_400)
  await near.open()
  const said = execFileSync('stty', ['-F', path, '-a'], { encoding: 'utf8' })
  await near.close()
  for (const setting of ['speed 38400', '-icanon', '-opost', '-echo', '-ixon', '-isig', 'clocal'])
    t.ok(said.includes(setting), setting)
})

t.test(
  'a speed that no terminal has is refused, and the port is free for the next try',
  async t => {
    const path = join(t.testdir({}), 'port')
    const far = new PseudoTerminal(await openLibc(), path)
    far.plug()
    t.teardown(() => far.unplug())
    const near = port(path, 12_345)
    for (let tries = 0; tries < 2; tries++)
      await t.rejects(near.open(), { code: 'device.io', message: /printer.*12345/ })
  },
)

t.test('a file that is no terminal has no speed, and is written as it is', async t => {
  const path = join(t.testdir({ port: '' }), 'port')
  const near = port(path, 12_345)
  await near.open()
  await near.write(Uint8Array.of(0x1b, 0x40, 0x0a))
  await near.close()
  t.same([...readFileSync(path)], [0x1b, 0x40, 0x0a])
})
