/** What `roadcase keys` is made of: the keys of this machine, and what is signed with them. */
import { basename, dirname, resolve } from 'node:path'
import { LinuxClock, ownAnchor } from '../drivers/linux/clock.js'
import { LinuxFiles } from '../drivers/linux/files.js'
import { LinuxKeys } from '../drivers/linux/keys.js'
import { LinuxPassphrases, type PassphraseSource } from '../drivers/linux/passphrases.js'
import { LinuxSigningKeys } from '../drivers/linux/signing-keys.js'
import { BoxError } from '../runtime/core/errors.js'
import type { KeyPlace } from '../runtime/ports/signing-keys.js'
import { spokenKeyid } from './keys/keyid.js'
import { KeyRing, type RingKey } from './keys/ring.js'
import { draftBytes, readDraft, signChange } from './publish/change.js'
import { draftWords, missingWords } from './publish/draft-words.js'

export interface KeySource {
  readonly folder: string
  /** Null: a person is asked at the terminal. */
  readonly passphrases: Exclude<PassphraseSource, { from: 'terminal' }> | null
  readonly environment: NodeJS.ProcessEnv
}

export function openRing({ folder, passphrases: source, environment }: KeySource): KeyRing {
  const passphrases = new LinuxPassphrases(source ?? { from: 'terminal', device: '/dev/tty' })
  const clock = new LinuxClock(ownAnchor())
  return new KeyRing({
    files: new LinuxFiles(folder),
    signing: new LinuxSigningKeys({ folder, passphrases, environment, clock }),
    keys: new LinuxKeys(),
    passphrases,
  })
}

export interface DraftReport {
  /** What is to be signed. */
  readonly words: readonly string[]
  /** What is missing; empty when it can be accepted. */
  readonly missing: readonly string[]
  readonly troubles: readonly string[]
}

export class KeysTool {
  readonly #ring: KeyRing

  constructor(ring: KeyRing) {
    this.#ring = ring
  }

  list(): Promise<readonly RingKey[]> {
    return this.#ring.list()
  }

  create(name: string, isOpen: boolean): Promise<RingKey> {
    return this.#ring.create(name, isOpen)
  }

  adopt(name: string, place: KeyPlace, which: string | null): Promise<RingKey> {
    return this.#ring.adopt(name, place, which)
  }

  async import(file: string): Promise<RingKey> {
    return this.#ring.import(await readBytes(file))
  }

  async export(name: string): Promise<string> {
    return new TextDecoder().decode(await this.#ring.export(name))
  }

  async inspect(file: string): Promise<DraftReport> {
    const change = readDraft(await readBytes(file), this.#ring)
    const nameOf = await namesOf(this.#ring)
    const missing = missingWords(change, nameOf)
    return { words: draftWords(change, nameOf), missing, troubles: [] }
  }

  /**
   * Adds what signatures this machine can give.
   * @param only names of keys; null: all that are asked for
   * @param show is given what is to be signed, before any passphrase is asked for
   */
  async sign(
    file: string,
    only: readonly string[] | null,
    show: (words: readonly string[]) => void,
  ): Promise<DraftReport> {
    for (const name of only ?? []) await this.#ring.named(name)
    const before = readDraft(await readBytes(file), this.#ring)
    const nameOf = await namesOf(this.#ring)
    const words = draftWords(before, nameOf)
    show(words)
    const { change, troubles } = await signChange(this.#ring, before, only)
    const [old, bytes] = [draftBytes(before), draftBytes(change)]
    if (Buffer.compare(old, bytes) === 0) {
      const why =
        troubles.length > 0
          ? troubles.join('\n')
          : 'none of these keys is asked for, or all have signed'
      throw new BoxError('release.unsigned', `no signature was added: ${why}`)
    }
    await new LinuxFiles(dirname(resolve(file))).replace(basename(file), bytes)
    return { words, missing: missingWords(change, nameOf), troubles }
  }
}

/** What keys are called here. */
export async function namesOf(ring: KeyRing): Promise<(keyid: string) => string> {
  const names = new Map((await ring.list()).map(({ keyid, name }) => [keyid, name]))
  return keyid => names.get(keyid) ?? spokenKeyid(keyid)
}

/** @throws BoxError `storage.io` */
export async function readBytes(file: string): Promise<Uint8Array> {
  const bytes = await new LinuxFiles(dirname(resolve(file))).read(basename(file))
  if (bytes === null) throw new BoxError('storage.io', `${file} is not there`)
  return bytes
}
