/** A door for the programs of this machine: a socket in a folder, one line of text in, one out. */
import { chmod, mkdir, rm } from 'node:fs/promises'
import { createConnection, createServer, type Server, type Socket } from 'node:net'
import { dirname } from 'node:path'
import { BoxError } from '../../runtime/core/errors.js'
import { errnoOf } from './errno.js'

const CONNECTIONS_MAX = 16
/** sockaddr_un has room for 108 bytes, the last of which is 0. */
const PATH_BYTES_MAX = 107
/** Whoever has asked is answered, even when the answer is that all of this ends. */
const CLOSING_MS_MAX = 2_000

export interface DoorLimits {
  readonly lineBytesMax: number
  /** Whoever takes longer to say a line is sent away. */
  readonly patienceMs: number
}

export class ControlDoor {
  readonly #path: string
  readonly #limits: DoorLimits
  #server: Server | null = null
  readonly #sockets = new Set<Socket>()
  readonly #answering = new Set<Promise<void>>()

  constructor(path: string, limits: DoorLimits) {
    this.#path = path
    this.#limits = limits
  }

  /**
   * Only the user of this process, and root, may come in.
   * @throws BoxError `storage.io` or `storage.limit` when there can be no socket, `port.taken` when somebody answers at it
   */
  async open(answer: (line: string) => Promise<string>): Promise<void> {
    requireShort(this.#path)
    const noSocket = (cause: unknown): BoxError =>
      new BoxError('storage.io', `there can be no socket at ${this.#path}`, { cause })
    const isTaken = await isAnswered(this.#path).catch((cause: unknown) => {
      throw noSocket(cause)
    })
    if (isTaken) throw new BoxError('port.taken', `another process answers at ${this.#path}`)
    const server = createServer({ allowHalfOpen: true }, socket => this.#serve(socket, answer))
    server.maxConnections = CONNECTIONS_MAX
    try {
      await rm(this.#path, { force: true })
      // Nobody else finds the socket in the moment before it has its own mode.
      await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 })
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject).listen(this.#path, resolve)
      })
    } catch (cause) {
      throw noSocket(cause)
    }
    await chmod(this.#path, 0o600)
    this.#server = server
  }

  async close(): Promise<void> {
    const server = this.#server
    if (server === null) return
    this.#server = null
    const closed = new Promise<void>(resolve => server.close(() => resolve()))
    await this.#lastAnswers()
    for (const socket of this.#sockets) socket.destroy()
    await closed
    await rm(this.#path, { force: true })
  }

  async #lastAnswers(): Promise<void> {
    const { promise: late, cancel } = timer(CLOSING_MS_MAX)
    await Promise.race([Promise.all(this.#answering), late])
    cancel()
  }

  #serve(socket: Socket, answer: (line: string) => Promise<string>): void {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    // Whoever asks may be gone before the answer: it is none of our trouble.
    socket.on('error', () => socket.destroy())
    const patience = setTimeout(() => socket.destroy(), this.#limits.patienceMs)
    void readLine(socket, this.#limits.lineBytesMax)
      .finally(() => clearTimeout(patience))
      .then(line =>
        line === null ? void socket.destroy() : this.#answer(socket, () => answer(line)),
      )
  }

  async #answer(socket: Socket, answer: () => Promise<string>): Promise<void> {
    const done = Promise.resolve()
      .then(answer)
      .then(text => new Promise<void>(resolve => void socket.end(`${text}\n`, () => resolve())))
    // Sent, or nobody there any more.
    const over = Promise.race([done, new Promise<void>(resolve => socket.once('close', resolve))])
    this.#answering.add(over)
    await done.finally(() => this.#answering.delete(over))
  }
}

/** A longer path is cut off in silence, and leads to whoever is there. @throws BoxError `storage.limit` */
function requireShort(path: string): void {
  if (Buffer.byteLength(path) > PATH_BYTES_MAX)
    throw new BoxError(
      'storage.limit',
      `${path} is too long for a socket, which may have ${PATH_BYTES_MAX} bytes: use a folder with a shorter name`,
    )
}

function timer(ms: number): { promise: Promise<void>; cancel: () => void } {
  let cancel = (): void => {}
  const promise = new Promise<void>(resolve => {
    const timeout = setTimeout(resolve, ms)
    cancel = () => clearTimeout(timeout)
  })
  return { promise, cancel }
}

/**
 * Asks once.
 * @throws BoxError `link.down` when nobody is there, `link.timeout` when no answer comes in time, `storage.limit` for a
 * path that no socket can have
 */
export async function askDoor(
  path: string,
  line: string,
  { lineBytesMax, patienceMs }: DoorLimits,
): Promise<string> {
  requireShort(path)
  const socket = createConnection(path)
  let isLate = false
  const patience = setTimeout(() => {
    isLate = true
    socket.destroy()
  }, patienceMs)
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve).once('error', reject)
    })
    // From here on the end of the connection says all that there is to say.
    socket.on('error', () => socket.destroy())
    socket.write(`${line}\n`)
    const said = await readLine(socket, lineBytesMax)
    if (said !== null) return said
  } catch (cause) {
    throw new BoxError('link.down', `nobody answers at ${path}`, { cause })
  } finally {
    clearTimeout(patience)
    socket.destroy()
  }
  if (isLate) throw new BoxError('link.timeout', `no answer in ${patienceMs} ms`)
  throw new BoxError('link.down', 'it ended without an answer')
}

/** The first line, without its end; null when there is none, or one that is too long. */
function readLine(socket: Socket, bytesMax: number): Promise<string | null> {
  const parts: Buffer[] = []
  let byteCount = 0
  return new Promise(resolve => {
    socket.once('close', () => resolve(null)).once('end', () => resolve(null))
    socket.on('data', (part: Buffer) => {
      const end = part.indexOf(0x0a)
      parts.push(end < 0 ? part : part.subarray(0, end))
      byteCount += part.length
      if (byteCount > bytesMax) resolve(null)
      else if (end >= 0) resolve(Buffer.concat(parts).toString())
    })
  })
}

async function isAnswered(path: string): Promise<boolean> {
  const socket = createConnection(path)
  try {
    return await new Promise<boolean>((resolve, reject) => {
      socket
        .once('connect', () => resolve(true))
        .once('error', error =>
          ['ENOENT', 'ECONNREFUSED'].includes(errnoOf(error) ?? '')
            ? resolve(false)
            : reject(error),
        )
    })
  } finally {
    socket.destroy()
  }
}
