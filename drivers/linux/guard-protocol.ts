/** What the host and its guard say to each other over their socket: one JSON document a line, at most 4 KiB. */
import { assert } from '../../runtime/core/errors.js'
import { type LastWord, type WordWrite, WRITES_MAX } from './last-words.js'

export type GuardOrder =
  /** The main thread is alive. */
  | { readonly kind: 'beat' }
  | { readonly kind: 'keep'; readonly id: number; readonly word: LastWord }
  | { readonly kind: 'forget'; readonly id: number }

export type GuardReport =
  | { readonly kind: 'ready' }
  /** The main thread was silent; what is not a line was made safe, and that was over at `atMs` (CLOCK_MONOTONIC). */
  | {
      readonly kind: 'silent'
      readonly atMs: number
      readonly silentMs: number
      readonly failures: readonly string[]
    }

export const LINE_BYTES_MAX = 4096
const NEWLINE = 0x0a
const BLOCK_BYTES_MAX = 32

export function lineOf(message: GuardOrder | GuardReport): string {
  const line = `${JSON.stringify(message)}\n`
  assert(Buffer.byteLength(line) <= LINE_BYTES_MAX, 'a message of the guard is short')
  return line
}

/** Cuts what arrives into lines. A line without an end is the rest of a sentence whose speaker was killed: no line. */
export class Lines {
  #rest: Buffer = Buffer.alloc(0)

  /** @throws Error (a bug of the other side) for a line that is too long */
  take(bytes: Uint8Array): readonly string[] {
    let rest = Buffer.concat([this.#rest, bytes])
    const lines: string[] = []
    for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
      lines.push(rest.subarray(0, end).toString())
      rest = rest.subarray(end + 1)
    }
    assert(rest.length < LINE_BYTES_MAX, 'a line of the guard is short')
    this.#rest = rest
    return lines
  }
}

/** @throws Error (a bug of the host) for what is no order */
export function readOrder(line: string): GuardOrder {
  const value = record(JSON.parse(line))
  switch (value['kind']) {
    case 'beat':
      return { kind: 'beat' }
    case 'keep':
      return { kind: 'keep', id: whole(value['id']), word: readWord(record(value['word'])) }
    case 'forget':
      return { kind: 'forget', id: whole(value['id']) }
    default:
      throw wrong(value['kind'])
  }
}

/** @throws Error (a bug of the guard) for what is no report */
export function readReport(line: string): GuardReport {
  const value = record(JSON.parse(line))
  switch (value['kind']) {
    case 'ready':
      return { kind: 'ready' }
    case 'silent':
      return {
        kind: 'silent',
        atMs: number(value['atMs']),
        silentMs: number(value['silentMs']),
        failures: list(value['failures']).map(text),
      }
    default:
      throw wrong(value['kind'])
  }
}

function readWord(word: Readonly<Record<string, unknown>>): LastWord {
  switch (word['kind']) {
    case 'line':
      return {
        kind: 'line',
        chip: text(word['chip']),
        offset: whole(word['offset']),
        isActiveLow: truth(word['isActiveLow']),
        isActive: truth(word['isActive']),
      }
    case 'file':
      return { kind: 'file', path: text(word['path']), text: text(word['text']) }
    case 'i2c': {
      const writes = list(word['writes']).map(write => readWrite(record(write)))
      assert(writes.length >= 1 && writes.length <= WRITES_MAX, 'a last word is a few writes')
      return { kind: 'i2c', bus: whole(word['bus']), address: whole(word['address'], 0x7f), writes }
    }
    default:
      throw wrong(word['kind'])
  }
}

function readWrite(write: Readonly<Record<string, unknown>>): WordWrite {
  const bytes = list(write['bytes']).map(byte => whole(byte, 0xff))
  assert(bytes.length >= 1 && bytes.length <= BLOCK_BYTES_MAX, 'a block has 1 to 32 bytes')
  return { register: whole(write['register'], 0xff), bytes }
}

// Not `core/schema.ts`: the schema library would be the largest thing in the guard's memory.

function record(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(value)
  return { ...value }
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw wrong(value)
  return value
}

function number(value: unknown): number {
  if (typeof value !== 'number') throw wrong(value)
  return value
}

function whole(value: unknown, max: number = Number.MAX_SAFE_INTEGER): number {
  const found = number(value)
  if (!(Number.isInteger(found) && found >= 0 && found <= max)) throw wrong(value)
  return found
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw wrong(value)
  return value
}

function truth(value: unknown): boolean {
  if (typeof value !== 'boolean') throw wrong(value)
  return value
}

const wrong = (value: unknown): Error =>
  new Error(`no message of the guard: ${JSON.stringify(value)?.slice(0, 100)}`)
