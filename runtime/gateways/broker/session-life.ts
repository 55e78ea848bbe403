/** Whose session it is, who has it now, and when it ends. */
import type { Log } from '../../ports/log.js'
import type { Incoming } from './incoming.js'
import type { OfflineQueue } from './offline-queue.js'
import type { Replays } from './replay.js'
import type { Session, Sessions } from './sessions.js'

export interface SessionLimits {
  readonly countMax: number
  readonly expiryHours: number
}

export class SessionLife {
  readonly #log: Log
  readonly #sessions: Sessions
  readonly #queue: OfflineQueue
  readonly #replays: Replays
  readonly #incoming: Incoming
  readonly #limits: SessionLimits
  readonly #onExpired: (clientId: string, queued: number) => void

  constructor(
    log: Log,
    parts: {
      readonly sessions: Sessions
      readonly queue: OfflineQueue
      readonly replays: Replays
      readonly incoming: Incoming
    },
    limits: SessionLimits,
    onExpired: (clientId: string, queued: number) => void,
  ) {
    this.#log = log
    this.#sessions = parts.sessions
    this.#queue = parts.queue
    this.#replays = parts.replays
    this.#incoming = parts.incoming
    this.#limits = limits
    this.#onExpired = onExpired
  }

  /** For a client that connects with clean=false; `foreign` is another user's session, `full` one too many. */
  open(clientId: string, owner: string, holder: object): 'opened' | 'foreign' | 'full' {
    if (this.isForeign(clientId, owner)) return 'foreign'
    const before = this.#sessions.get(clientId)
    if (!before && this.#sessions.size >= this.#limits.countMax) return 'full'
    const session = this.#sessions.open(clientId, owner)
    session.isResumed = before !== undefined
    session.holder = holder
    if (!before || session.idleHours > 0) {
      session.idleHours = 0
      this.#sessions.save(session)
    }
    this.#replays.begin(clientId)
    return 'opened'
  }

  isForeign(clientId: string, owner: string): boolean {
    const before = this.#sessions.get(clientId)
    return before !== undefined && before.owner !== '' && before.owner !== owner
  }

  close(clientId: string, holder: object): void {
    const session = this.#sessions.get(clientId)
    if (!session || session.holder !== holder) return
    session.holder = null
    this.#replays.end(clientId)
  }

  /** A client that comes with clean=true: its old session ends, with its queue and its receipts (MQTT-3.1.2-6). */
  discard(clientId: string): void {
    const session = this.#sessions.get(clientId)
    if (session) this.#sessions.remove(session)
    this.#queue.clear(clientId)
    this.#incoming.clear(clientId)
    this.#replays.end(clientId)
  }

  /** Called once an hour. */
  age(): void {
    for (const session of [...this.#sessions.all()]) {
      if (session.holder !== null) continue
      session.idleHours++
      if (session.idleHours < this.#limits.expiryHours) this.#sessions.save(session)
      else this.#expire(session)
    }
  }

  #expire({ clientId }: Session): void {
    const queued = this.#queue.line(clientId)?.entries.size ?? 0
    this.discard(clientId)
    this.#log.info('broker.session-expired', { client: clientId, queued })
    this.#onExpired(clientId, queued)
  }
}
