import t from 'tap'
import {
  type NutAnswer,
  type NutClient,
  type NutView,
  nutAnswer,
} from '../../../runtime/gateways/nut/nut-answers.js'

const view: NutView = {
  ups: 'lobby',
  description: 'Roadcase box lobby',
  version: '1.2.3',
  variables: new Map<string, number | string>([
    ['battery.charge', 55],
    ['ups.model', String.raw`a "quoted" \ #1`],
  ]),
  logins: ['127.0.0.1', '192.0.2.7'],
}

const stranger = (): NutClient => ({ hasUsername: false, hasPassword: false, isLoggedIn: false })
const known = (): NutClient => ({ hasUsername: true, hasPassword: true, isLoggedIn: false })

const answer = (line: string, client = stranger(), of = view): NutAnswer =>
  nutAnswer(line.split(' '), client, of)

function saying(
  t: { same(a: unknown, b: unknown, m: string): unknown },
  cases: readonly (readonly [line: string, ...lines: string[]])[],
  client: () => NutClient = stranger,
  of = view,
): void {
  for (const [line, ...lines] of cases)
    t.same(answer(line, client(), of), { lines, isEnd: false }, line)
}

t.test('a name that means something to JavaScript is a name like any other', async t => {
  for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty'])
    saying(t, [
      [`GET DESC lobby ${name}`, `DESC lobby ${name} "Description unavailable"`],
      [`GET VAR lobby ${name}`, 'ERR VAR-NOT-SUPPORTED'],
      [`GET VAR lobby server.${name}`, 'ERR VAR-NOT-SUPPORTED'],
    ])
})

t.test('a variable is told as NUT writes it', async t => {
  saying(t, [
    ['GET VAR lobby battery.charge', 'VAR lobby battery.charge "55"'],
    ['GET VAR lobby ups.model', String.raw`VAR lobby ups.model "a \"quoted\" \\ \#1"`],
    ['get var LOBBY Battery.Charge', 'VAR LOBBY Battery.Charge "55"'],
    ['GET TYPE lobby battery.charge', 'TYPE lobby battery.charge NUMBER'],
    ['GET TYPE lobby ups.model', 'TYPE lobby ups.model STRING:15'],
    ['GET DESC lobby battery.charge', 'DESC lobby battery.charge "Battery charge (percent)"'],
    ['GET DESC lobby no.such', 'DESC lobby no.such "Description unavailable"'],
    ['GET CMDDESC lobby load.off', 'CMDDESC lobby load.off "Description unavailable"'],
    ['GET UPSDESC lobby', 'UPSDESC lobby "Roadcase box lobby"'],
    ['GET NUMLOGINS lobby', 'NUMLOGINS lobby 2'],
    ['GET TRACKING', 'OFF'],
    ['GET TRACKING 1bd31808', 'ERR FEATURE-NOT-CONFIGURED'],
    ['GET VAR any server.version', 'VAR any server.version "1.2.3"'],
    ['GET VAR any server.info', 'VAR any server.info "Roadcase 1.2.3 - read-only NUT server"'],
    ['GET VAR any server.secret', 'ERR VAR-NOT-SUPPORTED'],
    ['GET VAR lobby ups.load', 'ERR VAR-NOT-SUPPORTED'],
    ['GET TYPE lobby ups.load', 'ERR VAR-NOT-SUPPORTED'],
    ['GET VAR lounge ups.load', 'ERR UNKNOWN-UPS'],
    ['GET UPSDESC lounge', 'ERR UNKNOWN-UPS'],
    ['GET VAR lobby', 'ERR INVALID-ARGUMENT'],
    ['GET NUMLOGINS', 'ERR INVALID-ARGUMENT'],
    ['GET WEATHER lobby today', 'ERR INVALID-ARGUMENT'],
    ['GET', 'ERR INVALID-ARGUMENT'],
  ])
})

t.test('a list begins and ends with what was asked', async t => {
  saying(t, [
    ['LIST UPS', 'BEGIN LIST UPS', 'UPS lobby "Roadcase box lobby"', 'END LIST UPS'],
    [
      'LIST VAR lobby',
      'BEGIN LIST VAR lobby',
      'VAR lobby battery.charge "55"',
      String.raw`VAR lobby ups.model "a \"quoted\" \\ \#1"`,
      'END LIST VAR lobby',
    ],
    [
      'LIST CLIENT lobby',
      'BEGIN LIST CLIENT lobby',
      'CLIENT lobby 127.0.0.1',
      'CLIENT lobby 192.0.2.7',
      'END LIST CLIENT lobby',
    ],
    ['LIST RW lobby', 'BEGIN LIST RW lobby', 'END LIST RW lobby'],
    ['LIST CMD lobby', 'BEGIN LIST CMD lobby', 'END LIST CMD lobby'],
    [
      'LIST ENUM lobby battery.charge',
      'BEGIN LIST ENUM lobby battery.charge',
      'END LIST ENUM lobby battery.charge',
    ],
    [
      'LIST RANGE lobby battery.charge',
      'BEGIN LIST RANGE lobby battery.charge',
      'END LIST RANGE lobby battery.charge',
    ],
    ['LIST RANGE lobby ups.load', 'ERR VAR-NOT-SUPPORTED'],
    ['LIST ENUM lobby', 'ERR INVALID-ARGUMENT'],
    ['LIST VAR', 'ERR INVALID-ARGUMENT'],
    ['LIST VAR lounge', 'ERR UNKNOWN-UPS'],
    ['LIST CLIENT lounge', 'ERR UNKNOWN-UPS'],
    ['LIST WEATHER lobby', 'ERR INVALID-ARGUMENT'],
    ['LIST', 'ERR INVALID-ARGUMENT'],
  ])
})

