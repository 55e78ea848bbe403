/**
 * The keys that a person can name: their public halves, and where the private ones are. One small file, `ring.json`, that
 * holds nothing secret.
 */
import { BoxError, ConfigError } from '../../runtime/core/errors.js'
import {
  check,
  choice,
  list,
  literal,
  name,
  type Of,
  object,
  pattern,
  string,
} from '../../runtime/core/schema.js'
import type { Files } from '../../runtime/ports/files.js'
import type { Keys } from '../../runtime/ports/keys.js'
import type {
  KeyPlace,
  Passphrases,
  PublicKey,
  SigningKeys,
} from '../../runtime/ports/signing-keys.js'
import { fileBytes, jsonOf, type KeyJson, publicKey } from '../publish/documents.js'

const RING_FILE = 'ring.json'
const KEYS_MAX = 256

const place = choice(
  'in',
  object({ in: literal('file'), file: pattern(/^[a-z0-9][a-z0-9-]{0,62}\.key$/, 'NAME.key') }),
  object({ in: literal('agent') }),
  object({
    in: literal('token'),
    module: string({ min: 1, max: 512 }),
    token: string({ min: 1, max: 64 }),
    id: pattern(/^([0-9a-f]{2}){1,32}$/, 'the id of the key in hexadecimal'),
  }),
  object({ in: literal('elsewhere') }),
)
const ring = object({
  format: literal(1),
  keys: list(object({ name, key: publicKey, place }), { max: KEYS_MAX }),
})
const exported = object({ format: literal(1), name, key: publicKey })

export interface RingKey {
  readonly name: string
  /** SHA-256 of the canonical form of the public half: what TUF calls the key by. */
  readonly keyid: string
  readonly key: KeyJson
  readonly place: KeyPlace
}

export interface KeyRingParts {
  /** Of the folder of the keys. */
  readonly files: Files
  readonly signing: SigningKeys
  readonly keys: Keys
  readonly passphrases: Passphrases
}

export class KeyRing {
  readonly #parts: KeyRingParts

  constructor(parts: KeyRingParts) {
    this.#parts = parts
  }

  async list(): Promise<readonly RingKey[]> {
    const bytes = await this.#parts.files.read(RING_FILE)
    if (bytes === null) return []
    const { keys } = check(ring, jsonOf(bytes, RING_FILE), RING_FILE)
    return keys.map(entry => ({ ...entry, keyid: this.keyidOf(entry.key) }))
  }

  /** @throws BoxError `key.absent` */
  async named(wanted: string): Promise<RingKey> {
    const all = await this.list()
    const found = all.find(key => key.name === wanted)
    if (found !== undefined) return found
    const known = all.length === 0 ? 'none' : all.map(key => key.name).join(', ')
    throw new BoxError(
      'key.absent',
      `there is no key "${wanted}" in this folder; there are: ${known}`,
    )
  }

  /** Makes a pair in a file. @param isOpen without a passphrase */
  async create(newName: string, isOpen: boolean): Promise<RingKey> {
    await this.#checkFree(newName)
    const { signing, passphrases } = this.#parts
    const passphrase = isOpen ? null : await passphrases.askNew(`the new key ${newName}`)
    const file = `${newName}.key`
    return this.#add(newName, await signing.create(file, passphrase), { in: 'file', file })
  }

  /** Takes a key that is in an agent or a token already. @param which for an agent, its comment or fingerprint */
  async adopt(newName: string, from: KeyPlace, which: string | null): Promise<RingKey> {
    await this.#checkFree(newName)
    return this.#add(newName, await this.#parts.signing.find(from, which), from)
  }

  /** Takes the public half of somebody else's key. @param bytes what `export` gave there */
  async import(bytes: Uint8Array): Promise<RingKey> {
    const { name: newName, key } = check(exported, jsonOf(bytes, 'key'), 'key')
    const same = (await this.list()).find(({ keyid }) => keyid === this.keyidOf(key))
    if (same !== undefined) return same
    await this.#checkFree(newName)
    return this.#write(newName, key, { in: 'elsewhere' })
  }

  async export(wanted: string): Promise<Uint8Array> {
    const { key } = await this.named(wanted)
    return fileBytes({ format: 1, name: wanted, key })
  }

  /** @returns hexadecimal, as TUF writes a signature */
  sign({ place: from, key }: RingKey, bytes: Uint8Array): Promise<Uint8Array> {
    return this.#parts.signing.sign(from, publicOf(key), bytes)
  }

  sha256Hex(bytes: Uint8Array): string {
    return this.#parts.keys.sha256Hex(bytes)
  }

  keyidOf(key: KeyJson): string {
    // OLPC canonical JSON, whose texts have a backslash only before a quote or a backslash: PEM and hexadecimal have none.
    const { keytype, scheme, keyval } = key
    const text = `{"keytype":"${keytype}","keyval":{"public":"${keyval.public}"},"scheme":"${scheme}"}`
    return this.#parts.keys.sha256Hex(new TextEncoder().encode(text))
  }

  async #checkFree(newName: string): Promise<void> {
    check(name, newName, 'name')
    const all = await this.list()
    if (all.some(key => key.name === newName))
      throw problem(newName, 'is the name of another key already; choose another')
    if (all.length >= KEYS_MAX) throw problem(newName, `is one too many: at most ${KEYS_MAX} keys`)
  }

  async #add(newName: string, found: PublicKey, from: KeyPlace): Promise<RingKey> {
    const { keytype } = found
    const keyval = { public: found.public }
    const key: KeyJson =
      keytype === 'ed25519'
        ? { keytype, scheme: found.scheme, keyval }
        : { keytype, scheme: found.scheme, keyval }
    const same = (await this.list()).find(({ keyid }) => keyid === this.keyidOf(key))
    if (same !== undefined && same.place.in !== 'elsewhere')
      throw problem(newName, `is the same key as "${same.name}"`)
    return this.#write(newName, key, from)
  }

  async #write(newName: string, key: KeyJson, from: KeyPlace): Promise<RingKey> {
    const entry: RingKey = { name: newName, keyid: this.keyidOf(key), key, place: from }
    const others = (await this.list()).filter(({ keyid }) => keyid !== entry.keyid)
    const keys = [...others, entry].map(({ keyid: _, ...rest }) => rest)
    await this.#parts.files.replace(RING_FILE, fileBytes({ format: 1, keys } satisfies Ring))
    return entry
  }
}

type Ring = Of<typeof ring>

const publicOf = ({ keytype, keyval }: KeyJson): PublicKey =>
  keytype === 'ed25519'
    ? { keytype, scheme: 'ed25519', public: keyval.public }
    : { keytype, scheme: 'ecdsa-sha2-nistp256', public: keyval.public }

const problem = (path: string, message: string): ConfigError =>
  new ConfigError([{ path: `key "${path}"`, message, place: null }])
