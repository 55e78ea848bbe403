/** A box and a repository for the tests of the trust client. */

import { LinuxVerifier } from '../../../drivers/linux/verifier.js'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { SimulatedFiles } from '../../../drivers/simulated/files.js'
import { SimulatedLog } from '../../../drivers/simulated/log.js'
import { dateMs } from '../../../ota/tuf/dates.js'
import type { Outcome } from '../../../ota/tuf/outcome.js'
import { TrustClient } from '../../../ota/tuf/trust-client.js'
import type { Files } from '../../../runtime/ports/files.js'
import type { ReleaseSource } from '../../../runtime/ports/release-source.js'
import { TestRepository } from './test-repository.js'

export const day = (text: string): number => dateMs(`${text}T00:00:00Z`) ?? Number.NaN

export class TrustBench {
  readonly repository: TestRepository
  readonly log = new SimulatedLog()
  files: Files = new SimulatedFiles()
  nowMs = day('2027-01-01')
  buildMs = day('2026-01-01')
  keepsTime = true
  isClockFree = false
  /** The repository, unless somebody stands between. */
  source: ReleaseSource
  provisionedRoot: Uint8Array

  constructor(repository = new TestRepository()) {
    this.repository = repository
    this.source = repository
    this.provisionedRoot = repository.firstRoot
  }

  /** As after a start of the box. */
  async start(): Promise<TrustClient> {
    const clock = new SimulatedClock({ showStartMs: this.nowMs, driftPpm: 0 })
    const client = new TrustClient(
      {
        source: this.source,
        files: this.files,
        clock,
        verifier: new LinuxVerifier(),
        log: this.log,
      },
      {
        buildMs: this.buildMs,
        provisionedRoot: this.provisionedRoot,
        keepsTime: () => this.keepsTime,
        isClockFree: this.isClockFree,
      },
    )
    await client.begin()
    return client
  }

  /** A start and a refresh, in a word. */
  async outcome(): Promise<string> {
    return wordOf(await (await this.start()).refresh())
  }
}

export const wordOf = (outcome: Outcome): string =>
  outcome.kind === 'refused' ? `${outcome.role}: ${outcome.reason}` : outcome.kind

/** A repository as it stood once: what somebody serves who wants the box to believe the past. */
export function pastOf(files: ReadonlyMap<string, Uint8Array>): ReleaseSource {
  const kept = new Map(files)
  return { fetch: async path => kept.get(path) ?? null }
}
