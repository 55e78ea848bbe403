/** The time of a box before what asks once: ntpdig of NTPsec, and questions as old and small clients write them. */
import { join } from 'node:path'
import t from 'tap'
import { compileInto } from '../fixtures/compiled.js'
import type { TimeServerSettings } from '../fixtures/time-server.js'
import { hasProgram, makeNamespaces, whyNoNamespaces } from './namespaces.js'
import { follow } from './ptp4l.js'
import { serveTime } from './time-server.js'

const SERVER = 'test/fixtures/time-server'
/** Less than what a person would notice: the machine may stand still at any packet. */
const SAME_MS = 400
const SHIFT_MS = 5_000

const whyNot = whyNoNamespaces() ?? (hasProgram('ntpdig') ? null : 'ntpsec-ntpdig is not installed')
const skip = process.env['CI'] === undefined && whyNot !== null ? whyNot : false
const compiled = skip === false ? t.testdir() : ''
if (skip === false) compileInto(compiled, [SERVER])
t.setTimeout(175_000)

/** Runs a program before a server of that kind. */
async function before(
  t: Parameters<typeof serveTime>[0],
  settings: Partial<TimeServerSettings>,
  program: string,
  args: readonly string[],
): Promise<{ code: number | null; said: string; server: string }> {
  const namespaces = makeNamespaces(2)
  t.teardown(() => namespaces.remove())
  const server = await serveTime(t, join(compiled, `${SERVER}.js`), namespaces, 0, settings)
  const asking = follow(...namespaces.within(1, program, args))
  await asking.ended
  await server.stop()
  return { code: asking.child.exitCode, said: asking.output(), server: server.output() }
}

const digging = ['--json', '--timeout', '10', '10.77.0.1']

t.test('ntpdig takes the time of a box, and finds it where it is', { skip }, async t => {
  const { code, said } = await before(t, { aheadMs: SHIFT_MS, stratum: 3 }, 'ntpdig', digging)
  t.equal(code, 0, said)
  const found = JSON.parse(said)
  t.match(found, { ip: '10.77.0.1', stratum: 3, leap: 'no-leap', adjusted: false })
  t.ok(Math.abs(found.offset * 1e3 - SHIFT_MS) < SAME_MS, said)
})

t.test('ntpdig takes the date of a venue without the internet', { skip }, async t => {
  const { code, said } = await before(t, { stratum: 10 }, 'ntpdig', digging)
  t.equal(code, 0, said)
  t.match(JSON.parse(said), { stratum: 10 })
})

t.test('ntpdig takes nothing from a box without time', { skip }, async t => {
  const { code, said, server } = await before(t, { stratum: null }, 'ntpdig', digging)
  t.equal(code, 1)
  t.match(said, /no eligible servers/)
  t.notMatch(said, /offset/)
  t.match(server, /"served":0.*"unsynchronised":[1-9]/)
})

t.test('a stranger with ntpdig is told to go', { skip }, async t => {
  const { code, said, server } = await before(t, { allow: ['192.168.0.0/16'] }, 'ntpdig', digging)
  t.equal(code, 1)
  t.match(said, /stratum 0, probable KOD/)
  t.match(server, /"served":0.*"denied":[1-9]/)
})

/** Sends that many bytes, of which only the first says anything and the moment of sending if there is one, as a small client does. */
const askRaw = (first: number, moment: string): string => `
  const { createSocket } = require('node:dgram')
  const socket = createSocket('udp4')
  const question = Buffer.alloc(48)
  question[0] = ${first}
  Buffer.from('${moment}', 'hex').copy(question, 40)
  const again = setInterval(() => socket.send(question, 123, '10.77.0.1'), 500)
  socket.send(question, 123, '10.77.0.1')
  setTimeout(() => process.exit(2), 20_000)
  socket.once('message', answer => {
    clearInterval(again)
    process.stdout.write(answer.toString('hex'))
    process.exit(0)
  })`

/** LI 0, version, mode 3: what ntpdate (3 and 4) and the clients of small devices (1 to 4, nothing else filled in) send. */
for (const [what, version, moment] of [
  ['of version 1 without a moment', 1, ''],
  ['of version 3 without a moment', 3, ''],
  ['of version 3, as ntpdate writes it', 3, 'eeade3420523180a'],
  ['of version 4, as ntpdate writes it', 4, 'eeade3420523180a'],
] as const)
  t.test(`a question ${what} is answered in its version`, { skip }, async t => {
    const script = askRaw((version << 3) | 3, moment)
    const { code, said } = await before(t, { stratum: 2 }, process.execPath, ['-e', script])
    t.equal(code, 0, said)
    const answer = Buffer.from(said, 'hex')
    t.equal(answer.length, 48)
    t.equal(answer[0], (version << 3) | 4, 'no leap, its version, mode of a server')
    t.equal(answer[1], 2, 'the stratum')
    t.equal(answer.toString('hex', 24, 32), moment.padEnd(16, '0'), 'the moment of the question')
    const [arrived, left] = [answer.readBigUInt64BE(32), answer.readBigUInt64BE(40)]
    t.ok(arrived > 0n && left >= arrived)
    const seconds = answer.readUInt32BE(40) - 2_208_988_800
    t.ok(Math.abs(seconds * 1e3 - Date.now()) < 60_000, 'the date')
  })
