/**
 * What a box promises to whoever speaks MQTT to it, whichever broker is between them: run against the broker inside, and
 * against a real Mosquitto.
 */
import type { IClientOptions } from 'mqtt'
import t, { type Test } from 'tap'
import type { Bus } from '../../../runtime/core/bus.js'
import type { Messages, Payload, ShowCommand } from '../../../runtime/topics.js'
import { base, type TestClient, tour, until, users } from './harness.js'

export interface End {
  readonly bus: Bus<Messages>
  readonly commands: ShowCommand[]
  readonly refusals: Payload<'message/refused'>[]
  connect(user: string, options?: IClientOptions): Promise<TestClient>
  /** Sends GO, loses its acknowledgement, and lets it be sent again; done when it has come a second time. */
  goTwice(): Promise<void>
  /** An orderly end of the box. */
  stopBox(): Promise<void>
}

export interface EndSettings {
  readonly isReady?: boolean
  readonly homeAssistant?: boolean
  readonly heardTopics?: readonly string[]
}

/** A box that is ready, and connected where it has to connect; gone at the end of the test. */
export type StartEnd = (t: Test, settings?: EndSettings) => Promise<End>

const info: Payload<'box/info'> = {
  tour,
  box: 'stage-left',
  board: 'pi-4b',
  version: '1.2.3',
  boot: 1,
  show: null,
  devices: [{ device: 'go-button', driver: 'push-button', kind: 'input' }],
  outputs: [{ output: 'front', kind: 'dimmer' }],
}

const answered = {
  id: 't1',
  origin: 'x',
  isAccepted: true,
  code: null,
  message: null,
} as const

const front = { output: 'front', kind: 'dimmer', level: 0.5, parts: [0.5] } as const

