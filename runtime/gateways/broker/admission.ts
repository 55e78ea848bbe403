/** Who is let in. Refusals look alike from outside and come the later, the more often an address failed. */
import { messageOf } from '../../core/errors.js'
import { after } from '../../core/time.js'
import type { Clock } from '../../ports/clock.js'
import type { ConnectPacket, InnerBroker, InnerClient, ReturnCode } from './aedes-inside.js'
import type { Certificate } from './certificate.js'
import { type BrokerRole, isSafeName, type Rights, rightsOf, type Surroundings } from './grants.js'
import type { PasswordCheck } from './password-check.js'
import { Penalties } from './penalty.js'
import type { StorePersistence } from './persistence.js'
import type { RefusalReason, Refusals } from './refusals.js'
import { isTopic } from './topic.js'
import type { Unwelcome } from './welcome.js'

export interface Identity {
  readonly user: string
  readonly role: BrokerRole
  readonly rights: Rights
}

/** What we know of a connection. */
export interface Peer {
  readonly address: string
  /** Checked by TLS against the tour's authority. */
  readonly certificate: Certificate | null
  connect: ConnectPacket | null
  identity: Identity | null
  readonly granted: Set<string>
}

export interface AdmissionOptions {
  readonly around: Surroundings
  readonly keepaliveSecondsMax: number
  /** Names in certificates that are those of boxes. */
  readonly boxes: readonly string[]
  /** Null for who is welcome. */
  readonly reasonAgainst: (certificate: Certificate) => Unwelcome | null
}

/** Somebody with a password, as a list of the unwelcome would name it. */
export const withoutPaper = (name: string): Certificate => ({ name, serial: '', validTo: null })

/** How a list of the unwelcome would name it. */
export const named = ({ certificate, identity }: Peer): Certificate =>
  certificate ?? withoutPaper(identity?.user ?? '')

/** In base64 and with a message's number behind it, it must fit into a key of the store. */
const CLIENT_ID_BYTES_MAX = 256

type Verdict =
  | { readonly kind: 'admitted'; readonly identity: Identity }
  | {
      readonly kind: 'refused'
      readonly code: ReturnCode
      readonly reason: RefusalReason
      readonly message: string
    }

const refused = (code: ReturnCode, reason: RefusalReason, message: string): Verdict => ({
  kind: 'refused',
  code,
  reason,
  message,
})

export class Admission {
  readonly #clock: Clock
  readonly #refusals: Refusals
  readonly #passwords: PasswordCheck
  readonly #persistence: StorePersistence
  readonly #options: AdmissionOptions
  readonly #penalties: Penalties
  readonly #peers = new WeakMap<object, Peer>()
  readonly #connected = new Map<InnerClient, Peer>()

  constructor(
    clock: Clock,
    refusals: Refusals,
    passwords: PasswordCheck,
    persistence: StorePersistence,
    options: AdmissionOptions,
  ) {
    this.#clock = clock
    this.#refusals = refusals
    this.#passwords = passwords
    this.#persistence = persistence
    this.#options = options
    this.#penalties = new Penalties(clock)
  }

  remember(client: InnerClient, peer: Peer): void {
    this.#peers.set(client, peer)
    this.#connected.set(client, peer)
  }

  /** Its socket is closed; its will may still have to be judged. */
  forget(client: InnerClient): void {
    this.#connected.delete(client)
  }

