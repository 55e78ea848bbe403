import type { Cancel, MonotonicMs } from './clock.js'
import type { ByteStream } from './host.js'
import type { SoundOut } from './sound.js'

/** The ways by which timecode and clicks come and go. Nothing is touched until the returned object is opened. */
export interface TimecodeLinks {
  /** @param port of UDP over IPv4, to hear; other programs may hear it as well. 0 lets the kernel choose. */
  datagrams(port: number): Datagrams
  /** A raw MIDI port. @param file such as `/dev/snd/midiC1D0` */
  midi(file: string): ByteStream
  /** @param device of ALSA: `default`, `plughw:1,0`; @param sampleRate samples a second */
  soundIn(device: string, sampleRate: number): SoundInput
  /** @param device as of `soundIn` */
  soundOut(device: string): SoundOut
}

/** One UDP socket. */
export interface Datagrams {
  /** Throws DeviceError (`device.busy`, `device.denied`, `device.io`). */
  open(): Promise<void>
  /**
   * Sends to an address of IPv4, be it one of a broadcast. What cannot be sent is lost: there is a next one.
   * @param port 1..65535
   */
  send(bytes: Uint8Array, address: string, port: number): void
  /** The port that is heard; 0 while it is not open. */
  port(): number
  onMessage(listener: (datagram: Datagram) => void): Cancel
  /** Why the last one could not be sent; null when it could. */
  trouble(): string | null
  /** Safe to call twice. */
  close(): Promise<void>
}

export interface Datagram {
  readonly bytes: Uint8Array
  /** When the program heard of it. */
  readonly at: MonotonicMs
  /** The sender's address. */
  readonly from: string
}

/** Sound that comes in, one channel of 16 bits. */
export interface SoundInput {
  /** Throws DeviceError (`device.absent`, `device.busy`, `device.io`). */
  open(): Promise<void>
  onBlock(listener: (block: SoundBlock) => void): Cancel
  onLost(listener: (why: Error) => void): Cancel
  /** Safe to call twice. */
  close(): Promise<void>
}

export interface SoundBlock {
  readonly samples: Int16Array
  /** When the program heard of it: a little after its last sample. */
  readonly at: MonotonicMs
}
