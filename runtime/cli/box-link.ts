import { randomUUID } from 'node:crypto'
import type { clockSetIn } from '../core/clock-topics.js'
import type { commandIn } from '../core/command-shape.js'
import { ConfigError, messageOf } from '../core/errors.js'
import type { printDecisionIn, printIn } from '../core/printing-topics.js'
import { check, type Of, type Schema } from '../core/schema.js'
import {
  type BoxSnapshot,
  type ClockAnswer,
  type CommandAnswer,
  clockAnswer,
  commandAnswer,
  type JobAnswer,
  jobAnswer,
  jobsAnswer,
  type LatenessAnswer,
  type LogLine,
  latenessAnswer,
  logLine,
  logsAnswer,
  type PrintAnswer,
  printAnswer,
  refusalAnswer,
  stateAnswer,
} from '../gateways/page/api.js'

import { type Control, howToStart, isCode, readControl } from './control.js'
import { CliFailure, exitCodes } from './failure.js'
import { exchange, type Reply, readEvents } from './http-exchange.js'

const TIMEOUT_MS = 7_000
/** The box is heard at least every five seconds. */
const SILENCE_MS_MAX = 20_000
const TRIES_MAX = 3

export type CommandAsked = Omit<Of<typeof commandIn>, 'id'>
export type PrintAsked = Of<typeof printIn>
export type DateAsked = Of<typeof clockSetIn>
export type DecisionAsked = Of<typeof printDecisionIn>

export interface JobsAsked {
  readonly printer: string | null
  readonly state: JobAnswer['state'] | null
  readonly limit: number
}

/** A running box, as the command line sees it. */
export interface BoxLink {
  /** @throws CliFailure when the box refuses or cannot be reached */
  command(asked: CommandAsked): Promise<CommandAnswer>
  /** Asks for a ticket. @throws CliFailure when the box refuses or cannot be reached */
  print(asked: PrintAsked): Promise<PrintAnswer>
  /** Decides what becomes of one. @throws CliFailure when the box refuses or cannot be reached */
  decide(asked: DecisionAsked): Promise<PrintAnswer>
  /** Says what the date is. @throws CliFailure when the box refuses or cannot be reached */
  setDate(asked: DateAsked): Promise<CommandAnswer>
  /** Newest first; `limit` 1..200. */
  jobs(query: JobsAsked): Promise<readonly JobAnswer[]>
  /** @param job its id or serial */
  job(job: string): Promise<JobAnswer>
  state(): Promise<BoxSnapshot>
  /** In the order of the cues' first fires. */
  lateness(): Promise<LatenessAnswer['cues']>
  clock(): Promise<ClockAnswer>
  /** At most `limit` (1..1000) lines, oldest first. */
  logs(limit: number): Promise<readonly LogLine[]>
  /** Goes on until the box ends. */
  follow(onLine: (line: LogLine) => void): Promise<never>
}

/** The box whose state folder this is, over loopback. */
export class HttpBoxLink implements BoxLink {
  readonly #stateFolder: string

  constructor(stateFolder: string) {
    this.#stateFolder = stateFolder
  }

  command(asked: CommandAsked): Promise<CommandAnswer> {
    return this.#ask('/api/command', asked, commandAnswer)
  }

  print(asked: PrintAsked): Promise<PrintAnswer> {
    return this.#ask('/api/print', asked, printAnswer)
  }

  decide(asked: DecisionAsked): Promise<PrintAnswer> {
    return this.#ask('/api/print/decide', asked, printAnswer)
  }

  setDate(asked: DateAsked): Promise<CommandAnswer> {
    return this.#ask('/api/clock/wall', asked, commandAnswer)
  }

