/** The part of the OpenAPI document about tickets. */
import {
  answer,
  asked,
  body,
  denied,
  invalid,
  operating,
  reading,
  refusal,
} from './open-api-words.js'

const jobParameter = {
  name: 'job',
  in: 'path',
  required: true,
  description: 'Id or serial of a ticket.',
  schema: { type: 'string', maxLength: 64 },
}

const wanted = (name: string, schema: object): object => ({
  name,
  in: 'query',
  required: false,
  schema,
})

const asking = (what: string): object => ({
  ...asked('PrintAnswer', {
    accepted: 'Accepted and on disk.',
    refused: `Refused: ${what}, or the id was used for something else.`,
  }),
  413: refusal('The body is larger than 64 KiB.'),
})

export const printPaths = {
  '/api/print': {
    post: {
      summary: 'Asks for a ticket.',
      description:
        'The same `id`, or `key`, again is the same ticket: nothing is printed twice. What has become of it: `/api/jobs/{job}`.',
      security: operating,
      requestBody: body('Print'),
      responses: asking(
        'no such template or printer, a field that breaks its rule, too many tickets waiting, too little power',
      ),
    },
  },
  '/api/print/decide': {
    post: {
      summary: 'Decides what becomes of a ticket that may or may not be on paper.',
      security: operating,
      requestBody: body('Decision'),
      responses: asking('no such ticket, or one that is being printed right now'),
    },
  },
  '/api/jobs': {
    get: {
      summary: 'Tickets that were asked for, newest first.',
      security: reading,
      parameters: [
        wanted('printer', { type: 'string' }),
        wanted('state', {
          enum: ['queued', 'sending', 'sent', 'confirmed', 'unknown', 'failed', 'expired'],
        }),
        wanted('before', { type: 'integer', minimum: 0 }),
        wanted('limit', { type: 'integer', minimum: 1, maximum: 200, default: 50 }),
      ],
      responses: { 200: answer('The tickets.', 'Jobs'), 400: invalid, 401: denied },
    },
  },
  '/api/jobs/{job}': {
    get: {
      summary: 'One ticket, by its id or serial.',
      security: reading,
      parameters: [jobParameter],
      responses: {
        200: answer('The ticket.', 'Job'),
        401: denied,
        404: refusal('There is no such ticket, or not any more.'),
      },
    },
  },
}