t.test('before anything is heard of the power, what depends on it is stale', async t => {
  const early = { ...view, variables: null }
  saying(
    t,
    [
      ['LIST VAR lobby', 'ERR DATA-STALE'],
      ['GET VAR lobby ups.status', 'ERR DATA-STALE'],
      ['GET NUMLOGINS lobby', 'ERR DATA-STALE'],
      ['LIST UPS', 'BEGIN LIST UPS', 'UPS lobby "Roadcase box lobby"', 'END LIST UPS'],
      ['GET UPSDESC lobby', 'UPSDESC lobby "Roadcase box lobby"'],
    ],
    stranger,
    early,
  )
})

t.test('the server says what it is', async t => {
  saying(t, [
    ['VER', 'Roadcase 1.2.3 - read-only NUT server'],
    ['NETVER', '1.3'],
    ['PROTVER', '1.3'],
    ['HELP', 'Commands: HELP VER NETVER PROTVER GET LIST LOGIN LOGOUT USERNAME PASSWORD'],
    ['VER now', 'ERR INVALID-ARGUMENT'],
    ['STARTTLS', 'ERR FEATURE-NOT-CONFIGURED'],
    ['REQ NUMLOGINS', 'ERR UNKNOWN-COMMAND'],
    ['__proto__', 'ERR UNKNOWN-COMMAND'],
    ['constructor lobby', 'ERR UNKNOWN-COMMAND'],
  ])
})

t.test('who has said name and password may log in once, whatever they are', async t => {
  const client = stranger()
  const said = (line: string): string | undefined => answer(line, client).lines[0]
  t.equal(said('LOGIN lobby'), 'ERR USERNAME-REQUIRED')
  t.equal(said('USERNAME'), 'ERR INVALID-ARGUMENT')
  t.equal(said('USERNAME monitor'), 'OK')
  t.equal(said('USERNAME monitor'), 'ERR ALREADY-SET-USERNAME')
  t.equal(said('LOGIN lobby'), 'ERR PASSWORD-REQUIRED')
  t.equal(said('PASSWORD secret'), 'OK')
  t.equal(said('PASSWORD secret'), 'ERR ALREADY-SET-PASSWORD')
  t.equal(said('LOGIN lounge'), 'ERR UNKNOWN-UPS')
  t.equal(said('LOGIN'), 'ERR INVALID-ARGUMENT')
  t.equal(said('LOGIN lobby'), 'OK')
  t.equal(said('LOGIN lobby'), 'ERR ALREADY-LOGGED-IN')
  t.same(client, { hasUsername: true, hasPassword: true, isLoggedIn: true }, 'no password is kept')
  t.same(answer('LOGOUT', client), { lines: ['OK Goodbye'], isEnd: true })
  t.same(answer('LOGOUT now', client), { lines: ['ERR INVALID-ARGUMENT'], isEnd: false })
})

t.test('nothing can be changed, by nobody', async t => {
  const changes = [
    'SET VAR lobby battery.charge 0',
    'SET VAR lobby no.such 0',
    'FSD lobby',
    'PRIMARY lobby',
    'MASTER lobby',
  ]
  for (const line of changes) {
    t.same(answer(line).lines, ['ERR USERNAME-REQUIRED'], line)
    t.same(answer(line, known()).lines, ['ERR ACCESS-DENIED'], line)
  }
  saying(
    t,
    [
      ['INSTCMD lobby load.off', 'ERR CMD-NOT-SUPPORTED'],
      ['INSTCMD lounge load.off', 'ERR UNKNOWN-UPS'],
      ['FSD lounge', 'ERR UNKNOWN-UPS'],
      ['FSD', 'ERR INVALID-ARGUMENT'],
      ['SET', 'ERR INVALID-ARGUMENT'],
      ['SET TRACKING ON', 'ERR FEATURE-NOT-CONFIGURED'],
    ],
    known,
  )
})
