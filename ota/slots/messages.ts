/** What the launcher and the programs of a slot say to each other, over Node's channel between parent and child. */
import { isFields } from './sealed-lines.js'

/** `ready` is what pm2 wants to hear, too (`wait_ready`). */
export type ToLauncher =
  | { readonly kind: 'ready' }
  /** The answer to a ping: the main thread still turns. */
  | { readonly kind: 'pong' }
  /** What the health gate still waits for; empty: nothing. For the log, and for the reason should time run out. */
  | {
      readonly kind: 'gate'
      readonly unmet: readonly string[]
      /** From the start of the trial, where the gate needs more time than usual; null: as usual. */
      readonly trialMs: number | null
    }
  /** The updater has marked the running release good: it is on the disk already. */
  | { readonly kind: 'passed' }
  /** The updater has written what is to be started next: end everything and look. */
  | { readonly kind: 'restart'; readonly why: string }

/** To every program, every two seconds. Whoever answers once is expected to go on answering. */
export const PING = { kind: 'ping' } as const
/** To end in good order, as pm2 says it. */
export const SHUTDOWN = 'shutdown'

/** Whatever a release on trial asks for: no armed show is longer. */
const TRIAL_MS_MAX = 12 * 60 * 60_000
const UNMET_MAX = 32
const LETTERS_MAX = 256

/** Null for what is not for the launcher. */
export function readMessage(message: unknown): ToLauncher | null {
  if (message === 'ready') return { kind: 'ready' }
  if (!isFields(message)) return null
  const { kind, unmet, why, trialMs } = message
  switch (kind) {
    case 'pong':
    case 'passed':
      return { kind }
    case 'gate':
      return Array.isArray(unmet)
        ? { kind, unmet: unmet.slice(0, UNMET_MAX).map(shortText), trialMs: msOf(trialMs) }
        : null
    case 'restart':
      return { kind, why: shortText(why) }
    default:
      return null
  }
}

export const isPing = (message: unknown): boolean => isFields(message) && message['kind'] === 'ping'

const msOf = (value: unknown): number | null =>
  typeof value === 'number' && value > 0 ? Math.min(value, TRIAL_MS_MAX) : null

const shortText = (value: unknown): string => `${value}`.slice(0, LETTERS_MAX)
