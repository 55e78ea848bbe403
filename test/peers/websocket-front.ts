/**
 * The WebSocket end of a broker that has none of its own: Debian's Mosquitto is built without. Takes MQTT over wss, as a
 * proxy in front of a broker does, and hands the bytes on over TCP.
 */
import { readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:https'
import { type AddressInfo, createConnection } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { createWebSocketStream, WebSocketServer } from 'ws'
import type { Papers } from '../gateways/broker/certificates.js'

export interface FrontOptions {
  /** Of the front itself. */
  readonly certificate: string
  /** Whose certificates it takes; null when clients need none. */
  readonly clientAuthority: string | null
}

export interface Front {
  readonly port: number
  /** The names in the certificates of those who came, in order. */
  readonly names: readonly string[]
  stop(): void
}

export async function startFront(
  to: number,
  papers: Papers,
  { certificate, clientAuthority }: FrontOptions,
): Promise<Front> {
  const names: string[] = []
  const server = createServer({
    cert: await readFile(papers.path(`${certificate}.crt`)),
    key: await readFile(papers.path(`${certificate}.key`)),
    ...(clientAuthority === null
      ? {}
      : {
          ca: await readFile(papers.path(`${clientAuthority}.crt`)),
          requestCert: true,
          rejectUnauthorized: true,
        }),
  })
  const sockets = new WebSocketServer({
    server,
    path: '/mqtt',
    perMessageDeflate: false,
    handleProtocols: protocols => (protocols.has('mqtt') ? 'mqtt' : false),
  })
  sockets.on('connection', (webSocket, request) => {
    names.push(nameOf(request.socket))
    const near = createWebSocketStream(webSocket)
    const far = createConnection({ port: to, host: '127.0.0.1', noDelay: true })
    near.on('error', () => far.destroy())
    far.on('error', () => near.destroy())
    near.pipe(far).pipe(near)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    port: portOf(server),
    names,
    stop: () => {
      for (const webSocket of sockets.clients) webSocket.terminate()
      server.close()
    },
  }
}

function nameOf(socket: object): string {
  const isTls = (value: object): value is TLSSocket => 'getPeerCertificate' in value
  const name = isTls(socket) ? socket.getPeerCertificate().subject?.CN : ''
  return typeof name === 'string' ? name : ''
}

function portOf(server: Server): number {
  const address: string | AddressInfo | null = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}
