/** Linear timecode to and from sound files. */
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { errnoOf } from '../../drivers/linux/errno.js'
import { BoxError } from '../core/errors.js'
import { frameOfLabel, readLabel, type TimecodeRate, timecodeText } from '../core/timecode.js'
import { type LtcForm, ltcSamples, sampleOfFrame } from '../services/timecode/ltc-encode.js'
import { LtcReport, type Stretch } from '../services/timecode/ltc-report.js'
import {
  bytesOf,
  channelOf,
  readWavForm,
  WAV_SAMPLES_MAX,
  wavHeader,
} from '../services/timecode/wav.js'
import { isCode } from './control.js'
import { CliFailure, exitCodes } from './failure.js'

const HEADER_BYTES_MAX = 65_536
const BLOCK_FRAMES = 32_768
const BYTES_PER_SAMPLE = 2

export interface GenerateOptions {
  readonly rate: TimecodeRate
  /** Its first frame. */
  readonly start: string
  readonly seconds: number
  readonly sampleRate: number
  readonly file: string
}

export interface Generated {
  readonly from: string
  readonly to: string
  readonly frameCount: number
  readonly sampleCount: number
}

/** Writes whole frames, about so many seconds of them. @throws CliFailure */
export async function generateLtc(options: GenerateOptions): Promise<Generated> {
  const { rate, sampleRate, seconds, file } = options
  const label = readLabel(options.start)
  const start = label && frameOfLabel(label, rate)
  if (start === null)
    throw new CliFailure(exitCodes.usage, `${options.start} is no frame at ${rate} frames a second`)
  const form = { rate, sampleRate }
  const firstSample = Math.ceil(sampleOfFrame(start, form))
  const frameCount = Math.max(1, framesWithin(start, seconds, form))
  const wholeCount = Math.ceil(sampleOfFrame(start + frameCount, form)) - firstSample
  // A bit ends where the next one begins: without the beginning of another frame the last one could not be read.
  const tail = ltcSamples(start + frameCount, form).subarray(0, tailOf(sampleRate))
  const sampleCount = wholeCount + tail.length
  if (sampleCount > WAV_SAMPLES_MAX)
    throw new CliFailure(exitCodes.usage, 'a WAV file cannot be that long')
  await withFile(file, 'w', async handle => {
    await handle.write(wavHeader(sampleCount, sampleRate))
    for (let frame = start; frame < start + frameCount; frame++)
      await handle.write(bytesOf(ltcSamples(frame, form)))
    await handle.write(bytesOf(tail))
  })
  return {
    from: timecodeText(start, rate),
    to: timecodeText(start + frameCount - 1, rate),
    frameCount,
    sampleCount,
  }
}

/** About a bit. */
const tailOf = (sampleRate: number): number => Math.ceil(sampleRate / 2_000)

function framesWithin(start: number, seconds: number, form: LtcForm): number {
  const perFrame = sampleOfFrame(start + 1, form) - sampleOfFrame(start, form)
  return Math.round((seconds * form.sampleRate) / perFrame)
}

/** What is on a recording. @param channel from 1 @throws CliFailure */
export async function readLtc(file: string, channel: number): Promise<readonly Stretch[]> {
  // A pipe that nobody writes to would be waited for.
  return withFile(file, constants.O_RDONLY | constants.O_NONBLOCK, async handle => {
    if (!(await handle.stat()).isFile()) throw new CliFailure(exitCodes.usage, `${file} is no file`)
    const form = await formOf(handle, file)
    if (channel > form.channelCount)
      throw new CliFailure(exitCodes.usage, `${file} has ${form.channelCount} channels`)
    const report = new LtcReport(form.sampleRate)
    const frameBytes = form.channelCount * BYTES_PER_SAMPLE
    const block = new Uint8Array(BLOCK_FRAMES * frameBytes)
    // Programs that write into a pipe say 0 or far too much: then what is there counts.
    const end = form.dataBytes === 0 ? Number.POSITIVE_INFINITY : form.dataAt + form.dataBytes
    for (let at = form.dataAt; at < end; ) {
      const { bytesRead } = await handle.read(block, 0, Math.min(block.length, end - at), at)
      const whole = bytesRead - (bytesRead % frameBytes)
      if (whole === 0) break
      report.read(channelOf(block.subarray(0, whole), form.channelCount, channel - 1))
      at += whole
    }
    return report.end()
  })
}

async function formOf(handle: FileHandle, file: string): Promise<ReturnType<typeof readWavForm>> {
  const head = new Uint8Array(HEADER_BYTES_MAX)
  const { bytesRead } = await handle.read(head, 0, head.length, 0)
  try {
    return readWavForm(head.subarray(0, bytesRead))
  } catch (error) {
    if (!(error instanceof BoxError)) throw error
    throw new CliFailure(exitCodes.invalid, `${file} ${error.message}`, { cause: error })
  }
}

async function withFile<T>(
  file: string,
  flags: number | 'w',
  work: (handle: FileHandle) => Promise<T>,
): Promise<T> {
  const handle = await open(file, flags).catch((cause: unknown) => {
    const why = isCode(cause, 'ENOENT') ? 'is not there' : 'cannot be opened'
    throw new CliFailure(exitCodes.usage, `${file} ${why}`, { cause })
  })
  try {
    return await work(handle)
  } catch (cause) {
    const name = errnoOf(cause)
    if (name === null) throw cause
    const what = flags === 'w' ? 'written' : 'read'
    throw new CliFailure(exitCodes.usage, `${file} cannot be ${what}: ${name}`, { cause })
  } finally {
    await handle.close()
  }
}
