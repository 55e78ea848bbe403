import type { EmbeddedBrokerConfig } from '../../config.js'
import type { Service } from '../../core/lifecycle.js'
import { repeat } from '../../core/repeat.js'
import { after } from '../../core/time.js'
import type { Cancel, MonotonicMs } from '../../ports/clock.js'
import type { Files } from '../../ports/files.js'
import type { BridgeOptions } from './bridge.js'
import { type BrokerState, StateTeller } from './broker-state.js'
import { ConnectionGate } from './connection-gate.js'
import { refuseBadCredentials } from './credentials.js'
import { createEngine, type Engine, type EngineOptions, type EnginePorts } from './engine.js'
import { closeEngine, openEngine, publish, receive } from './engine-life.js'
import { evict } from './eviction.js'
import {
  type Listener,
  type ListenerOptions,
  listenTcp,
  listenTls,
  listenWebSocket,
  type TlsMaterial,
} from './listeners.js'
import type { Credential } from './password-check.js'
import { droppedIn, refusedIn } from './refusals.js'
import { readTls } from './tls-material.js'
import { type BrokerReading, systemTopics } from './traffic.js'
import { createWelcome, type Welcome } from './welcome.js'

export interface EmbeddedBrokerPorts extends EnginePorts {
  /** Where the certificates are; null when there is no TLS. */
  readonly files: Files | null
}

export interface EmbeddedBrokerOptions {
  readonly tour: string
  readonly box: string
  /** Counts the starts of this box: part of the broker's name, so that numbers of two lives are never mixed up. */
  readonly boot: number
  readonly config: EmbeddedBrokerConfig
  readonly credentials: readonly Credential[]
  readonly homeAssistant: BridgeOptions['homeAssistant']
  readonly heardTopics: BridgeOptions['heardTopics']
}

export interface BrokerPorts {
  readonly tcp: number
  readonly tls: number | null
  readonly webSocket: number | null
}

const LOOPBACK = '127.0.0.1'
const SYSTEM_EVERY_MS = 10_000
const AGE_EVERY_MS = 3_600_000
/** How long a client may take to come back after a restart before its will is published. */
const WILL_GRACE_MS = 10_000

/** What a start made and a stop takes down. */
interface Running {
  readonly engine: Engine
  readonly gate: ConnectionGate
  readonly listeners: Listener[]
  readonly cancels: Cancel[]
  readonly startedMs: MonotonicMs
  ports: BrokerPorts
}

export class EmbeddedBroker implements Service {
  readonly name = 'broker'
  readonly #ports: EmbeddedBrokerPorts
  readonly #options: EmbeddedBrokerOptions
  readonly #teller: StateTeller
  #running: Running | null = null

  constructor(ports: EmbeddedBrokerPorts, options: EmbeddedBrokerOptions) {
    this.#ports = ports
    this.#options = options
    this.#teller = new StateTeller(ports.clock, ports.bus, () => this.#state())
  }

