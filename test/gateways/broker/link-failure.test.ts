import t from 'tap'
import { explainFailure } from '../../../runtime/gateways/broker/link-failure.js'

const config = {
  url: 'mqtts://broker.example:8883',
  username: null,
  passwordFile: null,
  certificateAuthority: 'tour.crt',
  certificate: null,
  key: null,
}
const shown = { ...config, certificate: 'box.crt', key: 'box.key' }

t.test('each failure names the field of box.json to look at, and what is wrong', async t => {
  for (const [error, field, message, its = config] of [
    [{ code: 'SELF_SIGNED_CERT_IN_CHAIN' }, 'certificateAuthority', /who is in tour\.crt/],
    [{ code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' }, 'certificateAuthority', /not signed/],
    [{ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }, 'certificateAuthority', /not signed/],
    [
      { code: 'SELF_SIGNED_CERT_IN_CHAIN' },
      'certificateAuthority',
      /is not set/,
      { ...config, certificateAuthority: null },
    ],
    [{ code: 'CERT_HAS_EXPIRED' }, 'url', /has expired: renew it there, or set the clock/],
    [{ code: 'CERT_NOT_YET_VALID' }, 'url', /is not valid yet.*set the clock of this box/],
    [
      {
        code: 'ERR_TLS_CERT_ALTNAME_INVALID',
        cert: { subjectaltname: 'DNS:a, IP Address:1.2.3.4' },
      },
      'url',
      /is for DNS:a, IP Address:1\.2\.3\.4, not for mqtts:\/\/broker\.example:8883/,
    ],
    [{ code: 'ERR_TLS_CERT_ALTNAME_INVALID', cert: {} }, 'url', /is for no name at all/],
    // OpenSSL 3.0, and what it calls the same alert from 3.2 on.
    [{ code: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED' }, 'certificate', /is not set/],
    [{ code: 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE' }, 'certificate', /is not set/],
    [
      { code: 'ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED' },
      'certificate',
      /has expired, says/,
      shown,
    ],
    [
      { code: 'ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_EXPIRED' },
      'certificate',
      /has expired, says/,
      shown,
    ],
    [{ code: 'ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED' }, 'certificate', /is revoked/, shown],
    [{ code: 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA' }, 'certificate', /does not know who/, shown],
    [{ code: 'ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE' }, 'certificate', /does not know who/, shown],
    [{ code: 'ERR_SSL_WRONG_VERSION_NUMBER' }, 'url', /does not speak TLS/],
    [{ code: 'EPROTO' }, 'url', /does not speak TLS/],
    [{ code: 'ENOTFOUND' }, 'url', /name of the host is not known/],
    [{ code: 'EAI_AGAIN' }, 'url', /name of the host is not known/],
    [{ code: 'ECONNREFUSED' }, 'url', /nobody listens there/],
    [{ code: 'EHOSTUNREACH' }, 'url', /cannot be reached/],
    [{ code: 'ECONNRESET' }, 'url', /is there TLS, or none\?/],
    [{ code: 'ECONNRESET' }, 'certificate', /does it know who signed it\?/, shown],
    [null, 'url', /is there TLS, or none\?/],
    [{ code: 1 }, 'url', /does not speak MQTT 3\.1\.1/],
    [{ code: 2 }, 'url', /client identifier/],
    [{ code: 4 }, 'passwordFile', /refuses user name or password/],
    [{ code: 5 }, 'username', /is not set/],
    [{ code: 5 }, 'username', /refuses it, or its password/, { ...config, username: 'box' }],
    [{ code: 5 }, 'certificate', /does not let its name in/, shown],
    [new Error('Unexpected server response: 404'), 'url', 'Unexpected server response: 404'],
    [new Error('connack timeout'), 'url', 'connack timeout'],
    ['what is this', 'url', 'what is this'],
  ] as const)
    t.match(
      explainFailure(error, its, true),
      { field: `box.broker.${field}`, message },
      JSON.stringify(error),
    )
})

t.test('a certificate of the box that has run out is told by its own clock', async t => {
  const broken = { code: 'ECONNRESET' }
  t.match(explainFailure(broken, shown, false), {
    field: 'box.broker.certificate',
    message: /has expired, by the clock of this box/,
  })
  t.match(
    explainFailure({ code: 'ECONNREFUSED' }, shown, false),
    { field: 'box.broker.url' },
    'but not when nobody has looked at it',
  )
})

t.test('what a stranger wrote into a certificate does not fill the log', async t => {
  const error = {
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    cert: { subjectaltname: 'x'.repeat(9_999) },
  }
  t.ok(explainFailure(error, config, true).message.length <= 512)
})
