/**
 * UDP sockets with the kernel's own stamps, which node:dgram does not tell of. A socket that is made here may be given to
 * node:dgram (`bind({ fd })`), which then reads it and closes it.
 *
 * Stamps are of CLOCK_REALTIME, the only clock that the kernel puts on packets; `monotonicOf` takes them to the scale that
 * never steps. Sources: socket(7), ip(7), Documentation/networking/timestamping.rst, <linux/errqueue.h>.
 */
import { assert, DeviceError } from '../../runtime/core/errors.js'
import { monotonicMs, NS_PER_MS } from '../../runtime/core/time.js'
import type { MonotonicMs } from '../../runtime/ports/clock.js'
import { codeOfErrno } from './errno.js'
import { loadLibc } from './libc.js'

/** Nanoseconds of CLOCK_REALTIME. */
export type KernelStamp = bigint

export interface Departure {
  /** How many packets the socket had sent before this one, modulo 2^32. */
  readonly count: number
  readonly stamp: KernelStamp
}

export interface UdpSockets {
  /** A socket of IPv4 that blocks nobody. @throws DeviceError */
  open(): number
  close(fd: number): void
  /** SO_REUSEADDR and bind(2). @param address `0.0.0.0` for every one */
  bind(fd: number, address: string, port: number): void
  /** bind(2) to a port that nobody else has. @throws DeviceError `port.taken`, `device.denied` */
  bindAlone(fd: number, address: string, port: number): void
  /** What arrives or leaves passes only this interface (SO_BINDTODEVICE). @throws DeviceError `device.denied` without the right to it */
  bindToInterface(fd: number, name: string): void
  /** Hears the group on the interface that has `address`, and no group that others of this machine joined. */
  join(fd: number, group: string, address: string): void
  /** Sends to groups through the interface that has `address`, one hop far, and does not hear itself. */
  sendGroupsThrough(fd: number, address: string): void
  /** Differentiated services code point, RFC 2474. @param codePoint 0..63 */
  setDscp(fd: number, codePoint: number): void
  /** From now on `departure` tells when packets left. */
  askForDepartures(fd: number): void
  /** Sends at once or not at all. @throws DeviceError */
  send(fd: number, bytes: Uint8Array, address: string, port: number): void
  /** When the packet that was read last from this socket arrived, or null: asked for the first time, or none was read. */
  arrival(fd: number): KernelStamp | null
  /** The next departure that was not told yet, or null. */
  departure(fd: number): Departure | null
  /** Right for a stamp of just now: the two clocks drift apart, and one of them may be set. */
  monotonicOf(stamp: KernelStamp): MonotonicMs
}

const AF_INET = 2
const SOCK_DGRAM = 2
const SOCK_NONBLOCK_CLOEXEC = 0o2004000
const IPPROTO_IP = 0
const SOL_SOCKET = 1
const SO_REUSEADDR = 2
const SO_BINDTODEVICE = 25
const SO_TIMESTAMPING = 37
const IP_TOS = 1
const IP_RECVERR = 11
const IP_MULTICAST_IF = 32
const IP_MULTICAST_TTL = 33
const IP_MULTICAST_LOOP = 34
const IP_ADD_MEMBERSHIP = 35
const IP_MULTICAST_ALL = 49
/** SOF_TIMESTAMPING_TX_SOFTWARE, _SOFTWARE, _OPT_ID, _OPT_TSONLY: the stamp alone, numbered. */
const DEPARTURES = (1 << 1) | (1 << 4) | (1 << 7) | (1 << 11)
const SIOCGSTAMPNS = 0x8907
const MSG_ERRQUEUE_DONTWAIT = 0x2040
const CLOCK_REALTIME = 0
const CLOCK_MONOTONIC = 1
const NS_PER_S = 1_000_000_000n
const ADDRESS_BYTES = 16
const CONTROL_BYTES = 256
const CONTROL_HEADER_BYTES = 16
/** `struct sock_extended_err`: `ee_info` at 8 is what kind of stamp, `ee_data` at 12 the packet's number. */
const NUMBER_AT = 12
const PAIRINGS = 3
const TIME_BYTES = 16

