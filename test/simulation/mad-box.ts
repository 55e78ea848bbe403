/** A box that has the venue's key and has gone mad: it says whatever a test wants, under a true seal. */
import { SimulatedKeys } from '../../drivers/simulated/keys.js'
import { SimulatedVenueLink } from '../../drivers/simulated/venue-link.js'
import { object, string } from '../../runtime/core/schema.js'
import { after } from '../../runtime/core/time.js'
import type { Cancel } from '../../runtime/ports/clock.js'
import { HEARING_LENGTH } from '../../runtime/services/venue/members.js'
import { type Beat, decode, encode, jsonOf } from '../../runtime/services/venue/messages.js'
import { Seal } from '../../runtime/services/venue/seal.js'
import { KEY, type VenueWorld } from './venue-world.js'

const BEAT_MS = 100
const question = object({ box: string({ max: 64 }), number: string({ max: 32 }) })

export class MadBox {
  readonly #world: VenueWorld
  readonly #seal: Seal
  readonly #link: SimulatedVenueLink
  readonly #heard = new Map<string, string>()
  readonly box: string
  #count = 0
  #cancel: Cancel = () => {}
  /** What it says of itself beside what a box in its right mind would; an error in it is the point. */
  says: Record<string, unknown> = {}
  /** Its whole state, for who asks. */
  whole: () => unknown = () => null
  /** How often somebody asked for it. */
  asked = 0

  constructor(world: VenueWorld, box: string) {
    this.#world = world
    this.box = box
    this.#seal = new Seal(new SimulatedKeys(world.random), KEY, 'tour')
    this.#link = new SimulatedVenueLink(world.network, box)
  }

  async start(): Promise<void> {
    this.#link.onDatagram(datagram => {
      const opened = this.#seal.open(datagram)
      const message = opened.kind === 'opened' ? decode(opened.body) : null
      // Whoever lacks something is told to take over everything.
      if (message?.kind === 'want')
        this.say({
          kind: 'behind',
          box: this.box,
          epoch: message.epoch,
          base: { epoch: 0, position: 0 },
        })
      if (opened.kind === 'opened' && message?.kind === 'beat')
        this.#heard.set(message.box, opened.session.slice(0, HEARING_LENGTH))
    })
    this.#link.onRequest(bytes => {
      this.asked++
      const opened = this.#seal.open(bytes)
      const read = question.safeParse(opened.kind === 'opened' ? jsonOf(opened.body) : null)
      return read.success
        ? this.#seal.seal(encode({ number: read.data.number, whole: this.whole() }))
        : null
    })
    await this.#link.open()
    this.#beat()
  }

  /** Somebody pulls its plug. */
  async end(): Promise<void> {
    this.#cancel()
    await this.#link.close()
  }

  say(message: unknown): void {
    this.#link.send(this.#seal.seal(encode(message)), null)
  }

  #beat(): void {
    const { clock } = this.#world
    this.say({ ...this.#beatOf(clock.showTimeMs()), ...this.says })
    this.#cancel = clock.runAt(after(clock.monotonicMs(), BEAT_MS), () => this.#beat())
  }

  #beatOf(showMs: number): Beat {
    return {
      kind: 'beat',
      box: this.box,
      count: ++this.#count,
      show: this.#world.digest.slice(0, 16),
      role: 'leading',
      leader: this.box,
      epoch: 0,
      head: { epoch: 0, position: 0 },
      party: 1,
      canLead: true,
      isKeeping: true,
      isSettled: true,
      isPreferred: false,
      showMs,
      boundMs: 0,
      deliveryP99Ms: 0,
      fingerprint: 0,
      hears: [...this.#heard.values()],
    }
  }
}
