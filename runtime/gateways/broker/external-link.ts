/**
 * The way to somebody else's broker: a new connection each time, with what the files that are named hold by then, so that a
 * certificate that was renewed needs no restart.
 */
import { createPrivateKey, type KeyObject, type X509Certificate } from 'node:crypto'
import { connect as connectTcp, isIP } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { createWebSocketStream, WebSocket } from 'ws'
import type { ExternalBrokerConfig } from '../../config.js'
import { ConfigError, messageOf, type Problem } from '../../core/errors.js'
import type { WallTimeMs } from '../../ports/clock.js'
import type { Files } from '../../ports/files.js'
import { certificatesIn, lifetimeOf } from './certificate.js'
import { explainFailure } from './link-failure.js'

const MESSAGE_BYTES_MAX = 16 * 1024 * 1024
const HANDSHAKE_MS = 10_000

/** What is read from files; null where none is named. */
interface Material {
  readonly password: Buffer | null
  readonly authority: Buffer | null
  readonly own: OwnCertificate | null
}

interface OwnCertificate {
  readonly certificate: Buffer
  readonly key: Buffer
  readonly validTo: WallTimeMs
}

interface Address {
  readonly kind: 'tcp' | 'tls' | 'ws' | 'wss'
  readonly host: string
  readonly port: number
  /** Of a WebSocket. */
  readonly url: string
}

const kinds = {
  'mqtt:': { kind: 'tcp', port: 1883 },
  'mqtts:': { kind: 'tls', port: 8883 },
  'ws:': { kind: 'ws', port: 80 },
  'wss:': { kind: 'wss', port: 443 },
} as const

export class ExternalLink {
  readonly #files: Files | null
  readonly #config: ExternalBrokerConfig
  readonly #path: string
  #material: Material = { password: null, authority: null, own: null }

  /** @param path of the fields, for who has to mend them */
  constructor(files: Files | null, config: ExternalBrokerConfig, path = 'box.broker') {
    this.#files = files
    this.#config = config
    this.#path = path
  }

  get password(): Buffer | null {
    return this.#material.password
  }

  /**
   * Reads the files. When one of them is missing or makes no sense, what was read before stays.
   * @throws ConfigError that names the field
   */
  async load(): Promise<void> {
    try {
      await this.#load()
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      throw new ConfigError(
        error.problems.map(problem => ({ ...problem, path: `${this.#path}.${problem.path}` })),
      )
    }
  }

  async #load(): Promise<void> {
    const { passwordFile, certificateAuthority, certificate, key } = this.#config
    const { kind } = addressOf(this.#config.url)
    refuseIdleFields(this.#config, kind)
    const password = await this.#read('passwordFile', passwordFile)
    const authority = await this.#read('certificateAuthority', certificateAuthority)
    const own = await this.#read('certificate', certificate)
    const ownKey = await this.#read('key', key)
    if (authority && certificateAuthority) readChain(authority, 'certificateAuthority')
    this.#material = {
      password: password && Buffer.from(password.toString('utf8').trim()),
      authority,
      own: own && ownKey ? checkPair(own, ownKey) : null,
    }
  }

