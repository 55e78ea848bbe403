/** The part of `box.json` about the other boxes of the venue. */
import { boolean, integer, object, pattern, type Schema, withDefault } from './schema.js'

/** @param fileBeside a file in the folder of box.json */
export const venueConfig = <T extends string>(fileBeside: Schema<T>) =>
  object({
    /** The interface to the other boxes: `eth0`. */
    interface: pattern(
      /^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$/,
      'the name of an interface like eth0',
      15,
    ),
    /** File with the venue's key, the same on all its boxes: at least 32 bytes. */
    keyFile: fileBeside,
    /** UDP to all and to one, TCP for whole states; the same on all boxes. */
    port: withDefault(integer({ min: 1024, max: 65_535 }), 4310),
    /** Leads where others know as much. */
    isPreferred: withDefault(boolean, false),
    /** False for a box that should only lead when it is alone. */
    canLead: withDefault(boolean, true),
  })
