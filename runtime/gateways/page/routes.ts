import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { BoxError, messageOf } from '../../core/errors.js'
import { suggestion } from '../../core/nearest.js'
import type { MonotonicMs } from '../../ports/clock.js'
import type { Log } from '../../ports/log.js'
import type { Access, Credential } from './access.js'
import { type BoxSnapshot, type HealthState, type LatenessAnswer, login, press } from './api.js'
import { type Asset, isFresh } from './assets.js'
import { addClockRoutes, type ClockSurroundings } from './clock-routes.js'
import type { CommandDesk } from './command-desk.js'
import type { EventStreams } from './event-streams.js'
import type { FailureLimit } from './failure-limit.js'
import { latenessOf, nowHeader } from './lateness.js'
import { addMetricsRoute } from './metrics-route.js'
import { addOtaRoutes, type OtaSurroundings } from './ota-routes.js'
import { addPowerRoutes } from './power-routes.js'
import type { PrintDesk } from './print-desk.js'
import { addPrintRoutes } from './print-routes.js'
import { checked, Refusal, replyTo } from './refusal.js'
import {
  apiLine,
  type HistorySource,
  type JobSource,
  type LogSource,
  type SimulatedBoard,
} from './sources.js'
import type { WallDesk } from './wall-desk.js'
import { addWallRoutes } from './wall-routes.js'

const LOG_LINES_DEFAULT = 200
const LOG_LINES_MAX = 1000

/** What the routes know of the house they stand in. */
export interface Surroundings {
  readonly log: Log
  /** Made once, before anything has to be on time. */
  readonly openApi: string
  readonly assets: ReadonlyMap<string, Asset>
  readonly access: Access
  readonly failures: FailureLimit
  readonly streams: EventStreams
  readonly desk: CommandDesk
  readonly printDesk: PrintDesk
  readonly wallDesk: WallDesk
  readonly jobs: JobSource | null
  readonly history: HistorySource | null
  readonly clock: Omit<ClockSurroundings, 'mayRead'>
  readonly ota: Omit<OtaSurroundings, 'mayOperate'>
  readonly wallMs: () => number
  readonly simulated: SimulatedBoard | null
  readonly logs: LogSource | null
  readonly healthState: () => HealthState
  readonly snapshot: (isOperator: boolean) => BoxSnapshot
  readonly lateCues: () => LatenessAnswer['cues']
  /** In the Prometheus text format. */
  readonly metrics: () => string
  readonly inputNames: () => readonly string[]
  readonly port: () => number
  readonly now: () => MonotonicMs
}

const securityHeaders: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}

export function addRoutes(app: FastifyInstance, at: Surroundings): void {
  app.removeContentTypeParser('text/plain')
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(securityHeaders)
    if (!at.access.isHostAllowed(request.headers.host))
      throw new Refusal(421, 'request.denied', 'this box does not answer to that host name')
  })
  app.setErrorHandler((error, request, reply) => answerError(at.log, error, request, reply))
  app.setNotFoundHandler((request, reply) => answerNotFound(app, request, reply))
  addAssetRoutes(app, at.assets)
  addReadingRoutes(app, at)
  addSessionRoutes(app, at)
  addOperatingRoutes(app, at)
  const mayRead = async (request: FastifyRequest): Promise<void> => {
    if (!at.access.mayAnyoneRead) requireCredential(at, request)
  }
  addMetricsRoute(app, { metrics: at.metrics, mayRead })
  addClockRoutes(app, { ...at.clock, mayRead })
  addPowerRoutes(app, { history: at.history, wallMs: at.wallMs, mayRead })
  const mayOperate = async (request: FastifyRequest): Promise<void> => {
    requireCredential(at, request)
    requireOrigin(at, request)
  }
  const asking = {
    originOf: (request: FastifyRequest) => originOf(at, request),
    mayRead,
    mayOperate,
  }
  addPrintRoutes(app, {
    print: (body, origin) => at.printDesk.print(body, origin),
    decide: (body, origin) => at.printDesk.decide(body, origin),
    jobs: at.jobs,
    ...asking,
  })
  addOtaRoutes(app, { ...at.ota, mayOperate })
  addWallRoutes(app, { wall: at.wallDesk, inTime: inTime(at), ...asking })
}

function addAssetRoutes(app: FastifyInstance, assets: Surroundings['assets']): void {
  for (const [path, asset] of assets)
    app.get(path, async (request, reply) => {
      reply.headers({ etag: asset.etag, 'cache-control': 'no-cache' })
      if (isFresh(request.headers['if-none-match'], asset.etag)) return reply.code(304).send()
      return reply.type(asset.contentType).send(asset.bytes)
    })
}

function addReadingRoutes(app: FastifyInstance, at: Surroundings): void {
  const onRequest = async (request: FastifyRequest): Promise<void> => {
    if (!at.access.mayAnyoneRead) requireCredential(at, request)
  }
  app.get('/health', async (_, reply) => {
    const state = at.healthState()
    return reply.code(state === 'ready' ? 200 : 503).send({ state })
  })
  app.get('/api/state', { onRequest }, async (request, reply) =>
    reply.header('cache-control', 'no-store').send(at.snapshot(isOperator(at, request))),
  )
  app.get('/api/openapi.json', { onRequest }, async (_, reply) =>
    reply.type('application/json; charset=utf-8').send(at.openApi),
  )
  app.get('/api/lateness', { onRequest }, async (_, reply) =>
    reply.header('cache-control', 'no-store').send({ cues: at.lateCues() }),
  )
  app.get('/api/logs', { onRequest }, async (request, reply) => {
    const lines = (at.logs?.recent() ?? []).slice(-limitOf(request)).map(apiLine)
    return reply.header('cache-control', 'no-store').send({ lines })
  })
  app.get('/api/events', { onRequest, exposeHeadRoute: false }, async (request, reply) => {
    if (at.streams.isFull) {
      reply.header('retry-after', '5')
      throw new Refusal(503, 'request.limit', 'too many pages are open')
    }
    reply.hijack()
    at.streams.open(reply.raw, securityHeaders, at.snapshot(isOperator(at, request)))
  })
}

