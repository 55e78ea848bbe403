/** What the main thread and a bus's thread hand each other at the start, and what the thread tells; the rest is memory. */
import type { SharedChips } from './bus-chips.js'
import type { PlannedTransfers } from './bus-transfers.js'
import type { FiringSignals } from './firing-signals.js'
import type { RealTimeReady } from './real-time.js'

/** The memory that both threads work on. */
export interface BusShared {
  readonly transfers: PlannedTransfers
  readonly chips: SharedChips
  readonly signals: FiringSignals
}

export interface BusSetup {
  /** N of /dev/i2c-N. */
  readonly bus: number
  readonly transfers: SharedArrayBuffer
  readonly chips: SharedArrayBuffer
  readonly signals: SharedArrayBuffer
  readonly heartbeatMs: number
}

export type BusReport =
  /** Some transfers are. */
  | { readonly kind: 'over' }
  | { readonly kind: 'not-safe'; readonly address: number; readonly error: string }
  /** The main thread was silent; chips were made safe and what was planned was dropped, which was over at `atMs`. */
  | { readonly kind: 'heartbeat-lost'; readonly silentMs: number; readonly atMs: number }

export type BusMessage = RealTimeReady | BusReport
