/** The part of the OpenAPI document about power. */
import { answer, denied, invalid, reading } from './open-api-words.js'

const wanted = (name: string, description: string, schema: object): object => ({
  name,
  in: 'query',
  required: false,
  description,
  schema,
})

const moment = { type: 'integer', minimum: 0 }

export const powerPaths = {
  '/metrics': {
    get: {
      summary: 'Everything that is counted, for Prometheus (text exposition format 0.0.4).',
      security: reading,
      responses: {
        200: {
          description: 'The samples; what is not known is left out.',
          content: { 'text/plain': { schema: { type: 'string' } } },
        },
        401: denied,
      },
    },
  },
  '/api/power/history': {
    get: {
      summary: 'What the packs were: each second of the last hour, each minute of the last month.',
      description:
        'At most 3600 points; a longer span gets longer steps. A point of which nothing is known is left out. Empty where the box does not know what it runs on.',
      security: reading,
      parameters: [
        wanted('pack', 'A pack, or `all` (the default).', { type: 'string' }),
        wanted('from', 'Milliseconds since 1970; an hour before `to` when left out.', moment),
        wanted('to', 'Milliseconds since 1970; now when left out.', moment),
        wanted('step', 'Milliseconds of one point.', { type: 'integer', minimum: 1_000 }),
      ],
      responses: { 200: answer('The points.', 'History'), 400: invalid, 401: denied },
    },
  },
}
