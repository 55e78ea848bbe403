/** `/metrics`, for Prometheus: who may read the page may read it, with the operator token as a bearer token. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { METRICS_CONTENT_TYPE } from './metrics-text.js'

export interface MetricsSurroundings {
  readonly metrics: () => string
  readonly mayRead: (request: FastifyRequest) => Promise<void>
}

export function addMetricsRoute(app: FastifyInstance, at: MetricsSurroundings): void {
  app.get('/metrics', { onRequest: at.mayRead }, async (_, reply) =>
    reply.header('cache-control', 'no-store').type(METRICS_CONTENT_TYPE).send(at.metrics()),
  )
}
