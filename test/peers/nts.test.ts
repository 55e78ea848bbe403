/** A box whose time servers are to prove who they are (NTS, RFC 8915): chronyd on both sides, certificates of the test's own. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { compileInto } from '../fixtures/compiled.js'
import { makeAuthority, type Signed, sign } from './certificates.js'
import { startChronyd, whyNoChrony } from './chrony.js'
import { hasProgram, makeNamespaces, type Namespaces } from './namespaces.js'
import { follow } from './ptp4l.js'
import { type BoxDate, startWallClock } from './wall-clock.js'

const BOX = 'test/fixtures/wall-clock'
const SERVER = '10.77.0.1'
const ALWAYS = { from: '20200101000000Z', to: '20990101000000Z' }
const LONG_AGO = { from: '20200101000000Z', to: '20210101000000Z' }

const whyNot = whyNoChrony() ?? (hasProgram('openssl') ? null : 'openssl is not installed')
const skip = process.env['CI'] === undefined && whyNot !== null ? whyNot : false
const compiled = skip === false ? t.testdir() : ''
if (skip === false) compileInto(compiled, [BOX])
t.setTimeout(175_000)

function folder(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'roadcase-nts-'))
  t.teardown(() => rmSync(path, { recursive: true, force: true }))
  return path
}

interface Venue {
  readonly namespaces: Namespaces
  readonly authority: Signed
  readonly stateFolder: string
  /** Of the box, which asks with NTS. @param trusted null: whom the operating system trusts */
  box(trusted: string | null): BoxDate
}

/** A server with a certificate for that address, and a network to it. */
function venue(t: Test, address: string, dates = ALWAYS): Venue {
  const namespaces = makeNamespaces(2)
  t.teardown(() => namespaces.remove())
  const [certificates, stateFolder] = [folder(t), folder(t)]
  const authority = makeAuthority(certificates)
  const { certificate, key } = sign(certificates, authority, 'server', address, dates)
  const server = startChronyd(namespaces, 0, [
    'local stratum 2',
    'allow',
    `ntsserverkey ${key}`,
    `ntsservercert ${certificate}`,
  ])
  t.teardown(() => server.stop())
  const box = (trusted: string | null): BoxDate => {
    const servers = [{ host: SERVER, isNts: true }]
    const ntp = { engine: 'chrony', servers, trustedCertificates: trusted }
    const started = startWallClock(join(compiled, `${BOX}.js`), namespaces, 1, stateFolder, ntp)
    t.teardown(() => started.stop())
    return started
  }
  return { namespaces, authority, stateFolder, box }
}

/** What chronyc(1) says of how the box's own chronyd knows its servers. */
async function authdata(stateFolder: string): Promise<string[]> {
  const socket = join(stateFolder, 'chrony', 'chronyd.sock')
  const chronyc = follow('chronyc', ['-c', '-h', socket, 'authdata'])
  await chronyc.ended
  return chronyc.output().trim().split(',')
}

const config = (stateFolder: string): string =>
  readFileSync(join(stateFolder, 'chrony', 'chrony.conf'), 'utf8')

const complains = (box: BoxDate, words: RegExp) => (): boolean =>
  words.test(box.state()?.trouble ?? '')

t.test('a box without a date finds it by NTS, and asks twice for it', { skip }, async t => {
  const { authority, stateFolder, box } = venue(t, SERVER)
  const asking = box(authority.certificate)
  await asking.until(() => asking.state()?.source === 'ntp', 'the date')
  t.match(asking.state(), { isUtcKnown: true, stratum: 3, trouble: null, engine: 'chrony' })
  const [address, mode, keyId, , keyBits, , , , cookies] = await authdata(stateFolder)
  t.same([address, mode, keyId, keyBits], [SERVER, 'NTS', '1', '256'])
  t.ok(Number(cookies) > 0, `${cookies} cookies`)
  const starts = asking.logged.filter(line => line.startsWith('wall.daemon {'))
  t.equal(starts.length, 2, 'the second time it looks at the dates of certificates')
  t.notMatch(config(stateFolder), /nocerttimecheck/)
  await asking.stop()

  const again = box(authority.certificate)
  await again.until(() => again.logged.some(line => line.startsWith('wall.daemon {')), 'chronyd')
  t.notMatch(config(stateFolder), /nocerttimecheck/, 'what it knows, it knows from now on')
})

t.test(
  'a certificate that has expired gives no date, also to a box without one',
  { skip },
  async t => {
    const { authority, stateFolder, box } = venue(t, SERVER, LONG_AGO)
    const asking = box(authority.certificate)
    await asking.until(complains(asking, /^NTS: .*10\.77\.0\.1.*expired certificate/), 'a word')
    t.match(asking.state(), { source: 'floor', isUtcKnown: false })
    t.notOk(
      asking.logged.some(line => /wall\.source.*"ntp"/.test(line)),
      'at no time',
    )
    t.match(await authdata(stateFolder), [SERVER, 'NTS', '0'])
  },
)

t.test('a certificate of somebody else gives no date, and it is said', { skip }, async t => {
  const { authority, stateFolder, box } = venue(t, '10.77.0.9')
  const asking = box(authority.certificate)
  await asking.until(complains(asking, /name in the certificate does not match/), 'a word')
  t.match(asking.state(), { source: 'floor', isUtcKnown: false })
  t.match(await authdata(stateFolder), [SERVER, 'NTS', '0'])
})

t.test('nor does one of an authority that nobody trusts', { skip }, async t => {
  const { stateFolder, box } = venue(t, SERVER)
  const asking = box(null)
  await asking.until(complains(asking, /certificate issuer is unknown/), 'a word')
  t.match(asking.state(), { source: 'floor', isUtcKnown: false })
  t.match(await authdata(stateFolder), [SERVER, 'NTS', '0'])
})
