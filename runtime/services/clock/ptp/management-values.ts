/** What management tells, value by value (IEEE 1588-2008, 15.5.3). Texts, numbers and data sets as on the wire. */
import type { Announce, Grandmaster } from './message.js'
import { type PortOptions, type PortState, portStates, type TimeProperties } from './port.js'
import { type PortIdentity, viewOf, writeClock, writePort } from './wire.js'

/** Table 40; the last is linuxptp's own. */
const Id = {
  nullManagement: 0x0000,
  clockDescription: 0x0001,
  userDescription: 0x0002,
  defaultDataSet: 0x2000,
  currentDataSet: 0x2001,
  parentDataSet: 0x2002,
  timePropertiesDataSet: 0x2003,
  portDataSet: 0x2004,
  priority1: 0x2005,
  priority2: 0x2006,
  domain: 0x2007,
  slaveOnly: 0x2008,
  logAnnounceInterval: 0x2009,
  announceReceiptTimeout: 0x200a,
  logSyncInterval: 0x200b,
  versionNumber: 0x200c,
  clockAccuracy: 0x2010,
  delayMechanism: 0x6000,
  timeStatus: 0xc000,
} as const

/** What the clock knows of itself at the moment of the question. */
export interface ClockView {
  readonly options: PortOptions
  readonly state: PortState
  readonly own: Grandmaster
  readonly grandmaster: Grandmaster
  readonly parent: PortIdentity
  readonly stepsRemoved: number
  readonly timeProperties: TimeProperties
  readonly timing: Timing
}

/** How far the own time is from the master's; all zero while the own clock leads. */
export interface Timing {
  readonly offsetNs: number
  readonly pathDelayNs: number
  /** How much faster the master's clock runs than the own oscillator. */
  readonly rate: number
  /** When the last Sync arrived, on the own timeline. */
  readonly ingressNs: bigint
}

/** The part of the view that a parent's Announce tells. */
export const heardFrom = ({
  header,
  stepsRemoved,
  utcOffsetS,
  timeSource,
}: Announce): Pick<ClockView, 'parent' | 'stepsRemoved' | 'timeProperties'> => ({
  parent: header.source,
  stepsRemoved: stepsRemoved + 1,
  timeProperties: { utcOffsetS, flags: header.flags & 0x3f, timeSource },
})

/** Bytes of an answer; an answer is several. */
type Part = Uint8Array

const END_TO_END = 1
const TWO_STEP = 0x01
const SLAVE_ONLY = 0x02

const quality = ({ clockClass, accuracy, variance }: Grandmaster): Part =>
  joined([u8(clockClass, accuracy), u16(variance)])

/** 15.5.3.3.1. */
function defaultDataSet({ options, own }: ClockView): readonly Part[] {
  const flags = TWO_STEP | (options.isSlaveOnly ? SLAVE_ONLY : 0)
  return [
    u8(flags, 0),
    u16(1),
    u8(own.priority1),
    quality(own),
    u8(own.priority2),
    clockBytes(own.identity),
    u8(options.domain, 0),
  ]
}

/** 15.5.3.4.1: times are in units of 2^-16 ns. */
const currentDataSet = ({ stepsRemoved, timing }: ClockView): readonly Part[] => [
  u16(stepsRemoved),
  i64(scaled(timing.offsetNs)),
  i64(scaled(timing.pathDelayNs)),
]

/** 15.5.3.5.1: nothing is observed of the parent, which is what the middle says. */
const parentDataSet = ({ parent, grandmaster }: ClockView): readonly Part[] => [
  portBytes(parent),
  u8(0, 0),
  u16(0xffff),
  u16(0x7fff, 0xffff),
  u8(grandmaster.priority1),
  quality(grandmaster),
  u8(grandmaster.priority2),
  clockBytes(grandmaster.identity),
]

const timePropertiesDataSet = ({ timeProperties }: ClockView): readonly Part[] => [
  u16(timeProperties.utcOffsetS),
  u8(timeProperties.flags, timeProperties.timeSource),
]

/** 15.5.3.7.1. */
const portDataSet = ({ options, state }: ClockView): readonly Part[] => [
  portBytes(options.identity),
  u8(portStates[state], options.logDelayRequestInterval),
  i64(0n),
  u8(options.logAnnounceInterval, options.announceReceiptTimeout, options.logSyncInterval),
  u8(END_TO_END, 0, 2),
]

