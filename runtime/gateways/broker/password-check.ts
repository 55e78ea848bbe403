import { forgetOldest } from '../../core/oldest.js'
import type { Keys } from '../../ports/keys.js'
import type { BrokerRole } from './grants.js'
import { PASSWORD_BYTES_MAX, verifyPassword } from './password.js'

export interface Credential {
  readonly username: string
  readonly role: BrokerRole
  /** As `hashPassword` writes it; null for a user who comes with a certificate only. */
  readonly passwordHash: string | null
}

const RUNNING_MAX = 2
const WAITING_MAX = 256
/** Who guesses must not keep the others waiting: 16 take about a second. */
const WAITING_PER_ADDRESS_MAX = 16
const REMEMBERED_MAX = 256

/**
 * Checks passwords, two at a time: scrypt is made to be slow, and the threads it runs on also write the disk. A password
 * that was right is remembered by its digest under a key of this process, so that a venue full of gadgets that
 * reconnects at once is not kept waiting.
 */
export interface Asking {
  readonly address: string
  /** False when the client has left meanwhile: nothing is computed for it then. */
  readonly isWanted: () => boolean
}

export class PasswordCheck {
  readonly #keys: Keys
  readonly #credentials: ReadonlyMap<string, Credential>
  readonly #remembered = new Map<string, Credential>()
  /** In the order in which the addresses have their turn. */
  readonly #waiting = new Map<string, (() => void)[]>()
  #waitingCount = 0
  #running = 0
  #secret: Uint8Array | null = null
  #decoy: string | null = null

  constructor(keys: Keys, credentials: readonly Credential[]) {
    this.#keys = keys
    this.#credentials = new Map(
      credentials.map(credential => [credential.username, credential] as const),
    )
  }

  find(username: string): Credential | null {
    return this.#credentials.get(username) ?? null
  }

  /**
   * Null when the password is wrong; `busy` when too many wait already, or nobody waits any more when its turn comes.
   * An unknown user takes as long as a known one.
   */
  async check(
    username: string,
    password: Uint8Array,
    asking: Asking,
  ): Promise<Credential | 'busy' | null> {
    if (password.length > PASSWORD_BYTES_MAX) return null
    const digest = this.#digest(username, password)
    const known = this.#remembered.get(digest)
    if (known) return known
    if (!(await this.#enter(asking.address))) return 'busy'
    try {
      if (!asking.isWanted()) return 'busy'
      const credential = this.find(username)
      const isRight = await verifyPassword(password, credential?.passwordHash ?? this.#decoyHash())
      if (!isRight || !credential) return null
      this.#remember(digest, credential)
      return credential
    } finally {
      this.#leave()
    }
  }

  #digest(username: string, password: Uint8Array): string {
    this.#secret ??= this.#keys.randomBytes(32)
    return this.#keys.sha256Hex(
      Buffer.concat([this.#secret, Buffer.from(`${username.length}:${username}:`), password]),
    )
  }

  #remember(digest: string, credential: Credential): void {
    this.#remembered.set(digest, credential)
    forgetOldest(this.#remembered, REMEMBERED_MAX)
  }

  /** No password has this hash; checking against it costs what checking any other does. */
  #decoyHash(): string {
    const base64 = (count: number): string =>
      Buffer.from(this.#keys.randomBytes(count)).toString('base64')
    this.#decoy ??= `scrypt$16384$8$1$${base64(16)}$${base64(32)}`
    return this.#decoy
  }

  async #enter(address: string): Promise<boolean> {
    if (this.#running < RUNNING_MAX) {
      this.#running++
      return true
    }
    const line = this.#waiting.get(address) ?? []
    if (this.#waitingCount >= WAITING_MAX || line.length >= WAITING_PER_ADDRESS_MAX) return false
    this.#waitingCount++
    this.#waiting.set(address, line)
    await new Promise<void>(resolve => line.push(resolve))
    return true
  }

  /** Hands the place on to the next address, or gives it back. */
  #leave(): void {
    const [first] = this.#waiting
    if (!first) {
      this.#running--
      return
    }
    const [address, line] = first
    const next = line.shift()
    this.#waitingCount--
    this.#waiting.delete(address)
    if (line.length > 0) this.#waiting.set(address, line)
    next?.()
  }
}
