/** PUBACK is a promise: what was acknowledged is there after the process was killed in the middle of its work. */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Packet } from 'mqtt-packet'
import t, { type Test } from 'tap'
import { randomFrom } from '../../../runtime/core/random.js'
import { hashPassword } from '../../../runtime/gateways/broker/password.js'
import { compileInto } from '../../fixtures/compiled.js'
import { client, password, RawClient, until, within } from './harness.js'

const ROUNDS = 10
const SENT = 400
const tree = 'vb/spring/stage-right'

t.setTimeout(180_000)

const folder = t.testdir()
compileInto(folder, ['test/gateways/broker/killed-broker', 'drivers/linux/sqlite-worker'])
const children = new Set<ChildProcess>()
t.teardown(() => {
  for (const child of children) child.kill('SIGKILL')
})
const hash = await hashPassword(password)

/** The broker in a process of its own, on the same database each time. */
async function startChild(boot: number): Promise<{ child: ChildProcess; port: number }> {
  const script = join(folder, 'test/gateways/broker/killed-broker.js')
  const child = spawn(process.execPath, [script, join(folder, 'box.db'), `${boot}`, hash], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: {},
  })
  children.add(child)
  let output = ''
  child.stdout?.on('data', bytes => {
    output += String(bytes)
  })
  const deadline = Date.now() + 30_000
  while (!/port \d+\n/.test(output)) {
    if (Date.now() > deadline || child.exitCode !== null) throw new Error('the child did not start')
    await new Promise(resolve => setTimeout(resolve, 10))
  }
  return { child, port: Number(/port (\d+)/.exec(output)?.[1]) }
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL')
  await within(new Promise(resolve => child.once('exit', resolve)), 'the child to be gone')
  children.delete(child)
}

/** Every second is retained as well: two tables, one promise. */
const publishOf = (round: number, n: number): Extract<Packet, { cmd: 'publish' }> => ({
  cmd: 'publish',
  topic: `${tree}/${n % 2 === 0 ? 'event' : 'state'}`,
  payload: `${round}:${n}`,
  qos: 1,
  messageId: n + 1,
  retain: n % 2 === 1,
  dup: false,
})

/** Publishes without waiting, and kills the broker at the n-th acknowledgement. What was acknowledged by then. */
async function publishUntilKilled(
  child: ChildProcess,
  port: number,
  round: number,
  acknowledgements: number,
): Promise<string[]> {
  const sender = new RawClient(port)
  sender.connect('sender', { username: 'stage-right' })
  await sender.packet('connack')
  const acks = (): number[] =>
    sender.packets.flatMap(packet => (packet.cmd === 'puback' ? [packet.messageId ?? 0] : []))
  // A few at a time, so that there is always something under way and never everything.
  for (let n = 0; n < SENT && acks().length < acknowledgements; n += 10) {
    sender.send(...Array.from({ length: 10 }, (_, more) => publishOf(round, n + more)))
    await new Promise(resolve => setImmediate(resolve))
  }
  await until(() => acks().length >= acknowledgements, `${acknowledgements} acknowledgements`)
  sender.send(...Array.from({ length: 10 }, (_, more) => publishOf(round, SENT + more)))
  await kill(child)
  await sender.closed()
  return acks().map(messageId => `${round}:${messageId - 1}`)
}

t.test(`no acknowledged message is lost in ${ROUNDS} kills`, async t => {
  const random = randomFrom(25)
  let acknowledgedInAll = 0
  let acknowledged: string[] = []
  for (let round = 0; round <= ROUNDS; round++) {
    const { child, port } = await startChild(round + 1)
    const hub = await client(port, 'hub', { clientId: 'hub', clean: false })
    if (round === 0) await hub.subscribe(`${tree}/#`)
    else {
      await until(
        () => {
          const got = new Set(hub.messages.map(({ payload }) => payload))
          return acknowledged.every(payload => got.has(payload))
        },
        () => `round ${round}: ${acknowledged.length} messages, got ${hub.messages.length}`,
      )
      // QoS 1 may bring again what the hub had acknowledged just before an earlier kill.
      const numbers = hub.messages
        .map(({ payload }) => payload.split(':'))
        .filter(([of]) => of === `${round - 1}`)
        .map(([, n]) => Number(n))
      t.same(
        numbers,
        [...numbers].sort((a, b) => a - b),
        `round ${round}: in order`,
      )
      t.equal(new Set(numbers).size, numbers.length, `round ${round}: each once`)
      await retainedIs(t, port, acknowledged)
    }
    // Everything that was sent is acknowledged before the hub leaves, so that the next round starts empty.
    await hub.end()
    if (round === ROUNDS) await kill(child)
    else {
      const at = 1 + Math.floor(random() * 200)
      acknowledged = await publishUntilKilled(child, port, round, at)
      acknowledgedInAll += acknowledged.length
    }
  }
  t.ok(acknowledgedInAll > ROUNDS * 20, `${acknowledgedInAll} messages were acknowledged`)
  t.ok(acknowledgedInAll < ROUNDS * SENT, 'and others were under way')
})

async function retainedIs(t: Test, port: number, acknowledged: readonly string[]): Promise<void> {
  const viewer = await client(port, 'hub')
  await viewer.subscribe(`${tree}/state`)
  const [retained] = await viewer.received(1)
  const last = acknowledged.filter(payload => Number(payload.split(':')[1]) % 2 === 1).at(-1)
  const number = (payload: string | undefined): number => Number(payload?.split(':')[1] ?? -1)
  t.ok(
    number(retained?.payload) >= number(last),
    'the retained message is the last, or a later one',
  )
  await viewer.end()
}
