/** The date over HTTP: what is known of it, and what a person says it is. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { WallDesk } from './wall-desk.js'

const SET_BYTES_MAX = 1_024

export interface WallSurroundings {
  readonly wall: Pick<WallDesk, 'state' | 'set'>
  readonly originOf: (request: FastifyRequest) => string
  readonly mayRead: (request: FastifyRequest) => Promise<void>
  /** Refuses what was too long on its way: a date that comes late is another one. */
  readonly inTime: (request: FastifyRequest, reply: FastifyReply) => Promise<void>
  readonly mayOperate: (request: FastifyRequest) => Promise<void>
}

export function addWallRoutes(app: FastifyInstance, at: WallSurroundings): void {
  const { mayRead, mayOperate, inTime } = at
  app.get('/api/clock/wall', { onRequest: mayRead }, async (_, reply) =>
    reply.header('cache-control', 'no-store').send(at.wall.state()),
  )
  const options = { onRequest: mayOperate, preHandler: inTime, bodyLimit: SET_BYTES_MAX }
  app.post('/api/clock/wall', options, async (request, reply) => {
    const answer = await at.wall.set(request.body, at.originOf(request))
    return reply.code(answer.isAccepted ? 200 : 409).send(answer)
  })
}
