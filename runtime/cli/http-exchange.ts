/** Requests to the box on this machine, with an end to every wait. */
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'

const REPLY_BYTES_MAX = 8 * 1024 * 1024

export interface Exchange {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly token: string
  /** JSON, or null for none. */
  readonly body: unknown
  readonly timeoutMs: number
}

export interface Reply {
  readonly status: number
  /** Null when it was not JSON. */
  readonly body: unknown
}

export function exchange(asked: Exchange): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const request = open(asked, AbortSignal.timeout(asked.timeoutMs), response => {
      const chunks: Buffer[] = []
      let byteCount = 0
      response.on('data', (chunk: Buffer) => {
        byteCount += chunk.length
        if (byteCount > REPLY_BYTES_MAX) response.destroy(new Error('the reply is too long'))
        else chunks.push(chunk)
      })
      response.on('error', reject)
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: jsonOf(Buffer.concat(chunks)) }),
      )
    })
    request.on('error', reject)
    request.end(asked.body === null ? undefined : JSON.stringify(asked.body))
  })
}

/**
 * Reads server-sent events until the box ends the stream.
 * @param onEvent hears the name and the body of each
 * @throws the error of the connection when it breaks, or falls silent for longer than `timeoutMs`
 */
export function readEvents(
  asked: Exchange,
  onEvent: (event: string, body: unknown) => void,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = open(asked, null, response => {
      let rest = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        const blocks = `${rest}${chunk}`.split('\n\n')
        rest = blocks.pop() ?? ''
        if (rest.length > REPLY_BYTES_MAX) response.destroy(new Error('the reply is too long'))
        for (const block of blocks) readBlock(block, onEvent)
      })
      response.on('error', reject)
      response.on('end', () => resolve(response.statusCode ?? 0))
    })
    request.setTimeout(asked.timeoutMs, () => request.destroy(new Error('the box fell silent')))
    request.on('error', reject)
    request.end()
  })
}

function open(
  asked: Exchange,
  signal: AbortSignal | null,
  onResponse: (response: IncomingMessage) => void,
): ClientRequest {
  return httpRequest(
    asked.url,
    {
      method: asked.method,
      agent: false,
      ...(signal === null ? {} : { signal }),
      headers: {
        authorization: `Bearer ${asked.token}`,
        ...(asked.body === null ? {} : { 'content-type': 'application/json' }),
      },
    },
    onResponse,
  )
}

function readBlock(block: string, onEvent: (event: string, body: unknown) => void): void {
  const event = /^event: (.*)$/m.exec(block)?.[1]
  const data = /^data: (.*)$/m.exec(block)?.[1]
  if (event !== undefined && data !== undefined) onEvent(event, JSON.parse(data))
}

function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    // Whoever answered is no box; the caller sees it by the missing body.
    return null
  }
}
