import { after } from '../../core/time.js'
import { frameOfDay, frameOfLabel, type TimecodeRate } from '../../core/timecode.js'
import type { Cancel, Clock } from '../../ports/clock.js'
import type { ByteStream } from '../../ports/host.js'
import type { Datagrams, SoundBlock, SoundInput } from '../../ports/timecode-links.js'
import { readArtTimeCode } from './art-timecode.js'
import { LtcDecoder } from './ltc-decode.js'
import { MtcReader } from './mtc.js'
import { RateFinder } from './rate-finder.js'
import type { Sighting } from './sighting.js'

/** Where timecode comes from. It may be opened again after it was lost. */
export interface Source {
  /** Throws DeviceError. */
  open(): Promise<void>
  onSighting(listener: (sighting: Sighting) => void): Cancel
  onLost(listener: (why: Error) => void): Cancel
  /** Safe to call twice. */
  close(): Promise<void>
}

/** @param from the only sender that counts; null for whoever sends */
export const artNetSource = (datagrams: Datagrams, from: string | null): Source => ({
  open: () => datagrams.open(),
  close: () => datagrams.close(),
  onLost: () => () => {},
  onSighting: listener =>
    datagrams.onMessage(({ bytes, at, from: sender }) => {
      if (from !== null && from !== sender) return
      const found = readArtTimeCode(bytes)
      if (found !== null) listener({ ...found, at })
    }),
})

/** The same a little earlier: what is heard late was there before. */
export const earlierBy = (sighting: Sighting, latencyMs: number): Sighting => ({
  ...sighting,
  at: after(sighting.at, -latencyMs),
})

/** A place that is only told, and where nothing runs, is no sighting: a source that is there is seen when it runs. */
export function mtcSource(stream: ByteStream, clock: Clock): Source {
  const reader = new MtcReader()
  return {
    open: () => stream.open(),
    close: () => stream.close(),
    onLost: listener => stream.onLost(listener),
    onSighting: listener =>
      stream.onBytes(bytes => {
        for (const { sighting, kind } of reader.read(bytes, clock.monotonicMs()))
          if (kind === 'running') listener(sighting)
      }),
  }
}

/** The end of each frame that was heard is the beginning of the next one. */
export function ltcSource(
  sound: SoundInput,
  { sampleRate, rate: known }: { readonly sampleRate: number; readonly rate: TimecodeRate | null },
): Source {
  let decoder = new LtcDecoder(sampleRate)
  let rates = new RateFinder(sampleRate)
  let sampleCount = 0
  const hear = ({ samples, at }: SoundBlock): Sighting[] => {
    sampleCount += samples.length
    return decoder.read(samples).flatMap(({ label, fromSample, toSample, isReverse }) => {
      const rate = known ?? rates.rateOf(label, toSample - fromSample)
      const frame = frameOfLabel(label, rate)
      if (frame === null) return []
      const passed = isReverse ? 0 : 1
      const agoMs = ((sampleCount - toSample) * 1_000) / sampleRate
      return [{ rate, frame: frameOfDay(frame + passed, rate), at: after(at, -agoMs) }]
    })
  }
  return {
    open: () => {
      decoder = new LtcDecoder(sampleRate)
      rates = new RateFinder(sampleRate)
      sampleCount = 0
      return sound.open()
    },
    close: () => sound.close(),
    onLost: listener => sound.onLost(listener),
    onSighting: listener =>
      sound.onBlock(block => {
        for (const sighting of hear(block)) listener(sighting)
      }),
  }
}
