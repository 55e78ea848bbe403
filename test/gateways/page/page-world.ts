/** A page on a free port of loopback with a simulated clock, a bus and a show that answers as it is told. */
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { LinuxKeys } from '../../../drivers/linux/keys.js'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { Bus } from '../../../runtime/core/bus.js'
import { Mirror } from '../../../runtime/gateways/page/mirror.js'
import { PageGateway, type PageOptions } from '../../../runtime/gateways/page/page-gateway.js'
import type { Log } from '../../../runtime/ports/log.js'
import type { Messages, Payload, ShowCommand } from '../../../runtime/topics.js'

export const TOKEN = 'a-token-that-is-long-enough'
const REPLY_MS_MAX = 10_000

export const assetsFolder = 'runtime/gateways/page/assets'

export interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  readonly json: () => Record<string, unknown>
}

export interface Asked {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: unknown
  readonly raw?: string
}

interface Test {
  teardown(task: () => Promise<void>): void
}

export interface PageWorld {
  readonly clock: SimulatedClock
  readonly bus: Bus<Messages>
  readonly page: PageGateway
  readonly mirror: Mirror
  readonly heard: ShowCommand[]
  readonly logged: string[]
  readonly ask: (path: string, asked?: Asked) => Promise<Reply>
  readonly operate: (body: unknown, headers?: Record<string, string>) => Promise<Reply>
}

/**
 * @param options may need the bus that the page listens to
 * @param answer what the show says to a command; null when it stays silent
 */
export async function openPage(
  t: Test,
  options: Partial<PageOptions> | ((bus: Bus<Messages>) => Partial<PageOptions>) = {},
  answer: (command: ShowCommand) => Payload<'command/answered'> | null = accept,
): Promise<PageWorld> {
  const clock = new SimulatedClock({ showStartMs: 1_700_000_000_000, driftPpm: 0 })
  const bus = new Bus<Messages>()
  const logged: string[] = []
  const note = (event: string): void => void logged.push(event)
  const log: Log = { info: note, warn: note, error: note }
  const heard: ShowCommand[] = []
  bus.subscribe('command/received', command => {
    heard.push(command)
    const given = answer(command)
    if (given) bus.publish('command/answered', given)
  })
  const mirror = new Mirror({ clock, bus })
  const page = new PageGateway(
    { clock, keys: new LinuxKeys(), log, bus, mirror },
    {
      config: { port: 0, reach: 'loopback' },
      assetsFolder,
      operatorToken: TOKEN,
      hostNames: [],
      board: { name: 'simulated', title: 'Simulated board' },
      show: null,
      simulated: null,
      logs: null,
      jobs: null,
      history: null,
      clock: { history: () => [] },
      ...(typeof options === 'function' ? options(bus) : options),
    },
  )
  await mirror.start()
  await page.start()
  t.teardown(async () => {
    await page.stop()
    await mirror.stop()
  })
  const ask = (path: string, asked: Asked = {}): Promise<Reply> => askFor(page.port, path, asked)
  const operate = (body: unknown, headers: Record<string, string> = {}): Promise<Reply> =>
    ask('/api/command', {
      method: 'POST',
      body,
      headers: { authorization: `Bearer ${TOKEN}`, ...headers },
    })
  return { clock, bus, page, mirror, heard, logged, ask, operate }
}

export const accept = ({ id, origin }: ShowCommand): Payload<'command/answered'> => ({
  id,
  origin,
  isAccepted: true,
  code: null,
  message: null,
})

/** One request, whole, with a deadline. */
export function askFor(port: number, path: string, asked: Asked = {}): Promise<Reply> {
  const body = asked.raw ?? (asked.body === undefined ? null : JSON.stringify(asked.body))
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        host: '127.0.0.1',
        port,
        path,
        method: asked.method ?? 'GET',
        agent: false,
        signal: AbortSignal.timeout(REPLY_MS_MAX),
        headers: {
          ...(body === null ? {} : { 'content-type': 'application/json' }),
          ...asked.headers,
        },
      },
      response => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString()
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text,
            json: () => JSON.parse(text),
          })
        })
      },
    )
    request.on('error', reject)
    request.end(body ?? undefined)
  })
}

/** A reader of the event stream. */
export interface Stream {
  readonly status: number
  /** The next message of that name; older ones of other names are skipped. */
  next(event: string): Promise<Record<string, unknown>>
  readonly ended: Promise<void>
  close(): void
}

export function openStream(port: number, headers: Record<string, string> = {}): Promise<Stream> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { host: '127.0.0.1', port, path: '/api/events', agent: false, headers },
      response => {
        const arrived: { event: string; body: Record<string, unknown> }[] = []
        let wake = (): void => {}
        let rest = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => {
          const blocks = `${rest}${chunk}`.split('\n\n')
          rest = blocks.pop() ?? ''
          for (const block of blocks) {
            const event = /^event: (.*)$/m.exec(block)?.[1]
            const data = /^data: (.*)$/m.exec(block)?.[1]
            if (event && data) arrived.push({ event, body: JSON.parse(data) })
          }
          wake()
        })
        const ended = new Promise<void>(done => response.on('close', done))
        response.on('error', () => {})
        resolve({
          status: response.statusCode ?? 0,
          ended,
          close: () => void request.destroy(),
          next: event => nextOf(arrived, event, listener => (wake = listener)),
        })
      },
    )
    request.on('error', reject)
    request.end()
  })
}

function nextOf(
  arrived: { event: string; body: Record<string, unknown> }[],
  event: string,
  onArrival: (listener: () => void) => void,
): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const deadline = setTimeout(() => reject(new Error(`no ${event} came`)), REPLY_MS_MAX)
    const look = (): void => {
      for (let next = arrived.shift(); next; next = arrived.shift())
        if (next.event === event) {
          clearTimeout(deadline)
          onArrival(() => {})
          resolve(next.body)
          return
        }
    }
    onArrival(look)
    look()
  })
}
