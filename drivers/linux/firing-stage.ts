/**
 * A firing thread's changes of a line that leads nowhere: no cue of the evening meets code that was never compiled, or
 * that has left the processor's caches since the last one.
 */
import { closeSync, openSync } from 'node:fs'
import { monotonicMs } from '../../runtime/core/time.js'
import { changesBuffer, PlannedChanges } from './firing-changes.js'
import { linesBuffer, SharedLines } from './firing-lines.js'
import { FiringLoop } from './firing-loop.js'
import { FiringSignals, signalsBuffer } from './firing-signals.js'
import type { Libc } from './libc.js'
import type { LineWriter } from './line-writer.js'
import { SpinMargin } from './spin-margin.js'

/** FIONREAD of asm-generic/ioctls.h: how much of a file is left to be read. Changes nothing, and every file answers it. */
const FIONREAD = 0x541b

export class FiringStage {
  readonly #nowMs: () => number
  readonly #loop: FiringLoop
  readonly #changes = new PlannedChanges(changesBuffer(1))
  readonly #fds: readonly number[]
  /** The way to a line of the character device, as far as it goes without one. */
  readonly #askFile: () => void
  #order = 0

  /**
   * @param write the very function that writes to lines: code that was compiled for another one is thrown away
   * @param libc null where lines are files only
   */
  constructor(nowMs: () => number, write: LineWriter, libc: Libc | null) {
    const nowhere = openSync('/dev/null', 'w')
    const file = openSync(process.execPath, 'r')
    this.#nowMs = nowMs
    this.#fds = [nowhere, file]
    const lines = new SharedLines(linesBuffer(1))
    lines.open(0, { fd: nowhere, method: 'file', isSafeActive: false })
    this.#askFile = () => libc?.ioctl(file, FIONREAD, new Uint8Array(4), 'warming up')
    this.#loop = new FiringLoop(
      { changes: this.#changes, lines, signals: new FiringSignals(signalsBuffer()) },
      {
        nowMs,
        write,
        report: () => {},
        holdAwake: () => {},
        warmUp: null,
      },
      new SpinMargin(),
      // Nobody beats for it, and on a slow machine it takes longer than a main thread may be silent.
      { heartbeatMs: Number.POSITIVE_INFINITY },
    )
  }

  /** One change, at once. */
  fire(): void {
    const change = { line: 0, isActive: true, at: monotonicMs(this.#nowMs()) }
    const ticket = this.#changes.plan(0, change, this.#order++)
    while (!this.#changes.isOver(ticket)) this.#loop.turn()
    this.#changes.collect(ticket)
    this.#askFile()
  }

  close(): void {
    for (const fd of this.#fds) closeSync(fd)
  }
}