export function bridgeContract(name: string, start: StartEnd, skip: string | false): void {
  const promise = (text: string, test: (t: Test) => Promise<void>): void =>
    void t.test(`${name}: ${text}`, { skip }, test)

  promise('commands as words and as JSON reach the bus, in order', async t => {
    const { connect, commands } = await start(t)
    const technician = await connect(users.operate)
    await technician.publish(`${base}/cue`, 'GO')
    await technician.publish(`vb/${tour}/all/cue`, 'panic')
    await technician.publish(`${base}/front/set`, '{"level":0.5,"fadeMs":500}', 0)
    await technician.publish(`${base}/request/fire`, '{"tx":"t1","cue":"7"}', 2)
    await until(() => commands.length === 4, '4 commands')
    t.match(commands, [
      { action: 'go' },
      { action: 'panic' },
      { action: 'level', target: 'front', level: 0.5, fadeMs: 500 },
      { action: 'fire', id: 't1', cue: '7' },
    ])
  })

  promise('a ticket is asked for and decided about, once for each id', async t => {
    const { connect, bus, refusals } = await start(t)
    const asked: Payload<'print/requested'>[] = []
    const decided: Payload<'print/decided'>[] = []
    bus.subscribe('print/requested', request => void asked.push(request))
    bus.subscribe('print/decided', decision => void decided.push(decision))
    const technician = await connect(users.operate)
    const ticket = { id: 'p1', template: 'claim', fields: { name: 'Ada' }, kind: 'redeemable' }
    await technician.publish(`${base}/print`, JSON.stringify(ticket))
    await technician.publish(`${base}/print`, '{"template":"claim"}')
    await technician.publish(`${base}/print/decide`, '{"job":"p1","decision":"confirm"}')
    await technician.publish(`${base}/print`, '{"template":"claim","kind":"voucher"}')
    await technician.publish(`${base}/print`, 'claim')
    await until(() => refusals.length === 2 && decided.length === 1, 'all of them')
    t.match(asked, [ticket, { template: 'claim', id: /^mqtt-/ }])
    t.match(asked[0]?.origin, /^mqtt:/)
    t.match(decided, [{ job: 'p1', decision: 'confirm', id: /^mqtt-/ }])
    t.match(refusals, [
      { topic: `${base}/print`, message: /payload\.kind: must be "redeemable" or "receipt"/ },
      { topic: `${base}/print`, message: /payload: must be JSON such as/ },
    ])
  })

  promise('states are retained, events are not, answers carry the transaction', async t => {
    const { connect, bus } = await start(t)
    bus.publish('output/state', { ...front, parts: [0.5] })
    bus.publish('command/answered', { ...answered, id: 'before' })
    const technician = await connect(users.operate)
    await technician.subscribe(`${base}/#`)
    const find = (end: string) =>
      technician.messages.find(({ topic }) => topic === `${base}/${end}`)
    await until(() => find('front/state') !== undefined, 'the state')
    t.match(find('front/state'), { retain: true, payload: /"level":0\.5/ })
    bus.publish('command/answered', answered)
    await until(() => find('response/t1') !== undefined, 'an answer')
    t.match(find('response/t1'), { retain: false })
    t.equal(find('response/before'), undefined, 'an event is for those who were there')
  })

  promise('a state is told once more to who asks for it', async t => {
    const { connect, bus } = await start(t)
    bus.publish('output/state', { ...front, parts: [0.5] })
    const technician = await connect(users.operate)
    await technician.subscribe(`${base}/front/state`)
    await technician.received(1)
    await technician.publish(`${base}/front/get`, '')
    t.match(await technician.received(2), [{}, { retain: false, payload: /"level":0\.5/ }])
  })

  promise('who asks for the state of a mistyped output is told the right name', async t => {
    const { connect, bus, refusals } = await start(t)
    bus.publish('output/state', { ...front, parts: [0.5] })
    const technician = await connect(users.operate)
    await technician.publish(`${base}/frnt/get`, '')
    await until(() => refusals.length === 1, 'the refusal')
    t.match(refusals, [
      { message: 'topic.output: there is no "frnt" here (did you mean "front"?)' },
    ])
  })

  promise('what is wrong is told on refused, with the reason, and is not carried out', async t => {
    const { connect, commands } = await start(t)
    const technician = await connect(users.operate)
    await technician.subscribe(`${base}/refused`)
    for (const [topic, payload, message] of [
      ['cue', 'GOO', 'payload: must be one of'],
      ['front/set', '{"level":7}', 'payload.level: must be between 0 and 1, is 7'],
      ['request/go', '{}', 'payload.tx: is missing'],
      ['nothing/get', '', 'there is no'],
    ] as const) {
      technician.messages.length = 0
      await technician.publish(`${base}/${topic}`, payload)
      const [refusal] = await technician.received(1)
      t.match(JSON.parse(refusal?.payload ?? ''), {
        topic: `${base}/${topic}`,
        code: 'command.invalid',
      })
      t.match(refusal?.payload, message)
    }
    t.same(commands, [])
  })

  promise('a box that is not ready takes no commands, and says so', async t => {
    const { connect, commands, refusals } = await start(t, { isReady: false })
    const technician = await connect(users.operate)
    await technician.publish(`${base}/cue`, 'GO')
    await until(() => refusals.length === 1, 'the refusal')
    t.match(refusals, [{ code: 'command.refused', message: /not ready.*init/ }])
    t.same(commands, [])
  })

  promise('a bare GO that is sent again is carried out once', async t => {
    const { commands, refusals, goTwice } = await start(t)
    await goTwice()
    t.equal(commands.length, 1)
    t.match(refusals, [{ code: 'command.refused' }])
  })

  promise('a cue may publish to a gadget, but not to the box itself', async t => {
    const { connect, bus, refusals, commands } = await start(t)
    const technician = await connect(users.operate)
    await technician.subscribe(`vb/${tour}/other/#`)
    const message = { payload: 'on', qos: 1, isRetained: false } as const
    bus.publish('message/requested', { ...message, topic: `vb/${tour}/other/lamp` })
    t.match(await technician.received(1), [{ payload: 'on' }])
    for (const topic of [
      `${base}/cue`,
      `vb/${tour}/all/cue`,
      `${base}/availability`,
      '$SYS/x',
      'a/+',
    ])
      bus.publish('message/requested', { ...message, topic })
    t.equal(refusals.filter(({ code }) => code === 'publish.denied').length, 5)
    t.same(commands, [])
  })

  promise('a topic that the show listens to is heard, and no other', async t => {
    const heardTopics = ['lamp-1/door', `${base}/cue/late`]
    const { connect, bus, refusals } = await start(t, { heardTopics })
    const heard: unknown[] = []
    bus.subscribe('message/heard', message => void heard.push(message))
    const lamp = await connect(users.driver)
    const technician = await connect(users.operate)
    await lamp.publish('lamp-1/window', 'open')
    await lamp.mqtt.publishAsync('lamp-1/door', Buffer.from([0xff]), { qos: 1 })
    await lamp.publish('lamp-1/door', 'x'.repeat(8_193))
    bus.publish('cue/late', { count: 1, p50: 1, p95: 1, p99: 1, max: 1 })
    await lamp.publish('lamp-1/door', 'open', 1, true)
    await until(() => heard.length > 0, 'the door')
    bus.publish('box/availability', { state: 'init', boot: 1 })
    await lamp.publish('lamp-1/door', 'open')
    await technician.publish(`${base}/cue`, 'GO')
    await until(() => refusals.length > 0, 'what came after it')
    t.same(heard, [{ topic: 'lamp-1/door', payload: 'open', isRepeated: false }])
  })

  promise('Home Assistant finds the box, and again after it was started anew', async t => {
    const { connect, bus } = await start(t, { homeAssistant: true })
    bus.publish('box/info', info)
    const assistant = await connect(users.operate)
    await assistant.subscribe('homeassistant/device/#')
    t.match(await assistant.received(1), [{ retain: true, payload: /"light-front"/ }])
    await assistant.publish('homeassistant/status', 'online')
    t.match(await assistant.received(2), [{}, { payload: /"light-front"/ }])
  })

  promise('a box that is not for Home Assistant leaves no device there', async t => {
    const { connect, bus } = await start(t)
    bus.publish('box/info', info)
    const assistant = await connect(users.operate)
    await assistant.subscribe(['homeassistant/device/#', `${base}/info`])
    t.match(await assistant.received(1), [{ topic: `${base}/info`, retain: true }])
    t.equal(assistant.messages.length, 1)
  })

  promise('availability tells how the box is, up to its sleep', async t => {
    const { connect, bus, stopBox } = await start(t, { isReady: false })
    const watcher = await connect(users.view)
    await watcher.subscribe(`${base}/availability`)
    await watcher.received(1)
    bus.publish('box/availability', { state: 'ready', boot: 1 })
    await watcher.received(2)
    await stopBox()
    const states = (await watcher.received(3)).map(({ payload }) => JSON.parse(payload))
    t.same(states, [
      { state: 'init', boot: 1 },
      { state: 'ready', boot: 1 },
      { state: 'sleeping', boot: 1 },
    ])
  })
}
