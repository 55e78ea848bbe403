import type { MqttClient } from 'mqtt'
import type { Outgoing } from './bridge.js'

/** Events kept while the broker is away, and messages under way to it. States are not kept: they are told anew. */
const WAITING_MAX = 1_000
const UNDER_WAY_MAX = 1_000

/** What goes out through a client of another broker, with a bound on what waits: the oldest is dropped, and told. */
export class Outbound {
  readonly #client: MqttClient
  readonly #onDropped: (message: Outgoing) => void
  readonly #waiting: Outgoing[] = []
  #underWay = 0
  #dropped = 0

  constructor(client: MqttClient, onDropped: (message: Outgoing) => void) {
    this.#client = client
    this.#onDropped = onDropped
  }

  get waiting(): number {
    return this.#waiting.length
  }

  get dropped(): number {
    return this.#dropped
  }

  send(message: Outgoing): void {
    if (this.#client.connected && this.#underWay < UNDER_WAY_MAX) this.#publish(message)
    else if (!message.isRetained && message.qos > 0) this.#keep(message)
    else if (this.#client.connected) this.#drop(message)
    else if (!message.isRetained) this.#dropped++
  }

  /** The connection is there again. */
  flush(): void {
    while (this.#client.connected && this.#underWay < UNDER_WAY_MAX) {
      const message = this.#waiting.shift()
      if (!message) return
      this.#publish(message)
    }
  }

  #keep(message: Outgoing): void {
    this.#waiting.push(message)
    const oldest = this.#waiting.length > WAITING_MAX ? this.#waiting.shift() : undefined
    if (oldest) this.#drop(oldest)
  }

  #drop(message: Outgoing): void {
    this.#dropped++
    this.#onDropped(message)
  }

  #publish({ topic, payload, qos, isRetained }: Outgoing): void {
    this.#underWay++
    this.#client.publish(topic, payload, { qos, retain: isRetained }, () => {
      this.#underWay--
      this.flush()
    })
  }
}
