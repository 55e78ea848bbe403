/** The part of the OpenAPI document about the clock. */
import { answer, denied, reading } from './open-api-words.js'

export const clockPaths = {
  '/api/clock': {
    get: {
      summary: 'Whose time the box follows and how well, with a point for each of the last 600 s.',
      description:
        '`errorMs` is half the width of the interval that holds the venue’s time; 1000000 and more: not known. An offset is the own time less the leader’s, null while nobody is followed.',
      security: reading,
      responses: { 200: answer('The clock.', 'Clock'), 401: denied },
    },
  },
}
