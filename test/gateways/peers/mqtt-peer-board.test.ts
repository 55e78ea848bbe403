import { connect } from 'node:net'
import { connectAsync } from 'mqtt'
import t, { type Test } from 'tap'
import { LinuxClock, ownAnchor } from '../../../drivers/linux/clock.js'
import { LinuxKeys } from '../../../drivers/linux/keys.js'
import { SimulatedLog } from '../../../drivers/simulated/log.js'
import { ConfigError } from '../../../runtime/core/errors.js'
import { after } from '../../../runtime/core/time.js'
import { ExternalLink } from '../../../runtime/gateways/broker/external-link.js'
import { MqttPeerBoard } from '../../../runtime/gateways/peers/mqtt-peer-board.js'
import type { Clock } from '../../../runtime/ports/clock.js'
import { startCable } from '../../peers/mosquitto-broker.js'
import { startAedes } from './plain-broker.js'

interface Heard {
  readonly board: MqttPeerBoard
  readonly log: SimulatedLog
  readonly words: string[]
  readonly changes: boolean[]
}

function boardOf(
  t: Test,
  box: string,
  port: number,
  clock: Clock = new LinuxClock(ownAnchor()),
): Heard {
  const config = {
    url: `mqtt://127.0.0.1:${port}`,
    username: null,
    passwordFile: null,
    certificateAuthority: null,
    certificate: null,
    key: null,
  }
  const log = new SimulatedLog()
  const board = new MqttPeerBoard(
    {
      clock,
      log,
      keys: new LinuxKeys(),
      link: new ExternalLink(null, { kind: 'external', ...config }),
    },
    { tour: 'spring', box, username: null, subject: 'have' },
  )
  const heard: Heard = { board, log, words: [], changes: [] }
  board.onWord((from, word) => {
    heard.words.push(`${from} ${word === null ? 'gone' : Buffer.from(word).toString()}`)
  })
  board.onChange(isOpen => heard.changes.push(isOpen))
  t.teardown(() => board.stop())
  return heard
}

async function until(isSo: () => boolean, what: string): Promise<void> {
  for (let tries = 0; tries < 400 && !isSo(); tries++)
    await new Promise(resolve => setTimeout(resolve, 20))
  if (!isSo()) throw new Error(`never: ${what}`)
}

const text = (word: string): Uint8Array => new TextEncoder().encode(word)

t.test(
  'words reach the others, and those who come later; what a box says itself it does not hear',
  async t => {
    const broker = await startAedes(t)
    const [one, two] = [boardOf(t, 'box-1', broker.port), boardOf(t, 'box-2', broker.port)]
    await one.board.start()
    await two.board.start()
    await until(() => one.board.isOpen() && two.board.isOpen(), 'both are open')
    one.board.say(text('first'))
    one.board.say(text('second'))
    await until(() => two.words.length === 2, 'two words')
    t.same(two.words, ['box-1 first', 'box-1 second'])
    const three = boardOf(t, 'box-3', broker.port)
    await three.board.start()
    await until(() => three.words.length > 0, 'what was kept')
    t.same(three.words, ['box-1 second'])
    await one.board.stop()
    await until(() => two.words.includes('box-1 gone'), 'a farewell')
    t.same(one.words, [])
  },
)

t.test('the word of a box that dies is taken away', async t => {
  const broker = await startAedes(t)
  const cable = await startCable(broker.port)
  t.teardown(() => cable.stop())
  const [one, two] = [boardOf(t, 'box-1', cable.port), boardOf(t, 'box-2', broker.port)]
  await one.board.start()
  await two.board.start()
  await until(() => one.board.isOpen() && two.board.isOpen(), 'both are open')
  one.board.say(text('hello'))
  await until(() => two.words.length === 1, 'a word')
  cable.cut()
  await until(() => two.words.includes('box-1 gone'), 'its will')
  t.same(one.changes.slice(0, 2), [true, false])
})

t.test('a word that is too long, or on another topic, is not told', async t => {
  const broker = await startAedes(t)
  const one = boardOf(t, 'box-1', broker.port)
  await one.board.start()
  await until(() => one.board.isOpen(), 'open')
  const client = await connectAsync({ host: '127.0.0.1', port: broker.port, protocolVersion: 4 })
  t.teardown(() => client.endAsync(true))
  await client.publishAsync('vb/spring/big/ota/have', Buffer.alloc(65 * 1024, 1))
  await client.publishAsync('vb/autumn/box-9/ota/have', 'x')
  await client.publishAsync('vb/spring/box-2/ota/have', 'right')
  await until(() => one.words.length > 0, 'a word')
  t.same(one.words, ['box-2 right'])
})

t.test('two boxes of one name do not throw each other out all day', async t => {
  const broker = await startAedes(t)
  const real = new LinuxClock(ownAnchor())
  const pauses: number[] = []
  /** Waits for nothing for long, and notes for how long it should have. */
  const hasty: Clock = {
    monotonicMs: () => real.monotonicMs(),
    showTimeMs: () => real.showTimeMs(),
    wallTimeMs: () => real.wallTimeMs(),
    showToMonotonic: at => real.showToMonotonic(at),
    monotonicToShow: at => real.monotonicToShow(at),
    showErrorMs: () => real.showErrorMs(),
    runAt: (at, task) => {
      pauses.push(at - real.monotonicMs())
      return real.runAt(after(real.monotonicMs(), 5), task)
    },
  }
  for (let twin = 0; twin < 2; twin++) await boardOf(t, 'box-1', broker.port, hasty).board.start()
  await until(() => pauses.length >= 12, 'they throw each other out')
  t.ok(Math.max(...pauses) > 5_000, pauses.join(' '))
})

t.test('a password that is not there yet is read when the box tries again', async t => {
  const broker = await startAedes(t)
  const log = new SimulatedLog()
  let loads = 0
  const link = {
    password: null,
    load: async () => {
      if (++loads < 2) throw new ConfigError([{ path: 'password', message: 'none', place: null }])
    },
    open: () => connect(loads < 2 ? 1 : broker.port, '127.0.0.1'),
    explain: () => 'not there',
  }
  const board = new MqttPeerBoard(
    { clock: new LinuxClock(ownAnchor()), log, keys: new LinuxKeys(), link },
    { tour: 'spring', box: 'box-1', username: null, subject: 'have' },
  )
  t.teardown(() => board.stop())
  await board.start()
  await until(() => board.isOpen(), 'it is open')
  t.match(log.events(), ['peers.login-spoiled'])
})

t.test('a box that may not read yet is told so once, and hears the others when it may', async t => {
  let mayRead = false
  let asked = 0
  const broker = await startAedes(t, () => {
    asked++
    return mayRead
  })
  const one = boardOf(t, 'box-1', broker.port)
  await one.board.start()
  await until(() => asked >= 3, 'it asks again')
  mayRead = true
  await until(() => one.board.isOpen(), 'it is open')
  t.same(one.log.events(), ['peers.subscribe-failed', 'peers.board-open'])
  t.same(one.changes, [true])
})
