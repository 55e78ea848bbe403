import { after } from '../../core/time.js'
import type { Cancel } from '../../ports/clock.js'
import type { Datagrams } from '../../ports/timecode-links.js'
import { readArtTimeCode } from './art-timecode.js'
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
