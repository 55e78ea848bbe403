import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Claims } from '../../drivers/linux/claims.js'
import { LinuxClock, ownAnchor } from '../../drivers/linux/clock.js'
import { DeviceStream } from '../../drivers/linux/device-stream.js'
import { type Libc, openLibc } from '../../drivers/linux/libc.js'
import { SerialPort } from '../../drivers/linux/serial.js'
import { TcpStream } from '../../drivers/linux/tcp-stream.js'
import { Arrived, type ByteStreamBench, byteStreamContract } from './byte-stream.contract.js'
import { PseudoTerminal } from './pseudo-terminal.js'

const clock = new LinuxClock(ownAnchor())
const pass = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 2))

// On a busy machine, filling the kernel's socket buffers takes its time.
t.setTimeout(180_000)
t.test('a connection', async t => byteStreamContract(t, tcpBench))
t.test('a terminal', async t => {
  const libc = await openLibc()
  byteStreamContract(t, t => terminalBench(t, libc))
})

/** A server that serves one client at a time. */
async function tcpBench(): Promise<ByteStreamBench> {
  const claims = new Claims()
  let client: Socket | null = null
  const arrived = new Arrived()
  let isTaking = true
  const server = createServer(socket => {
    client = socket
    socket.on('error', () => {}).on('data', bytes => arrived.push(bytes))
    if (!isTaking) socket.pause()
  })
  const listen = (port: number): Promise<void> =>
    new Promise(resolve => void server.listen(port, '127.0.0.1', resolve))
  await listen(0)
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const shut = (): Promise<void> =>
    new Promise(resolve => {
      client?.resetAndDestroy()
      client = null
      server.close(() => resolve())
    })
  return {
    stream: () => new TcpStream(clock, claims, { host: '127.0.0.1', port }),
    arrived: () => arrived.all(),
    setTaking: wanted => {
      isTaking = wanted
      if (isTaking) client?.resume()
      else client?.pause()
    },
    say: async bytes => {
      while (client === null) await pass()
      client.write(bytes)
    },
    vanish: async () => {
      while (client === null) await pass()
      await shut()
    },
    comeBack: async () => {
      arrived.clear()
      isTaking = true
      await listen(port)
    },
    // Two socket buffers, which the kernel lets grow (tcp_wmem, tcp_rmem of tcp(7)).
    keptBytesMax: 32 * 1024 * 1024,
    pass,
    close: async () => {
      if (server.listening) await shut()
    },
  }
}

/** The stream has the terminal, the far side is its master. */
function terminalBench(t: Test, libc: Libc): ByteStreamBench {
  const path = join(t.testdir({}), 'port')
  const claims = new Claims()
  const far = new PseudoTerminal(libc, path)
  far.plug()
  return {
    stream: () =>
      new DeviceStream(clock, claims, new SerialPort({ name: 'port', path, baudRate: 9600 })),
    arrived: () => far.arrived.all(),
    setTaking: isTaking => {
      far.isTaking = isTaking
    },
    say: async bytes => far.say(bytes),
    vanish: async () => far.unplug(),
    comeBack: async () => far.plug(),
    keptBytesMax: 65_536,
    pass: async () => {
      far.read()
      await pass()
    },
    close: async () => far.unplug(),
  }
}
