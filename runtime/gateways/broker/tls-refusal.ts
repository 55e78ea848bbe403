/** Why a client did not get through the handshake, in words for who gave it its certificate. Pure. */

type Rule = readonly [RegExp, string]

/** By what OpenSSL calls it: X509_verify_cert(3), and the reasons of ERR_reason_error_string(3) as Node spells them. */
const rules: readonly Rule[] = [
  [/^CERT_HAS_EXPIRED$/, 'its certificate, or that of who signed it, has run out: renew it'],
  [
    /^CERT_NOT_YET_VALID$/,
    'its certificate is not valid yet, by the clock of this box: is the clock right?',
  ],
  [
    /^(UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|CERT_|INVALID_|ISSUER_|AKID_|PATH_LENGTH_)/,
    'its certificate is not signed by who is in box.broker.tls.clientAuthority',
  ],
  [/PEER_DID_NOT_RETURN_A_CERTIFICATE$/, 'it has no certificate'],
  [
    /ALERT_(UNKNOWN_CA|\w*CERTIFICATE\w*)$/,
    'it does not take the certificate of this box: does it have the file of the tour’s authority?',
  ],
  [
    /^ERR_SSL_(WRONG_VERSION_NUMBER|HTTP_REQUEST|UNKNOWN_PROTOCOL|PACKET_LENGTH_TOO_LONG|BAD_RECORD_TYPE)$/,
    'it does not speak TLS',
  ],
  [/^ERR_SSL_(UNSUPPORTED_PROTOCOL|NO_PROTOCOLS_AVAILABLE)$/, 'its TLS is older than 1.2'],
  [/^ERR_TLS_HANDSHAKE_TIMEOUT$/, 'it did not finish the handshake in time'],
]

/**
 * @param error what the handshake ended with
 * @param verdict of the certificate, where there was one
 * @returns null when the client went away by itself
 */
export function explainTlsRefusal(error: unknown, verdict: unknown): string | null {
  const code = textOf(verdict) || textOf(part(error, 'code'))
  if (code === '' || code === 'ECONNRESET' || code === 'EPIPE') return null
  return rules.find(([pattern]) => pattern.test(code))?.[1] ?? `the handshake failed (${code})`
}

const part = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined

const textOf = (value: unknown): string => {
  if (typeof value === 'string') return value
  return value instanceof Error ? textOf(part(value, 'code')) : ''
}
