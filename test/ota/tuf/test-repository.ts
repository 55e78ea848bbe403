/** A TUF repository in memory that a test can publish to, sign wrongly for, and serve from. */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto'
import { canonicalJson, type Json } from '../../../ota/tuf/canonical.js'
import type { TopRole } from '../../../ota/tuf/metadata.js'
import type { ReleaseSource } from '../../../runtime/ports/release-source.js'

/** What stands before the 32 bytes of a private key of Ed25519 in PKCS#8 (RFC 8410, section 7). */
const PKCS8_HEADER = Buffer.from('302e020100300506032b657004220420', 'hex')

export class TestKey {
  readonly id: string
  readonly json: { keytype: string; scheme: string; keyval: { public: string } }
  readonly #key: KeyObject

  /** @param seed 32 bytes, where the same key is wanted again */
  constructor(seed: Uint8Array = randomBytes(32)) {
    const key = Buffer.concat([PKCS8_HEADER, seed])
    this.#key = createPrivateKey({ key, format: 'der', type: 'pkcs8' })
    const spki = createPublicKey(this.#key).export({ type: 'spki', format: 'der' })
    this.json = {
      keytype: 'ed25519',
      scheme: 'ed25519',
      keyval: { public: spki.subarray(-32).toString('hex') },
    }
    this.id = createHash('sha256').update(canonicalJson(this.json)).digest('hex')
  }

  sign(bytes: Uint8Array): string {
    return sign(null, bytes, this.#key).toString('hex')
  }
}

export interface TestDelegation {
  name: string
  keys: TestKey[]
  threshold?: number
  terminating?: boolean
  paths?: string[]
  path_hash_prefixes?: string[]
}

export interface TestTargets {
  targets: Record<string, Json>
  delegations: TestDelegation[]
}

const TOP: readonly TopRole[] = ['root', 'timestamp', 'snapshot', 'targets']

export class TestRepository implements ReleaseSource {
  readonly files = new Map<string, Uint8Array>()
  readonly requests: string[] = []
  /** Keys that count, in the next root. */
  readonly trusted: Record<TopRole, { keys: TestKey[]; threshold: number }>
  /** Keys that sign; those that count unless a test says otherwise. */
  readonly signers = new Map<string, TestKey[]>()
  readonly versions = new Map<string, number>()
  readonly expires = new Map<string, string>()
  readonly roles = new Map<string, TestTargets>()
  /** Added to what is signed, by role. */
  readonly extra = new Map<string, Record<string, Json>>()
  hasHashes = true
  isConsistent = true
  /** What the source does instead of answering. */
  fault: ((path: string) => Promise<Uint8Array | null> | null) | null = null

  /** @param keyOf of each role, where the same keys are wanted again */
  constructor(keyOf: (role: TopRole) => TestKey = () => new TestKey()) {
    const one = (role: TopRole): { keys: TestKey[]; threshold: number } => ({
      keys: [keyOf(role)],
      threshold: 1,
    })
    this.trusted = {
      root: one('root'),
      timestamp: one('timestamp'),
      snapshot: one('snapshot'),
      targets: one('targets'),
    }
    this.roles.set('targets', { targets: {}, delegations: [] })
    this.publish('root', 'targets', 'snapshot', 'timestamp')
  }

  get firstRoot(): Uint8Array {
    return this.files.get('metadata/1.root.json') ?? new Uint8Array()
  }

  async fetch(path: string, byteCountMax: number): Promise<Uint8Array | null> {
    this.requests.push(path.replace(/^metadata\//, ''))
    const bytes = (await this.fault?.(path)) ?? this.files.get(path) ?? null
    return bytes === null ? null : bytes.slice(0, byteCountMax + 1)
  }

  delegate(delegator: string, delegation: TestDelegation): void {
    this.roles.get(delegator)?.delegations.push(delegation)
    if (!this.roles.has(delegation.name))
      this.roles.set(delegation.name, { targets: {}, delegations: [] })
    this.signers.set(delegation.name, delegation.keys)
  }

  addTarget(role: string, path: string, text: string, custom: Json = {}): void {
    const bytes = Buffer.from(text)
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    const entry = { length: bytes.length, hashes: { sha256 }, custom }
    const targets = this.roles.get(role)
    if (targets) targets.targets[path] = entry
    const steps = path.split('/')
    const file = steps.pop() ?? ''
    const prefix = this.isConsistent ? `${sha256}.` : ''
    this.files.set(['targets', ...steps, `${prefix}${file}`].join('/'), bytes)
  }

  rotate(role: TopRole): void {
    const old = this.trusted[role].keys
    this.trusted[role].keys = [new TestKey()]
    if (role === 'root') this.signers.set('root', [...old, ...this.trusted.root.keys])
  }

  /** One version more of each, in this order. */
  publish(...roles: string[]): void {
    for (const role of roles) {
      this.versions.set(role, (this.versions.get(role) ?? 0) + 1)
      this.write(role)
    }
  }

  /** As the roles are now, without another version. */
  write(role: string): void {
    const signed = this.#signed(role)
    const text = canonicalJson(signed)
    const signatures = this.#signersOf(role).map(key => ({ keyid: key.id, sig: key.sign(text) }))
    this.put(role, { signatures, signed })
  }

  put(role: string, document: Json): void {
    const isNumbered = role === 'root' || (this.isConsistent && role !== 'timestamp')
    const name = `${isNumbered ? `${this.versions.get(role)}.` : ''}${encodeURIComponent(role)}.json`
    this.files.set(`metadata/${name}`, Buffer.from(JSON.stringify(document, null, 1)))
  }

  #signersOf(role: string): TestKey[] {
    return this.signers.get(role) ?? (isTop(role) ? this.trusted[role].keys : [])
  }

  #signed(role: string): Json {
    return {
      _type: isTop(role) ? role : 'targets',
      spec_version: '1.0.34',
      version: this.versions.get(role) ?? 1,
      expires: this.expires.get(role) ?? '2030-01-01T00:00:00Z',
      ...this.#body(role),
      ...this.extra.get(role),
    }
  }

  #body(role: string): Record<string, Json> {
    if (role === 'root') return this.#root()
    if (role === 'timestamp') return { meta: { 'snapshot.json': this.#described('snapshot') } }
    if (role === 'snapshot') {
      const names = [...this.roles.keys()].filter(name => this.versions.has(name))
      const meta = names.map((name): [string, Json] => [`${name}.json`, this.#described(name)])
      return { meta: Object.fromEntries(meta) }
    }
    const { targets, delegations } = this.roles.get(role) ?? { targets: {}, delegations: [] }
    if (delegations.length === 0) return { targets }
    const keys = delegations.flatMap(delegation => delegation.keys)
    return { targets, delegations: { keys: keysJson(keys), roles: delegations.map(roleJson) } }
  }

  #root(): Record<string, Json> {
    const roles = TOP.map((role): [string, Json] => {
      const { keys, threshold } = this.trusted[role]
      return [role, { keyids: keys.map(key => key.id), threshold }]
    })
    const keys = TOP.flatMap(role => this.trusted[role].keys)
    return {
      consistent_snapshot: this.isConsistent,
      keys: keysJson(keys),
      roles: Object.fromEntries(roles),
    }
  }

  #described(role: string): Json {
    const version = this.versions.get(role) ?? 1
    const prefix = this.isConsistent ? `${version}.` : ''
    const bytes = this.files.get(`metadata/${prefix}${encodeURIComponent(role)}.json`)
    if (!this.hasHashes || bytes === undefined) return { version }
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    return { version, length: bytes.length, hashes: { sha256 } }
  }
}

const keysJson = (keys: readonly TestKey[]): Json =>
  Object.fromEntries(keys.map(key => [key.id, key.json]))

const roleJson = ({ keys, ...delegation }: TestDelegation): Json => ({
  threshold: 1,
  terminating: false,
  ...delegation,
  keyids: keys.map(key => key.id),
})

const isTop = (role: string): role is TopRole => TOP.some(top => top === role)
