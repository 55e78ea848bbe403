/**
 * The words of the boxes of a venue on its MQTT broker: one retained message a box, `vb/<tour>/<box>/ota/have`, which its
 * will takes away. Any broker of MQTT 3.1.1 will do.
 */
import type { Duplex } from 'node:stream'
import { MqttClient } from 'mqtt'
import { messageOf } from '../../core/errors.js'
import { Signal } from '../../core/signal.js'
import { after } from '../../core/time.js'
import type { Cancel, Clock } from '../../ports/clock.js'
import type { Keys } from '../../ports/keys.js'
import type { Log } from '../../ports/log.js'
import type { PeerBoard } from '../../ports/peer-link.js'
import type { ExternalLink } from '../broker/external-link.js'

/** A connection to the broker, and what proves who asks. */
export type BrokerWay = Pick<ExternalLink, 'load' | 'open' | 'password' | 'explain'>

export interface MqttPeerBoardPorts {
  readonly clock: Clock
  readonly log: Log
  readonly keys: Keys
  /** The way to the broker, with its certificates and password. */
  readonly link: BrokerWay
}

export interface MqttPeerBoardOptions {
  readonly tour: string
  readonly box: string
  /** Null: none is asked for. */
  readonly username: string | null
  /** What the words are about: `have` of pieces, `stage` of a switch together. */
  readonly subject: 'have' | 'stage'
}

const RETRY_MS_MIN = 500
const RETRY_MS_MAX = 30_000
const CONNECT_MS = 10_000
/** A connection that ends before was none: the next one waits longer. */
const STEADY_MS = 10_000
/** A box that dies without a word is gone for the others after one and a half of these. */
const KEEPALIVE_SECONDS = 10
const END_MS = 2_000
const WORD_BYTES_MAX = 64 * 1024
const NOT_ALLOWED = 'the broker does not let this box read the words of the others'

export class MqttPeerBoard implements PeerBoard {
  readonly #ports: MqttPeerBoardPorts
  readonly #options: MqttPeerBoardOptions
  readonly #words = new Signal<{ readonly box: string; readonly word: Uint8Array | null }>()
  readonly #changes = new Signal<boolean>()
  #client: MqttClient | null = null
  #isOpen = false
  #tries = 0
  #openedMs = 0
  #cancelRetry: Cancel = () => {}
  /** What the last connection ended with; null: without a word. */
  #error: unknown = null
  /** Told already, until it is another. */
  #trouble: string | null = null
  /** Why the connection ends is known already. */
  #isTold = false

  constructor(ports: MqttPeerBoardPorts, options: MqttPeerBoardOptions) {
    this.#ports = ports
    this.#options = options
  }

