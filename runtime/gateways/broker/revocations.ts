/** Who is no longer welcome: a file of serial numbers or names, one a line, looked at every two seconds. */
import { ConfigError } from '../../core/errors.js'
import { repeat } from '../../core/repeat.js'
import type { Cancel, Clock } from '../../ports/clock.js'
import type { Files } from '../../ports/files.js'
import type { Log } from '../../ports/log.js'
import type { Certificate } from './certificate.js'

const EVERY_MS = 2_000
const ENTRIES_MAX = 100_000

export class Revocations {
  readonly #clock: Clock
  readonly #log: Log
  readonly #files: Files
  readonly #name: string
  #bytes: Uint8Array = new Uint8Array()
  #entries: ReadonlySet<string> = new Set()
  #cancel: Cancel = () => {}

  constructor(clock: Clock, log: Log, files: Files, name: string) {
    this.#clock = clock
    this.#log = log
    this.#files = files
    this.#name = name
  }

  /** @throws ConfigError when there is no such file: a list that is missing must not mean that all are welcome */
  async start(onChange: () => void): Promise<void> {
    const bytes = await this.#files.read(this.#name)
    if (bytes === null)
      throw new ConfigError([
        { path: 'box.broker.tls.revoked', message: `there is no ${this.#name}`, place: null },
      ])
    this.#take(bytes)
    this.#cancel = repeat(this.#clock, EVERY_MS, () => this.#look(onChange))
  }

  stop(): void {
    this.#cancel()
  }

  has({ name, serial }: Pick<Certificate, 'name' | 'serial'>): boolean {
    return this.#entries.has(normal(name)) || this.#entries.has(normal(serial))
  }

  #take(bytes: Uint8Array): void {
    this.#bytes = bytes
    this.#entries = entriesOf(bytes)
  }

  async #look(onChange: () => void): Promise<void> {
    try {
      const bytes = await this.#files.read(this.#name)
      if (bytes === null) {
        this.#log.error('broker.revocations-missing', { file: this.#name })
        return
      }
      if (isSame(bytes, this.#bytes)) return
      this.#take(bytes)
      onChange()
    } catch (error) {
      this.#log.error('broker.revocations-unreadable', { file: this.#name, error })
    }
  }
}

const isSame = (one: Uint8Array, other: Uint8Array): boolean =>
  one.length === other.length && one.every((byte, index) => byte === other[index])

/** openssl writes serial numbers with colons or without, in either case. */
const normal = (entry: string): string => entry.trim().replaceAll(':', '').toLowerCase()

const entriesOf = (bytes: Uint8Array): ReadonlySet<string> =>
  new Set(
    new TextDecoder()
      .decode(bytes)
      .split('\n')
      .slice(0, ENTRIES_MAX)
      .map(normal)
      .filter(entry => entry !== '' && !entry.startsWith('#')),
  )