  /** False when the certificate that is shown has run out, by the clock of this box. */
  isInTime(wallMs: WallTimeMs): boolean {
    return wallMs < (this.#material.own?.validTo ?? Number.POSITIVE_INFINITY)
  }

  /** Which field to look at, and what is wrong. @param error null when the other side closed it without a word */
  explain(error: unknown, wallMs: WallTimeMs): string {
    const { field, message } = explainFailure(
      error,
      this.#config,
      this.isInTime(wallMs),
      this.#path,
    )
    return `${field}: ${message}`
  }

  /** A connection that is on its way; what goes wrong comes as an `error` event. */
  open(): Duplex {
    const { kind, host, port, url } = addressOf(this.#config.url)
    const { authority, own } = this.#material
    const tls = {
      ...(authority ? { ca: authority } : {}),
      ...(own ? { cert: own.certificate, key: own.key } : {}),
      // RFC 6066, section 3: a literal address is not a server name.
      ...(isIP(host) ? {} : { servername: host }),
      minVersion: 'TLSv1.2' as const,
    }
    // Nagle's algorithm would hold a cue back for up to 40 ms; the WebSocket library turns it off by itself.
    if (kind === 'tcp') return connectTcp({ host, port, noDelay: true })
    if (kind === 'tls') return connectTls({ ...tls, host, port }).setNoDelay(true)
    const options = {
      ...(kind === 'wss' ? tls : {}),
      perMessageDeflate: false,
      followRedirects: false,
      handshakeTimeout: HANDSHAKE_MS,
      maxPayload: MESSAGE_BYTES_MAX,
    }
    return streamOf(new WebSocket(url, ['mqtt'], options))
  }

  async #read(field: Field, file: string | null): Promise<Buffer | null> {
    if (file === null) return null
    const bytes = (await this.#files?.read(file)) ?? null
    if (bytes) return Buffer.from(bytes)
    throw wrong(field, `there is no ${file}`)
  }
}

/** A cable that was pulled closes the WebSocket, and the stream over it would never hear of it. */
function streamOf(webSocket: WebSocket): Duplex {
  const stream = createWebSocketStream(webSocket)
  webSocket.once('close', () => stream.destroy())
  return stream
}

type Field = 'url' | 'passwordFile' | 'certificateAuthority' | 'certificate' | 'key'

/** @throws ConfigError that names `url` */
export function addressOf(text: string): Address {
  const url = URL.canParse(text) ? new URL(text) : null
  const [, scheme] = Object.entries(kinds).find(([protocol]) => protocol === url?.protocol) ?? []
  if (!url || !scheme || url.hostname === '')
    throw wrong('url', `must be mqtt://, mqtts://, ws:// or wss:// and a host, is "${text}"`)
  const { kind, port } = scheme
  const isPathGiven = /^\w+:\/\/[^/]+\//.test(text)
  if ((kind === 'tcp' || kind === 'tls') && url.pathname.length > 1)
    throw wrong('url', `takes no path with ${url.protocol}//, is "${text}"`)
  return {
    kind,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? port : Number(url.port),
    url: isPathGiven ? text : `${text}/mqtt`,
  }
}

/** Whoever names a certificate believes that there is TLS. */
function refuseIdleFields(config: ExternalBrokerConfig, kind: Address['kind']): void {
  const { certificateAuthority, certificate, key } = config
  const fields = Object.entries({ certificateAuthority, certificate, key })
  const isTls = kind === 'tls' || kind === 'wss'
  const problems = fields.flatMap(([field, file]): Problem[] => {
    if (file === null || isTls) return []
    const message = 'is of no use without TLS: write mqtts:// or wss:// in url'
    return [{ path: field, message, place: null }]
  })
  if (problems.length > 0) throw new ConfigError(problems)
  if (certificate !== null && key === null) throw wrong('key', 'is missing: certificate needs it')
  if (certificate === null && key !== null) throw wrong('certificate', 'is missing: key needs it')
}

/** @throws ConfigError unless there is at least one certificate, and nothing else that calls itself one */
function readChain(bytes: Buffer, field: Field): X509Certificate[] {
  let chain: X509Certificate[]
  try {
    chain = certificatesIn(bytes)
  } catch (cause) {
    throw wrong(field, `holds a certificate that cannot be read: ${messageOf(cause)}`)
  }
  if (chain.length > 0) return chain
  throw wrong(field, 'must hold a certificate as PEM (-----BEGIN CERTIFICATE-----)')
}

function checkPair(certificate: Buffer, key: Buffer): OwnCertificate {
  const [own] = readChain(certificate, 'certificate')
  let privateKey: KeyObject
  try {
    privateKey = createPrivateKey(key)
  } catch (cause) {
    throw wrong('key', `must be a private key as PEM, without a passphrase (${messageOf(cause)})`)
  }
  if (!own?.checkPrivateKey(privateKey)) throw wrong('key', 'does not belong to the certificate')
  return { certificate, key, validTo: lifetimeOf(own).to }
}

const wrong = (field: Field, message: string): ConfigError =>
  new ConfigError([{ path: field, message, place: null }])
