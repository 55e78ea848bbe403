/**
 * The store of trust on a disk that is reset without a sync: a box that asks a repository again and again, whose versions
 * grow, and what the next boot finds. The repository is the same in every boot, from a seed.
 */
import { createHash } from 'node:crypto'
import fs from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { setTimeout as pause } from 'node:timers/promises'
import { LinuxFiles } from '../../drivers/linux/files.js'
import { TestKey, TestRepository } from '../ota/tuf/test-repository.js'
import { pastOf, TrustBench, wordOf } from '../ota/tuf/trust-bench.js'

const KEYS_EACH = 4
const ROOT_EACH = 3
const PAUSE_MS = 50

const keyOf = (name: string): TestKey => new TestKey(createHash('sha256').update(name).digest())

export class TrustLife {
  readonly #bench = new TrustBench(new TestRepository(keyOf))
  #step = 0

  /** @param folder of the store */
  constructor(folder: string) {
    this.#bench.files = new LinuxFiles(folder)
    this.#publish()
  }

  /** As many as were published; after `problemAfter`, the one that is believed. */
  get step(): number {
    return this.#step
  }

  /**
   * @param seen the last step for which the box has answered "believed"
   * @returns what is wrong with the store; null when it knows that step, and takes the one after the next
   */
  async problemAfter(seen: number): Promise<string | null> {
    while (this.#step < seen - 1) this.#publish()
    if (seen > 1) {
      this.#bench.source = pastOf(this.#bench.repository.files)
      const past = await this.#refreshed()
      // The root may be the newer one already, whose keys the past has not.
      if (!/older than seen|not signed as required/.test(past)) return `the past is ${past}`
    }
    this.#bench.source = this.#bench.repository
    for (const step of [seen, seen + 1]) while (this.#step < step) this.#publish()
    const now = await this.#refreshed()
    return now === 'believed' ? null : `then ${now}`
  }

  /** Until the machine is reset. @param tell is told each step that is believed */
  async live(tell: (step: number) => void): Promise<never> {
    for (;;) {
      this.#publish()
      const word = await this.#refreshed()
      if (word !== 'believed') throw new Error(`the store of trust: ${word}`)
      tell(this.#step)
      await pause(PAUSE_MS)
    }
  }

  #publish(): void {
    const { repository } = this.#bench
    this.#step++
    if (this.#step % KEYS_EACH === 0)
      for (const role of ['timestamp', 'snapshot'] as const)
        repository.trusted[role].keys = [keyOf(`${role} ${this.#step}`)]
    const hasRoot = this.#step % KEYS_EACH === 0 || this.#step % ROOT_EACH === 0
    repository.publish(...(hasRoot ? ['root'] : []), 'targets', 'snapshot', 'timestamp')
  }

  #refreshed(): Promise<string> {
    return this.#bench
      .start()
      .then(async client => wordOf(await client.refresh()))
      .catch((error: unknown) => `does not start: ${String(error)}`)
  }
}

/** Every call to files of this folder, one by one. @param reached is called before the one after so many */
export function countCalls(folder: string, calls: number, reached: () => void): void {
  let left = calls
  const count = (): void => {
    if (left-- === 0) reached()
  }
  const { open, rename, rm } = fs
  const isMine = (path: unknown): boolean => String(path).startsWith(folder)
  fs.open = async (...words) => {
    if (!isMine(words[0])) return open(...words)
    count()
    const file = await open(...words)
    const { writeFile, sync } = file
    file.writeFile = (...rest) => {
      count()
      return writeFile.apply(file, rest)
    }
    file.sync = () => {
      count()
      return sync.apply(file)
    }
    return file
  }
  fs.rename = (...words) => {
    if (isMine(words[0])) count()
    return rename(...words)
  }
  fs.rm = (...words) => {
    if (isMine(words[0])) count()
    return rm(...words)
  }
  syncBuiltinESMExports()
}
