/** What an input or output line asks of the kernel, whichever of its interfaces is used. */
import type { DeviceError, ErrorCode } from '../../runtime/core/errors.js'
import type { Edge } from '../../runtime/ports/host.js'
import type { Bias } from './gpio-uapi.js'
import type { LastWord } from './last-words.js'

/** How a line is found: never by a number that counts across chips. */
export interface LinePlace {
  readonly name: string
  /** Label of the chip, as `gpiodetect` shows it. */
  readonly chip: string
  readonly offset: number
  readonly activeLevel: 'high' | 'low'
  readonly bias: Bias
}

export const placeKey = ({ chip, offset }: LinePlace): string => `line ${chip}/${offset}`

/** How an open output is written to: by ioctl on a line's descriptor, or as the digit in a value file. */
export type WriteMethod = 'chardev' | 'file'

export interface TakenOutput {
  readonly fd: number
  readonly method: WriteMethod
  /** What makes it safe when this process no longer can. */
  lastWord(isSafeActive: boolean): LastWord
  /** Lets go of the line; the descriptor is closed. */
  release(): void
}

export interface TakenInput {
  /** Asks the kernel. Throws DeviceError when the line is gone. */
  isActive(): boolean
  release(): Promise<void>
}

export interface InputListener {
  /** Only real changes, in order. */
  changed(edge: Edge): void
  /** Edges came faster than they were read; `count` of them are lost, the state is right. */
  lost(count: number): void
  /** The chip is gone; nothing more will be heard. */
  gone(fault: DeviceError): void
}

/** What an input line asks of a backend. All throw DeviceError (absent, busy, denied, io). */
export interface GpioBackend {
  takeOutput(place: LinePlace, isActive: boolean): Promise<TakenOutput>
  takeInput(place: LinePlace, debounceMs: number, listener: InputListener): Promise<TakenInput>
  stop(): Promise<void>
}

/** What looking for the board's chip found: `found`, or why it cannot be used that way. */
export type Found =
  | 'found'
  | Extract<ErrorCode, 'device.absent' | 'device.denied' | 'native.missing'>
