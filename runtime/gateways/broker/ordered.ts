/**
 * Publishes, one at a time up to the moment they are handed to the subscribers. aedes starts the next while an earlier
 * one still waits for the store, and each subscriber then drops whatever was overtaken (moscajs/aedes #994, #955). Here
 * nothing waits for the disk on that way: the store's changes are collected and written behind, and only the
 * acknowledgement waits for them.
 */
import { BoxError } from '../../core/errors.js'
import type { Done, InnerBroker, InnerClient, InnerPacket } from './aedes-inside.js'
import type { StorePersistence } from './persistence.js'
import { copyOf, type PacketLike } from './stored-packet.js'

/** More than this waiting for the disk, and new messages that need it are refused until it has caught up. */
const PENDING_BYTES_MAX = 32 * 1024 * 1024
/** The same for messages of QoS 2, which are kept in memory when the disk fails. */
const OWED_BYTES_MAX = 4 * 1024 * 1024

interface Job {
  readonly packet: PacketLike
  readonly client: InnerClient | null
  readonly done: Done
}

export class OrderedPublisher {
  readonly #broker: InnerBroker
  readonly #persistence: StorePersistence
  readonly #jobs: Job[] = []
  /** The job that has the turn, until its message is with the subscribers. */
  #current: Job | null = null
  #isPumping = false
  readonly #publish: InnerBroker['publish']

  constructor(broker: InnerBroker, persistence: StorePersistence) {
    this.#broker = broker
    this.#persistence = persistence
    this.#publish = broker.publish.bind(broker)
  }

  get backlog(): number {
    return this.#jobs.length
  }

  /** Takes the place of `publish` in aedes; to be called once, before `listen`. */
  install(): void {
    const { mq } = this.#broker
    const emit = mq.emit.bind(mq)
    mq.emit = (message: InnerPacket, done: Done) => {
      // Noted before: an emit that nobody listens to calls back at once, and a listener may publish in its turn.
      const job = this.#current
      const emitted = emit(message, done)
      if (job) this.#finish(job, null)
      return emitted
    }
    this.#broker.publish = (packet, client, done?: Done) => {
      // aedes itself publishes without a client: the second argument is then the callback.
      if (typeof client === 'function') this.publish(packet, null, client)
      else this.publish(packet, client, done ?? (() => {}))
    }
  }

  /** Calls `done` when the message was handed to its subscribers and, if it left anything to keep, that is on disk. */
  publish(packet: PacketLike, client: InnerClient | null, done: Done): void {
    const { pendingBytes, owedBytes } = this.#persistence.writes
    if (pendingBytes > PENDING_BYTES_MAX || (packet.qos === 2 && owedBytes > OWED_BYTES_MAX)) {
      done(new BoxError('storage.full', 'the disk does not keep up with the messages'))
      return
    }
    this.#jobs.push({ packet, client, done })
    this.#pump()
  }

  /** A loop, not a recursion: thousands may wait behind one that looks up its subscribers. */
  #pump(): void {
    if (this.#isPumping) return
    this.#isPumping = true
    for (let job = this.#nextJob(); job; job = this.#nextJob()) this.#start(job)
    this.#isPumping = false
  }

  #nextJob(): Job | undefined {
    return this.#current ? undefined : this.#jobs.shift()
  }

  #start(job: Job): void {
    this.#current = job
    this.#persistence.writes.hold()
    // A copy: a publisher's DUP is its own (MQTT-3.3.1-3), and a will must not bring the number of another boot.
    const { brokerId: _, brokerCounter: __, ...fresh } = copyOf(job.packet)
    this.#publish(fresh, job.client, error => {
      if (error) this.#finish(job, error)
    })
  }

  #finish(job: Job, error: Error | null): void {
    if (this.#current !== job) return
    this.#current = null
    if (!error) this.#persistence.writeIncoming(job.packet)
    // QoS 2 has been delivered and must not be again: its sender tries again, but it counts as come.
    const isKept = this.#persistence.writes.release(job.packet.qos !== 2)
    if (error || !isKept) job.done(error)
    else void this.#acknowledge(job)
    this.#pump()
  }

  async #acknowledge(job: Job): Promise<void> {
    let failure: Error | null = null
    try {
      await this.#persistence.synced()
    } catch (error) {
      if (!(error instanceof BoxError)) throw error
      failure = error
    }
    job.done(failure)
  }
}