  async jobs({ printer, state, limit }: JobsAsked): Promise<readonly JobAnswer[]> {
    const wanted = new URLSearchParams({ limit: String(limit) })
    if (printer !== null) wanted.set('printer', printer)
    if (state !== null) wanted.set('state', state)
    return (await this.#read(`/api/jobs?${wanted}`, jobsAnswer)).jobs
  }

  job(job: string): Promise<JobAnswer> {
    return this.#read(`/api/jobs/${encodeURIComponent(job)}`, jobAnswer)
  }

  state(): Promise<BoxSnapshot> {
    return this.#read('/api/state', stateAnswer)
  }

  async lateness(): Promise<LatenessAnswer['cues']> {
    return (await this.#read('/api/lateness', latenessAnswer)).cues
  }

  clock(): Promise<ClockAnswer> {
    return this.#read('/api/clock', clockAnswer)
  }

  async logs(limit: number): Promise<readonly LogLine[]> {
    return (await this.#read(`/api/logs?limit=${limit}`, logsAnswer)).lines
  }

  async follow(onLine: (line: LogLine) => void): Promise<never> {
    const control = await readControl(this.#stateFolder)
    const asked = { method: 'GET', body: null, timeoutMs: SILENCE_MS_MAX } as const
    const url = `${control.url}/api/events`
    const ended = await readEvents({ ...asked, url, token: control.token }, (event, body) => {
      if (event === 'log') onLine(check(logLine, payloadOf(body), 'line'))
    }).catch((error: unknown) => {
      throw unreachable(this.#stateFolder, control, error)
    })
    throw new CliFailure(
      exitCodes.unreachable,
      ended === 200
        ? 'the box ended; start it again with "roadcase run"'
        : `the box at ${control.url} answered ${ended}`,
    )
  }

  /** One id for all tries: what was asked, and whose answer was lost on the way, is not done twice. */
  async #ask<T>(path: string, asked: object, schema: Schema<T>): Promise<T> {
    const control = await readControl(this.#stateFolder)
    const body = { id: randomUUID(), ...asked }
    for (let tries = 1; ; tries++) {
      try {
        const reply = await send(control, 'POST', path, body)
        if (reply.status === 504 && tries < TRIES_MAX) continue
        if (reply.status === 200) return understood(control, schema, reply.body)
        throw refused(control, reply)
      } catch (error) {
        if (!isWorthAnotherTry(error) || tries >= TRIES_MAX)
          throw unreachable(this.#stateFolder, control, error)
      }
    }
  }

  async #read<T>(path: string, schema: Schema<T>): Promise<T> {
    const control = await readControl(this.#stateFolder)
    const reply = await send(control, 'GET', path, null).catch((error: unknown) => {
      throw unreachable(this.#stateFolder, control, error)
    })
    if (reply.status !== 200) throw refused(control, reply)
    return understood(control, schema, reply.body)
  }
}

const send = (
  { url, token }: Control,
  method: 'GET' | 'POST',
  path: string,
  body: unknown,
): Promise<Reply> => exchange({ method, url: `${url}${path}`, token, body, timeoutMs: TIMEOUT_MS })

function refused(control: Control, reply: Reply): CliFailure {
  const told = [commandAnswer, printAnswer, refusalAnswer]
    .map(schema => schema.safeParse(reply.body).data)
    .find(data => data !== undefined)
  if (!told) return notABox(control, `HTTP status ${reply.status}`)
  if (reply.status === 401)
    return new CliFailure(
      exitCodes.refused,
      `the box at ${control.url} does not accept this token; was control.json copied from another box?`,
    )
  const isAbsent = reply.status === 503 || reply.status === 504
  return new CliFailure(
    isAbsent ? exitCodes.unreachable : exitCodes.refused,
    `${told.message ?? 'refused'} (${told.code ?? reply.status})`,
  )
}

function understood<T>(control: Control, schema: Schema<T>, body: unknown): T {
  try {
    return check(schema, body, 'answer')
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw notABox(control, error.message)
  }
}

const notABox = (control: Control, why: string): CliFailure =>
  new CliFailure(
    exitCodes.unreachable,
    `what answers at ${control.url} is not a box of this version: ${why}`,
  )

/** The connection broke or timed out: the command may have arrived. A refused connection is nobody at all. */
const isWorthAnotherTry = (error: unknown): boolean =>
  !(error instanceof CliFailure) && !isCode(error, 'ECONNREFUSED')

const unreachable = (stateFolder: string, control: Control, cause: unknown): CliFailure =>
  cause instanceof CliFailure
    ? cause
    : new CliFailure(
        exitCodes.unreachable,
        isCode(cause, 'ECONNREFUSED')
          ? `no box listens at ${control.url}. ${howToStart(stateFolder)}`
          : `the box at ${control.url} does not answer: ${messageOf(cause)}`,
        { cause },
      )

const payloadOf = (body: unknown): unknown =>
  typeof body === 'object' && body !== null && 'payload' in body ? body.payload : null
