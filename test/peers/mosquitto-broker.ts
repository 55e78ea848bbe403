/** A real Mosquitto on loopback, and its two clients, each ended by its own process id. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './free-port.js'

const BROKER = '/usr/sbin/mosquitto'
const WAIT_MS = 15_000

export const hasMosquitto = existsSync(BROKER)
export const hasMosquittoClients = existsSync('/usr/bin/mosquitto_pub')

export interface Mosquitto {
  readonly port: number
  /** Of the listener that is configured by `tlsLines`. */
  readonly tlsPort: number
  stop(): Promise<void>
}

/**
 * Each has its own empty folder.
 * @param port of an earlier one, to come back on it; null for any that is free
 * @param tlsLines of mosquitto.conf(5), for a second listener; none when empty
 */
export async function startMosquitto(
  port: number | null = null,
  tlsLines: readonly string[] = [],
): Promise<Mosquitto> {
  const folder = await mkdtemp(join(tmpdir(), 'roadcase-mosquitto-'))
  // Started by root, it goes on as nobody.
  await chmod(folder, 0o777)
  const chosen = port ?? (await freePort())
  const tlsPort = tlsLines.length === 0 ? 0 : await freePort()
  const config = join(folder, 'mosquitto.conf')
  await writeFile(
    config,
    [
      `listener ${chosen} 127.0.0.1`,
      'allow_anonymous true',
      'set_tcp_nodelay true',
      'persistence true',
      `persistence_location ${folder}/`,
      'user nobody',
      ...(tlsPort === 0 ? [] : [`listener ${tlsPort} 127.0.0.1`, ...tlsLines]),
      '',
    ].join('\n'),
  )
  const child = spawn(BROKER, ['-c', config], { stdio: 'ignore' })
  // A test that fails half-way must not leave it running.
  const end = (): void => void child.kill('SIGKILL')
  process.once('exit', end)
  child.once('exit', () => process.off('exit', end))
  await listening(chosen, child)
  return {
    port: chosen,
    tlsPort,
    stop: async () => {
      await ended(child, 'SIGTERM')
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** A cable that can be pulled: both sides see the connection break, and neither says goodbye. */
export interface Cable {
  readonly port: number
  /** How often somebody connected. */
  tries(): number
  /** From here on nothing of what those who are connected send arrives. */
  mute(): void
  /** What is sent from the near side waits on the way, until `loosen`. */
  stall(): void
  loosen(): void
  pull(): void
  /** Pulled, and nobody gets through until `mend`. */
  cut(): void
  mend(): void
  stop(): void
}

export async function startCable(to: number): Promise<Cable> {
  const sockets = new Set<Socket>()
  const nears = new Map<Socket, Socket>()
  let tries = 0
  let isCut = false
  let isStalled = false
  const server = createServer(near => {
    tries++
    near.on('error', () => {})
    if (isCut) return void near.destroy()
    const far = createConnection({ port: to, host: '127.0.0.1', noDelay: true })
    near.setNoDelay(true)
    nears.set(near, far)
    near.on('close', () => nears.delete(near))
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one)
      one.on('error', () => {})
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
      if (one === far || !isStalled) one.pipe(other)
    }
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const pull = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    port: portOf(server.address()),
    tries: () => tries,
    mute: () => {
      for (const near of nears.keys()) near.unpipe().resume()
    },
    stall: () => {
      isStalled = true
      for (const near of nears.keys()) near.unpipe()
    },
    loosen: () => {
      isStalled = false
      for (const [near, far] of nears) near.pipe(far)
    },
    pull,
    cut: () => {
      isCut = true
      pull()
    },
    mend: () => {
      isCut = false
    },
    stop: () => {
      pull()
      server.close()
    },
  }
}

export interface Outcome {
  readonly code: number | null
  readonly output: string
}

/** Runs a program to its end, or kills it at the deadline. */
export function run(program: string, args: readonly string[], limitMs = WAIT_MS): Promise<Outcome> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  child.stdout.on('data', bytes => {
    output += String(bytes)
  })
  child.stderr.on('data', bytes => {
    output += String(bytes)
  })
  return new Promise(resolve => {
    const timer = setTimeout(() => child.kill('SIGKILL'), limitMs)
    child.on('close', code => {
      clearTimeout(timer)
      resolve({ code, output })
    })
  })
}

/** A mosquitto_sub that goes on; `lines` grows. */
export interface Subscriber {
  readonly lines: string[]
  until(isThere: (lines: readonly string[]) => boolean, what: string): Promise<void>
  stop(): Promise<void>
}

export function subscribe(args: readonly string[]): Subscriber {
  const child = spawn('mosquitto_sub', args, { stdio: ['ignore', 'pipe', 'pipe'] })
  process.once('exit', () => child.kill('SIGKILL'))
  const lines: string[] = []
  let rest = ''
  const read = (bytes: Buffer): void => {
    const parts = `${rest}${bytes}`.split('\n')
    rest = parts.pop() ?? ''
    lines.push(...parts)
  }
  child.stdout.on('data', read)
  child.stderr.on('data', read)
  return {
    lines,
    until: async (isThere, what) => {
      const deadline = Date.now() + WAIT_MS
      while (!isThere(lines)) {
        if (Date.now() > deadline) throw new Error(`waited in vain for ${what}: ${lines.join('|')}`)
        await new Promise(resolve => setTimeout(resolve, 10))
      }
    },
    stop: () => ended(child, 'SIGTERM'),
  }
}

function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise(resolve => {
    const timer = setTimeout(() => child.kill('SIGKILL'), 3_000)
    child.once('exit', () => {
      clearTimeout(timer)
      resolve()
    })
    child.kill(signal)
  })
}

const portOf = (address: string | AddressInfo | null): number =>
  typeof address === 'object' && address !== null ? address.port : 0

async function listening(port: number, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + WAIT_MS
  while (Date.now() < deadline && child.exitCode === null) {
    const isOpen = await new Promise<boolean>(resolve => {
      const socket = createConnection({ port, host: '127.0.0.1' })
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
      socket.once('connect', () => socket.destroy())
    })
    if (isOpen) return
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  throw new Error(`mosquitto does not listen on ${port} (exit code ${child.exitCode})`)
}
