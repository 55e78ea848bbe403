/** The motor of a simulated printer: paper moves a millimetre at a time, for as long as there is paper and leave to. */
import { after } from '../../runtime/core/time.js'
import type { Cancel, Clock } from '../../runtime/ports/clock.js'
import type { PrintedItem, SimulatedPaper } from './escpos-printer-paper.js'

export interface MotionOptions {
  /** Infinite: it takes no time. */
  readonly dotsPerSecond: number
  /** What is left on the roll at first. */
  readonly paperDots: number
}

export interface Move {
  readonly dots: number
  /** Is on paper when it has moved through; a picture row by row. */
  readonly item: PrintedItem | null
}

const STEP_DOTS = 8

export class Motion {
  readonly #clock: Clock
  readonly #paper: SimulatedPaper
  readonly #dotsPerSecond: number
  /** Left on the roll. */
  paperDots: number
  #move: Move | null = null
  #movedDots = 0
  #done: () => void = () => {}
  #isAllowed = true
  #cancelStep: Cancel | null = null

  constructor(clock: Clock, paper: SimulatedPaper, options: MotionOptions) {
    this.#clock = clock
    this.#paper = paper
    this.#dotsPerSecond = options.dotsPerSecond
    this.paperDots = options.paperDots
  }

  get isUnderWay(): boolean {
    return this.#move !== null
  }

  /** @param done the paper has moved, or has run out or been stopped on the way */
  begin(move: Move, done: () => void): void {
    this.#move = move
    this.#movedDots = 0
    this.#done = done
    this.#go()
  }

  /** With leave it goes on where it was. */
  allow(isAllowed: boolean): void {
    this.#isAllowed = isAllowed
    if (isAllowed) this.#go()
  }

  /** The power failed: what was half on paper stays half. */
  stop(): void {
    this.#cancelStep?.()
    this.#cancelStep = null
    const move = this.#move
    this.#move = null
    if (move?.item?.kind !== 'raster') return
    const rows = move.item.rows.slice(0, move.item.rowBytes * this.#movedDots)
    if (rows.length > 0) this.#paper.print({ ...move.item, rows })
  }

  #go(): void {
    while (this.#move !== null && this.#cancelStep === null && this.#isAllowed) {
      const step = Math.min(STEP_DOTS, this.#move.dots - this.#movedDots, this.paperDots)
      const isStuck = step === 0 && this.#movedDots < this.#move.dots
      if (isStuck) return
      if (Number.isFinite(this.#dotsPerSecond) && step > 0) this.#stepLater(step)
      else this.#step(step)
    }
  }

  #stepLater(step: number): void {
    const at = after(this.#clock.monotonicMs(), (step / this.#dotsPerSecond) * 1000)
    this.#cancelStep = this.#clock.runAt(at, () => {
      this.#cancelStep = null
      this.#step(step)
      this.#go()
    })
  }

  #step(step: number): void {
    const move = this.#move
    if (move === null) return
    this.#movedDots += step
    this.paperDots -= step
    if (this.#movedDots < move.dots) {
      if (this.paperDots === 0) this.#done()
      return
    }
    this.#move = null
    if (move.item) this.#paper.print(move.item)
    this.#paper.print({ kind: 'feed', dots: move.dots })
    this.#done()
  }
}
