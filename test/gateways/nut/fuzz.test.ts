/** Goal: no bytes of a stranger stop the server, or keep it from others. Method: seeded nonsense, cut anywhere. */
import t from 'tap'
import { randomFrom } from '../../../runtime/core/random.js'
import { connect, onMains, openServer, until } from './nut-world.js'

const SEEDS = 40
const WORDS = [
  'GET',
  'LIST',
  'VAR',
  'SET',
  'lobby',
  'LOGIN',
  'USERNAME',
  'ups.status',
  '"',
  '\\',
  '#',
  '"a b"',
  '\u0000',
  '\u00ff\u00fe',
  '\r',
  '%s%n',
  '__proto__',
  '../..',
  'x'.repeat(300),
]

function nonsense(random: () => number): Buffer {
  const pieces: string[] = []
  for (let count = Math.floor(random() * 30); count >= 0; count--) {
    pieces.push(WORDS[Math.floor(random() * WORDS.length)] ?? '')
    pieces.push(random() < 0.2 ? '\n' : random() < 0.9 ? ' ' : '')
  }
  return Buffer.from(pieces.join(''), 'latin1')
}

t.test('nonsense is answered or hung up on, and others are served meanwhile', async t => {
  const { bus, log, server } = await openServer(t)
  bus.publish('power/state', onMains)
  let answered = 0
  let hungUp = 0
  for (let seed = 1; seed <= SEEDS; seed++) {
    const random = randomFrom(seed)
    const peer = await connect(t, server.port)
    for (let piece = 0; piece < 10; piece++) peer.say(nonsense(random))
    if (random() < 0.3) peer.socket.resetAndDestroy()
    else peer.socket.end('\nLOGOUT\n')
    const isOver = (): boolean => peer.socket.destroyed || peer.heard().includes('OK Goodbye')
    await until(isOver, `an end of seed ${seed}`, () => peer.heard())
    peer.socket.destroy()
    if (peer.heard().includes('ERR ')) answered++
    if (peer.heard().includes('ERR TOO-LONG')) hungUp++
    for (const line of peer.heard().split('\n'))
      if (
        !/^(|ERR [A-Z-]+|OK|OK Goodbye|(BEGIN|END) LIST .*|(UPS|VAR|CLIENT|TYPE|DESC|NUMLOGINS|UPSDESC) .*)$/.test(
          line,
        )
      )
        t.fail(`seed ${seed}: ${JSON.stringify(line)}`)
  }
  t.ok(answered > SEEDS / 3, `${answered} were answered`)
  t.ok(hungUp > 0, `${hungUp} were hung up on`)
  t.same(log.events('error'), [])
  const peer = await connect(t, server.port)
  peer.say('GET VAR lobby ups.status\nGET NUMLOGINS lobby\n')
  t.same(await peer.lines(2), ['VAR lobby ups.status "OL CHRG"', 'NUMLOGINS lobby 0'])
})
