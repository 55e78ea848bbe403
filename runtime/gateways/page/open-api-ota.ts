/** The part of the OpenAPI document about the updater. */
import { answer, body, denied, operating, refusal } from './open-api-words.js'

export const otaPaths = {
  '/api/ota': {
    post: {
      summary: 'The updater tells how it stands: for MQTT, the page and the metrics.',
      description: 'For the updater of this box. Everybody else reads `ota` of `/api/state`.',
      security: operating,
      requestBody: body('OtaState'),
      responses: {
        200: answer(
          'What time it is here, on each of the three scales, and whether a show is on.',
          'OtaAnswer',
        ),
        400: refusal('Not a state.'),
        401: denied,
      },
    },
  },
}
