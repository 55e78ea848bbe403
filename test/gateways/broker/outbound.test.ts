import t from 'tap'
import type { Outgoing } from '../../../runtime/gateways/broker/bridge.js'
import { Outbound } from '../../../runtime/gateways/broker/outbound.js'

const UNDER_WAY_MAX = 1_000
const EVENTS_MAX = 1_000

const event = (payload: string, qos: 0 | 1 = 1): Outgoing => ({
  topic: 'event',
  payload,
  qos,
  isRetained: false,
})
const state = (topic: string, payload: string, qos: 0 | 1 = 1): Outgoing => ({
  topic,
  payload,
  qos,
  isRetained: true,
})

/** A connection that acknowledges when it is told to. */
class Line {
  readonly sent: string[] = []
  readonly dropped: string[] = []
  readonly #open: (() => void)[] = []
  /** Says at once that all is done, as a client does with QoS 0 on a fast connection. */
  isInstant = false
  readonly outbound = new Outbound(
    ({ topic, payload }, onDone) => {
      this.sent.push(`${topic} ${payload}`)
      if (this.isInstant) onDone()
      else this.#open.push(onDone)
    },
    ({ topic, payload }) => void this.dropped.push(`${topic} ${payload}`),
  )

  acknowledge(count: number): void {
    for (const onDone of this.#open.splice(0, count)) onDone()
  }

  /** As much under way as there may be. */
  fill(qos: 0 | 1 = 1): void {
    for (let n = 0; n < UNDER_WAY_MAX; n++) this.outbound.send(event('full', qos))
    this.sent.length = 0
  }
}

t.test('a state that changes while too much is under way is told as it is then', async t => {
  const line = new Line()
  line.outbound.open([])
  line.fill()
  for (const level of ['0.1', '0.2', '0.3']) line.outbound.send(state('lamp', level))
  line.outbound.send(state('sign', 'on', 0))
  t.same(line.sent, [])
  t.ok(line.outbound.isBehind)
  line.acknowledge(2)
  t.same(line.sent, ['lamp 0.3', 'sign on'])
  t.same(line.dropped, [], 'nothing is lost that was worth telling')
  t.notOk(line.outbound.isBehind)
})

t.test('a state that never rests gets its turn', async t => {
  const line = new Line()
  line.outbound.open([])
  line.fill()
  line.outbound.send(state('restless', '1'))
  line.outbound.send(state('calm', '1'))
  line.outbound.send(state('restless', '2'))
  line.acknowledge(1)
  t.same(line.sent, ['restless 2'])
})

t.test('events wait in order, and the oldest of too many is dropped and told', async t => {
  const line = new Line()
  for (let n = 0; n < EVENTS_MAX + 2; n++) line.outbound.send(event(`${n}`))
  t.equal(line.outbound.waiting, EVENTS_MAX)
  t.same(line.dropped, ['event 0', 'event 1'])
  line.outbound.open([])
  t.equal(line.outbound.waiting, 0)
  t.equal(line.sent[0], 'event 2')
  t.equal(line.sent.at(-1), `event ${EVENTS_MAX + 1}`)
})

t.test('a QoS 0 event finds room, or is dropped: it pushes nothing else out', async t => {
  const line = new Line()
  line.outbound.send(event('away', 0))
  t.same([line.outbound.waiting, line.outbound.dropped], [0, 1])
  line.outbound.open([])
  line.fill()
  line.outbound.send(event('slow', 0))
  t.same(line.dropped, ['event slow'])
})

t.test('at a connection how things are comes before what happened, and each once', async t => {
  const line = new Line()
  line.outbound.send(event('a cue'))
  line.outbound.send(state('lamp', '0.1'))
  // Asked for by a cue: nobody tells it anew.
  line.outbound.send(state('gadget', 'on'))
  line.outbound.open([state('availability', 'ready'), state('lamp', '0.2')])
  t.same(line.sent, ['lamp 0.2', 'gadget on', 'availability ready', 'event a cue'])
})

t.test('what a broken connection swallowed takes no room for ever', async t => {
  const line = new Line()
  line.outbound.open([])
  line.fill(0)
  line.outbound.close()
  line.outbound.open([])
  line.outbound.send(event('after'))
  t.same(line.sent, ['event after'])
  line.acknowledge(UNDER_WAY_MAX)
  line.fill(1)
  line.outbound.send(state('lamp', '1'))
  t.same(line.sent, [], 'a late word about it makes no room that is not there')
})

t.test('what is not acknowledged at the end of a connection still counts', async t => {
  const line = new Line()
  line.outbound.open([])
  line.fill(1)
  line.outbound.close()
  line.outbound.open([])
  line.outbound.send(event('after'))
  t.same(line.sent, [])
  line.acknowledge(1)
  t.same(line.sent, ['event after'])
})

t.test('states have a bound, too', async t => {
  const line = new Line()
  for (let n = 0; n < 2_049; n++) line.outbound.send(state(`topic-${n}`, ''))
  t.same(line.dropped, ['topic-0 '])
})

t.test('thousands that are done at once exhaust no stack', async t => {
  const line = new Line()
  line.isInstant = true
  for (let n = 0; n < 2_000; n++) line.outbound.send(state(`topic-${n}`, '', 0))
  line.outbound.open([])
  t.equal(line.sent.length, 2_000)
})
