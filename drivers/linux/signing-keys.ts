import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { BoxError } from '../../runtime/core/errors.js'
import type { Clock } from '../../runtime/ports/clock.js'
import type {
  KeyPlace,
  Passphrases,
  PublicKey,
  SigningKeys,
} from '../../runtime/ports/signing-keys.js'
import { createKeyFile, openKeyFile } from './key-files.js'
import { tokenPublicKey, tokenSign } from './pkcs11-tool.js'
import { type AgentKey, SshAgent } from './ssh-agent.js'

/** SubjectPublicKeyInfo of Ed25519 up to the key (RFC 8410, 4). */
const SPKI_HEADER = Buffer.from('302a300506032b6570032100', 'hex')

export interface LinuxSigningKeysParts {
  /** Of the key files. */
  readonly folder: string
  readonly passphrases: Passphrases
  /** SSH_AUTH_SOCK is in it where there is an agent, and what the libraries of tokens ask for. */
  readonly environment: NodeJS.ProcessEnv
  readonly clock: Clock
}

/** Keys in files, in an agent and on tokens. A passphrase is asked once for each key. */
export class LinuxSigningKeys implements SigningKeys {
  readonly #parts: LinuxSigningKeysParts
  readonly #agent: SshAgent
  readonly #opened = new Map<string, KeyObject>()
  readonly #pins = new Map<string, string>()
  /** By file or token: one that did not open is not asked for once more for the next document. */
  readonly #refused = new Map<string, BoxError>()

  constructor(parts: LinuxSigningKeysParts) {
    this.#parts = parts
    this.#agent = new SshAgent(parts.environment['SSH_AUTH_SOCK'] ?? null, parts.clock)
  }

  async create(file: string, passphrase: string | null): Promise<PublicKey> {
    return publicOf(await createKeyFile(this.#parts.folder, file, passphrase))
  }

  async find(place: KeyPlace, which: string | null): Promise<PublicKey> {
    switch (place.in) {
      case 'file':
        return publicOf(await this.#open(place.file))
      case 'agent':
        return this.#findInAgent(which)
      case 'token':
        return tokenPublicKey({ place, environment: this.#parts.environment })
      case 'elsewhere':
        throw new BoxError('key.absent', 'this key is with somebody else')
    }
  }

  async sign(place: KeyPlace, key: PublicKey, bytes: Uint8Array): Promise<Uint8Array> {
    const signature = await this.#sign(place, key, bytes)
    if (verify(digestOf(key), bytes, publicKeyOf(key), signature)) return signature
    throw new BoxError('key.invalid', 'what signed there is another key than it was')
  }

  async #sign(place: KeyPlace, key: PublicKey, bytes: Uint8Array): Promise<Uint8Array> {
    switch (place.in) {
      case 'file':
        return Uint8Array.from(sign(digestOf(key), bytes, await this.#open(place.file)))
      case 'agent':
        return this.#agent.sign(key.public, bytes)
      // A token locks itself after a few wrong PINs: none is tried again by itself.
      case 'token':
        return this.#once(`token ${place.token}`, async () => {
          const pin = this.#pins.get(place.token) ?? (await this.#askPin(place.token))
          return tokenSign({ place, environment: this.#parts.environment }, pin, bytes)
        })
      case 'elsewhere':
        throw new BoxError('key.absent', 'this key is with somebody else')
    }
  }

  async #open(file: string): Promise<KeyObject> {
    const { folder, passphrases } = this.#parts
    const opened =
      this.#opened.get(file) ??
      (await this.#once(`file ${file}`, () => openKeyFile(folder, file, passphrases)))
    this.#opened.set(file, opened)
    return opened
  }

  async #once<T>(place: string, work: () => Promise<T>): Promise<T> {
    const refused = this.#refused.get(place)
    if (refused !== undefined) throw refused
    try {
      return await work()
    } catch (error) {
      if (error instanceof BoxError && error.code === 'key.denied') this.#refused.set(place, error)
      throw error
    }
  }

  async #askPin(token: string): Promise<string> {
    const pin = await this.#parts.passphrases.ask(`the token ${token} (PIN)`)
    this.#pins.set(token, pin)
    return pin
  }

  async #findInAgent(which: string | null): Promise<PublicKey> {
    const all = await this.#agent.list()
    const found = all.filter(
      ({ comment, fingerprint }) => which === null || which === comment || which === fingerprint,
    )
    const [first] = found
    if (first === undefined || found.length > 1)
      throw new BoxError('key.absent', `${howMany(found)}; the agent has: ${namesOf(all)}`)
    return { keytype: 'ed25519', scheme: 'ed25519', public: first.public }
  }
}

const howMany = (found: readonly AgentKey[]): string =>
  found.length === 0
    ? 'the agent has no such Ed25519 key'
    : 'more than one key of the agent is meant: name it by its fingerprint'

const namesOf = (keys: readonly AgentKey[]): string =>
  keys.map(({ comment, fingerprint }) => `${comment} (${fingerprint})`).join(', ') || 'none'

const digestOf = ({ keytype }: PublicKey): string | null =>
  keytype === 'ed25519' ? null : 'sha256'

function publicKeyOf(key: PublicKey): KeyObject {
  if (key.keytype === 'ecdsa') return createPublicKey(key.public)
  const spki = Buffer.concat([SPKI_HEADER, Buffer.from(key.public, 'hex')])
  return createPublicKey({ key: spki, format: 'der', type: 'spki' })
}

function publicOf(privateKey: KeyObject): PublicKey {
  const key = createPublicKey(privateKey)
  if (key.asymmetricKeyType !== 'ed25519')
    throw new BoxError('key.invalid', 'the key in this file is not one of Ed25519')
  const der = key.export({ format: 'der', type: 'spki' })
  return { keytype: 'ed25519', scheme: 'ed25519', public: der.subarray(-32).toString('hex') }
}
