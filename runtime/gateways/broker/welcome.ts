/** Who may not be here any more: the revoked, and those whose certificate has run out. */
import { ConfigError, messageOf } from '../../core/errors.js'
import type { Clock } from '../../ports/clock.js'
import type { Files } from '../../ports/files.js'
import type { Log } from '../../ports/log.js'
import { type Certificate, certificatesIn, lifetimeOf } from './certificate.js'
import { Expiry } from './expiry.js'
import type { RefusalReason } from './refusals.js'
import { Revocations } from './revocations.js'

export interface Unwelcome {
  readonly reason: RefusalReason
  readonly message: string
}

export interface WelcomePorts {
  readonly clock: Clock
  readonly log: Log
  readonly files: Files
}

export class Welcome {
  readonly #revocations: Revocations | null
  readonly #expiry: Expiry

  constructor(revocations: Revocations | null, expiry: Expiry) {
    this.#revocations = revocations
    this.#expiry = expiry
  }

  /** @param onChange somebody who is here may not be welcome any more. @throws ConfigError */
  async start(onChange: () => void): Promise<void> {
    await this.#revocations?.start(onChange)
    this.#expiry.start(onChange)
  }

  stop(): void {
    this.#revocations?.stop()
    this.#expiry.stop()
  }

  /** Null for who is welcome. */
  reasonAgainst(certificate: Certificate): Unwelcome | null {
    const { name } = certificate
    if (this.#revocations?.has(certificate))
      return { reason: 'client.revoked', message: `"${name}" is no longer welcome` }
    const overdueMs = this.#expiry.overdueMs(certificate)
    return overdueMs === null
      ? null
      : {
          reason: 'client.expired',
          message: `the certificate of "${name}" ran out ${agoText(overdueMs)} ago by the clock of this box: renew it`,
        }
  }
}

/**
 * @param authority PEM of who signs the certificates of clients
 * @param revoked file of those who are revoked; null for none
 * @throws ConfigError when the authority cannot be read
 */
export function createWelcome(
  { clock, log, files }: WelcomePorts,
  authority: Uint8Array,
  revoked: string | null,
): Welcome {
  const revocations = revoked === null ? null : new Revocations(clock, log, files, revoked)
  return new Welcome(revocations, new Expiry(clock, log, authoritiesIn(authority).map(lifetimeOf)))
}

function authoritiesIn(pem: Uint8Array): ReturnType<typeof certificatesIn> {
  try {
    const found = certificatesIn(pem)
    if (found.length > 0) return found
    throw new Error('there is no certificate in it (-----BEGIN CERTIFICATE-----)')
  } catch (error) {
    const message = `must hold the authority's certificate as PEM: ${messageOf(error)}`
    throw new ConfigError([{ path: 'box.broker.tls.clientAuthority', message, place: null }])
  }
}

const units = [
  [86_400_000, 'days'],
  [3_600_000, 'hours'],
  [60_000, 'minutes'],
] as const

/** Never one of anything. */
function agoText(milliseconds: number): string {
  const [unitMs, unit] = units.find(([ms]) => milliseconds >= 2 * ms) ?? [1_000, 'seconds']
  return `${Math.floor(milliseconds / unitMs)} ${unit}`
}
