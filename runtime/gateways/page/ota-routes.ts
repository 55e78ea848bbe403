/** The updater at the box's door: it tells how it stands, and hears what time the venue has. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Bus } from '../../core/bus.js'
import { otaState } from '../../core/ota-topics.js'
import type { Clock } from '../../ports/clock.js'
import type { Messages } from '../../topics.js'
import type { OtaAnswer } from './api.js'
import { checked } from './refusal.js'

const STATE_BYTES_MAX = 128 * 1024

export interface OtaSurroundings {
  readonly bus: Bus<Messages>
  readonly clock: Clock
  readonly mayOperate: (request: FastifyRequest) => Promise<void>
}

export function addOtaRoutes(app: FastifyInstance, at: OtaSurroundings): void {
  const options = { onRequest: at.mayOperate, bodyLimit: STATE_BYTES_MAX }
  app.post('/api/ota', options, async (request, reply) => {
    at.bus.publish('ota/state', checked(otaState, request.body, 'state'))
    const answer: OtaAnswer = {
      monotonicMs: at.clock.monotonicMs(),
      showTimeMs: at.clock.showTimeMs(),
      showErrorMs: Math.min(at.clock.showErrorMs(), 1e12),
      wallMs: at.clock.wallTimeMs(),
    }
    return reply.header('cache-control', 'no-store').send(answer)
  })
}