const ORDINARY_CLOCK = 0x8000
const UDP_IPV4 = 1
/** The default profile with end-to-end delays (annex J.3). */
const PROFILE = u8(0x00, 0x1b, 0x19, 0x00, 0x01, 0x00)

/** 15.5.3.1.2. */
function clockDescription({ options }: ClockView): readonly Part[] {
  const { hardwareAddress, address, product, revision, name } = options.description
  const dotted = address === '' ? [] : address.split('.').map(Number)
  return [
    u16(ORDINARY_CLOCK),
    text('IEEE 802.3'),
    u16(hardwareAddress.byteLength),
    hardwareAddress,
    u16(UDP_IPV4, dotted.length),
    u8(...dotted),
    u8(0, 0, 0, 0),
    text(product),
    text(revision),
    text(name),
    PROFILE,
  ]
}

/** TIME_STATUS_NP of linuxptp: offset, arrival of the last Sync, rate over the grandmaster's in units of 2^-41. */
const timeStatus = ({ timing, grandmaster, own }: ClockView): readonly Part[] => [
  i64(BigInt(Math.round(timing.offsetNs))),
  i64(timing.ingressNs),
  i32(Math.round(timing.rate * 2 ** 41)),
  i32(0),
  u16(0),
  new Uint8Array(12),
  i32(grandmaster.identity === own.identity ? 0 : 1),
  clockBytes(grandmaster.identity),
]

/** Bytes, each of them also as a signed number. */
function u8(...values: readonly number[]): Part {
  return Uint8Array.from(values, value => value & 0xff)
}

export function u16(...values: readonly number[]): Part {
  return Uint8Array.from(values.flatMap(value => [(value >> 8) & 0xff, value & 0xff]))
}

function i32(value: number): Part {
  return u16(value >> 16, value)
}

function i64(value: bigint): Part {
  const bytes = new Uint8Array(8)
  viewOf(bytes).setBigInt64(0, value)
  return bytes
}

/** PTPText (5.3.9): its length in one byte. */
function text(value: string): Part {
  const bytes = new TextEncoder().encode(value).subarray(0, TEXT_BYTES_MAX)
  return joined([u8(bytes.byteLength), bytes])
}

/** Of each of the texts; 15.5.3.1.2 allows more to some of them. */
const TEXT_BYTES_MAX = 64

function clockBytes(identity: string): Part {
  const bytes = new Uint8Array(8)
  writeClock(viewOf(bytes), 0, identity)
  return bytes
}

function portBytes(identity: PortIdentity): Part {
  const bytes = new Uint8Array(10)
  writePort(viewOf(bytes), 0, identity)
  return bytes
}

const scaled = (ns: number): bigint => BigInt(Math.round(ns * 65_536))

export function joined(parts: readonly Part[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0))
  let offset = 0
  for (const part of parts) {
    bytes.set(part, offset)
    offset += part.byteLength
  }
  return bytes
}

/** The value of each that is known, by its identifier. */
export const answers: ReadonlyMap<number, (view: ClockView) => readonly Part[]> = new Map([
  [Id.nullManagement, () => []],
  [Id.clockDescription, clockDescription],
  [Id.userDescription, view => [text(view.options.description.name)]],
  [Id.defaultDataSet, defaultDataSet],
  [Id.currentDataSet, currentDataSet],
  [Id.parentDataSet, parentDataSet],
  [Id.timePropertiesDataSet, timePropertiesDataSet],
  [Id.portDataSet, portDataSet],
  [Id.priority1, view => [u8(view.options.priority1, 0)]],
  [Id.priority2, view => [u8(view.options.priority2, 0)]],
  [Id.domain, view => [u8(view.options.domain, 0)]],
  [Id.slaveOnly, view => [u8(view.options.isSlaveOnly ? 1 : 0, 0)]],
  [Id.logAnnounceInterval, view => [u8(view.options.logAnnounceInterval, 0)]],
  [Id.announceReceiptTimeout, view => [u8(view.options.announceReceiptTimeout, 0)]],
  [Id.logSyncInterval, view => [u8(view.options.logSyncInterval, 0)]],
  [Id.versionNumber, () => [u8(2, 0)]],
  [Id.clockAccuracy, view => [u8(view.own.accuracy, 0)]],
  [Id.delayMechanism, () => [u8(END_TO_END, 0)]],
  [Id.timeStatus, timeStatus],
])
