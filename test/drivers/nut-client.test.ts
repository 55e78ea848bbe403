import { inspect } from 'node:util'
import t from 'tap'
import { NutClient, type NutLogin } from '../../drivers/nut-client.js'
import { makeBench } from './bench.js'
import { listOf, standInUpsd } from './nut-bench.js'

function bench(login: NutLogin | null = null) {
  const { clock, host } = makeBench()
  const far = host.plugged.tcp('nas.local', 3493)
  const upsd = standInUpsd(far)
  const client = new NutClient(host.tcpStream('nas.local', 3493), clock, login)
  const faults: string[] = []
  client.onFault(fault => faults.push(fault.code))
  return { clock, far, upsd, client, faults }
}

const say = (far: ReturnType<typeof bench>['far'], text: string): void =>
  far.receive(new TextEncoder().encode(text))

t.test('what a UPS says of itself is asked for once, and read with its escapes', async t => {
  const { upsd, client } = bench()
  await client.open()
  upsd.answer = listOf('box', { 'battery.charge': '55', 'ups.mfr': String.raw`say \"hi\" \\ \#1` })
  t.same(
    await client.variables('box'),
    new Map([
      ['battery.charge', '55'],
      ['ups.mfr', String.raw`say "hi" \ #1`],
    ]),
  )
  t.same(upsd.asked, ['LIST VAR box'])
  t.equal((await client.variables('box'))?.size, 2, 'and again')
})

t.test('an answer may come in any pieces', async t => {
  const { clock, far, client } = bench()
  await client.open()
  const asked = client.variables('box')
  for (const letter of listOf('box', { 'ups.status': 'OL' })) {
    say(far, letter)
    await clock.advance(1)
  }
  t.same(await asked, new Map([['ups.status', 'OL']]))
})

t.test('a server that does not know how the UPS is has said so', async t => {
  const { upsd, client, faults } = bench()
  await client.open()
  for (const code of ['DATA-STALE', 'DRIVER-NOT-CONNECTED']) {
    upsd.answer = `ERR ${code}\n`
    t.equal(await client.variables('box'), null)
  }
  t.same(faults, [])
})

t.test('a refusal is an error of its own, and the connection goes on', async t => {
  const { upsd, client, faults } = bench()
  await client.open()
  for (const [refusal, code] of [
    ['UNKNOWN-UPS', 'device.absent'],
    ['ACCESS-DENIED', 'device.denied'],
    ['SOMETHING-NEW', 'device.io'],
  ] as const) {
    upsd.answer = `ERR ${refusal}\n`
    await t.rejects(client.variables('box'), { code, message: new RegExp(refusal) })
  }
  upsd.answer = listOf('box', {})
  t.equal((await client.variables('box'))?.size, 0)
  t.same(faults, [])
})

t.test('a server that is silent is given up after five seconds', async t => {
  const { clock, client, faults } = bench()
  await client.open()
  const asked = t.rejects(client.variables('box'), { code: 'device.timeout' })
  await clock.advance(4_999)
  t.same(faults, [])
  await clock.advance(1)
  await asked
  t.same(faults, ['device.timeout'])
  await t.rejects(client.variables('box'), { code: 'device.absent' })
})

t.test('what is no server of NUT is given up at once', async t => {
  for (const nonsense of [
    'HTTP/1.1 400 Bad Request\n',
    'VAR box ups.mfr "open\n',
    'x'.repeat(1_025),
    '\u0000'.repeat(2_000),
  ]) {
    const { upsd, client, faults } = bench()
    await client.open()
    upsd.answer = nonsense
    await t.rejects(
      client.variables('box'),
      { code: 'device.io' },
      JSON.stringify(nonsense.slice(0, 20)),
    )
    t.same(faults, ['device.io'])
  }
})

t.test('a server that speaks unasked is given up, and variables without an end, too', async t => {
  const { far, client, faults } = bench()
  await client.open()
  say(far, 'VAR box battery.charge "0"\n')
  t.same(faults, ['device.io'])
  const other = bench()
  await other.client.open()
  other.upsd.answer = Array.from({ length: 1_001 }, (_, at) => `VAR box v${at} "1"\n`).join('')
  await t.rejects(other.client.variables('box'), { code: 'device.io' })
})

t.test('a lost connection fails what was asked, is told once, and can be opened again', async t => {
  const { far, upsd, client, faults } = bench()
  await client.open()
  const asked = t.rejects(client.variables('box'), { code: 'device.absent' })
  far.unplug()
  await asked
  t.same(faults, ['device.absent'])
  await client.close()
  far.plug()
  await client.open()
  upsd.answer = listOf('box', { 'ups.status': 'OL' })
  t.equal((await client.variables('box'))?.size, 1)
})

