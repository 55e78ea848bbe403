/** A box at somebody else's broker with TLS: a real Mosquitto, and over WebSocket one with a proxy in front. */
import { copyFile, writeFile } from 'node:fs/promises'
import t, { type Test } from 'tap'
import type { ExternalBrokerConfig } from '../../runtime/config.js'
import { makePapers, type Papers } from '../gateways/broker/certificates.js'
import { base, client, hastened, type TestClient, until } from '../gateways/broker/harness.js'
import { type ExternalBox, externalBox } from './external-box.js'
import { type Cable, hasMosquitto, startCable, startMosquitto } from './mosquitto-broker.js'
import { startFront } from './websocket-front.js'

interface Venue {
  readonly papers: Papers
  /** Every connection of the box goes through it. */
  readonly cable: Cable
  readonly technician: TestClient
  /** A box that has begun to look for its broker. Times are twenty times as short. */
  box(config: Partial<ExternalBrokerConfig>, host?: string): Promise<ExternalBox>
}

interface VenueOptions {
  readonly certificate: string
  readonly wantsCertificate?: boolean
}

type Kind = 'mqtts' | 'wss'

const master = await makePapers(t)
for (const name of ['tour', 'stranger']) await master.authority(name)
await master.certificate('server', 'tour')
await master.certificate('expired', 'tour', { days: -1 })
await master.certificate('elsewhere', 'tour', { names: 'DNS:broker.example' })
await master.certificate('box', 'tour')
await master.certificate('next', 'tour')
await master.certificate('old', 'tour', { days: -1 })
await master.certificate('odd', 'stranger')

async function openVenue(t: Test, kind: Kind, options: VenueOptions): Promise<Venue> {
  const papers = await master.copy(t)
  const { certificate, wantsCertificate = false } = options
  const wanted = ['require_certificate true', `cafile ${papers.path('tour.crt')}`]
  const mosquitto = await startMosquitto(null, [
    ...[`certfile ${papers.path(`${certificate}.crt`)}`],
    ...[`keyfile ${papers.path(`${certificate}.key`)}`],
    ...(wantsCertificate ? wanted : []),
  ])
  t.teardown(() => mosquitto.stop())
  const front = await startFront(mosquitto.port, papers, {
    certificate,
    clientAuthority: wantsCertificate ? 'tour' : null,
  })
  t.teardown(() => front.stop())
  const cable = await startCable(kind === 'mqtts' ? mosquitto.tlsPort : front.port)
  t.teardown(() => cable.stop())
  const technician = await client(mosquitto.port, 'anyone')
  t.teardown(() => technician.drop())
  return {
    papers,
    cable,
    technician,
    box: async (config, host = 'localhost') => {
      const { files } = papers
      const url = `${kind}://${host}:${cable.port}`
      const box = externalBox(url, { config, files, clock: hastened(20) })
      t.teardown(() => box.broker.stop())
      await box.broker.start()
      box.bus.publish('box/availability', { state: 'ready', boot: 1 })
      return box
    },
  }
}

const isUp = ({ broker }: ExternalBox): boolean => broker.read().isConnected

async function obeys(t: Test, box: ExternalBox, technician: TestClient): Promise<void> {
  await until(
    () => isUp(box),
    () => `the connection: ${JSON.stringify(box.log.lines)}`,
  )
  await technician.subscribe(`${base}/availability`)
  await until(() => technician.messages.some(({ payload }) => payload.includes('ready')), 'state')
  await technician.publish(`${base}/cue`, 'GO')
  await until(() => box.commands.length === 1, 'the command')
  t.match(box.commands, [{ action: 'go' }])
}

/** What was told of it, after it was tried `tries` times. */
async function told(box: ExternalBox, cable: Cable, tries: number): Promise<unknown[]> {
  await until(() => cable.tries() >= tries, `try ${tries}`)
  return box.log.lines.filter(({ level }) => level !== 'info').map(({ facts }) => facts)
}

const skip = hasMosquitto ? false : 'there is no mosquitto'

