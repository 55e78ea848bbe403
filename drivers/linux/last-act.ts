/**
 * Carries last words out. A place that belongs to somebody is left to him: the kernel refuses a line that is taken, and
 * files and chips are locked by the process that drives them, so a box that was started again is never disturbed.
 */
import { closeSync, openSync, writeSync } from 'node:fs'
import { DeviceError, messageOf } from '../../runtime/core/errors.js'
import { deviceErrorOf } from './errno.js'
import { openChip } from './gpio-chips.js'
import { GpioRequest, lineRequest, requestedFd } from './gpio-uapi.js'
import {
  type FileWord,
  type LastWord,
  type LockedWord,
  placeOf,
  type WordWrite,
} from './last-words.js'
import type { Libc } from './libc.js'

/** A dimmer's long wires pick up switching noise: one lost transfer is not the end. */
const TRIES_MAX = 3

type ChipWord = Extract<LastWord, { kind: 'i2c' }>

export interface Outcome {
  readonly done: number
  /** Places that belong to somebody. */
  readonly left: number
  /** A sentence each. */
  readonly failures: readonly string[]
}

/**
 * One word, when its place is free. The line is let go of again: what becomes of its level then is as after a stop.
 * @returns false when the place belongs to another. Throws DeviceError.
 */
export function carryOut(libc: Libc, word: LastWord): boolean {
  if (word.kind === 'line') return setLine(libc, word)
  const fd = lockPlace(libc, word)
  if (fd === null) return false
  try {
    write(libc, fd, word)
  } finally {
    closeSync(fd)
  }
  return true
}

/** One word about what the caller, or its parent, has taken for itself. Throws DeviceError. */
export function carryOutAsOwner(libc: Libc, word: LockedWord): true {
  const fd = open(word)
  try {
    write(libc, fd, word)
  } finally {
    closeSync(fd)
  }
  return true
}

/** As `carryOutAsOwner`, of a file. */
export function carryOutFile(word: FileWord): true {
  const fd = open(word)
  try {
    writeFile(fd, word)
  } finally {
    closeSync(fd)
  }
  return true
}

/** Takes the file or chip for this process, until the returned descriptor is closed; null when another has it. */
export function lockPlace(libc: Libc, word: LockedWord): number | null {
  const fd = open(word)
  try {
    // One device file stands for all chips of a bus; each has a byte of its own.
    if (libc.lockByte(fd, word.kind === 'i2c' ? word.address : 0)) return fd
  } catch (error) {
    closeSync(fd)
    throw error
  }
  closeSync(fd)
  return null
}

/**
 * All words, the failure of one being none of the others'. One whose place is taken is tried again while `wait` says
 * so: the kernel lets go of a dead process's things one by one.
 * @param act as `carryOut`; @param wait lets a moment pass and returns true, or false when there was enough of it
 */
export function carryOutAll<W extends LastWord>(
  words: readonly W[],
  act: (word: W) => boolean,
  wait: () => boolean,
): Outcome {
  const failures: string[] = []
  const isLeft = (word: W): boolean => {
    try {
      return !act(word)
    } catch (error) {
      failures.push(`${placeOf(word)}: ${messageOf(error)}`)
      return false
    }
  }
  let left = words.filter(isLeft)
  while (left.length > 0 && wait()) left = left.filter(isLeft)
  return { done: words.length - left.length - failures.length, left: left.length, failures }
}

function setLine(libc: Libc, word: Extract<LastWord, { kind: 'line' }>): boolean {
  const { chip, offset, isActiveLow, isActive } = word
  const request = lineRequest({ offset, isActiveLow, bias: 'as-is', direction: 'out', isActive })
  const fd = openChip(libc, '/dev', chip)
  try {
    libc.ioctl(fd, GpioRequest.getLine, request, 'taking it')
  } catch (error) {
    if (error instanceof DeviceError && error.code === 'device.busy') return false
    throw error
  } finally {
    closeSync(fd)
  }
  closeSync(requestedFd(request))
  return true
}

function open(word: LockedWord): number {
  const path = word.kind === 'file' ? word.path : `/dev/i2c-${word.bus}`
  try {
    return openSync(path, 'r+')
  } catch (error) {
    throw deviceErrorOf(`opening ${path}`, error)
  }
}

function write(libc: Libc, fd: number, word: LockedWord): void {
  if (word.kind === 'i2c') writeRegisters(libc, fd, word)
  else writeFile(fd, word)
}

function writeFile(fd: number, word: FileWord): void {
  try {
    writeSync(fd, word.text, 0)
  } catch (error) {
    throw deviceErrorOf('writing', error)
  }
}

/** @param fd of the bus */
export function writeRegisters(libc: Libc, fd: number, word: ChipWord): void {
  for (const each of word.writes) writeRegister(libc, fd, word.address, each)
}

function writeRegister(libc: Libc, fd: number, address: number, each: WordWrite): void {
  for (let tries = 1; ; tries++) {
    try {
      libc.writeI2cBlock(fd, address, each.register, Uint8Array.from(each.bytes))
      return
    } catch (error) {
      if (tries === TRIES_MAX) throw error
    }
  }
}
