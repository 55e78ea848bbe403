/**
 * Last words: what makes one output safe when the process that drives it no longer can. They are told to the guard, a
 * process of its own, when the output is opened, and taken back when it is closed.
 */
import type { Cancel } from '../../runtime/ports/clock.js'

/**
 * - `line`: the kernel gives a line of the character device to one process, and free again when that one is dead.
 * - `file`: a file of the kernel's that holds the state of an output: a line's value or a PWM duty below /sys.
 * - `i2c`: registers of a chip.
 */
export type LastWord =
  | {
      readonly kind: 'line'
      /** Label of the chip, as `gpiodetect` shows it. */
      readonly chip: string
      readonly offset: number
      readonly isActiveLow: boolean
      /** The safe state. */
      readonly isActive: boolean
    }
  | { readonly kind: 'file'; readonly path: string; readonly text: string }
  | {
      readonly kind: 'i2c'
      /** N of /dev/i2c-N. */
      readonly bus: number
      readonly address: number
      /** 1 to `WRITES_MAX`, carried out in order. */
      readonly writes: readonly WordWrite[]
    }

/** About a place that the kernel gives to everybody: whoever drives it locks it against others. */
export type LockedWord = Exclude<LastWord, { kind: 'line' }>

export type FileWord = Extract<LastWord, { kind: 'file' }>

export interface WordWrite {
  readonly register: number
  /** 1..32 */
  readonly bytes: readonly number[]
}

export const WORDS_MAX = 256
export const WRITES_MAX = 4

/** Whoever keeps last words until they are needed. */
export interface LastWords {
  /**
   * Takes the file or chip for this process, as the kernel does with lines, and keeps the word until the returned
   * function is called. Throws DeviceError `device.busy` when another process has it, `device.limit` when 256 are kept.
   */
  keep(word: LastWord): Promise<Cancel>
}

/** For the log. */
export function placeOf(word: LastWord): string {
  switch (word.kind) {
    case 'line':
      return `${word.chip}/${word.offset}`
    case 'file':
      return word.path
    case 'i2c':
      return `i2c-${word.bus}/0x${word.address.toString(16)}`
  }
}

const order = { line: 0, file: 1, i2c: 2 } as const

/** What is done in microseconds comes first; a bus that hangs, last. */
export const inOrder = (words: Iterable<LastWord>): readonly LastWord[] =>
  [...words].sort((a, b) => order[a.kind] - order[b.kind])