for (const kind of ['mqtts', 'wss'] as const) {
  t.test(`${kind}: a broker whose certificate is right is obeyed`, { skip }, async t => {
    const { box, technician } = await openVenue(t, kind, { certificate: 'server' })
    await obeys(t, await box({ certificateAuthority: 'tour.crt' }), technician)
  })

  t.test(`${kind}: so is one whose certificate has its address`, { skip }, async t => {
    const { box, technician } = await openVenue(t, kind, { certificate: 'server' })
    await obeys(t, await box({ certificateAuthority: 'tour.crt' }, '127.0.0.1'), technician)
  })

  t.test(`${kind}: a box shows its own certificate where one is wanted`, { skip }, async t => {
    const venue = await openVenue(t, kind, { certificate: 'server', wantsCertificate: true })
    const files = { certificateAuthority: 'tour.crt', certificate: 'box.crt', key: 'box.key' }
    await obeys(t, await venue.box(files), venue.technician)
  })

  for (const [what, certificate, config, field, message] of [
    [
      'a broker that somebody else vouches for',
      'server',
      { certificateAuthority: 'stranger.crt' },
      'certificateAuthority',
      /not signed by who is in stranger\.crt/,
    ],
    [
      'a broker that nobody known vouches for',
      'server',
      {},
      'certificateAuthority',
      /is not set, and nobody whom this machine trusts/,
    ],
    [
      'a broker whose certificate has expired',
      'expired',
      { certificateAuthority: 'tour.crt' },
      'url',
      /has expired: renew it there, or set the clock/,
    ],
    [
      'a broker of another name',
      'elsewhere',
      { certificateAuthority: 'tour.crt' },
      'url',
      /is for DNS:broker\.example, not for (mqtts|wss):\/\/localhost/,
    ],
  ] as const)
    t.test(`${kind}: ${what} is refused, told once, and tried again`, { skip }, async t => {
      const { box, cable, technician } = await openVenue(t, kind, { certificate })
      await technician.subscribe(`${base}/#`)
      const refused = await box(config)
      t.match(await told(refused, cable, 4), [{ field: `box.broker.${field}`, message }])
      t.equal(refused.broker.read().connections, 0)
      t.same(technician.messages, [], 'and nothing is told to it')
    })

  for (const [what, config, message] of [
    ['none', {}, /is not set, and the broker lets nobody in without one/],
    ['of a stranger', { certificate: 'odd.crt', key: 'odd.key' }, /who signed it/],
    ['out of date', { certificate: 'old.crt', key: 'old.key' }, /has expired/],
  ] as const)
    t.test(
      `${kind}: a box that is refused for its certificate says so: ${what}`,
      { skip },
      async t => {
        const venue = await openVenue(t, kind, { certificate: 'server', wantsCertificate: true })
        await venue.papers.certificate('odd', 'stranger')
        await venue.papers.certificate('old', 'tour', { days: -1 })
        const refused = await venue.box({ certificateAuthority: 'tour.crt', ...config })
        t.match(await told(refused, venue.cable, 4), [{ field: 'box.broker.certificate', message }])
        t.equal(refused.broker.read().connections, 0)
      },
    )

  t.test(`${kind}: an authority that is corrected on disk needs no restart`, { skip }, async t => {
    const { box, cable, papers, technician } = await openVenue(t, kind, { certificate: 'server' })
    await copyFile(papers.path('stranger.crt'), papers.path('trusted.crt'))
    const patient = await box({ certificateAuthority: 'trusted.crt' })
    await told(patient, cable, 2)
    await copyFile(papers.path('tour.crt'), papers.path('trusted.crt'))
    await obeys(t, patient, technician)
  })

  t.test(`${kind}: a certificate that is renewed on disk needs no restart`, { skip }, async t => {
    const venue = await openVenue(t, kind, { certificate: 'server', wantsCertificate: true })
    const { papers } = venue
    const files = { certificateAuthority: 'tour.crt', certificate: 'old.crt', key: 'old.key' }
    const patient = await venue.box(files)
    await told(patient, venue.cable, 2)
    for (const end of ['crt', 'key'])
      await copyFile(papers.path(`next.${end}`), papers.path(`old.${end}`))
    await obeys(t, patient, venue.technician)
  })

  t.test(`${kind}: a certificate that is half renewed is not used yet`, { skip }, async t => {
    const { papers, ...venue } = await openVenue(t, kind, {
      certificate: 'server',
      wantsCertificate: true,
    })
    const files = { certificateAuthority: 'tour.crt', certificate: 'box.crt', key: 'box.key' }
    const box = await venue.box(files)
    await obeys(t, box, venue.technician)
    await copyFile(papers.path('next.crt'), papers.path('box.crt'))
    venue.cable.pull()
    await until(() => box.broker.read().connections === 2, 'the box to be back')
    t.match(
      box.log.lines.filter(({ event }) => event === 'broker.link-spoiled'),
      [{ facts: { field: 'box.broker.key', message: /does not belong to the certificate/ } }],
    )
    await writeFile(papers.path('box.key'), '')
    venue.cable.pull()
    await until(() => box.broker.read().connections === 3, 'the box to be back again')
  })
}
