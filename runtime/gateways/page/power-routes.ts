/** The past of the packs, over HTTP. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { name, object, optional, parsed } from '../../core/schema.js'
import { checked } from './refusal.js'
import type { HistorySource } from './sources.js'

const HOUR_MS = 3_600_000
const MOMENT_MS_MAX = 8.64e15

export interface PowerSurroundings {
  /** Null where box.json says nothing of power. */
  readonly history: HistorySource | null
  readonly wallMs: () => number
  readonly mayRead: (request: FastifyRequest) => Promise<void>
}

const millisecondsIn = (min: number, max: number) =>
  parsed(`a whole number of milliseconds from ${min} to ${max}`, text => {
    const value = Number(text)
    return Number.isInteger(value) && value >= min && value <= max ? value : null
  })

const historyQuery = object({
  /** All of them together when left out. */
  pack: optional(name),
  /** By the wall clock; the last hour when left out. */
  from: optional(millisecondsIn(0, MOMENT_MS_MAX)),
  to: optional(millisecondsIn(0, MOMENT_MS_MAX)),
  /** Of one point. */
  step: optional(millisecondsIn(1_000, 31 * 24 * HOUR_MS)),
})

export function addPowerRoutes(app: FastifyInstance, at: PowerSurroundings): void {
  app.get('/api/power/history', { onRequest: at.mayRead }, async (request, reply) => {
    const { pack, from, to, step } = checked(historyQuery, request.query, 'query')
    const toWallMs = to ?? Math.round(at.wallMs())
    const fromWallMs = from ?? Math.max(0, toWallMs - HOUR_MS)
    const query = { series: pack ?? 'all', fromWallMs, toWallMs, stepMs: step ?? 1_000 }
    const points = (await at.history?.history(query)) ?? []
    return reply.header('cache-control', 'no-store').send({ points })
  })
}
