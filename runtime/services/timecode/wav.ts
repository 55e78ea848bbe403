/** WAV files of 16 bit PCM: RIFF chunks with little-endian numbers. Pure. */
import { BoxError } from '../../core/errors.js'

/** The header of one channel of 16 bits. */
export const WAV_HEADER_BYTES = 44
const BYTES_PER_SAMPLE = 2
const PCM = 1
/** `WAVE_FORMAT_EXTENSIBLE`: the real kind is the first number of a GUID further on. */
const EXTENSIBLE = 0xfffe
/** A file says how long its chunks are in 32 bits. */
export const WAV_SAMPLES_MAX = Math.floor((0xffff_ffff - WAV_HEADER_BYTES) / BYTES_PER_SAMPLE)

export function wavHeader(sampleCount: number, sampleRate: number): Uint8Array {
  const bytes = new Uint8Array(WAV_HEADER_BYTES)
  const view = new DataView(bytes.buffer)
  const dataBytes = sampleCount * BYTES_PER_SAMPLE
  putText(bytes, 0, 'RIFF')
  view.setUint32(4, WAV_HEADER_BYTES - 8 + dataBytes, true)
  putText(bytes, 8, 'WAVEfmt ')
  view.setUint32(16, 16, true)
  view.setUint16(20, PCM, true)
  view.setUint16(22, 1, true)
  view.setUint32(24, sampleRate, true)
  view.setUint32(28, sampleRate * BYTES_PER_SAMPLE, true)
  view.setUint16(32, BYTES_PER_SAMPLE, true)
  view.setUint16(34, 8 * BYTES_PER_SAMPLE, true)
  putText(bytes, 36, 'data')
  view.setUint32(40, dataBytes, true)
  return bytes
}

export interface WavForm {
  readonly sampleRate: number
  readonly channelCount: number
  /** Where the samples begin, in bytes from the beginning of the file. */
  readonly dataAt: number
  /** As the header says; a program that was killed while it wrote may have said nothing, or too much. */
  readonly dataBytes: number
}

/**
 * @param bytes the beginning of a file: some kilobytes hold every header there is
 * @throws BoxError `request.invalid` for what is not 16 bit PCM
 */
export function readWavForm(bytes: Uint8Array): WavForm {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 12 || textAt(bytes, 0) !== 'RIFF' || textAt(bytes, 8) !== 'WAVE')
    throw new BoxError('request.invalid', 'is not a WAV file')
  let form: { sampleRate: number; channelCount: number } | null = null
  for (let at = 12; at + 8 <= bytes.length; ) {
    const [kind, length] = [textAt(bytes, at), view.getUint32(at + 4, true)]
    if (kind === 'data' && form !== null) return { ...form, dataAt: at + 8, dataBytes: length }
    if (kind === 'fmt ') form = formAt(view, at + 8)
    // Chunks of odd length are filled up.
    at += 8 + length + (length % 2)
  }
  throw new BoxError('request.invalid', 'is a WAV file without samples')
}

function formAt(view: DataView, at: number): { sampleRate: number; channelCount: number } {
  if (at + 16 > view.byteLength)
    throw new BoxError('request.invalid', 'is a WAV file that is cut off')
  const [kind, bits] = [view.getUint16(at, true), view.getUint16(at + 14, true)]
  const [channelCount, sampleRate] = [view.getUint16(at + 2, true), view.getUint32(at + 4, true)]
  if ((kind !== PCM && kind !== EXTENSIBLE) || bits !== 16)
    throw new BoxError('request.invalid', 'must be 16 bit PCM')
  if (channelCount < 1 || channelCount > 64 || sampleRate < 8_000 || sampleRate > 384_000)
    throw new BoxError('request.invalid', `has ${channelCount} channels at ${sampleRate} samples/s`)
  return { sampleRate, channelCount }
}

/** The samples of one channel. Bytes at the end that are no whole set of channels are left out. */
export function channelOf(bytes: Uint8Array, channelCount: number, channel = 0): Int16Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const stride = channelCount * BYTES_PER_SAMPLE
  const samples = new Int16Array(Math.floor(bytes.length / stride))
  for (let index = 0; index < samples.length; index++)
    samples[index] = view.getInt16(index * stride + channel * BYTES_PER_SAMPLE, true)
  return samples
}

/** Little-endian, as WAV files and `aplay -f S16_LE` want them. */
export function bytesOf(samples: Int16Array): Uint8Array {
  const bytes = new Uint8Array(samples.length * BYTES_PER_SAMPLE)
  const view = new DataView(bytes.buffer)
  for (const [index, sample] of samples.entries())
    view.setInt16(index * BYTES_PER_SAMPLE, sample, true)
  return bytes
}

function putText(bytes: Uint8Array, at: number, text: string): void {
  for (let index = 0; index < text.length; index++) bytes[at + index] = text.charCodeAt(index)
}

const textAt = (bytes: Uint8Array, at: number): string =>
  String.fromCharCode(...bytes.subarray(at, at + 4))
