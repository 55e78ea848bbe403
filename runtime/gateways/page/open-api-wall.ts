/** The part of the OpenAPI document about the date. */
import {
  answer,
  body,
  denied,
  foreign,
  invalid,
  limited,
  operating,
  reading,
  refusal,
  refusedAs,
} from './open-api-words.js'

export const wallPaths = {
  '/api/clock/wall': {
    get: {
      summary: 'The date, where it comes from, and how far it may be off.',
      security: reading,
      responses: {
        200: answer('As on MQTT, in `clock/wall`.', 'Wall'),
        401: denied,
        503: refusal('The box has only just started.'),
      },
    },
    post: {
      summary: 'Says what the date is, where the box knows nothing better.',
      description:
        'It is taken within a second of what a person sees, never while a show is armed, and never where time servers, the venue or the system have told it.',
      security: operating,
      requestBody: body('SetWall'),
      responses: {
        200: answer('It is the date of the box now.', 'CommandAnswer'),
        400: invalid,
        401: denied,
        403: foreign,
        409: refusedAs('Better is known, or a show is armed.', 'CommandAnswer'),
        429: limited,
        503: refusal('The box is stopping.'),
        504: refusal('No answer within 5 s; ask again with the same id.'),
      },
    },
  },
}
