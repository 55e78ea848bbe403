/**
 * The structures of the GPIO character device, uAPI v2, as bytes: <linux/gpio.h>, Linux 5.10 and later.
 * All fields are little-endian, as on every machine that we run on; sizes do not depend on the word size.
 */
import { monotonicMs } from '../../runtime/core/time.js'
import type { MonotonicMs } from '../../runtime/ports/clock.js'

/** Request numbers: `_IOR`/`_IOWR` of type 0xb4 with the size of the structure in bits 16..29. */
export const GpioRequest = {
  getChipInfo: 0x8044_b401,
  getLine: 0xc250_b407,
  getValues: 0xc010_b40e,
  setValues: 0xc010_b40f,
} as const

const LineFlag = {
  activeLow: 1n << 1n,
  input: 1n << 2n,
  output: 1n << 3n,
  edgeRising: 1n << 4n,
  edgeFalling: 1n << 5n,
  biasPullUp: 1n << 8n,
  biasPullDown: 1n << 9n,
  biasDisabled: 1n << 10n,
} as const

const biasFlags = {
  'as-is': 0n,
  none: LineFlag.biasDisabled,
  'pull-up': LineFlag.biasPullUp,
  'pull-down': LineFlag.biasPullDown,
} as const

const AttributeId = { outputValues: 2, debounce: 3 } as const
const EventId = { rising: 1 } as const

const NAME_BYTES = 32
export const CHIP_INFO_BYTES = 68
const REQUEST_BYTES = 592
const REQUEST = {
  consumer: 256,
  config: 288,
  lineCount: 560,
  eventBufferSize: 564,
  fd: 588,
} as const
const CONFIG = { flags: 0, attributeCount: 8, attributes: 32 } as const
const ATTRIBUTE = { id: 0, value: 8, mask: 16 } as const
export const EVENT_BYTES = 48
const EVENT = { timestampNs: 0, id: 8, lineSeqno: 20 } as const

export type Bias = keyof typeof biasFlags

export type LineRequest = {
  readonly offset: number
  readonly isActiveLow: boolean
  readonly bias: Bias
} & (
  | { readonly direction: 'out'; readonly isActive: boolean }
  /** `debounceMicroseconds`: 0 for none */
  | { readonly direction: 'in'; readonly debounceMicroseconds: number }
)

/** `struct gpiochip_info` after GPIO_GET_CHIPINFO. */
export function readChipLabel(bytes: Uint8Array): { label: string; lineCount: number } {
  const text = new TextDecoder().decode(bytes.subarray(NAME_BYTES, 2 * NAME_BYTES))
  const [label = ''] = text.split('\0')
  return { label, lineCount: viewOf(bytes).getUint32(2 * NAME_BYTES, true) }
}

/** `struct gpio_v2_line_request` for one line, both edges for an input. */
export function lineRequest(request: LineRequest): Uint8Array {
  const bytes = new Uint8Array(REQUEST_BYTES)
  const view = viewOf(bytes)
  view.setUint32(0, request.offset, true)
  new TextEncoder().encodeInto('roadcase', bytes.subarray(REQUEST.consumer))
  view.setBigUint64(REQUEST.config + CONFIG.flags, flagsOf(request), true)
  const attribute = attributeOf(request)
  if (attribute) {
    const at = REQUEST.config + CONFIG.attributes
    view.setUint32(REQUEST.config + CONFIG.attributeCount, 1, true)
    view.setUint32(at + ATTRIBUTE.id, attribute.id, true)
    view.setBigUint64(at + ATTRIBUTE.value, BigInt(attribute.value), true)
    view.setBigUint64(at + ATTRIBUTE.mask, 1n, true)
  }
  view.setUint32(REQUEST.lineCount, 1, true)
  view.setUint32(REQUEST.eventBufferSize, request.direction === 'in' ? EVENT_BUFFER_SIZE : 0, true)
  return bytes
}

/** Edges that the kernel keeps for us while nobody reads; beyond that it drops the oldest, and the numbers show it. */
export const EVENT_BUFFER_SIZE = 64

function flagsOf(request: LineRequest): bigint {
  const direction =
    request.direction === 'out'
      ? LineFlag.output
      : LineFlag.input | LineFlag.edgeRising | LineFlag.edgeFalling
  return direction | biasFlags[request.bias] | (request.isActiveLow ? LineFlag.activeLow : 0n)
}

function attributeOf(request: LineRequest): { id: number; value: number } | null {
  if (request.direction === 'out')
    return { id: AttributeId.outputValues, value: request.isActive ? 1 : 0 }
  if (request.debounceMicroseconds === 0) return null
  return { id: AttributeId.debounce, value: request.debounceMicroseconds }
}

/** The file descriptor of the requested line, which the kernel leaves in the request. */
export const requestedFd = (request: Uint8Array): number =>
  viewOf(request).getInt32(REQUEST.fd, true)

/** `struct gpio_v2_line_values` for the one line of a request: true is active. */
export function lineValues(isActive: boolean): Uint8Array {
  const bytes = new Uint8Array(16)
  const view = viewOf(bytes)
  view.setBigUint64(0, isActive ? 1n : 0n, true)
  view.setBigUint64(8, 1n, true)
  return bytes
}

export const isValueActive = (values: Uint8Array): boolean => (viewOf(values).getUint8(0) & 1) === 1

/** One change of an input as the kernel saw it. */
export interface LineEvent {
  readonly isActive: boolean
  /** CLOCK_MONOTONIC at the interrupt or, with debouncing, when the line had been quiet for long enough. */
  readonly at: MonotonicMs
  /** Counts every event of the line from 1, also those that were dropped. */
  readonly seqno: number
}

/** The `struct gpio_v2_line_event`s that one read returned. */
export function readEvents(bytes: Uint8Array): LineEvent[] {
  const view = viewOf(bytes)
  const events: LineEvent[] = []
  for (let at = 0; at + EVENT_BYTES <= bytes.length; at += EVENT_BYTES)
    events.push({
      isActive: view.getUint32(at + EVENT.id, true) === EventId.rising,
      at: monotonicMs(Number(view.getBigUint64(at + EVENT.timestampNs, true)) / 1e6),
      seqno: view.getUint32(at + EVENT.lineSeqno, true),
    })
  return events
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
