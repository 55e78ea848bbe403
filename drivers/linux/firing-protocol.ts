/** What the main thread and the firing thread hand each other at the start; after that they share memory. */
import type { ErrorCode } from '../../runtime/core/errors.js'
import type { PlannedChanges } from './firing-changes.js'
import type { SharedLines } from './firing-lines.js'
import type { FiringSignals } from './firing-signals.js'
import type { RealTimeReady } from './real-time.js'

/** The memory that both threads work on. */
export interface FiringShared {
  readonly changes: PlannedChanges
  readonly lines: SharedLines
  readonly signals: FiringSignals
}

export interface FiringSetup {
  readonly changes: SharedArrayBuffer
  readonly lines: SharedArrayBuffer
  readonly signals: SharedArrayBuffer
  readonly heartbeatMs: number
}

/** What the firing thread tells the main thread, never between two changes that are due together. */
export type FiringReport =
  | { readonly kind: 'over' }
  | {
      readonly kind: 'write-failed'
      readonly line: number
      readonly code: ErrorCode
      readonly message: string
    }
  | { readonly kind: 'heartbeat-lost'; readonly silentMs: number }

export type FiringMessage = RealTimeReady | FiringReport
