/** Describes the HTTP interface in OpenAPI 3.1, from the very shapes that check it. */
import { jsonSchema } from '../../core/schema.js'
import { clockPaths } from './open-api-clock.js'
import { otaPaths } from './open-api-ota.js'
import { powerPaths } from './open-api-power.js'
import { printPaths } from './open-api-print.js'
import { wallPaths } from './open-api-wall.js'
import {
  answer,
  asked,
  body,
  denied,
  foreign,
  invalid,
  limited,
  operating,
  reading,
  refusal,
  sentAt,
  shapes,
} from './open-api-words.js'

const paths = {
  '/health': {
    get: {
      summary: 'Whether the box is ready. Needs no token.',
      security: [{}],
      responses: {
        200: answer('The box is ready.', 'Health'),
        503: answer('The box is starting, asleep or lost.', 'Health'),
      },
    },
  },
  '/api/state': {
    get: {
      summary: 'Everything the page shows, at one moment.',
      security: reading,
      responses: { 200: answer('The state of the box.', 'State'), 401: denied },
    },
  },
  '/api/events': {
    get: {
      summary: 'What happens, as server-sent events.',
      description:
        'Begins with `snapshot` (a State). Then one event per message, named like its topic (`show/state`, `cue/fired`, `levels/sampled`, …), with `{wallMs, payload}`; `lines` on the simulated board, `log` for log lines, `beat` with the box’s clock in `monotonicMs` at the beginning and every 5 s. A reader that cannot keep up is dropped and begins again.',
      security: reading,
      responses: {
        200: {
          description: 'The stream.',
          content: { 'text/event-stream': { schema: { type: 'string' } } },
        },
        401: denied,
        503: refusal('32 pages are open already.'),
      },
    },
  },
  '/api/lateness': {
    get: {
      summary:
        'How late each cue was whenever it was fired since the box started, in milliseconds.',
      security: reading,
      responses: {
        200: answer('The cues, in the order of their first fires.', 'Lateness'),
        401: denied,
      },
    },
  },
  '/api/logs': {
    get: {
      summary: 'The newest log lines, oldest first.',
      security: reading,
      parameters: [
        {
          name: 'limit',
          in: 'query',
          required: false,
          schema: { type: 'integer', minimum: 1, maximum: 1000, default: 200 },
        },
      ],
      responses: { 200: answer('The lines.', 'Logs'), 400: invalid, 401: denied },
    },
  },
  '/api/openapi.json': {
    get: {
      summary: 'This document.',
      security: reading,
      responses: {
        200: {
          description: 'OpenAPI 3.1.',
          content: { 'application/json': { schema: { type: 'object' } } },
        },
        401: denied,
      },
    },
  },
  '/api/login': {
    post: {
      summary: 'Exchanges the operator token for a cookie.',
      security: [{}],
      requestBody: body('Login'),
      responses: {
        200: answer('The cookie is set.', 'Session'),
        400: invalid,
        401: denied,
        403: foreign,
        429: limited,
      },
    },
  },
  '/api/logout': {
    post: {
      summary: 'Takes the cookie back.',
      security: [{}],
      responses: { 200: answer('The cookie is gone.', 'Session'), 403: foreign },
    },
  },
  '/api/command': {
    post: {
      summary: 'Asks something of the show and waits for its answer.',
      description:
        'Send an `id` of your own to be able to ask again after a broken connection: the same id is the same request, and is carried out once.',
      security: operating,
      parameters: [sentAt],
      requestBody: body('Command'),
      responses: asked('CommandAnswer', {
        accepted: 'Accepted and on disk.',
        refused:
          'Refused by the show, or it came too late, or the id was used for another command.',
      }),
    },
  },
  ...printPaths,
  ...powerPaths,
  ...clockPaths,
  ...otaPaths,
  ...wallPaths,
  '/api/simulated/press': {
    post: {
      summary: 'Presses a button of the simulated board.',
      security: operating,
      parameters: [sentAt],
      requestBody: body('Press'),
      responses: {
        200: answer('Pressed.', 'Acknowledgement'),
        400: invalid,
        401: denied,
        403: foreign,
        409: refusal('There is no such input, or the board is a real one, or it came too late.'),
        429: limited,
      },
    },
  },
}

/** The document as docs/openapi.json holds it and /api/openapi.json serves it. */
export function openApiText(): string {
  const document = {
    openapi: '3.1.0',
    info: { title: 'Roadcase box', version: '1', license: { name: 'MIT', identifier: 'MIT' } },
    servers: [{ url: 'http://127.0.0.1:8080' }],
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        cookie: { type: 'apiKey', in: 'cookie', name: 'roadcase_8080' },
      },
      schemas: Object.fromEntries(
        Object.entries(shapes).map(([name, shape]) => [name, jsonSchema(shape)]),
      ),
    },
  }
  return `${JSON.stringify(document, null, 2)}\n`
}
