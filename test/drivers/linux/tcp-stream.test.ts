import { spawn } from 'node:child_process'
import { createServer, type Server, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { Claims } from '../../../drivers/linux/claims.js'
import { LinuxClock, ownAnchor } from '../../../drivers/linux/clock.js'
import { TcpStream } from '../../../drivers/linux/tcp-stream.js'
import { SimulatedClock, settle } from '../../../drivers/simulated/clock.js'
import type { Clock } from '../../../runtime/ports/clock.js'

const realClock = new LinuxClock(ownAnchor())

t.setTimeout(120_000)

async function listen(t: Test, host: string, serve: (socket: Socket) => void): Promise<number> {
  const clients: Socket[] = []
  const server = createServer({ allowHalfOpen: true }, socket => {
    clients.push(socket.on('error', () => {}))
    serve(socket)
  })
  await new Promise<void>(resolve => server.listen(0, host, resolve))
  t.teardown(() => {
    for (const client of clients) client.destroy()
    server.close()
  })
  return portOf(server)
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

function stream(t: Test, host: string, port: number, clock: Clock = realClock): TcpStream {
  const made = new TcpStream(clock, new Claims(), { host, port })
  t.teardown(() => made.close())
  return made
}

async function until(isTrue: () => boolean): Promise<void> {
  for (let turns = 0; turns < 10_000 && !isTrue(); turns++)
    await new Promise(resolve => setTimeout(resolve, 1))
  if (!isTrue()) throw new Error('what was waited for did not happen')
}

t.test('where nobody listens, nobody is there', async t => {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const port = portOf(server)
  await new Promise(resolve => server.close(resolve))
  const near = stream(t, '127.0.0.1', port)
  for (let tries = 0; tries < 2; tries++)
    await t.rejects(near.open(), { code: 'device.absent', message: /ECONNREFUSED/ })
})

t.test('who does not answer is given up after three seconds', async t => {
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const near = stream(t, '127.0.0.1', await silentPort(t), clock)
  const opening = near.open()
  let isOver = false
  opening.catch(() => {
    isOver = true
  })
  await clock.advance(2999)
  t.notOk(isOver)
  await clock.advance(1)
  await t.rejects(opening, { code: 'device.timeout', message: /3000 ms/ })
})

t.test('closing ends an attempt to connect', async t => {
  const near = stream(t, '127.0.0.1', await silentPort(t))
  const refused = t.rejects(near.open(), { code: 'device.absent', message: /closed/ })
  await t.rejects(near.open(), { code: 'device.busy' })
  await near.close()
  await refused
})

t.test('a name is resolved, and an address may be of either kind', async t => {
  for (const [host, bound] of [
    ['localhost', '127.0.0.1'],
    ['::1', '::1'],
    ['127.0.0.1', '127.0.0.1'],
  ] as const) {
    let arrived = ''
    const port = await listen(t, bound, socket => {
      socket.on('data', bytes => {
        arrived += String(bytes)
      })
    })
    const near = stream(t, host, port)
    await near.open()
    await near.write(new TextEncoder().encode('ticket'))
    await until(() => arrived === 'ticket')
    t.equal(near.name, host === '::1' ? `[::1]:${port}` : `${host}:${port}`)
    await near.close()
  }
})

t.test('a far side that says it will send no more has hung up', async t => {
  const port = await listen(t, '127.0.0.1', socket => void socket.end(Uint8Array.of(5)))
  const near = stream(t, '127.0.0.1', port)
  const told: string[] = []
  near.onBytes(bytes => void told.push(`heard ${[...bytes].join(' ')}`))
  near.onLost(why => void told.push(why.message))
  await near.open()
  await until(() => told.length > 1)
  t.match(told, ['heard 5', /hung up/])
  await t.rejects(near.write(Uint8Array.of(1)), { code: 'device.absent' })
})

t.test('what counts as taken is no more than a kilobyte ahead of the kernel', async t => {
  let far: Socket | null = null
  let arrivedBytes = 0
  let hasEnded = false
  const port = await listen(t, '127.0.0.1', socket => {
    far = socket.pause()
    socket.on('end', () => {
      hasEnded = true
    })
  })
  const near = stream(t, '127.0.0.1', port)
  await near.open()
  const block = new Uint8Array(512 * 1024)
  let isFull = false
  while (!isFull) {
    let isWritten = false
    near.write(block).then(
      () => {
        isWritten = true
      },
      () => {},
    )
    for (let taken = -1; !isWritten && taken !== near.takenBytes(); await pause(100))
      taken = near.takenBytes()
    isFull = !isWritten
  }
  const taken = near.takenBytes()
  await near.close()
  await until(() => far !== null)
  const socket: Socket | null = far
  if (socket === null) return
  const paused: Socket = socket
  paused.on('data', (bytes: Uint8Array) => {
    arrivedBytes += bytes.length
  })
  paused.resume()
  await until(() => hasEnded)
  t.ok(arrivedBytes <= taken, `${arrivedBytes} arrived of ${taken}`)
  t.ok(arrivedBytes >= taken - 1024, `${arrivedBytes} arrived of ${taken}`)
  t.equal(near.takenBytes(), taken)
})

t.test('one connection to a printer is open at a time', async t => {
  const port = await listen(t, '127.0.0.1', () => {})
  const claims = new Claims()
  const options = { host: '127.0.0.1', port }
  const [first, second] = [1, 2].map(() => new TcpStream(realClock, claims, options))
  await first?.open()
  await t.rejects(second?.open() ?? Promise.resolve(), { code: 'device.busy' })
  await first?.close()
  await second?.open()
  await second?.close()
})

t.test('a far side that pours while nobody listens is held back, and not forgotten', async t => {
  let pouredBytes = 0
  const port = await listen(t, '127.0.0.1', socket => {
    const pour = (): void => {
      while (pouredBytes < 32 * 1024 * 1024) {
        pouredBytes += 65_536
        if (!socket.write(new Uint8Array(65_536))) return void socket.once('drain', pour)
      }
    }
    pour()
  })
  const near = stream(t, '127.0.0.1', port)
  await near.open()
  await until(() => pouredBytes > 0)
  for (let before = -1; before !== pouredBytes; await pause(100)) before = pouredBytes
  t.ok(pouredBytes < 32 * 1024 * 1024, `${pouredBytes} bytes`)
  let heardBytes = 0
  near.onBytes(bytes => {
    heardBytes += bytes.length
  })
  await until(() => heardBytes >= 32 * 1024 * 1024)
  t.equal(heardBytes, 32 * 1024 * 1024)
})

const pause = (durationMs: number): Promise<void> =>
  new Promise(resolve => setTimeout(resolve, durationMs))

/** Where a program listens that is too busy to answer, and as many wait already as the kernel lets wait. */
async function silentPort(t: Test): Promise<number> {
  const program = `
    const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      require('node:fs').writeSync(1, server.address().port + '\\n')
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000)
    })`
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => void child.kill('SIGKILL'))
  const port = await new Promise<number>(resolve =>
    child.stdout.once('data', text => resolve(Number(text))),
  )
  for (let count = 0; count < 2; count++) {
    const waiting = new TcpStream(realClock, new Claims(), { host: '127.0.0.1', port })
    t.teardown(() => waiting.close())
    await waiting.open()
  }
  await settle()
  return port
}
