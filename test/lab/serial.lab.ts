/** A USB serial port of a real kernel; the far side is the gadget's end of the same cable. */
import { execFileSync } from 'node:child_process'
import t from 'tap'
import { Claims } from '../../drivers/linux/claims.js'
import { DeviceStream } from '../../drivers/linux/device-stream.js'
import { SerialPort } from '../../drivers/linux/serial.js'
import { byteStreamContract } from '../ports/byte-stream.contract.js'
import { clock, labSays, pause } from './far-side.js'
import { cableBench, FarEnd, plugCable } from './gadget.js'

function port(path: string): DeviceStream {
  return new DeviceStream(
    clock,
    new Claims(),
    new SerialPort({ name: 'port', path, baudRate: 115_200 }),
  )
}

t.test('a speed that the port does not have is refused', async t => {
  await t.rejects(port(labSays('LAB_SERIAL_FAR')).open(), { code: 'device.io', message: /115200/ })
})

t.test('the speed is set', async t => {
  const near = port(labSays('LAB_SERIAL'))
  await near.open()
  t.match(execFileSync('stty', ['-F', labSays('LAB_SERIAL')], { encoding: 'utf8' }), /115200/)
  await near.close()
})

t.test('the stream', async t =>
  byteStreamContract(t, () => {
    const claims = new Claims()
    const path = labSays('LAB_SERIAL')
    const file = new SerialPort({ name: 'port', path, baudRate: 115_200 })
    // The gadget's end has no other speed.
    const far = new FarEnd(labSays('LAB_SERIAL_FAR'), path => {
      execFileSync('stty', ['-F', path, '9600', 'raw', '-echo', 'clocal'])
    })
    return cableBench(() => new DeviceStream(clock, claims, file), far, {
      keptBytesMax: 131_072,
      isRinsed: true,
    })
  }),
)

t.test('a port that is stuck is closed at once all the same', async t => {
  await plugCable()
  const near = port(labSays('LAB_SERIAL'))
  await near.open()
  // Nobody has the far end open.
  const waiting = t.rejects(near.write(new Uint8Array(500_000)), { code: 'device.absent' })
  for (let before = -1; before !== near.takenBytes(); await pause(200)) before = near.takenBytes()
  const from = clock.monotonicMs()
  await near.close()
  await waiting
  // The kernel's own patience is 30 s.
  t.ok(clock.monotonicMs() - from < 10_000)
})
