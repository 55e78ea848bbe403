/** ArtTimeCode, the timecode of Art-Net 4: 19 bytes by UDP on port 6454, one for each frame. */
import {
  frameOfLabel,
  labelOf,
  labelsPerSecond,
  type TimecodeLabel,
  type TimecodeRate,
} from '../../core/timecode.js'

const ID = [0x41, 0x72, 0x74, 0x2d, 0x4e, 0x65, 0x74, 0x00] as const
/** Low byte first, unlike everything else in the packet. */
const OP_CODE_LOW = 0x00
const OP_CODE_HIGH = 0x97
const PROTOCOL_VERSION = 14
const LENGTH = 19
/** What the byte `Type` says, by its value. */
const types: readonly TimecodeRate[] = ['24', '25', '29.97df', '30']

/** @param stream 0 for the master of the whole show; others are of no concern to it */
export function writeArtTimeCode(frame: number, rate: TimecodeRate, stream = 0): Uint8Array {
  const { hours, minutes, seconds, frames } = labelOf(frame, rate)
  return Uint8Array.of(
    ...ID,
    ...[OP_CODE_LOW, OP_CODE_HIGH, 0, PROTOCOL_VERSION],
    ...[0, stream, frames, seconds, minutes, hours, types.indexOf(rate)],
  )
}

/** Null for what is another packet, or none; also for a label that there is not at its rate, and for other streams. */
export function readArtTimeCode(
  bytes: Uint8Array,
): { readonly frame: number; readonly rate: TimecodeRate } | null {
  if (bytes.length < LENGTH || ID.some((byte, index) => bytes[index] !== byte)) return null
  if (bytes[8] !== OP_CODE_LOW || bytes[9] !== OP_CODE_HIGH) return null
  const [version = 0, , stream, frames = 0, seconds = 0, minutes = 0, hours = 0, type = 0] =
    bytes.subarray(11)
  const rate = types[type]
  if (version < PROTOCOL_VERSION || stream !== 0 || rate === undefined) return null
  const frame = frameOfLoose({ hours, minutes, seconds, frames }, rate)
  return frame === null ? null : { frame, rate }
}

/** Senders that count 29.97 without dropping name labels that are none: the next one is meant. */
function frameOfLoose(label: TimecodeLabel, rate: TimecodeRate): number | null {
  if (label.frames >= labelsPerSecond(rate)) return null
  return frameOfLabel(label, rate) ?? frameOfLabel({ ...label, frames: 2 }, rate)
}
