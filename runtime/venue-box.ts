/** What a box needs to be one of several: the network to the others, the key that they share, and the service. */
import { readFile } from 'node:fs/promises'
import { LinuxVenueLink } from '../drivers/linux/venue-link.js'
import type { BoxConfig } from './config.js'
import type { Bus } from './core/bus.js'
import { ConfigError, messageOf } from './core/errors.js'
import type { Clock } from './ports/clock.js'
import type { Keys } from './ports/keys.js'
import type { Log } from './ports/log.js'
import type { VenueLink } from './ports/venue-link.js'
import { Venue } from './services/venue/venue.js'
import type { Messages } from './topics.js'

const KEY_BYTES_MIN = 32
const KEY_BYTES_MAX = 4_096

export interface VenueGround {
  readonly link: VenueLink
  readonly key: Uint8Array
}

/** @throws ConfigError for a key that cannot be read, or is too short to be one */
export async function readVenueKey(file: string): Promise<Uint8Array> {
  const refuse = (message: string): ConfigError =>
    new ConfigError([{ path: file, message, place: null }])
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw refuse(`cannot be read: ${messageOf(cause)}`)
  })
  if (bytes.length < KEY_BYTES_MIN || bytes.length > KEY_BYTES_MAX)
    throw refuse(
      `must have between ${KEY_BYTES_MIN} and ${KEY_BYTES_MAX} bytes, has ${bytes.length}: openssl rand -base64 48 makes a good one`,
    )
  return Uint8Array.from(bytes)
}

export const openVenueGround = (
  clock: Clock,
  { venue }: BoxConfig,
  key: Uint8Array | null,
): VenueGround | null =>
  venue === null || key === null
    ? null
    : { link: new LinuxVenueLink(clock, venue.interface, venue.port), key }

/** Null for a box that box.json puts among no others. */
export function buildVenue(
  { clock, log, keys, venue }: { clock: Clock; log: Log; keys: Keys; venue: VenueGround | null },
  bus: Bus<Messages>,
  { tour, box, venue: wanted }: BoxConfig,
): Venue | null {
  if (venue === null || wanted === null) return null
  const { canLead, isPreferred } = wanted
  const { link, key } = venue
  return new Venue({ clock, log, bus, keys, link }, { tour, box, key, canLead, isPreferred })
}