  /** Everybody with a socket, let in or not yet. */
  connected(): readonly (readonly [InnerClient, Peer])[] {
    return [...this.#connected]
  }

  peer(client: object): Peer | undefined {
    return this.#peers.get(client)
  }

  install(broker: InnerBroker): void {
    broker.preConnect = (client, packet, done) => this.#look(client, packet, done)
    broker.authenticate = (client, username, password, done) =>
      void this.#admit(broker, client, username, password).then(verdict => {
        if (verdict.kind === 'admitted') done(null, true)
        else done(Object.assign(new Error(verdict.message), { returnCode: verdict.code }), false)
      })
  }

  /** What MQTT says must end the connection without a CONNACK. */
  #look(
    client: InnerClient,
    packet: ConnectPacket,
    done: (error: Error | null, isAccepted: boolean) => void,
  ): void {
    const peer = this.#peers.get(client)
    if (peer) peer.connect = packet
    const will = packet.will
    if (!peer || (will && !isTopic(will.topic))) {
      this.#refusals.note('client.will', {
        topic: will?.topic ?? '',
        client: packet.clientId ?? '',
        message: `will topic ${JSON.stringify(will?.topic)}: must be a topic without wildcards`,
      })
      done(new Error('the topic of the will is not a topic'), false)
    } else done(null, true)
  }

  async #admit(
    broker: InnerBroker,
    client: InnerClient,
    username: string | undefined,
    password: Buffer | undefined,
  ): Promise<Verdict> {
    const peer = this.#peers.get(client)
    if (!peer?.connect) return refused(3, 'client.protocol', 'the connection is not known')
    const verdict =
      this.#judgeConnect(peer, peer.connect) ??
      (await this.#identify(peer, username, password, () => !client.closed))
    const final =
      verdict.kind === 'admitted' ? this.#open(broker, client, peer, verdict.identity) : verdict
    if (final.kind === 'admitted') {
      this.#penalties.succeeded(peer.address)
      return final
    }
    this.#refusals.note(final.reason, {
      topic: '',
      client: peer.connect.clientId || peer.address,
      message: `${peer.address}: ${final.message}`,
    })
    if (final.code === 5) await this.#wait(this.#penalties.failed(peer.address))
    return final
  }

  /** Null when nothing is wrong with it. */
  #judgeConnect({ certificate }: Peer, connect: ConnectPacket): Verdict | null {
    const { clientId = '', clean = true, keepalive = 0 } = connect
    const { keepaliveSecondsMax } = this.#options
    if (clientId === '' && !clean)
      return refused(2, 'client.identifier', 'a session needs a client identifier')
    if (Buffer.byteLength(clientId) > CLIENT_ID_BYTES_MAX || /\p{Cc}/u.test(clientId))
      return refused(
        2,
        'client.identifier',
        `client identifier: must have at most ${CLIENT_ID_BYTES_MAX} bytes and no control characters`,
      )
    if (certificate && !this.#isOwnIdentifier(certificate, clientId))
      return refused(
        2,
        'client.identifier',
        `client identifier: must be the name in the certificate, is ${JSON.stringify(clientId)}`,
      )
    if (keepalive === 0 || keepalive > keepaliveSecondsMax)
      return refused(
        3,
        'client.keepalive',
        `keepalive: must be between 1 and ${keepaliveSecondsMax} seconds, is ${keepalive}`,
      )
    return null
  }

  /** A box is several programs, each with a connection: `box-2:ota-have`. No name has a colon in it. */
  #isOwnIdentifier({ name }: Certificate, clientId: string): boolean {
    return clientId === name || (this.#isBox(name) && clientId.startsWith(`${name}:`))
  }

  #isBox(name: string): boolean {
    return this.#options.boxes.includes(name)
  }

  async #identify(
    peer: Peer,
    username: string | undefined,
    password: Buffer | undefined,
    isWanted: () => boolean,
  ): Promise<Verdict> {
    if (peer.certificate) return this.#certified(peer.certificate, username)
    if (username === undefined || password === undefined)
      return refused(5, 'client.credentials', 'a user name and a password are needed')
    if (!isSafeName(username))
      return refused(5, 'client.credentials', 'no user has a name like that')
    const credential = await this.#passwords
      .check(username, password, { address: peer.address, isWanted })
      .catch((error: unknown) => this.#cannotCheck(error))
    if (credential === 'busy')
      return refused(3, 'client.limit', 'too many passwords are being checked')
    if (!credential) return refused(5, 'client.credentials', 'wrong user name or password')
    return this.#admitted(credential.username, credential.role)
  }

  #cannotCheck(error: unknown): 'busy' {
    const message = `the password could not be checked: ${messageOf(error)}`
    this.#refusals.note('client.limit', { topic: '', client: '', message })
    return 'busy'
  }

  #certified(certificate: Certificate, username: string | undefined): Verdict {
    const { name } = certificate
    if (!isSafeName(name) || (username !== undefined && username !== name))
      return refused(5, 'client.credentials', `the certificate is for "${name}"`)
    const role = this.#passwords.find(name)?.role ?? (this.#isBox(name) ? 'box' : 'driver')
    return this.#admitted(name, role)
  }

  #admitted(user: string, role: BrokerRole): Verdict {
    const rights = rightsOf(role, user, this.#options.around)
    return { kind: 'admitted', identity: { user, role, rights } }
  }

  /** The last step, without a pause in it: what was judged is still true when the client is let in. */
  #open(broker: InnerBroker, client: InnerClient, peer: Peer, identity: Identity): Verdict {
    const { connect } = peer
    const clientId = client.id ?? ''
    if (client.closed) return refused(3, 'client.limit', 'the client left while it was let in')
    const unwelcome = this.#options.reasonAgainst(named({ ...peer, identity }))
    if (unwelcome) return refused(5, unwelcome.reason, unwelcome.message)
    if (connect?.will && !identity.rights.mayPublish(connect.will.topic))
      return refused(5, 'client.will', `will topic "${connect.will.topic}": not allowed`)
    const other = broker.clients[clientId]
    const holder = other && this.#peers.get(other)?.identity?.user
    const isForeign =
      (holder !== undefined && holder !== identity.user) ||
      this.#persistence.life.isForeign(clientId, identity.user)
    if (isForeign)
      return refused(2, 'client.identifier', 'the client identifier belongs to another user')
    if (!client.clean) {
      const opened = this.#persistence.life.open(clientId, identity.user, client)
      if (opened === 'full') return refused(3, 'client.limit', 'there are too many sessions')
    }
    peer.identity = identity
    return { kind: 'admitted', identity }
  }

  #wait(milliseconds: number): Promise<void> {
    return new Promise(resolve => {
      this.#clock.runAt(after(this.#clock.monotonicMs(), milliseconds), resolve)
    })
  }
}
