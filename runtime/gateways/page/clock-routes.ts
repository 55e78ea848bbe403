/** The venue's clock over HTTP: where it stands, and its last minutes. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Payload } from '../../topics.js'
import type { ClockSource } from './sources.js'

export interface ClockSurroundings {
  readonly source: ClockSource
  /** Null before it has said anything. */
  readonly state: () => Payload<'clock/state'> | null
  readonly house: () => Payload<'clock/house'> | null
  readonly mayRead: (request: FastifyRequest) => Promise<void>
}

export function addClockRoutes(app: FastifyInstance, at: ClockSurroundings): void {
  app.get('/api/clock', { onRequest: at.mayRead }, async (_, reply) =>
    reply
      .header('cache-control', 'no-store')
      .send({ state: at.state(), house: at.house(), points: at.source.history() }),
  )
}
