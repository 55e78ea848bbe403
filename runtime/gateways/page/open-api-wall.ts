/** The part of the OpenAPI document about the date. */
import {
  answer,
  asked,
  body,
  denied,
  operating,
  reading,
  refusal,
  sentAt,
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
      parameters: [sentAt],
      requestBody: body('SetWall'),
      responses: asked('CommandAnswer', {
        accepted: 'It is the date of the box now.',
        refused: 'Better is known, or a show is armed, or the id was used for another date.',
      }),
    },
  },
}