  async start(): Promise<void> {
    await this.#loadLogin()
    const client = new MqttClient(() => this.#open(), {
      ...this.#login(),
      protocolVersion: 4,
      // A broker that knows certificates lets a box in under its own name alone, and what it puts behind a colon.
      clientId: `${this.#options.box}:ota-${this.#options.subject}-${this.#options.tour}`,
      clean: true,
      keepalive: KEEPALIVE_SECONDS,
      connectTimeout: CONNECT_MS,
      // Trying again is ours, with pauses that grow.
      reconnectPeriod: 0,
      manualConnect: true,
      resubscribe: false,
      queueQoSZero: false,
      will: {
        topic: this.#topicOf(this.#options.box),
        payload: Buffer.alloc(0),
        qos: 1,
        retain: true,
      },
    })
    this.#client = client
    client.on('connect', () => this.#onConnect(client))
    client.on('message', (topic, payload) => this.#onMessage(topic, payload))
    client.on('close', () => this.#onClose(client))
    // Before `close`, which deals with it.
    client.on('error', error => {
      this.#error = error
    })
    client.connect()
  }

  async stop(): Promise<void> {
    const client = this.#client
    this.#client = null
    this.#cancelRetry()
    this.#setOpen(false)
    if (!client) return
    if (!client.connected) {
      client.end(true)
      return
    }
    const { clock } = this.#ports
    await new Promise<void>(resolve => {
      const end = (isForced: boolean): void => {
        cancel()
        client.end(isForced, () => resolve())
      }
      const cancel = clock.runAt(after(clock.monotonicMs(), END_MS), () => {
        client.end(true)
        client.stream.destroy()
        resolve()
      })
      // A farewell keeps the will back, so the word is taken away by hand.
      client.publish(this.#topicOf(this.#options.box), '', { qos: 1, retain: true }, () =>
        end(false),
      )
    })
  }

  isOpen(): boolean {
    return this.#isOpen
  }

  say(word: Uint8Array): void {
    const client = this.#client
    if (!client || !this.#isOpen || word.length > WORD_BYTES_MAX) return
    // At most once: the next one, a few seconds later, says all of it again.
    client.publish(this.#topicOf(this.#options.box), Buffer.from(word), { qos: 0, retain: true })
  }

  onWord(listener: (box: string, word: Uint8Array | null) => void): Cancel {
    return this.#words.listen(({ box, word }) => listener(box, word))
  }

  onChange(listener: (isOpen: boolean) => void): Cancel {
    return this.#changes.listen(listener)
  }

  #onConnect(client: MqttClient): void {
    client.subscribe(this.#topicOf('+'), { qos: 1 }, (error, granted) => {
      if (this.#client !== client) return
      const isRefused = granted?.some(({ qos }) => qos > 2) ?? false
      if (error || isRefused) {
        this.#subscribeFailed(client, error ? messageOf(error) : NOT_ALLOWED)
        return
      }
      this.#openedMs = this.#ports.clock.monotonicMs()
      if (this.#trouble !== null)
        this.#ports.log.info('peers.board-open', { subject: this.#options.subject })
      this.#trouble = null
      this.#setOpen(true)
    })
  }

  /** A box that hears nobody is not connected: it tries anew, for rights are given and taken while a broker runs. */
  #subscribeFailed(client: MqttClient, why: string): void {
    if (this.#trouble !== why) this.#ports.log.error('peers.subscribe-failed', { error: why })
    this.#trouble = why
    this.#isTold = true
    client.stream.destroy()
  }

  #onMessage(topic: string, payload: Uint8Array): void {
    const box = topic.split('/')[2] ?? ''
    if (topic !== this.#topicOf(box) || box === this.#options.box) return
    if (payload.length > WORD_BYTES_MAX) return
    this.#words.emit({ box, word: payload.length === 0 ? null : Uint8Array.from(payload) })
  }

  /** Again and again, the later the longer it fails, and never two boxes in step. */
  #onClose(client: MqttClient): void {
    if (this.#client !== client) return
    const { clock, keys } = this.#ports
    // Two boxes of one name, of which the broker throws out one for the other, must not do so all day.
    if (this.#isOpen && clock.monotonicMs() - this.#openedMs >= STEADY_MS) this.#tries = 0
    this.#setOpen(false)
    this.#tellTrouble()
    this.#cancelRetry()
    const longest = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** Math.min(this.#tries++, 10))
    const share = (keys.randomBytes(1)[0] ?? 0) / 255
    this.#cancelRetry = clock.runAt(
      after(clock.monotonicMs(), (longest / 2) * (1 + share)),
      () => void this.#connectAgain(client),
    )
  }

  /** The library tells only some of what goes wrong with a connection. */
  #open(): Duplex {
    return this.#ports.link.open().once('error', error => {
      this.#error = error
    })
  }

  /** A broker that goes for a moment, as with its box in a switch, is not worth a word. */
  #tellTrouble(): void {
    const { clock, log, link } = this.#ports
    const error = this.#error
    this.#error = null
    const isTold = this.#isTold
    this.#isTold = false
    if (isTold || this.#tries < 3) return
    const words = link.explain(error, clock.wallTimeMs())
    if (words === this.#trouble) return
    this.#trouble = words
    log.warn('peers.board-failed', { subject: this.#options.subject, error: words })
  }

  /** Never rejects. With what the files hold by now: somebody may have renewed a certificate. */
  async #connectAgain(client: MqttClient): Promise<void> {
    await this.#loadLogin()
    if (this.#client !== client) return
    Object.assign(client.options, this.#login())
    client.connect()
  }

  /** A file that is missing when the box starts may be there when it tries again. */
  async #loadLogin(): Promise<void> {
    await this.#ports.link
      .load()
      .catch((error: unknown) =>
        this.#ports.log.warn('peers.login-spoiled', { error: messageOf(error) }),
      )
  }

  #setOpen(isOpen: boolean): void {
    if (this.#isOpen === isOpen) return
    this.#isOpen = isOpen
    this.#changes.emit(isOpen)
  }

  #topicOf(box: string): string {
    return `vb/${this.#options.tour}/${box}/ota/${this.#options.subject}`
  }

  #login(): { username?: string; password?: Buffer } {
    const { username } = this.#options
    const { password } = this.#ports.link
    return {
      ...(username === null ? {} : { username }),
      ...(password === null ? {} : { password }),
    }
  }
}
