/**
 * Applies an object in a process of its own: it blocks while it writes, needs half of the memory that it would need in the
 * updater, and gives all of it back.
 */
import { BoxError } from '../../runtime/core/errors.js'
import { after } from '../../runtime/core/time.js'
import type { Cancel, Clock } from '../../runtime/ports/clock.js'
import type { Programs } from '../../runtime/ports/programs.js'
import { type ApplyOrder, CANCEL, readReport } from './apply-words.js'

export interface ApplyChild {
  readonly programs: Programs
  readonly clock: Clock
  /** `dist/ota/apply.js`, or `program/apply.js` of a release; absolute. */
  readonly script: string
  /** Where it runs; absolute. */
  readonly folder: string
}

export interface ApplyTells {
  /** Bytes of the release's files, of all of them. */
  readonly progress: (done: number, all: number) => void
  /** Asked a few times a second, and with each progress. */
  readonly isCancelled: () => boolean
}

/** Little that is young, and code that is not made larger to be faster: 20 MB less at the peak. */
const NODE_WORDS = ['--max-semi-space-size=1', '--optimize-for-size']
const LOOK_MS = 250
/** Of a child that was told to stop. It stops between two writes; one write to a card may take seconds. */
const PATIENCE_MS = 5_000
/** Without a word: a card that takes longer for what it has in its cache is broken. */
const SILENCE_MS_MAX = 10 * 60_000

/** After it was killed: one that the kernel does not let go of, since the card does not answer, writes nothing more either. */
const STUCK_MS = 10_000

type End = () => void

/**
 * Resolves when the target holds the release, after any power cut from then on, and the child is gone, or
 * killed ten seconds ago. A child that ended
 * before may be started again with the same arguments; before that, the target holds no manifest.
 * @throws BoxError what `applyObject` throws; `fetch.cancelled`; `release.unapplied` when the child was killed (memory), died
 *   of a bug, or was silent for ten minutes
 */
export function applyInChild(
  { programs, clock, script, folder }: ApplyChild,
  order: ApplyOrder,
  { progress, isCancelled }: ApplyTells,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let heardAtMs = clock.monotonicMs()
    let cancelledAtMs: number | null = null
    let end: End | null = null
    let stopLooking: Cancel = () => {}
    let stopWaiting: Cancel | null = null
    const fail = (error: BoxError): End => {
      return () => reject(error)
    }
    const child = programs.start(
      { node: null, words: [...NODE_WORDS, script], folder, environment: {} },
      {
        heard: message => {
          heardAtMs = clock.monotonicMs()
          const report = readReport(message)
          if (end !== null || report === null) return
          if (report.kind === 'progress') {
            progress(report.done, report.all)
            return stopIfWanted()
          }
          settle(
            report.kind === 'applied' ? resolve : fail(new BoxError(report.code, report.message)),
          )
        },
        ended: how => gone(how),
      },
    )
    const gone = (how: string): void => {
      stopLooking()
      stopWaiting?.()
      end ??= fail(
        cancelledAtMs === null
          ? new BoxError('release.unapplied', `the process that writes it ended: ${how}`)
          : new BoxError('fetch.cancelled', 'the writing of a release was called off'),
      )
      end()
    }
    const kill = (): void => {
      child.kill()
      stopWaiting ??= clock.runAt(after(clock.monotonicMs(), STUCK_MS), () =>
        gone('killed, and the kernel does not let go of it'),
      )
    }
    /** The child has said its last word, and waits for its end: so that no word is overtaken by it. */
    const settle = (how: End): void => {
      end = how
      kill()
    }
    const stopIfWanted = (): void => {
      if (cancelledAtMs !== null || !isCancelled()) return
      cancelledAtMs = clock.monotonicMs()
      child.send(CANCEL)
    }
    const look = (): void => {
      const nowMs = clock.monotonicMs()
      stopIfWanted()
      const silence = `the process that writes it said nothing for ${SILENCE_MS_MAX / 1000} s`
      if (cancelledAtMs !== null && nowMs - cancelledAtMs >= PATIENCE_MS) kill()
      else if (nowMs - heardAtMs >= SILENCE_MS_MAX)
        settle(fail(new BoxError('release.unapplied', silence)))
      stopLooking = clock.runAt(after(nowMs, LOOK_MS), look)
    }
    child.send(order)
    look()
  })
}
