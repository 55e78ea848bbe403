/** What a certificate says of its owner and of its days: RFC 5280, section 4.1.2. */
import { X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { wallTimeMs } from '../../core/time.js'
import type { WallTimeMs } from '../../ports/clock.js'

export interface Certificate {
  /** The common name. */
  readonly name: string
  readonly serial: string
  /** When it runs out; null for a name without a certificate, which has a password. */
  readonly validTo: WallTimeMs | null
}

/** From the first moment up to the second, and not that one: as TLS judges it. */
export interface Lifetime {
  readonly from: WallTimeMs
  readonly to: WallTimeMs
}

/** Of the other side; it was checked by TLS. */
export function certificateOf(socket: TLSSocket): Certificate {
  const { subject, serialNumber, valid_to } = socket.getPeerCertificate()
  const name = subject?.CN ?? ''
  return {
    name: typeof name === 'string' ? name : '',
    serial: serialNumber ?? '',
    validTo: momentOf(valid_to),
  }
}

/** Every certificate in a file of PEM; none when there is none. @throws Error when one cannot be read */
export const certificatesIn = (pem: Uint8Array): X509Certificate[] =>
  (
    Buffer.from(pem)
      .toString('latin1')
      .match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  ).map(text => new X509Certificate(text))

export const lifetimeOf = ({ validFrom, validTo }: X509Certificate): Lifetime => ({
  from: momentOf(validFrom),
  to: momentOf(validTo),
})

/** As OpenSSL writes it: `Jan  9 07:05:03 2027 GMT`. */
function momentOf(text: string): WallTimeMs {
  // biome-ignore lint/style/noRestrictedGlobals: reads the text of a certificate, and asks no clock
  return wallTimeMs(Date.parse(text))
}
