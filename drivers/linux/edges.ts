/** The main thread's side of the edges thread, which lives from the first `watch` until `stop`. */
import { closeSync, writeSync } from 'node:fs'
import type { Worker } from 'node:worker_threads'
import { assert } from '../../runtime/core/errors.js'
import {
  EDGES_WORDS,
  type EdgesCommand,
  type EdgesReport,
  type EdgesSetup,
  EdgesWord,
  isBehind,
} from './edges-protocol.js'
import type { LineEvent } from './gpio-uapi.js'
import type { Libc } from './libc.js'
import { startWorker } from './worker.js'

export interface EdgeListener {
  /** Events of one read, oldest first. */
  events(events: readonly LineEvent[]): void
  /** The descriptor failed; it is no longer watched. */
  gone(): void
}

interface Thread {
  readonly worker: Worker
  readonly words: Int32Array
  readonly wakeFd: number
  readonly ended: Promise<void>
}

const ONE = new Uint8Array(new BigUint64Array([1n]).buffer)

export class Edges {
  readonly #libc: Libc
  readonly #listeners = new Map<number, EdgeListener>()
  /** Who waits for the thread to have obeyed a command about a descriptor; one at a time. */
  readonly #obeyed = new Map<number, () => void>()
  #thread: Thread | null = null

  constructor(libc: Libc) {
    this.#libc = libc
  }

  /** Reports the events of an open line from when this has resolved until `unwatch`. */
  async watch(fd: number, listener: EdgeListener): Promise<void> {
    assert(!this.#listeners.has(fd), 'a descriptor is watched once')
    this.#thread ??= this.#start()
    this.#listeners.set(fd, listener)
    await this.#command(this.#thread, { kind: 'watch', fd })
  }

  /** Nothing is heard of the line any more; only when this has resolved may the descriptor be closed. */
  async unwatch(fd: number): Promise<void> {
    this.#listeners.delete(fd)
    if (this.#thread) await this.#command(this.#thread, { kind: 'unwatch', fd })
  }

  /** Ends the thread, and with it every watch. Safe to call twice. */
  async stop(): Promise<void> {
    const thread = this.#thread
    if (thread === null) return
    this.#thread = null
    this.#listeners.clear()
    leave(thread)
    await thread.ended
    closeSync(thread.wakeFd)
  }

  #start(): Thread {
    const words = new Int32Array(new SharedArrayBuffer(EDGES_WORDS * 4))
    const wakeFd = this.#libc.eventfd()
    const data: EdgesSetup = { shared: words.buffer, wakeFd }
    const worker = startWorker('edges-worker', data)
    const ended = new Promise<void>(resolve => worker.once('exit', () => resolve()))
    const thread: Thread = { worker, words, wakeFd, ended }
    worker.on('message', (report: EdgesReport) => this.#hear(thread, report))
    // A thread in poll(2) cannot be interrupted from outside, and the process waits for its threads.
    const onExit = (): void => leave(thread)
    process.once('exit', onExit)
    void ended.then(() => process.off('exit', onExit))
    return thread
  }

  #hear(thread: Thread, report: EdgesReport): void {
    const listener = this.#listeners.get(report.fd)
    switch (report.kind) {
      case 'watched':
      case 'unwatched':
        this.#obeyed.get(report.fd)?.()
        break
      case 'gone':
        listener?.gone()
        break
      case 'events':
        this.#take(thread, report.events.length)
        listener?.events(report.events)
        break
    }
  }

  #take(thread: Thread, count: number): void {
    Atomics.add(thread.words, EdgesWord.taken, count)
    const isWaiting = Atomics.load(thread.words, EdgesWord.isWaiting) === 1
    if (isWaiting && !isBehind(thread.words)) wake(thread)
  }

  /** Resolves when the thread has obeyed, or has ended. */
  async #command(thread: Thread, command: EdgesCommand): Promise<void> {
    const isObeyed = new Promise<void>(resolve => this.#obeyed.set(command.fd, resolve))
    thread.worker.postMessage(command)
    wake(thread)
    await Promise.race([isObeyed, thread.ended])
    this.#obeyed.delete(command.fd)
  }
}

function leave(thread: Thread): void {
  Atomics.store(thread.words, EdgesWord.isStopping, 1)
  wake(thread)
}

function wake(thread: Thread): void {
  writeSync(thread.wakeFd, ONE)
}