interface MessageHeader {
  name: null
  nameLength: number
  parts: { base: Uint8Array; length: number }
  partCount: number
  control: Uint8Array
  controlLength: number | bigint
  flags: number
}

type Calls = Awaited<ReturnType<typeof nativeCalls>>

/** Of libc; what they return below zero is a failure, whose name `lastErrno` tells. */
async function nativeCalls() {
  const { library, lastErrno, messageHeader } = await loadLibc()
  const receive = library.func('recvmsg', 'long', ['int', messageHeader, 'int'])
  return {
    lastErrno,
    socket: library.func('int socket(int family, int type, int protocol)'),
    close: library.func('int close(int fd)'),
    bind: library.func('int bind(int fd, uint8 *address, uint32 length)'),
    setOption: library.func(
      'int setsockopt(int fd, int level, int name, uint8 *value, uint32 length)',
    ),
    sendTo: library.func(
      'long sendto(int fd, uint8 *bytes, size_t length, int flags, uint8 *address, uint32 size)',
    ),
    ioctl: library.func('int ioctl(int fd, unsigned long request, uint8 *structure)'),
    getTime: library.func('int clock_gettime(int clock, uint8 *time)'),
    receive: (fd: number, header: MessageHeader, flags: number): number =>
      Number(receive(fd, header, flags)),
  }
}

/** @throws BoxError `native.missing` where koffi has no binary for this machine */
export const openUdpSockets = async (): Promise<UdpSockets> => new LibcSockets(await nativeCalls())

class LibcSockets implements UdpSockets {
  readonly #calls: Calls
  readonly #timeBytes = new Uint8Array(TIME_BYTES)

  constructor(calls: Calls) {
    this.#calls = calls
  }

  open(): number {
    const fd = this.#calls.socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK_CLOEXEC, 0)
    return this.#check(fd, 'opening a socket')
  }

  close(fd: number): void {
    this.#calls.close(fd)
  }

  bind(fd: number, address: string, port: number): void {
    this.#set(fd, SOL_SOCKET, SO_REUSEADDR, number(1), 'sharing a port')
    this.bindAlone(fd, address, port)
  }

  bindAlone(fd: number, address: string, port: number): void {
    const result = this.#calls.bind(fd, addressBytes(address, port), ADDRESS_BYTES)
    this.#check(result, `taking UDP port ${port}`)
  }

  bindToInterface(fd: number, name: string): void {
    this.#set(fd, SOL_SOCKET, SO_BINDTODEVICE, new TextEncoder().encode(name), `taking ${name}`)
  }

  join(fd: number, group: string, address: string): void {
    this.#set(fd, IPPROTO_IP, IP_MULTICAST_ALL, number(0), 'hearing own groups only')
    const membership = Uint8Array.of(...quads(group), ...quads(address))
    this.#set(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, membership, `joining ${group} at ${address}`)
  }

  sendGroupsThrough(fd: number, address: string): void {
    const through = Uint8Array.from(quads(address))
    this.#set(fd, IPPROTO_IP, IP_MULTICAST_IF, through, `sending through ${address}`)
    this.#set(fd, IPPROTO_IP, IP_MULTICAST_TTL, number(1), 'staying on this network')
    this.#set(fd, IPPROTO_IP, IP_MULTICAST_LOOP, number(0), 'not hearing itself')
  }

  setDscp(fd: number, codePoint: number): void {
    this.#set(fd, IPPROTO_IP, IP_TOS, number(codePoint << 2), 'setting the DSCP')
  }

  askForDepartures(fd: number): void {
    this.#set(fd, SOL_SOCKET, SO_TIMESTAMPING, number(DEPARTURES), 'asking for stamps')
    this.#set(fd, IPPROTO_IP, IP_RECVERR, number(1), 'asking for stamps')
  }

