/** Counts of what passes, and their names under `$SYS/broker`, which are Mosquitto's where it has one (mosquitto(8)). */

export class Traffic {
  connected = 0
  connectedMax = 0
  packetsReceived = 0
  publishReceived = 0
  publishSent = 0
  bytesReceived = 0
  publishBytesSent = 0

  opened(): void {
    this.connected++
    this.connectedMax = Math.max(this.connectedMax, this.connected)
  }

  closed(): void {
    this.connected--
  }

  received(bytes: number): void {
    this.packetsReceived++
    this.bytesReceived += bytes
  }

  sent(bytes: number): void {
    this.publishSent++
    this.publishBytesSent += bytes
  }
}

/** One moment of the broker, for telemetry, the page and `$SYS`. */
export interface BrokerReading {
  readonly uptimeSeconds: number
  readonly connected: number
  readonly connectedMax: number
  readonly sessions: number
  readonly sessionsAway: number
  readonly subscriptions: number
  readonly retained: number
  readonly retainedBytes: number
  readonly queued: number
  readonly queuedBytes: number
  readonly packetsReceived: number
  readonly bytesReceived: number
  readonly publishReceived: number
  readonly publishSent: number
  readonly publishBytesSent: number
  readonly publishBacklog: number
  /** Refused, dropped or slowed down, by reason. */
  readonly refused: Readonly<Record<string, number>>
  /** How long the commits took, in milliseconds. */
  readonly commitMs: { readonly p50: number; readonly p99: number; readonly max: number }
}

/** What counts as lost in Mosquitto's `publish/messages/dropped`. */
const droppedReasons = ['limit.queue', 'slow.qos0', 'slow.closed', 'publish.denied'] as const

export function systemTopics(reading: BrokerReading, version: string): ReadonlyMap<string, string> {
  const dropped = droppedReasons.reduce((sum, reason) => sum + (reading.refused[reason] ?? 0), 0)
  const values: Readonly<Record<string, string | number>> = {
    version,
    uptime: `${reading.uptimeSeconds} seconds`,
    'clients/connected': reading.connected,
    'clients/disconnected': reading.sessionsAway,
    'clients/total': reading.connected + reading.sessionsAway,
    'clients/maximum': reading.connectedMax,
    'messages/received': reading.packetsReceived,
    'messages/stored': reading.retained + reading.queued,
    'bytes/received': reading.bytesReceived,
    'publish/messages/received': reading.publishReceived,
    'publish/messages/sent': reading.publishSent,
    'publish/messages/dropped': dropped,
    'publish/bytes/sent': reading.publishBytesSent,
    'retained messages/count': reading.retained,
    'store/messages/count': reading.queued,
    'store/messages/bytes': reading.queuedBytes,
    'subscriptions/count': reading.subscriptions,
    'store/commit/p99': reading.commitMs.p99.toFixed(2),
    ...Object.fromEntries(
      Object.entries(reading.refused).map(([reason, count]) => [`refused/${reason}`, count]),
    ),
  }
  return new Map(Object.entries(values).map(([name, value]) => [`$SYS/broker/${name}`, `${value}`]))
}
