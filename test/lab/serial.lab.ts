/** A USB serial port of a real kernel; the far side is the gadget's end of the same cable. */
import { execFileSync } from 'node:child_process'
import t from 'tap'
import { SerialStream } from '../../drivers/linux/serial.js'
import { clock, labSays, until } from './far-side.js'

t.test('a speed that the port does not have is refused', async t => {
  const path = labSays('LAB_SERIAL_FAR')
  const port = new SerialStream(clock, { name: 'far', path, baudRate: 115_200 })
  await t.rejects(port.open(), { code: 'device.io', message: /115200/ })
})

t.test('bytes go both ways as they are, and the port closes', async t => {
  const { near, far } = {
    near: new SerialStream(clock, { name: 'near', path: labSays('LAB_SERIAL'), baudRate: 115_200 }),
    // The gadget's end has no other speed.
    far: new SerialStream(clock, { name: 'far', path: labSays('LAB_SERIAL_FAR'), baudRate: 9600 }),
  }
  const heard = { near: [] as number[], far: [] as number[] }
  near.onBytes(bytes => void heard.near.push(...bytes))
  far.onBytes(bytes => void heard.far.push(...bytes))
  await near.open()
  await far.open()
  // Every byte once: what a terminal would translate, echo or swallow is among them.
  const all = Uint8Array.from({ length: 256 }, (_, value) => value)
  await near.write(all)
  await until(() => heard.far.length >= 256)
  await far.write(all)
  await until(() => heard.near.length >= 256)
  t.same(heard.far, [...all])
  t.same(heard.near, [...all])
  await near.close()
  await far.close()
  t.match(execFileSync('stty', ['-F', labSays('LAB_SERIAL')], { encoding: 'utf8' }), /115200/)
})
