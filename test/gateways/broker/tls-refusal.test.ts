import t from 'tap'
import { explainTlsRefusal } from '../../../runtime/gateways/broker/tls-refusal.js'

t.test('why a handshake failed is said in words that name what to mend', async t => {
  for (const [error, verdict, expected] of [
    [{ code: 'ECONNRESET' }, 'CERT_HAS_EXPIRED', /has run out: renew it/],
    [{ code: 'ECONNRESET' }, new Error('no code'), null],
    [
      { code: 'ECONNRESET' },
      Object.assign(new Error('x'), { code: 'CERT_NOT_YET_VALID' }),
      /is the clock right/,
    ],
    [{ code: 'ECONNRESET' }, 'UNABLE_TO_GET_ISSUER_CERT', /box\.broker\.tls\.clientAuthority/],
    [{ code: 'ECONNRESET' }, 'DEPTH_ZERO_SELF_SIGNED_CERT', /box\.broker\.tls\.clientAuthority/],
    [{ code: 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE' }, null, /has no certificate/],
    [
      { code: 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA' },
      undefined,
      /does not take the certificate of this/,
    ],
    [{ code: 'ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN' }, undefined, /does not take the certif/],
    [{ code: 'ERR_SSL_WRONG_VERSION_NUMBER' }, undefined, /does not speak TLS/],
    [{ code: 'ERR_SSL_UNSUPPORTED_PROTOCOL' }, undefined, /older than 1\.2/],
    [{ code: 'ERR_TLS_HANDSHAKE_TIMEOUT' }, undefined, /in time/],
    [{ code: 'ERR_SSL_SOMETHING_NEW' }, undefined, /\(ERR_SSL_SOMETHING_NEW\)/],
  ] as const)
    if (expected === null) t.equal(explainTlsRefusal(error, verdict), null)
    else t.match(explainTlsRefusal(error, verdict), expected)
})

t.test('who goes away by himself was not refused', async t => {
  for (const error of [{ code: 'ECONNRESET' }, { code: 'EPIPE' }, new Error('no code'), null])
    t.equal(explainTlsRefusal(error, undefined), null)
})
