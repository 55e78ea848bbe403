/** Certificates that are no longer welcome: a file of serial numbers or names, one a line, read again when it changes. */
import { ConfigError } from '../../core/errors.js'
import { repeat } from '../../core/repeat.js'
import type { Cancel, Clock } from '../../ports/clock.js'
import type { Files } from '../../ports/files.js'
import type { Log } from '../../ports/log.js'
import type { Certificate } from './admission.js'

const EVERY_MS = 30_000
const ENTRIES_MAX = 100_000

export class Revocations {
  readonly #clock: Clock
  readonly #log: Log
  readonly #files: Files
  readonly #name: string
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
    this.#entries = entriesOf(bytes)
    this.#cancel = repeat(this.#clock, EVERY_MS, () => this.#look(onChange))
  }

  stop(): void {
    this.#cancel()
  }

  has({ name, serial }: Certificate): boolean {
    return this.#entries.has(normal(name)) || this.#entries.has(normal(serial))
  }

  async #look(onChange: () => void): Promise<void> {
    try {
      const bytes = await this.#files.read(this.#name)
      if (bytes === null) {
        this.#log.error('broker.revocations-missing', { file: this.#name })
        return
      }
      const entries = entriesOf(bytes)
      const isSame =
        entries.size === this.#entries.size && [...entries].every(e => this.#entries.has(e))
      this.#entries = entries
      if (!isSame) onChange()
    } catch (error) {
      this.#log.error('broker.revocations-unreadable', { file: this.#name, error })
    }
  }
}

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
