/** The three ways in: TCP on this machine, TLS with certificates, WebSocket for browsers. */
import { createServer as createHttpServer, type IncomingMessage } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer, type Server, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createServer as createTlsServer, type TLSSocket } from 'node:tls'
import { createWebSocketStream, WebSocketServer } from 'ws'
import { BoxError } from '../../core/errors.js'
import { type Certificate, certificateOf } from './certificate.js'
import { explainTlsRefusal } from './tls-refusal.js'

export interface TlsMaterial {
  readonly key: Uint8Array
  readonly certificate: Uint8Array
  readonly clientAuthority: Uint8Array
}

export interface ListenerOptions {
  readonly port: number
  /** `127.0.0.1`, or null for every address. */
  readonly host: string | null
  readonly connectMs: number
  /** False closes the socket at once: too many of them. */
  readonly enter: (socket: Socket) => boolean
  readonly onStream: (stream: Duplex, from: Origin) => void
  /** Somebody did not get through the handshake. */
  readonly onTlsRefused: (address: string, reason: string) => void
  /** The machine is out of sockets, most likely; the listener goes on. */
  readonly onError: (error: Error) => void
}

export interface Origin {
  readonly address: string
  readonly certificate: Certificate | null
}

export interface WebSocketOptions extends ListenerOptions {
  /** Names under which a browser may have reached this box. */
  readonly hosts: readonly string[]
  readonly messageBytesMax: number
  readonly tls: TlsMaterial | null
}

export interface Listener {
  readonly port: number
  close(): void
}

/** Nagle's algorithm would hold a cue back for up to 40 ms while telemetry is on the way: it is off everywhere. */
const noDelay = true

/** @throws BoxError `port.taken` */
export function listenTcp(options: ListenerOptions): Promise<Listener> {
  const server = createTcpServer({ noDelay })
  server.on('connection', socket => {
    if (options.enter(socket))
      options.onStream(socket, { address: addressOf(socket), certificate: null })
  })
  return listen(server, options)
}

/** Nobody gets in without a certificate of the tour's authority. @throws BoxError `port.taken` */
export function listenTls(options: ListenerOptions, tls: TlsMaterial): Promise<Listener> {
  const server = createTlsServer({
    ...tlsOptions(tls, options.connectMs),
    rejectUnauthorized: true,
    noDelay,
  })
  guardSockets(server, options)
  server.on('secureConnection', socket =>
    options.onStream(socket, {
      address: addressOf(socket),
      certificate: certificateOf(socket),
    }),
  )
  tellRefused(server, options)
  return listen(server, options)
}

/** With TLS a browser may come without a certificate, and then needs a password. @throws BoxError `port.taken` */
export function listenWebSocket(options: WebSocketOptions): Promise<Listener> {
  const http = {
    noDelay,
    headersTimeout: options.connectMs,
    requestTimeout: options.connectMs,
    connectionsCheckingInterval: 1_000,
    maxHeaderSize: 8_192,
  }
  const server = options.tls
    ? createHttpsServer({
        ...http,
        ...tlsOptions(options.tls, options.connectMs),
        rejectUnauthorized: false,
      })
    : createHttpServer(http)
  guardSockets(server, options)
  tellRefused(server, options)
  const sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: options.messageBytesMax,
    handleProtocols: () => 'mqtt',
  })
  server.on('request', (_, response) => {
    response.writeHead(426, { upgrade: 'websocket', connection: 'close' }).end()
  })
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    const refusal = refusalOf(request, options.hosts)
    if (refusal !== null) {
      refuseUpgrade(socket, refusal)
      return
    }
    sockets.handleUpgrade(request, socket, head, webSocket =>
      options.onStream(createWebSocketStream(webSocket), {
        address: addressOf(socket),
        certificate: isTls(socket) && socket.authorized ? certificateOf(socket) : null,
      }),
    )
  })
  return listen(server, options)
}

/** The status line of a refusal; null when the upgrade is ours. A page of another site must not reach the broker. */
export function refusalOf(request: IncomingMessage, hosts: readonly string[]): string | null {
  const { url, headers, socket } = request
  if (url?.split('?')[0] !== '/mqtt') return '404 Not Found'
  const protocols = `${headers['sec-websocket-protocol'] ?? ''}`.split(',').map(name => name.trim())
  if (!protocols.includes('mqtt')) return '400 Bad Request'
  const known = [...hosts, plain(socket.localAddress ?? '')]
  const isKnown = (text: string): boolean => known.includes(hostnameOf(text))
  // Programs send no Origin; browsers always do. A name that was made to point here is not a name of ours.
  const isOurs =
    headers.origin === undefined ||
    (isKnown(headers.origin) && isKnown(`http://${headers.host ?? ''}`))
  return isOurs ? null : '403 Forbidden'
}

/**
 * The HTTP server lets go of a socket that wants an upgrade: from then on nobody but us hears that it was reset, which
 * would end the process, and nobody but us closes it when the other side does not.
 */
function refuseUpgrade(socket: Socket, status: string): void {
  socket.on('error', () => {})
  socket.write(`HTTP/1.1 ${status}\r\nconnection: close\r\n\r\n`)
  socket.destroySoon()
}

function hostnameOf(url: string): string {
  try {
    return new URL(url).hostname.replace(/^\[|\]$/g, '')
  } catch {
    // Not a URL: `null` from a sandboxed page, or nonsense. It is no host of ours.
    return ''
  }
}

function guardSockets(server: Server, options: ListenerOptions): void {
  // Before TLS or HTTP spend anything on it.
  server.prependListener('connection', (socket: Socket) => void options.enter(socket))
}

function tellRefused(server: Server, options: ListenerOptions): void {
  server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
    const reason = explainTlsRefusal(error, socket.authorizationError)
    if (reason !== null) options.onTlsRefused(addressOf(underOf(socket)), reason)
    socket.destroy()
  })
}

/** When Node refuses a certificate, the TLS socket has no address any more; the one it stands on remembers. */
function underOf(socket: TLSSocket): Socket {
  const under: unknown = Reflect.get(socket, '_parent')
  return under instanceof Socket ? under : socket
}

const tlsOptions = (tls: TlsMaterial, handshakeTimeout: number) => ({
  key: Buffer.from(tls.key),
  cert: Buffer.from(tls.certificate),
  ca: Buffer.from(tls.clientAuthority),
  requestCert: true,
  minVersion: 'TLSv1.2' as const,
  handshakeTimeout,
})

const isTls = (socket: Socket): socket is TLSSocket => 'getPeerCertificate' in socket

/** IPv4 as people write it, also when the socket is of both kinds. */
export const addressOf = (socket: Socket): string => plain(socket.remoteAddress ?? 'unknown')
const plain = (address: string): string => address.replace(/^::ffff:/, '')

function listen(server: Server, options: ListenerOptions): Promise<Listener> {
  const { port, host } = options
  return new Promise((resolve, reject) => {
    const refuse = (cause: Error): void =>
      reject(new BoxError('port.taken', `cannot listen on port ${port}`, { cause }))
    server.once('error', refuse)
    server.listen({ port, ...(host === null ? {} : { host }) }, () => {
      server.off('error', refuse)
      server.on('error', options.onError)
      resolve({ port: portOf(server.address()), close: () => void server.close() })
    })
  })
}

const portOf = (address: string | AddressInfo | null): number =>
  typeof address === 'object' && address !== null ? address.port : 0
