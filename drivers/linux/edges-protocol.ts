/** What the main thread and the edges thread say to each other, and the few words of memory that they share. */
import type { LineEvent } from './gpio-uapi.js'

/** From the main thread; read whenever the wake descriptor is written to. */
export type EdgesCommand =
  | { readonly kind: 'watch'; readonly fd: number }
  | { readonly kind: 'unwatch'; readonly fd: number }

/** From the edges thread, of one descriptor. */
export type EdgesReport =
  | { readonly kind: 'events'; readonly fd: number; readonly events: readonly LineEvent[] }
  | { readonly kind: 'gone'; readonly fd: number }
  | { readonly kind: 'watched' | 'unwatched'; readonly fd: number }

export interface EdgesSetup {
  readonly shared: SharedArrayBuffer
  /** An eventfd of the main thread: written to when there is a command, or room for more events, or it is time to leave. */
  readonly wakeFd: number
}

/** Indices of the shared Int32Array. */
export const EdgesWord = {
  /** Not 0: leave. */
  isStopping: 0,
  /** Events reported so far, and how many of them the main thread has taken; both wrap around. */
  reported: 1,
  taken: 2,
  /** Not 0: the edges thread reads nothing until the main thread has caught up and wakes it. */
  isWaiting: 3,
} as const

export const EDGES_WORDS = 4

/** Beyond so many untaken events the edges thread stops reading; the kernel's own bounded buffers fill up then. */
export const UNTAKEN_MAX = 1024

/** `taken` and `reported` are 32-bit counters that wrap around. */
export const isBehind = (words: Int32Array): boolean =>
  ((Atomics.load(words, EdgesWord.reported) - Atomics.load(words, EdgesWord.taken)) | 0) >=
  UNTAKEN_MAX
