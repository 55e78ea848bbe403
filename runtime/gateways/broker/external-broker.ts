/**
 * The bridge over somebody else's broker: a Mosquitto on the box, or the venue's. The same topics, the same commands,
 * the same refusals as the broker inside; what differs is that the other side keeps sessions, rights and retained
 * messages. MQTT 3.1.1, so that any broker will do.
 */
import { type IClientOptions, type IPublishPacket, MqttClient } from 'mqtt'
import type { ExternalBrokerConfig } from '../../config.js'
import type { Bus } from '../../core/bus.js'
import { messageOf } from '../../core/errors.js'
import type { Service } from '../../core/lifecycle.js'
import { after } from '../../core/time.js'
import type { Cancel, Clock } from '../../ports/clock.js'
import type { Files } from '../../ports/files.js'
import type { Keys } from '../../ports/keys.js'
import type { Log } from '../../ports/log.js'
import type { Messages } from '../../topics.js'
import { Bridge, type BridgeOptions } from './bridge.js'
import { type BrokerState, StateTeller } from './broker-state.js'
import { CatchUp } from './catch-up.js'
import { ExternalLink } from './external-link.js'
import { LinkReport } from './link-report.js'
import { Outbound } from './outbound.js'
import { Refusals, refusedIn } from './refusals.js'
import { baseOf, commandFilters } from './tree.js'

export interface ExternalBrokerPorts {
  readonly clock: Clock
  readonly log: Log
  readonly bus: Bus<Messages>
  readonly keys: Keys
  /** Where password and certificates are; null when none is configured. */
  readonly files: Files | null
}

export interface ExternalBrokerOptions {
  readonly tour: string
  readonly box: string
  readonly boot: number
  readonly config: ExternalBrokerConfig
  readonly homeAssistant: BridgeOptions['homeAssistant']
  readonly heardTopics: BridgeOptions['heardTopics']
}

export interface ExternalReading {
  readonly isConnected: boolean
  readonly connections: number
  readonly waiting: number
  /** Messages that were never sent: the oldest of too many, and QoS 0 while the broker was away. */
  readonly dropped: number
  readonly refused: Readonly<Record<string, number>>
}

const RETRY_MS_MIN = 500
const RETRY_MS_MAX = 30_000
/** A connection that lasts so long was a success: one that breaks sooner is tried again later and later. */
const STEADY_MS = 10_000
const CONNECT_MS = 10_000
const KEEPALIVE_SECONDS = 30
const END_MS = 2_000

export class ExternalBroker implements Service {
  readonly name = 'broker'
  readonly #ports: ExternalBrokerPorts
  readonly #options: ExternalBrokerOptions
  readonly #link: ExternalLink
  readonly #report: LinkReport
  readonly #teller: StateTeller
  readonly #catchUp: CatchUp
  #client: MqttClient | null = null
  #bridge: Bridge | null = null
  #refusals: Refusals | null = null
  #outbound: Outbound | null = null
  #tries = 0
  #connections = 0
  #isUp = false
  #isSteady = false
  /** What went wrong with the connection of this moment; null when nothing was said. */
  #trouble: unknown = null
  #cancelRetry: Cancel = () => {}
  #cancelSteady: Cancel = () => {}

  constructor(ports: ExternalBrokerPorts, options: ExternalBrokerOptions) {
    this.#ports = ports
    this.#options = options
    this.#link = new ExternalLink(ports.files, options.config)
    this.#report = new LinkReport(ports.clock, ports.log, options.config)
    this.#teller = new StateTeller(ports.clock, ports.bus, () => this.#state())
    this.#catchUp = new CatchUp(ports.clock, ports.keys)
  }