function addSessionRoutes(app: FastifyInstance, at: Surroundings): void {
  const onRequest = async (request: FastifyRequest): Promise<void> => requireOrigin(at, request)
  app.post('/api/login', { onRequest }, async (request, reply) => {
    const { token } = checked(login, request.body, 'login')
    if (!at.access.isToken(token)) throw failedLogin(at, request)
    return reply.header('set-cookie', at.access.loginCookie(at.port())).send({ isOperator: true })
  })
  app.post('/api/logout', { onRequest }, async (_, reply) =>
    reply.header('set-cookie', at.access.logoutCookie(at.port())).send({ isOperator: false }),
  )
}

/** Refuses what was too long on its way; when the body is there, which may come long after the head. */
const inTime =
  (at: Surroundings) =>
  async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const now = at.now()
    reply.header(nowHeader, now)
    const lateness = latenessOf(request.headers, now)
    if (!lateness) return
    at.log.warn('page.request-late', { address: request.ip, message: lateness.message })
    throw lateness
  }

function addOperatingRoutes(app: FastifyInstance, at: Surroundings): void {
  const onRequest = async (request: FastifyRequest): Promise<void> => {
    requireCredential(at, request)
    requireOrigin(at, request)
  }
  const preHandler = inTime(at)
  app.post('/api/command', { onRequest, preHandler }, async (request, reply) => {
    const answer = await at.desk.ask(request.body, originOf(at, request))
    return reply.code(answer.isAccepted ? 200 : 409).send(answer)
  })
  app.post('/api/simulated/press', { onRequest, preHandler }, async (request, reply) => {
    const { input, holdMs } = checked(press, request.body, 'press')
    if (!at.simulated)
      throw new Refusal(409, 'command.refused', 'only the simulated board has buttons to press')
    const known = at.inputNames()
    if (!known.includes(input))
      throw new Refusal(
        409,
        'command.refused',
        `there is no input ${input}${suggestion(input, known)}`,
      )
    pressButton(at.simulated, input, holdMs)
    return reply.send({ isAccepted: true })
  })
}

function pressButton(simulated: SimulatedBoard, input: string, holdMs: number): void {
  try {
    simulated.press(input, holdMs)
  } catch (error) {
    if (error instanceof BoxError) throw new Refusal(409, error.code, error.message)
    throw error
  }
}

const credentialOf = (at: Surroundings, request: FastifyRequest): Credential | null =>
  at.access.credentialOf(request.headers, at.port())

/** Who asks, for the record. */
const originOf = (at: Surroundings, request: FastifyRequest): string =>
  `${credentialOf(at, request) === 'cookie' ? 'page' : 'api'}/${request.ip}`

const isOperator = (at: Surroundings, request: FastifyRequest): boolean =>
  credentialOf(at, request) !== null

function requireCredential(at: Surroundings, request: FastifyRequest): void {
  if (isOperator(at, request)) return
  if (request.headers.authorization !== undefined) throw failedLogin(at, request)
  throw new Refusal(401, 'request.denied', 'log in with the operator token first')
}

function requireOrigin(at: Surroundings, request: FastifyRequest): void {
  if (!at.access.isOriginAllowed(request.headers, credentialOf(at, request)))
    throw new Refusal(403, 'request.denied', 'the request comes from another site')
}

/** Only wrong tokens are counted: nobody can lock the operator out of the box by guessing. */
function failedLogin(at: Surroundings, request: FastifyRequest): Refusal {
  if (at.failures.isExceeded(request.ip))
    return new Refusal(429, 'request.limit', 'too many wrong tokens; try again in a minute')
  if (at.failures.add(request.ip)) at.log.warn('page.login-failed', { address: request.ip })
  return new Refusal(401, 'request.denied', 'that is not the operator token of this box')
}

function limitOf(request: FastifyRequest): number {
  const { query } = request
  const limit =
    typeof query === 'object' && query !== null && 'limit' in query ? query.limit : undefined
  if (limit === undefined) return LOG_LINES_DEFAULT
  const count = Number(limit)
  if (Number.isInteger(count) && count >= 1 && count <= LOG_LINES_MAX) return count
  throw new Refusal(400, 'request.invalid', `limit: must be between 1 and ${LOG_LINES_MAX}`)
}

/** The web library's errors come through here too; what nobody foresaw is a bug, and a line for a person to act on. */
function answerError(
  log: Log,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const known = replyTo(error)
  if (known?.status === 401) reply.header('www-authenticate', 'Bearer')
  if (known?.status === 429) reply.header('retry-after', '60')
  if (known) return reply.code(known.status).send(known.body)
  log.error('page.bug', { path: request.url.slice(0, 128), error: messageOf(error) })
  return reply.code(500).send({ code: 'request.invalid', message: 'the box made a mistake' })
}

function answerNotFound(
  app: FastifyInstance,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const url = request.url.split('?', 1)[0] ?? '/'
  const allowed = (['GET', 'POST'] as const).filter(method => app.hasRoute({ method, url }))
  if (allowed.length === 0)
    return reply.code(404).send({ code: 'request.invalid', message: 'there is no such page' })
  return reply
    .code(405)
    .header('allow', allowed.join(', '))
    .send({ code: 'request.invalid', message: `only ${allowed.join(' and ')} is possible here` })
}
