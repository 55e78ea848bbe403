/** The updater at the box's door: it tells how it stands, and hears what time the venue has. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Bus } from '../../core/bus.js'
import { otaState } from '../../core/ota-topics.js'
import type { Clock } from '../../ports/clock.js'
import type { Messages } from '../../topics.js'
import type { OtaAnswer } from './api.js'
import type { Mirror } from './mirror.js'
import { checked } from './refusal.js'

const STATE_BYTES_MAX = 128 * 1024

export interface OtaSurroundings {
  readonly bus: Bus<Messages>
  readonly clock: Clock
  readonly mirror: Pick<Mirror, 'state'>
  /** Its name. */
  readonly board: string
  readonly mayOperate: (request: FastifyRequest) => Promise<void>
}

export function addOtaRoutes(app: FastifyInstance, at: OtaSurroundings): void {
  const options = { onRequest: at.mayOperate, bodyLimit: STATE_BYTES_MAX }
  let told = ''
  app.post('/api/ota', options, async (request, reply) => {
    const state = checked(otaState, request.body, 'state')
    const text = JSON.stringify(state)
    // The updater asks every second how the box is. Whoever listens has heard what stays as it is: it is kept for whoever comes.
    if (text !== told) at.bus.publish('ota/state', state)
    told = text
    return reply.header('cache-control', 'no-store').send(answerOf(at))
  })
}

function answerOf({ clock, mirror, board }: OtaSurroundings): OtaAnswer {
  const show = mirror.state('show/state')
  const power = mirror.state('power/state')
  return {
    monotonicMs: clock.monotonicMs(),
    showTimeMs: clock.showTimeMs(),
    showErrorMs: Math.min(clock.showErrorMs(), 1e12),
    wallMs: clock.wallTimeMs(),
    isUtcKnown: mirror.state('clock/wall')?.isUtcKnown ?? false,
    board,
    isReady: mirror.state('box/availability')?.state === 'ready',
    show: show && {
      isArmed: show.isArmed,
      isPanic: show.isPanic,
      runningCues: show.running.length,
    },
    power: power && { percent: power.percent, isOnMains: power.stage === 'mains' },
  }
}