t.test('half an answer of an earlier connection is not the beginning of the next', async t => {
  const { far, upsd, client } = bench()
  await client.open()
  const asked = t.rejects(client.variables('box'), { code: 'device.absent' })
  say(far, 'BEGIN LIST VAR box\nVAR box battery.ch')
  await client.close()
  await asked
  await client.open()
  upsd.answer = listOf('box', { 'ups.status': 'OB' })
  t.same(await client.variables('box'), new Map([['ups.status', 'OB']]))
})

t.test('one question at a time, none when closed, and closing twice is closing', async t => {
  const { client, faults } = bench()
  await t.rejects(client.variables('box'), { code: 'device.absent' })
  await client.open()
  const first = t.rejects(client.variables('box'), { code: 'device.absent' })
  await t.rejects(client.variables('box'), { code: 'device.busy' })
  await client.close()
  await first
  await client.close()
  t.same(faults, [], 'who closes knows')
})

const login = { username: 'box', password: String.raw`p"a s#s\w` }
const greetings = ['USERNAME box', String.raw`PASSWORD "p\"a s\#s\\w"`, 'LOGIN rack']

function loggingIn() {
  const rig = bench(login)
  for (const beginning of ['USERNAME', 'PASSWORD', 'LOGIN']) rig.upsd.answers.set(beginning, 'OK\n')
  rig.upsd.answer = listOf('rack', { 'ups.status': 'OL' })
  return rig
}

t.test('who has a name says it once in a connection, and logs in to the UPS it reads', async t => {
  const { upsd, client } = loggingIn()
  for (const connection of [1, 2]) {
    await client.open()
    t.equal((await client.variables('rack'))?.get('ups.status'), 'OL', `connection ${connection}`)
    await client.variables('rack')
    await client.close()
  }
  const all = [...greetings, 'LIST VAR rack', 'LIST VAR rack']
  t.same(upsd.asked, [...all, ...all])
})

t.test('a refusal to let in says why, and never what the password was', async t => {
  for (const [line, refusal, code] of [
    ['USERNAME', 'INVALID-USERNAME', 'device.denied'],
    ['PASSWORD', 'INVALID-PASSWORD', 'device.denied'],
    ['PASSWORD', 'ACCESS-DENIED', 'device.denied'],
    ['LOGIN', 'ACCESS-DENIED', 'device.denied'],
    ['LOGIN', 'USERNAME-REQUIRED', 'device.denied'],
    ['LOGIN', 'UNKNOWN-UPS', 'device.absent'],
    ['LIST', 'ACCESS-DENIED', 'device.denied'],
  ] as const) {
    const { upsd, client } = loggingIn()
    upsd.answers.set(line, `ERR ${refusal}\n`)
    await client.open()
    const why = await client.variables('rack').catch((error: unknown) => error)
    t.match(why, { name: 'DeviceError', code, message: new RegExp(`rack: ${refusal}, .`) })
    t.notOk(inspect(why, { depth: 9, showHidden: true }).includes(login.password), refusal)
  }
})

t.test('a server that has lost the UPS logs nobody in, and is asked again', async t => {
  const { upsd, client } = loggingIn()
  await client.open()
  for (const refusal of ['DATA-STALE', 'DRIVER-NOT-CONNECTED']) {
    upsd.answers.set('LOGIN', `ERR ${refusal}\n`)
    t.equal(await client.variables('rack'), null, refusal)
    upsd.answers.set('USERNAME', 'ERR ALREADY-SET-USERNAME\n')
    upsd.answers.set('PASSWORD', 'ERR ALREADY-SET-PASSWORD\n')
  }
  t.notOk(upsd.asked.includes('LIST VAR rack'))
  upsd.answers.set('LOGIN', 'OK\n')
  t.equal((await client.variables('rack'))?.size, 1)
})

t.test('a server that knows no log-in is read without', async t => {
  const { upsd, client } = loggingIn()
  upsd.answers.set('LOGIN', 'ERR UNKNOWN-COMMAND\n')
  await client.open()
  t.equal((await client.variables('rack'))?.size, 1)
})

t.test('a server that is silent at the log-in is given up after five seconds', async t => {
  const { clock, upsd, client, faults } = loggingIn()
  upsd.answers.delete('PASSWORD')
  upsd.answer = null
  await client.open()
  const asked = t.rejects(client.variables('rack'), { code: 'device.timeout' })
  await clock.advance(5_000)
  await asked
  t.same(faults, ['device.timeout'])
})

t.test('a list where a word was asked for is not the protocol', async t => {
  const { upsd, client } = loggingIn()
  upsd.answers.set('USERNAME', listOf('rack', { 'battery.charge': '0' }))
  await client.open()
  await t.rejects(client.variables('rack'), { code: 'device.io' })
})
