/**
 * A firing thread's changes of a line that leads nowhere: no cue of the evening meets code that was never compiled, or
 * that has left the processor's caches since the last one.
 */
import { closeSync, openSync } from 'node:fs'
import { monotonicMs } from '../../runtime/core/time.js'
import { changesBuffer, PlannedChanges } from './firing-changes.js'
import { linesBuffer, SharedLines } from './firing-lines.js'
import { FiringLoop, type FiringThread } from './firing-loop.js'
import { FiringSignals, signalsBuffer } from './firing-signals.js'
import type { Libc } from './libc.js'
import type { LineWriter } from './line-writer.js'
import type { Ticket } from './planned-slots.js'
import { SpinMargin } from './spin-margin.js'

/** FIONREAD of asm-generic/ioctls.h: how much of a file is left to be read. Changes nothing, and every file answers it. */
const FIONREAD = 0x541b
/** Changes at a time. */
const PLANNED = 3
/** Of some; others are due at the same moment. */
const APART_MS = 0.005
/** Most need no more than the spin, some the sleep and the warming up too. */
const LONG_EVERY = 8
const LONG_MS = 0.4
const SHORT_MS = 0.02

export class FiringStage {
  /**
   * One change, at once. The same function for the rehearsal as for the evening: code that was compiled for another one
   * is thrown away.
   */
  readonly warmUp = (): void => {
    this.#now.change(0)
    this.#askFile()
  }

  readonly #fds: readonly number[]
  readonly #now: Scene
  /** As the firing thread's own: it sleeps, warms up and spins. */
  readonly #ahead: Scene
  /** The way to a line of the character device, as far as it goes without one. */
  readonly #askFile: () => void

  /**
   * @param write the very function that writes to lines: code that was compiled for another one is thrown away
   * @param libc null where lines are files only
   */
  constructor(nowMs: () => number, write: LineWriter, libc: Libc | null) {
    const nowhere = openSync('/dev/null', 'w')
    const file = openSync(process.execPath, 'r')
    this.#fds = [nowhere, file]
    const thread = (warmUp: (() => void) | null): FiringThread =>
      firingThread({ nowMs, write, report: () => {}, holdAwake: () => {}, warmUp, collect: null })
    this.#now = new Scene(thread(null), nowhere)
    this.#ahead = new Scene(thread(this.warmUp), nowhere)
    this.#askFile = () => libc?.ioctl(file, FIONREAD, new Uint8Array(4), 'warming up')
  }

  /** Changes as they will be in the evening. What is left out here is compiled anew at the first cues. */
  rehearse(times: number): void {
    for (let time = 0; time < times; time++)
      this.#ahead.change(time % LONG_EVERY === 0 ? LONG_MS : SHORT_MS)
  }

  close(): void {
    for (const fd of this.#fds) closeSync(fd)
  }
}

/** The one place that makes such an object: compiled code holds for objects that were made in one place. */
export const firingThread = (thread: FiringThread): FiringThread => ({
  nowMs: thread.nowMs,
  write: thread.write,
  report: thread.report,
  holdAwake: thread.holdAwake,
  warmUp: thread.warmUp,
  collect: thread.collect,
})

/** A loop, and changes of a line that leads nowhere. */
class Scene {
  readonly #thread: FiringThread
  readonly #changes = new PlannedChanges(changesBuffer(PLANNED))
  readonly #loop: FiringLoop
  #order = 0

  constructor(thread: FiringThread, fd: number) {
    this.#thread = thread
    const lines = new SharedLines(linesBuffer(1))
    lines.open(0, { fd, method: 'file', isSafeActive: false })
    const signals = new FiringSignals(signalsBuffer())
    // Nobody beats for it, and on a slow machine it takes longer than a main thread may be silent.
    const options = { heartbeatMs: Number.POSITIVE_INFINITY }
    const shared = { changes: this.#changes, lines, signals }
    this.#loop = new FiringLoop(shared, thread, new SpinMargin(), options)
  }

  /** On and off, the one among the other. */
  change(leadMs: number): void {
    const nowMs = this.#thread.nowMs()
    const tickets: Ticket[] = []
    for (let slot = 0; slot < PLANNED; slot++) {
      const at = monotonicMs(nowMs + leadMs + (slot % 2) * APART_MS)
      tickets.push(this.#changes.plan(slot, { line: 0, isActive: slot === 0, at }, this.#order++))
    }
    for (const ticket of tickets) {
      while (!this.#changes.isOver(ticket)) this.#loop.turn()
      this.#changes.collect(ticket)
    }
  }
}
