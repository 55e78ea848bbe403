/** What box.json says of the beats. */
import { integer, name, nullable, number, object, string, withDefault } from './schema.js'

export const tempoConfig = object({
  /** A light of this box that the show does not use. */
  lamp: withDefault(nullable(name), null),
  flashMs: withDefault(integer({ min: 10, max: 500 }), 60),
  /** Of the first beat of a bar, and of the others. */
  accentLevel: withDefault(number({ min: 0, max: 1 }), 1),
  level: withDefault(number({ min: 0, max: 1 }), 0.4),
  /** A click that can be heard, by ALSA's aplay; null for none. */
  click: withDefault(
    nullable(
      object({
        /** As `aplay -L` lists them. */
        device: withDefault(string({ min: 1, max: 128 }), 'default'),
        volume: withDefault(number({ min: 0, max: 1 }), 0.5),
        /** How much later than the box knows it is heard. */
        latencyMs: withDefault(integer({ min: -500, max: 500 }), 0),
      }),
    ),
    null,
  ),
})
