/**
 * Server-sent events (HTML Living Standard, 9.2) for up to 32 pages. What is news is gathered and sent on a turn of its
 * own, so that publishing costs the show nothing; of a state only the newest value waits for a page that is slow, and
 * a page that cannot keep up at all is dropped: it reconnects and begins again with a snapshot.
 */
import type { ServerResponse } from 'node:http'
import type { Cancel, Clock } from '../../ports/clock.js'

const CLIENTS_MAX = 32
const BACKLOG_MAX = 256
const BLOCKED_BEATS_MAX = 3

interface Client {
  readonly response: ServerResponse
  /** Messages by key, oldest first, that wait for the socket to drain. */
  readonly backlog: Map<string, string>
  isBlocked: boolean
  blockedBeats: number
}

export class EventStreams {
  readonly #clock: Clock
  readonly #onDropped: () => void
  readonly #clients = new Set<Client>()
  readonly #news = new Map<string, { readonly event: string; readonly body: unknown }>()
  #serial = 0
  #cancelFlush: Cancel | null = null

  /** @param onDropped hears of each page that could not keep up */
  constructor(clock: Clock, onDropped: () => void) {
    this.#clock = clock
    this.#onDropped = onDropped
  }

  get clientCount(): number {
    return this.#clients.size
  }

  get isFull(): boolean {
    return this.#clients.size >= CLIENTS_MAX
  }

  /** Takes over a response whose headers are not sent yet. `first` is the snapshot that the stream begins with. */
  open(response: ServerResponse, headers: Readonly<Record<string, string>>, first: unknown): void {
    this.#flush()
    const client: Client = { response, backlog: new Map(), isBlocked: false, blockedBeats: 0 }
    this.#clients.add(client)
    response.on('close', () => this.#clients.delete(client))
    response.on('error', () => this.#clients.delete(client))
    response.on('drain', () => this.#drain(client))
    response.writeHead(200, {
      ...headers,
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    })
    this.#send(client, 'snapshot', `retry: 1000\n${messageText('snapshot', first)}`)
    this.#send(client, 'beat', this.#beatText())
  }

  /** @param key a newer message of the same key replaces one that still waits; null when every one counts */
  publish(event: string, key: string | null, body: unknown): void {
    if (this.#clients.size === 0) return
    const name = key ?? `#${this.#serial++}`
    this.#news.delete(name)
    this.#news.set(name, { event, body })
    this.#cancelFlush ??= this.#clock.runAt(this.#clock.monotonicMs(), () => this.#flush())
  }

  /** A comment keeps proxies awake, an event lets the page notice silence and know the clock of the box. */
  beat(): void {
    const text = this.#beatText()
    for (const client of [...this.#clients]) {
      client.blockedBeats = client.isBlocked ? client.blockedBeats + 1 : 0
      if (client.blockedBeats >= BLOCKED_BEATS_MAX) this.#drop(client)
      else this.#send(client, 'beat', text)
    }
  }

  close(): void {
    this.#cancelFlush?.()
    this.#cancelFlush = null
    this.#news.clear()
    for (const { response } of this.#clients) response.destroy()
    this.#clients.clear()
  }

  #beatText(): string {
    return `: heartbeat\n${messageText('beat', { monotonicMs: this.#clock.monotonicMs() })}`
  }

  #flush(): void {
    this.#cancelFlush?.()
    this.#cancelFlush = null
    const news = [...this.#news]
    this.#news.clear()
    for (const [key, { event, body }] of news) {
      const text = messageText(event, body)
      for (const client of [...this.#clients]) this.#send(client, key, text)
    }
  }

  #send(client: Client, key: string, text: string): void {
    if (!client.isBlocked) {
      client.isBlocked = !client.response.write(text)
      return
    }
    client.backlog.delete(key)
    client.backlog.set(key, text)
    if (client.backlog.size > BACKLOG_MAX) this.#drop(client)
  }

  #drain(client: Client): void {
    client.isBlocked = false
    for (const [key, text] of client.backlog) {
      if (client.isBlocked) return
      client.backlog.delete(key)
      client.isBlocked = !client.response.write(text)
    }
  }

  #drop(client: Client): void {
    this.#clients.delete(client)
    client.backlog.clear()
    client.response.destroy()
    this.#onDropped()
  }
}

/** JSON has no raw line breaks, so one `data:` line is always enough. */
const messageText = (event: string, body: unknown): string =>
  `event: ${event}\ndata: ${JSON.stringify(body)}\n\n`
