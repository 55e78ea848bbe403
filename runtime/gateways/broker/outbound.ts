import type { Outgoing } from './bridge.js'

const UNDER_WAY_MAX = 1_000
const EVENTS_MAX = 1_000
/** More than a box and its show have topics. */
const STATES_MAX = 2_048

/** Hands a message to the connection; `onDone` when it was written, and with QoS 1 when it was acknowledged. */
type Publish = (message: Outgoing, onDone: () => void) => void

/**
 * What goes out to another broker, with a bound on what waits while it is away or slow: of a state the newest value, of
 * events the newest thousand; what is dropped is told. States go first.
 */
export class Outbound {
  readonly #publish: Publish
  readonly #onDropped: (message: Outgoing) => void
  readonly #events: Outgoing[] = []
  readonly #states = new Map<string, Outgoing>()
  /** By QoS. */
  readonly #underWay: [number, number] = [0, 0]
  #connection = 0
  #isOpen = false
  #isFlushing = false
  #dropped = 0

  constructor(publish: Publish, onDropped: (message: Outgoing) => void) {
    this.#publish = publish
    this.#onDropped = onDropped
  }

  /** Events; states are not counted, they are told anew at each connection. */
  get waiting(): number {
    return this.#events.length
  }

  get dropped(): number {
    return this.#dropped
  }

  /** States wait that could not be told yet. */
  get isBehind(): boolean {
    return this.#states.size > 0
  }

  /** @param states all that must be retained, as it stands */
  open(states: readonly Outgoing[]): void {
    for (const state of states) this.#keepState(state)
    this.#isOpen = true
    this.#flush()
  }

  /** What was acknowledged by nobody is sent again by the client, and says then that it is done. */
  close(): void {
    this.#isOpen = false
    this.#connection++
    this.#underWay[0] = 0
  }

  send(message: Outgoing): void {
    if (message.isRetained) this.#keepState(message)
    else if (message.qos > 0 || this.#hasRoom()) this.#keepEvent(message)
    else if (this.#isOpen) this.#drop(message)
    else this.#dropped++
    this.#flush()
  }

  #hasRoom(): boolean {
    return this.#isOpen && this.#underWay[0] + this.#underWay[1] < UNDER_WAY_MAX
  }

  /** A newer value takes the place of the older one in the line: what changes all the time gets its turn as well. */
  #keepState(message: Outgoing): void {
    this.#states.set(message.topic, message)
    const [oldest] = this.#states.values()
    if (this.#states.size <= STATES_MAX || !oldest) return
    this.#states.delete(oldest.topic)
    this.#drop(oldest)
  }

  #keepEvent(message: Outgoing): void {
    this.#events.push(message)
    const oldest = this.#events.length > EVENTS_MAX ? this.#events.shift() : undefined
    if (oldest) this.#drop(oldest)
  }

  #drop(message: Outgoing): void {
    this.#dropped++
    this.#onDropped(message)
  }

  #flush(): void {
    // A message may be done before `#hand` returns.
    if (this.#isFlushing) return
    this.#isFlushing = true
    while (this.#hasRoom()) {
      const message = this.#next()
      if (!message) break
      this.#hand(message)
    }
    this.#isFlushing = false
  }

  #next(): Outgoing | undefined {
    const [state] = this.#states.values()
    if (!state) return this.#events.shift()
    this.#states.delete(state.topic)
    return state
  }

  #hand(message: Outgoing): void {
    const { qos } = message
    const connection = this.#connection
    this.#underWay[qos]++
    this.#publish(message, () => {
      // The client forgets what it wrote to a connection that is gone, or remembers it late.
      if (qos === 0 && connection !== this.#connection) return
      this.#underWay[qos]--
      this.#flush()
    })
  }
}
