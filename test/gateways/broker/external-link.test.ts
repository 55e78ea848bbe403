import { writeFile } from 'node:fs/promises'
import t from 'tap'
import { boxConfigSchema, type ExternalBrokerConfig } from '../../../runtime/config.js'
import { wallTimeMs } from '../../../runtime/core/time.js'
import { addressOf, ExternalLink } from '../../../runtime/gateways/broker/external-link.js'
import { makePapers } from './certificates.js'

const plain: ExternalBrokerConfig = {
  kind: 'external',
  url: 'mqtts://localhost:8883',
  username: null,
  passwordFile: null,
  certificateAuthority: null,
  certificate: null,
  key: null,
}

const papers = await makePapers(t)
await papers.authority('tour')
await papers.certificate('box', 'tour')
await papers.certificate('other', 'tour')
await papers.certificate('old', 'tour', { days: -1 })
await writeFile(papers.path('empty'), '')
await writeFile(papers.path('prose.crt'), 'the certificate is in the other folder\n')
await writeFile(
  papers.path('torn.crt'),
  '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n',
)

const link = (config: Partial<ExternalBrokerConfig>): ExternalLink =>
  new ExternalLink(papers.files, { ...plain, ...config })

t.test('files that cannot be right are refused with their field in box.json', async t => {
  for (const [config, message] of [
    [{ passwordFile: 'none' }, 'box.broker.passwordFile: there is no none'],
    [{ certificateAuthority: 'none' }, 'box.broker.certificateAuthority: there is no none'],
    [{ certificateAuthority: 'empty' }, /^box\.broker\.certificateAuthority: must hold a cert/],
    [{ certificateAuthority: 'prose.crt' }, /^box\.broker\.certificateAuthority: must hold a cert/],
    [{ certificateAuthority: 'tour.key' }, /^box\.broker\.certificateAuthority: must hold a cert/],
    [{ certificateAuthority: 'torn.crt' }, /^box\.broker\.certificateAuthority: .*cannot be read/],
    [{ certificate: 'box.crt' }, 'box.broker.key: is missing: certificate needs it'],
    [{ key: 'box.key' }, 'box.broker.certificate: is missing: key needs it'],
    [{ certificate: 'box.key', key: 'box.key' }, /^box\.broker\.certificate: must hold a cert/],
    [{ certificate: 'box.crt', key: 'box.crt' }, /^box\.broker\.key: must be a private key/],
    [{ certificate: 'box.crt', key: 'other.key' }, /^box\.broker\.key: does not belong to the/],
    [
      { url: 'mqtt://localhost', certificateAuthority: 'tour.crt' },
      /^box\.broker\.certificateAuthority: is of no use without TLS: write mqtts:/,
    ],
    [
      { url: 'ws://localhost', certificate: 'box.crt', key: 'box.key' },
      /^box\.broker\.certificate: is of no use without TLS.*\nbox\.broker\.key: is of no use/,
    ],
  ] as const)
    await t.rejects(
      link(config).load(),
      { code: 'config.invalid', message },
      JSON.stringify(config),
    )
})

t.test('what is right is taken, and stays when the files are spoiled', async t => {
  await writeFile(papers.path('password'), ' open sesame\n')
  const whole = link({
    passwordFile: 'password',
    certificateAuthority: 'tour.crt',
    certificate: 'box.crt',
    key: 'box.key',
  })
  await whole.load()
  t.equal(whole.password?.toString(), 'open sesame')
  await writeFile(papers.path('password'), 'next')
  await whole.load()
  t.equal(whole.password?.toString(), 'next', 'a new one is taken')
  await papers.files.remove('password')
  await t.rejects(whole.load(), { message: /passwordFile/ })
  t.equal(whole.password?.toString(), 'next')
})

t.test('whether the own certificate has run out is told by the time it is given', async t => {
  const own = link({ certificate: 'box.crt', key: 'box.key' })
  await own.load()
  t.equal(own.isInTime(wallTimeMs(Date.now())), true)
  t.equal(own.isInTime(wallTimeMs(Date.now() + 3 * 86_400_000)), false)
  const old = link({ certificate: 'old.crt', key: 'old.key' })
  await old.load()
  t.equal(old.isInTime(wallTimeMs(Date.now())), false)
  t.equal(link({}).isInTime(wallTimeMs(Date.now())), true, 'none cannot run out')
})

t.test('a URL says how, where and by which port', async t => {
  for (const [url, address] of [
    ['mqtt://broker.local', { kind: 'tcp', host: 'broker.local', port: 1883 }],
    ['mqtt://127.0.0.1:1884', { kind: 'tcp', host: '127.0.0.1', port: 1884 }],
    ['mqtts://[::1]', { kind: 'tls', host: '::1', port: 8883 }],
    ['ws://broker', { kind: 'ws', host: 'broker', port: 80, url: 'ws://broker/mqtt' }],
    ['wss://broker:9001', { kind: 'wss', port: 9001, url: 'wss://broker:9001/mqtt' }],
    ['wss://broker/', { kind: 'wss', port: 443, url: 'wss://broker/' }],
    ['wss://broker/a/b', { url: 'wss://broker/a/b' }],
  ] as const)
    t.match(addressOf(url), address, url)
  for (const url of ['mqtts://broker/path', 'mqtt://broker:99999', 'http://broker', 'mqtt://'])
    t.throws(() => addressOf(url), { message: /^url: / }, url)
})

t.test('a URL in box.json has no password in it, for it is written to the log', async t => {
  const read = (url: string) =>
    boxConfigSchema.safeParse({
      schemaVersion: 1,
      tour: 'a',
      box: 'b',
      broker: { kind: 'external', url },
    }).success
  for (const url of ['mqtt://10.0.0.1', 'mqtts://broker.local:8883/', 'wss://[fe80::1]:1/mqtt'])
    t.equal(read(url), true, url)
  for (const url of ['mqtt://me:secret@broker', 'mqtt:/broker', 'broker', 'ws://b/?token=secret'])
    t.equal(read(url), false, url)
})