  /** @throws ConfigError for a user or a certificate that cannot be, BoxError `port.taken`, `storage.io` */
  async start(): Promise<void> {
    const { clock } = this.#ports
    refuseBadCredentials(this.#options.credentials)
    const material = await readTls(this.#ports.files, this.#options.config.tls)
    const welcome = this.#createWelcome(material)
    const reasonAgainst: EngineOptions['reasonAgainst'] = certificate =>
      welcome?.reasonAgainst(certificate) ?? null
    const engine = this.#createEngine(reasonAgainst)
    const running: Running = {
      engine,
      gate: this.#createGate(engine),
      listeners: [],
      cancels: [],
      startedMs: clock.monotonicMs(),
      ports: { tcp: 0, tls: null, webSocket: null },
    }
    this.#running = running
    await welcome?.start(() => evict(engine, reasonAgainst))
    running.cancels.push(() => welcome?.stop())
    await openEngine(engine, () => evict(engine, reasonAgainst))
    this.#schedule(running)
    running.ports = await this.#listen(running, material)
    this.#teller.start()
  }

  async stop(): Promise<void> {
    const running = this.#running
    this.#running = null
    if (!running) return
    const { engine, gate } = running
    for (const cancel of running.cancels) cancel()
    this.#teller.stop()
    for (const listener of running.listeners) listener.close()
    await closeEngine(engine, () => gate.closeAll())
  }

  /** Where it listens: of use when the configuration says 0. @throws Error before the start */
  ports(): BrokerPorts {
    if (!this.#running) throw new Error('the broker is not running')
    return this.#running.ports
  }

  /** Null when it is not running. */
  read(): BrokerReading | null {
    const running = this.#running
    if (!running) return null
    const { persistence, traffic, refusals, publisher, commitMs } = running.engine
    const { sessions, retained, queue } = persistence
    const percentiles = commitMs.read()
    return {
      uptimeSeconds: Math.floor((this.#ports.clock.monotonicMs() - running.startedMs) / 1_000),
      connected: traffic.connected,
      connectedMax: traffic.connectedMax,
      sessions: sessions.size,
      sessionsAway: [...sessions.all()].filter(session => session.holder === null).length,
      subscriptions: sessions.routeCount,
      retained: retained.count,
      retainedBytes: retained.bytes,
      queued: queue.count,
      queuedBytes: queue.bytes,
      packetsReceived: traffic.packetsReceived,
      bytesReceived: traffic.bytesReceived,
      publishReceived: traffic.publishReceived,
      publishSent: traffic.publishSent,
      publishBytesSent: traffic.publishBytesSent,
      publishBacklog: publisher.backlog,
      refused: refusals.read(),
      commitMs: { p50: percentiles.p50, p99: percentiles.p99, max: percentiles.max },
    }
  }

  #state(): BrokerState | null {
    const [running, reading] = [this.#running, this.read()]
    return (
      running &&
      reading && {
        kind: 'embedded',
        url: null,
        isConnected: true,
        since: running.startedMs,
        trouble: null,
        clients: reading.connected,
        waiting: reading.queued,
        dropped: droppedIn(reading.refused),
        refused: refusedIn(reading.refused),
      }
    )
  }

  #createEngine(reasonAgainst: EngineOptions['reasonAgainst']): Engine {
    const { tour, box, boot, config, credentials, homeAssistant, heardTopics } = this.#options
    return createEngine(this.#ports, {
      place: { tour, box },
      boot,
      homeAssistant,
      heardTopics,
      limits: config.limits,
      credentials,
      boxes: config.tls?.boxes ?? [],
      reasonAgainst,
    })
  }

  #createGate({ refusals }: Engine): ConnectionGate {
    const { connectionsMax, connectionsPerAddressMax } = this.#options.config.limits
    return new ConnectionGate(
      { totalMax: connectionsMax, perAddressMax: connectionsPerAddressMax },
      (address, message) => refusals.note('client.limit', { topic: '', client: address, message }),
    )
  }

  async #listen(running: Running, material: TlsMaterial | null): Promise<BrokerPorts> {
    const { config, box } = this.#options
    const { limits, tls, webSocketPort } = config
    const common: Omit<ListenerOptions, 'port' | 'host'> = {
      connectMs: limits.connectMs,
      enter: socket => running.gate.enter(socket),
      onStream: (stream, from) => receive(running.engine, stream, from),
      onTlsRefused: (address, message) =>
        running.engine.refusals.note('client.tls', { topic: '', client: address, message }),
      onError: error => this.#ports.log.error('broker.accept-failed', { error: error.message }),
    }
    const open = async (opening: Promise<Listener>): Promise<number> => {
      const listener = await opening
      running.listeners.push(listener)
      return listener.port
    }
    return {
      tcp: await open(listenTcp({ ...common, port: config.port, host: LOOPBACK })),
      tls:
        tls && material
          ? await open(listenTls({ ...common, port: tls.port, host: null }, material))
          : null,
      webSocket:
        webSocketPort === null
          ? null
          : await open(
              listenWebSocket({
                ...common,
                port: webSocketPort,
                host: material ? null : LOOPBACK,
                hosts: ['localhost', LOOPBACK, '::1', box, `${box}.local`],
                messageBytesMax: Math.max(limits.packetBytesMax, 65_536) + 64,
                tls: material,
              }),
            ),
    }
  }

  #schedule(running: Running): void {
    const { clock } = this.#ports
    const { engine } = running
    const told = new Map<string, string>()
    this.#tellSystem(engine, told)
    running.cancels.push(
      repeat(clock, SYSTEM_EVERY_MS, async () => this.#tellSystem(engine, told)),
      repeat(clock, AGE_EVERY_MS, async () => engine.persistence.life.age()),
      clock.runAt(after(clock.monotonicMs(), WILL_GRACE_MS), () => publishOldWills(engine)),
    )
  }

  /** Only what has changed. */
  #tellSystem(engine: Engine, told: Map<string, string>): void {
    const reading = this.read()
    if (!reading) return
    for (const [topic, payload] of systemTopics(reading, 'roadcase (aedes)')) {
      if (told.get(topic) === payload) continue
      told.set(topic, payload)
      publish(engine, { topic, payload, qos: 0, isRetained: true })
    }
  }

  /** Null where there are no certificates. */
  #createWelcome(material: TlsMaterial | null): Welcome | null {
    const { clock, log, files } = this.#ports
    const revoked = this.#options.config.tls?.revoked ?? null
    return material && files
      ? createWelcome({ clock, log, files }, material.clientAuthority, revoked)
      : null
  }
}

/** Their broker died under them, and they did not come back: what they wanted said is said now (MQTT-3.1.2-8). */
function publishOldWills({ persistence, publisher }: Engine): void {
  for (const will of persistence.willsOfOtherBoots()) {
    const clientId = will.clientId ?? ''
    publisher.publish({ ...will, cmd: 'publish' }, null, error => {
      // A will that could not be stored stays for the next start.
      if (!error) void persistence.delWill({ id: clientId })
    })
  }
}
