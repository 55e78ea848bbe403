/**
 * Calls to folders that may hang: a broken stick keeps a thread inside the kernel for as long as it likes. Node reads all
 * files, and looks up all names, with four threads, so one of them is all that such folders ever get.
 */
import { BoxError } from '../../runtime/core/errors.js'

/** A stick that wakes up, or reads a bad sector again and again, takes some seconds. */
const USUAL_MS = 10_000

export interface FolderGuard {
  /**
   * @param late what becomes of a result that nobody waits for any more
   * @throws BoxError `link.down` when nothing has come back in time, or still has not from before; whatever `work` throws
   */
  call<T>(work: () => Promise<T>, late?: (made: T) => Promise<unknown>): Promise<T>
  /** What has to be done however late: as soon as it can be. Resolves when it is done, or has not been in time. */
  finish(work: () => Promise<unknown>): Promise<void>
}

interface Job {
  readonly folder: string
  readonly run: () => Promise<void>
}

/** One after the other, over all folders. */
export class FolderCalls {
  readonly #limitMs: number
  readonly #waiting: Job[] = []
  #running: Job | null = null
  /** The one that runs has had its time. */
  #isStuck = false

  constructor(limitMs: number = USUAL_MS) {
    this.#limitMs = limitMs
  }

  /** @param folder as it is called for people */
  of(folder: string): FolderGuard {
    return {
      call: (work, late = nothing) => {
        if (this.#isStuck) return Promise.reject(this.#silence(folder))
        return this.#ask({ folder, isOwed: false }, work, late)
      },
      finish: work => this.#ask({ folder, isOwed: true }, work, nothing).then(nothing, nothing),
    }
  }

  #ask<T>(
    { folder, isOwed }: { readonly folder: string; readonly isOwed: boolean },
    work: () => Promise<T>,
    late: (made: T) => Promise<unknown>,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      let isLate = false
      const run = async (): Promise<void> => {
        if (isLate && !isOwed) return
        try {
          const made = await work()
          if (isLate) await late(made)
          else resolve(made)
        } catch (error) {
          reject(error)
        } finally {
          clearTimeout(limit)
        }
      }
      const job = { folder, run }
      const limit = setTimeout(() => {
        isLate = true
        if (this.#running === job) this.#isStuck = true
        reject(this.#silence(folder))
      }, this.#limitMs)
      this.#waiting.push(job)
      this.#begin()
    })
  }

  #begin(): void {
    if (this.#running !== null) return
    this.#running = this.#waiting.shift() ?? null
    void this.#running?.run().finally(() => {
      this.#running = null
      this.#isStuck = false
      this.#begin()
    })
  }

  #silence(folder: string): BoxError {
    const silent = this.#running?.folder ?? folder
    const why = silent === folder ? '' : `${folder} waits for it: `
    return new BoxError('link.down', `${why}${silent} does not answer: pull it out`)
  }
}

const nothing = async (): Promise<void> => {}