  send(fd: number, bytes: Uint8Array, address: string, port: number): void {
    const to = addressBytes(address, port)
    const sent = this.#calls.sendTo(fd, bytes, bytes.length, 0, to, ADDRESS_BYTES)
    this.#check(Number(sent), `sending to ${address}`)
  }

  arrival(fd: number): KernelStamp | null {
    const isTold = this.#calls.ioctl(fd, SIOCGSTAMPNS, this.#timeBytes) >= 0
    return isTold ? timeIn(this.#timeBytes, 0) : null
  }

  departure(fd: number): Departure | null {
    const control = new Uint8Array(CONTROL_BYTES)
    const header: MessageHeader = {
      name: null,
      nameLength: 0,
      parts: { base: new Uint8Array(1), length: 1 },
      partCount: 1,
      control,
      controlLength: CONTROL_BYTES,
      flags: 0,
    }
    if (this.#calls.receive(fd, header, MSG_ERRQUEUE_DONTWAIT) < 0) return null
    return departureIn(control.subarray(0, Number(header.controlLength)))
  }

  monotonicOf(stamp: KernelStamp): MonotonicMs {
    let [bestNs, offsetNs] = [Number.POSITIVE_INFINITY, 0n]
    for (let pairing = 0; pairing < PAIRINGS; pairing++) {
      const before = this.#time(CLOCK_MONOTONIC)
      const real = this.#time(CLOCK_REALTIME)
      const tookNs = this.#time(CLOCK_MONOTONIC) - before
      if (Number(tookNs) >= bestNs) continue
      bestNs = Number(tookNs)
      offsetNs = before + tookNs / 2n - real
    }
    return monotonicMs(Number(stamp + offsetNs) / NS_PER_MS)
  }

  #time(clock: number): bigint {
    this.#check(this.#calls.getTime(clock, this.#timeBytes), 'clock_gettime')
    return timeIn(this.#timeBytes, 0)
  }

  #set(fd: number, level: number, name: number, value: Uint8Array, what: string): void {
    this.#check(this.#calls.setOption(fd, level, name, value, value.length), what)
  }

  #check(result: number, what: string): number {
    if (result >= 0) return result
    const name = this.#calls.lastErrno()
    throw new DeviceError(codeOfErrno(name), `${what}: ${name}`)
  }
}

const number = (value: number): Uint8Array => new Uint8Array(Int32Array.of(value).buffer)

function quads(address: string): readonly number[] {
  const parts = address.split('.').map(Number)
  const isRight = parts.length === 4 && parts.every(part => part >= 0 && part <= 255)
  assert(isRight, `${address} is an address of IPv4`)
  return parts
}

/** `struct sockaddr_in`; the port is in network order. */
function addressBytes(address: string, port: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(ADDRESS_BYTES))
  view.setUint16(0, AF_INET, true)
  view.setUint16(2, port)
  const bytes = new Uint8Array(view.buffer)
  bytes.set(quads(address), 4)
  return bytes
}

/** `struct timespec` of a 64-bit machine. */
function timeIn(bytes: Uint8Array, at: number): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  return view.getBigInt64(at, true) * NS_PER_S + view.getBigInt64(at + 8, true)
}

/** Goes through the control messages (cmsg(3)): the stamp, and which packet it is of. */
function departureIn(control: Uint8Array): Departure | null {
  const view = new DataView(control.buffer, control.byteOffset, control.length)
  let [stamp, count]: [bigint | null, number | null] = [null, null]
  for (let at = 0; at + CONTROL_HEADER_BYTES <= control.length; ) {
    const length = Number(view.getBigUint64(at, true))
    const [level, type] = [view.getInt32(at + 8, true), view.getInt32(at + 12, true)]
    const data = at + CONTROL_HEADER_BYTES
    if (level === SOL_SOCKET && type === SO_TIMESTAMPING) stamp = timeIn(control, data)
    if (level === IPPROTO_IP && type === IP_RECVERR) count = view.getUint32(data + NUMBER_AT, true)
    at += Math.max(CONTROL_HEADER_BYTES, Math.ceil(length / 8) * 8)
  }
  return stamp === null || count === null ? null : { count, stamp }
}