  /** Does not wait for the broker: a box starts without its network. @throws ConfigError */
  async start(): Promise<void> {
    const { clock, log, bus, keys } = this.#ports
    const { tour, box, boot, homeAssistant, heardTopics } = this.#options
    await this.#link.load()
    const client = new MqttClient(() => this.#openStream(), this.#clientOptions())
    const refusals = new Refusals(clock, log, bus)
    const outbound = new Outbound(
      ({ topic, payload, qos, isRetained }, onDone) =>
        void client.publish(topic, payload, { qos, retain: isRetained }, onDone),
      ({ topic }) =>
        refusals.note('limit.queue', {
          topic,
          client: 'broker',
          message: 'the broker is away or slow, and too much waits: the oldest message is dropped',
        }),
    )
    const bridge = new Bridge(bus, keys, refusals, {
      place: { tour, box },
      boot,
      homeAssistant,
      heardTopics,
    })
    this.#client = client
    this.#refusals = refusals
    this.#outbound = outbound
    this.#bridge = bridge
    // Not `connect`: that comes when all is sent again which was not acknowledged, and commands come before it.
    client.on('packetreceive', packet => {
      if (packet.cmd === 'connack') this.#catchUp.begin(packet.sessionPresent)
    })
    client.on('connect', ({ sessionPresent }) => this.#onConnect(client, sessionPresent))
    client.on('message', (topic, payload, packet) => this.#onMessage(topic, payload, packet))
    client.on('close', () => this.#onClose(client))
    client.on('error', error => {
      this.#trouble ??= error
    })
    bridge.start(message => outbound.send(message))
    client.connect()
    this.#report.begin()
    this.#teller.start()
  }

  async stop(): Promise<void> {
    const client = this.#client
    this.#client = null
    this.#cancelRetry()
    this.#catchUp.stop()
    this.#cancelSteady()
    this.#teller.stop()
    this.#bridge?.stop()
    if (!client) return
    // Without a farewell the will says `lost`; with one, whoever was not told `sleeping` would go on believing in `ready`.
    if (!this.#isUp || this.#outbound?.isBehind) {
      client.end(true)
      return
    }
    const { clock } = this.#ports
    await new Promise<void>(resolve => {
      const cancel = clock.runAt(after(clock.monotonicMs(), END_MS), () => {
        client.end(true)
        client.stream.destroy()
        resolve()
      })
      // Waits for `sleeping` to be acknowledged; a farewell also tells the broker to keep the will to itself.
      client.end(false, () => {
        cancel()
        resolve()
      })
    })
  }

  read(): ExternalReading {
    return {
      isConnected: this.#client?.connected ?? false,
      connections: this.#connections,
      waiting: this.#outbound?.waiting ?? 0,
      dropped: this.#outbound?.dropped ?? 0,
      refused: this.#refusals?.read() ?? {},
    }
  }

  #state(): BrokerState | null {
    const state = this.#report.state()
    const { waiting, dropped, refused } = this.read()
    return (
      state && {
        kind: 'external',
        url: this.#options.config.url,
        ...state,
        clients: null,
        waiting,
        dropped,
        refused: refusedIn(refused),
      }
    )
  }

  #onConnect(client: MqttClient, isResumed: boolean): void {
    const { clock } = this.#ports
    this.#isUp = true
    this.#connections++
    this.#report.up(isResumed)
    this.#cancelSteady = clock.runAt(after(clock.monotonicMs(), STEADY_MS), () => {
      this.#tries = 0
      this.#isSteady = true
      this.#report.steady()
    })
    client.subscribe([...this.#filters()], { qos: 1 }, error => {
      if (error) this.#ports.log.error('broker.subscribe-failed', { error: messageOf(error) })
    })
    const word = this.#catchUp.ask()
    if (word !== null) client.publish(this.#wordTopic(), word, { qos: 1 }, () => {})
    this.#outbound?.open(this.#bridge?.states() ?? [])
    this.#teller.look()
  }

  #onMessage(topic: string, payload: Buffer, packet: IPublishPacket): void {
    if (topic === this.#wordTopic()) {
      this.#catchUp.hear(payload)
      return
    }
    this.#bridge?.receive({
      topic,
      payload,
      // The broker does not say who sent it.
      client: 'broker',
      isRetained: packet.retain,
      isRepeated: packet.dup,
      messageId: packet.messageId ?? null,
      isStale: this.#catchUp.isUnderWay,
      isReplayed: packet.retain,
    })
  }

  /** A WebSocket's errors have no code, and the client keeps those to itself. */
  #openStream(): ReturnType<ExternalLink['open']> {
    this.#trouble = null
    return this.#link.open().on('error', error => {
      this.#trouble ??= error
    })
  }

  /** Again and again, the later the longer it fails, and never two boxes in step. */
  #onClose(client: MqttClient): void {
    if (this.#client !== client) return
    if (this.#isUp) this.#report.lost(this.#isSteady)
    else this.#report.failed(this.#trouble, this.#link.isInTime(this.#ports.clock.wallTimeMs()))
    this.#teller.look()
    this.#isUp = false
    this.#isSteady = false
    this.#catchUp.stop()
    this.#outbound?.close()
    this.#cancelSteady()
    this.#cancelRetry()
    const longest = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** Math.min(this.#tries++, 10))
    const share = (this.#ports.keys.randomBytes(1)[0] ?? 0) / 255
    const waitMs = longest / 2 + (longest / 2) * share
    this.#cancelRetry = this.#ports.clock.runAt(
      after(this.#ports.clock.monotonicMs(), waitMs),
      () => void this.#connectAgain(client),
    )
  }

  /** Never rejects. With what the files hold by now: somebody may have renewed a certificate, or corrected a password. */
  async #connectAgain(client: MqttClient): Promise<void> {
    await this.#link.load().catch((error: unknown) => this.#report.spoiled(error))
    if (this.#client !== client) return
    Object.assign(client.options, this.#login())
    // Not `reconnect`, which forgets what was not acknowledged.
    client.connect()
  }

  #filters(): readonly string[] {
    const { tour, box, homeAssistant } = this.#options
    const heard = this.#options.heardTopics.filter(topic => this.#bridge?.hears(topic))
    const filters = [...commandFilters({ tour, box }), this.#wordTopic(), ...heard]
    return homeAssistant.isEnabled ? [...filters, `${homeAssistant.prefix}/status`] : filters
  }

  #wordTopic(): string {
    return `${baseOf(this.#options)}/link`
  }

  #login(): Pick<IClientOptions, 'username' | 'password'> {
    const { username } = this.#options.config
    const { password } = this.#link
    return {
      ...(username === null ? {} : { username }),
      ...(password === null ? {} : { password }),
    }
  }

  #clientOptions(): IClientOptions {
    const { tour, box, boot } = this.#options
    return {
      ...this.#login(),
      protocolVersion: 4,
      // A broker that knows certificates lets a box in under its own name alone, and what it puts behind a colon.
      clientId: `${box}:roadcase-${tour}`,
      clean: false,
      keepalive: KEEPALIVE_SECONDS,
      connectTimeout: CONNECT_MS,
      // Trying again is ours, with pauses that grow.
      reconnectPeriod: 0,
      manualConnect: true,
      resubscribe: false,
      queueQoSZero: false,
      will: {
        topic: `${baseOf({ tour, box })}/availability`,
        payload: Buffer.from(JSON.stringify({ state: 'lost', boot })),
        qos: 1,
        retain: true,
      },
    }
  }
}
