/** Keys that an agent keeps: the protocol of ssh-agent (RFC 9987 and its drafts, sections 3 and 4), for Ed25519. */
import { createHash } from 'node:crypto'
import { createConnection, type Socket } from 'node:net'
import { BoxError } from '../../runtime/core/errors.js'
import { after } from '../../runtime/core/time.js'
import type { Clock } from '../../runtime/ports/clock.js'

const REQUEST_IDENTITIES = 11
const IDENTITIES_ANSWER = 12
const SIGN_REQUEST = 13
const SIGN_RESPONSE = 14
const ED25519 = 'ssh-ed25519'
const ANSWER_BYTES_MAX = 256 * 1024
/** An agent may ask a person for a confirmation, or for a touch of a token. */
const PATIENCE_MS = 60_000

export interface AgentKey {
  /** 64 hexadecimal digits. */
  readonly public: string
  readonly comment: string
  /** As `ssh-add -l` shows it: `SHA256:…`. */
  readonly fingerprint: string
}

export class SshAgent {
  readonly #socketPath: string | null
  readonly #clock: Clock

  /** @param socketPath of SSH_AUTH_SOCK; null: there is none */
  constructor(socketPath: string | null, clock: Clock) {
    this.#socketPath = socketPath
    this.#clock = clock
  }

  /** Its Ed25519 keys. @throws BoxError `key.absent` when there is no agent */
  async list(): Promise<readonly AgentKey[]> {
    const answer = new Reader(await this.#ask(Buffer.of(REQUEST_IDENTITIES), IDENTITIES_ANSWER))
    const keys: AgentKey[] = []
    for (let left = answer.count(); left > 0; left--) {
      const blob = answer.text()
      const comment = answer.text().toString('utf8')
      const key = new Reader(blob)
      if (key.text().toString('latin1') !== ED25519) continue
      const digest = createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')
      keys.push({ public: key.text().toString('hex'), comment, fingerprint: `SHA256:${digest}` })
    }
    return keys
  }

  /** @param publicKey 64 hexadecimal digits @throws BoxError `key.absent`, `key.denied` */
  async sign(publicKey: string, bytes: Uint8Array): Promise<Uint8Array> {
    const blob = Buffer.concat([text(ED25519), text(Buffer.from(publicKey, 'hex'))])
    const request = Buffer.concat([
      Buffer.of(SIGN_REQUEST),
      text(blob),
      text(bytes),
      Buffer.alloc(4),
    ])
    const signature = new Reader(new Reader(await this.#ask(request, SIGN_RESPONSE)).text())
    if (signature.text().toString('latin1') !== ED25519)
      throw new BoxError('key.invalid', 'the agent has signed with another kind of key')
    return Uint8Array.from(signature.text())
  }

  async #ask(request: Buffer, expected: number): Promise<Buffer> {
    if (this.#socketPath === null)
      throw new BoxError('key.absent', 'there is no agent: SSH_AUTH_SOCK is not set')
    const answer = await this.#exchange(this.#socketPath, text(request))
    if (answer[0] === expected) return answer.subarray(1)
    const what =
      expected === SIGN_RESPONSE ? 'sign: it has no such key, or somebody said no' : 'list its keys'
    throw new BoxError('key.denied', `the agent did not ${what}`)
  }

  /** One connection a request: the agent may be another one the next time. */
  #exchange(path: string, message: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const socket = createConnection(path)
      const cancel = this.#clock.runAt(after(this.#clock.monotonicMs(), PATIENCE_MS), () =>
        end(new BoxError('key.denied', 'the agent does not answer')),
      )
      const end = (result: BoxError | Buffer): void => {
        cancel()
        socket.destroy()
        if (result instanceof BoxError) reject(result)
        else resolve(result)
      }
      collect(socket, end)
      socket.on('error', cause =>
        end(new BoxError('key.absent', `there is no agent at ${path}`, { cause })),
      )
      socket.write(message)
    })
  }
}

function collect(socket: Socket, end: (result: BoxError | Buffer) => void): void {
  let received: Buffer = Buffer.alloc(0)
  socket.on('data', bytes => {
    received = Buffer.concat([received, typeof bytes === 'string' ? Buffer.from(bytes) : bytes])
    if (received.length < 4) return
    const length = received.readUInt32BE(0)
    if (length === 0 || length > ANSWER_BYTES_MAX)
      end(new BoxError('key.invalid', 'what listens there is no agent'))
    else if (received.length >= 4 + length) end(received.subarray(4, 4 + length))
  })
  socket.on('close', () => end(new BoxError('key.denied', 'the agent hung up')))
}

/** RFC 4251, section 5: a string is its length and its bytes. */
function text(value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

class Reader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  count(): number {
    this.#need(4)
    const value = this.#bytes.readUInt32BE(this.#at)
    this.#at += 4
    return value
  }

  text(): Buffer {
    const length = this.count()
    this.#need(length)
    this.#at += length
    return this.#bytes.subarray(this.#at - length, this.#at)
  }

  #need(length: number): void {
    if (this.#at + length > this.#bytes.length)
      throw new BoxError('key.invalid', 'the agent gave an answer that ends too soon')
  }
}
