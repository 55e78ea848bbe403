/** Why another broker cannot be reached, in the words of box.json: which field to look at, and what is wrong. Pure. */
import type { ExternalBrokerConfig } from '../../config.js'
import { messageOf } from '../../core/errors.js'

export interface LinkFailure {
  /** `box.broker.certificateAuthority`, and the like. */
  readonly field: string
  readonly message: string
}

export type LinkConfig = Omit<ExternalBrokerConfig, 'kind'>

type Field = keyof LinkConfig
type Rule = readonly [RegExp, (config: LinkConfig, error: unknown) => readonly [Field, string]]

/** By what Node and OpenSSL call it: names of X509_verify_cert(3), alerts of RFC 8446 section 6.2, errno(3). */
const rules: readonly Rule[] = [
  [/^(CERT_HAS_EXPIRED|CERT_NOT_YET_VALID)$/, serverOutOfTime],
  [/^ERR_TLS_CERT_ALTNAME_INVALID$/, wrongName],
  [
    /^(UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|CERT_|INVALID_|PATH_LENGTH_|ISSUER_|AKID_)/,
    unknownAuthority,
  ],
  [/ALERT_CERTIFICATE_EXPIRED$/, () => ['certificate', 'has expired, says the broker']],
  [/ALERT_CERTIFICATE_REVOKED$/, () => ['certificate', 'is revoked, says the broker']],
  [/ALERT_(CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE|NO_CERTIFICATE)$/, certificateWanted],
  [
    /ALERT_(UNKNOWN_CA|\w*CERTIFICATE|CERTIFICATE_UNKNOWN|ACCESS_DENIED|DECRYPT_ERROR)$/,
    () => ['certificate', 'is not accepted: the broker does not know who signed it'],
  ],
  [
    /^(EPROTO|ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST))$/,
    () => ['url', 'what answers there does not speak TLS: is it mqtt://, or another port?'],
  ],
  [/^(ENOTFOUND|EAI_AGAIN|EAI_NODATA)$/, () => ['url', 'the name of the host is not known']],
  [/^ECONNREFUSED$/, () => ['url', 'nobody listens there: does the broker run?']],
  [/^(EHOSTUNREACH|ENETUNREACH|ETIMEDOUT)$/, () => ['url', 'the host cannot be reached']],
  [/^ECONNRESET$/, brokenOff],
]

/** Return codes of CONNACK: MQTT 3.1.1, table 3.1. */
const refusals: readonly Rule[] = [
  [/^1$/, () => ['url', 'the broker does not speak MQTT 3.1.1']],
  [/^2$/, () => ['url', 'the broker does not take the name of this box as client identifier']],
  [/^3$/, () => ['url', 'the broker says that it is not available']],
  [/^4$/, () => ['passwordFile', 'the broker refuses user name or password']],
  [/^5$/, notAuthorised],
]

/**
 * @param error what the connection ended with; null when the other side closed it without a word
 * @param isInTime false when the certificate of this box has run out, by its own clock
 * @param path of the fields
 */
export function explainFailure(
  error: unknown,
  config: LinkConfig,
  isInTime: boolean,
  path = 'box.broker',
): LinkFailure {
  const [field, reason] = explanation(error, config)
  const isExpired = field === 'certificate' && config.certificate !== null && !isInTime
  const message = isExpired ? 'has expired, by the clock of this box: renew it' : reason
  return { field: `${path}.${field}`, message: message.slice(0, 512) }
}

function explanation(error: unknown, config: LinkConfig): readonly [Field, string] {
  if (error === null) return brokenOff(config)
  const code = part(error, 'code')
  const [table, name] =
    typeof code === 'number' ? ([refusals, `${code}`] as const) : ([rules, text(code)] as const)
  const rule = table.find(([pattern]) => pattern.test(name))
  return rule ? rule[1](config, error) : ['url', messageOf(error)]
}

function serverOutOfTime(_: LinkConfig, error: unknown): readonly [Field, string] {
  const state = part(error, 'code') === 'CERT_HAS_EXPIRED' ? 'has expired' : 'is not valid yet'
  return [
    'url',
    `the certificate of the broker, or of who signed it, ${state}: renew it there, or set the clock of this box`,
  ]
}

function wrongName({ url }: LinkConfig, error: unknown): readonly [Field, string] {
  const names = text(part(part(error, 'cert'), 'subjectaltname')) || 'no name at all'
  return ['url', `the certificate of the broker is for ${names.slice(0, 200)}, not for ${url}`]
}

function unknownAuthority({ certificateAuthority }: LinkConfig): readonly [Field, string] {
  return [
    'certificateAuthority',
    certificateAuthority === null
      ? 'is not set, and nobody whom this machine trusts signed the certificate of the broker'
      : `the certificate of the broker is not signed by who is in ${certificateAuthority}`,
  ]
}

function certificateWanted({ certificate }: LinkConfig): readonly [Field, string] {
  return certificate === null
    ? ['certificate', 'is not set, and the broker lets nobody in without one']
    : ['certificate', 'is not accepted by the broker']
}

/** Some brokers say nothing when they do not like a certificate. */
function brokenOff({ certificate }: LinkConfig): readonly [Field, string] {
  return certificate === null
    ? ['url', 'the connection was broken off before there was an answer: is there TLS, or none?']
    : ['certificate', 'the broker broke off without a word: does it know who signed it?']
}

function notAuthorised({ username, certificate }: LinkConfig): readonly [Field, string] {
  if (username !== null) return ['username', 'the broker refuses it, or its password']
  return certificate === null
    ? ['username', 'is not set, and the broker lets nobody in without one']
    : ['certificate', 'the broker knows who signed it, and does not let its name in']
}

const part = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined

const text = (value: unknown): string => (typeof value === 'string' ? value : '')
