/**
 * Who may read and who may operate. Reading needs nothing where only this machine can connect; operating always needs
 * the operator token, as a bearer token (RFC 6750) or as the page's cookie.
 *
 * The cookie is a keyed digest of the token, so that it outlives a restart of the box in the middle of a show and needs
 * no table of sessions; changing the token ends every session.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { isIP } from 'node:net'
import { ConfigError } from '../../core/errors.js'

/** Guessing a token of this length is hopeless, which is why a wrong guess never locks the right one out. */
const TOKEN_LENGTH_MIN = 20
const COOKIE_SECONDS = 7 * 24 * 3600
const LOOPBACK_NAMES: readonly string[] = ['127.0.0.1', 'localhost', '[::1]']

export interface AccessOptions {
  readonly operatorToken: string
  readonly reach: 'loopback' | 'venue'
  /** Names, besides addresses, under which the page may be asked for: `lobby.local`. */
  readonly hostNames: readonly string[]
}

export type Credential = 'cookie' | 'bearer'

/** @throws ConfigError when the operator token is too short to be safe. */
export function checkOperatorToken(token: string): void {
  if (token.length >= TOKEN_LENGTH_MIN) return
  const message = `must have at least ${TOKEN_LENGTH_MIN} characters`
  throw new ConfigError([{ path: 'operator token', message, place: null }])
}

export class Access {
  readonly #options: AccessOptions

  constructor(options: AccessOptions) {
    this.#options = options
  }

  isToken(candidate: string): boolean {
    return isSame(candidate, this.#options.operatorToken)
  }

  /** What the request proves its right to operate with, or null. */
  credentialOf(headers: IncomingHttpHeaders, port: number): Credential | null {
    const bearer = bearerToken(headers.authorization)
    if (bearer !== null && this.isToken(bearer)) return 'bearer'
    const cookie = cookieValue(headers.cookie, cookieName(port))
    return cookie !== null && isSame(cookie, this.#session()) ? 'cookie' : null
  }

  /** Value of the Set-Cookie header that logs a browser in. */
  loginCookie(port: number): string {
    return `${cookieName(port)}=${this.#session()}; Max-Age=${COOKIE_SECONDS}; ${COOKIE_RULES}`
  }

  logoutCookie(port: number): string {
    return `${cookieName(port)}=; Max-Age=0; ${COOKIE_RULES}`
  }

  #session(): string {
    return createHmac('sha256', this.#options.operatorToken)
      .update('roadcase page session')
      .digest('hex')
  }

  get mayAnyoneRead(): boolean {
    return this.#options.reach === 'loopback'
  }

  /**
   * DNS rebinding: a page of a stranger's may resolve its own name to our address, but the browser then says that name
   * in Host. Addresses cannot be rebound; names must be ours.
   */
  isHostAllowed(host: string | undefined): boolean {
    const hostName = hostNameOf(host)
    if (hostName === null) return false
    if (LOOPBACK_NAMES.includes(hostName)) return true
    if (this.#options.reach === 'loopback') return false
    return isIP(hostName.replace(/^\[|\]$/g, '')) > 0 || this.#options.hostNames.includes(hostName)
  }

  /**
   * Another site's page must not make a logged-in browser operate the box: a request that changes something comes from
   * this origin, or from a program that says no origin and brings the token itself.
   */
  isOriginAllowed(headers: IncomingHttpHeaders, credential: Credential | null): boolean {
    if (headers.origin === undefined) return credential !== 'cookie'
    return (
      headers.origin === `http://${headers.host}` || headers.origin === `https://${headers.host}`
    )
  }
}

const COOKIE_RULES = 'Path=/; HttpOnly; SameSite=Strict'

/** Browsers do not tell ports apart, and two simulated boxes may run on one machine. */
const cookieName = (port: number): string => `roadcase_${port}`

/** The name or address in a Host header, lower-case, without the port; null when it is not well-formed. */
export function hostNameOf(host: string | undefined): string | null {
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9_.-]{1,253})(?::\d{1,5})?$/i.exec(host ?? '')
  return match?.[1]?.toLowerCase() ?? null
}

export function bearerToken(authorization: string | undefined): string | null {
  return /^Bearer +([\x21-\x7e]{1,512})$/i.exec(authorization ?? '')?.[1] ?? null
}

export function cookieValue(header: string | undefined, cookie: string): string | null {
  for (const part of (header ?? '').slice(0, 8192).split(';')) {
    const [key, value] = part.trim().split('=', 2)
    if (key === cookie && value !== undefined) return value
  }
  return null
}

/** Takes the same time whatever the candidate; digests make the lengths equal. */
function isSame(candidate: string, secret: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(candidate), digest(secret))
}
