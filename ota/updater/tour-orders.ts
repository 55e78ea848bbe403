/**
 * What the tour orders this box to run: asks every source until one is believed, then reads the tour's order and the
 * description of the release that it names. What was read once is kept, so that a box without an uplink still knows.
 */
import { BoxError, messageOf } from '../../runtime/core/errors.js'
import type { Files } from '../../runtime/ports/files.js'
import type { Keys } from '../../runtime/ports/keys.js'
import type { ReleaseSource } from '../../runtime/ports/release-source.js'
import {
  type Architecture,
  checkDescription,
  checkOrder,
  descriptionTarget,
  type ReleaseDescription,
  type TourOrder,
} from '../release/description.js'
import type { Outcome } from '../tuf/outcome.js'
import type { Finding, FoundTarget, TrustClient } from '../tuf/trust-client.js'
import { lookForOs, type SignedTargets } from './os-orders.js'
import type { OrderLook, Orders } from './parts.js'

const DESCRIPTION_BYTES_MAX = 1024 * 1024
const ORDER_BYTES_MAX = 64 * 1024

export interface NamedSource {
  /** For people: an address, or a folder. */
  readonly name: string
  readonly source: ReleaseSource
}

/** The one source of the trust client, which is another one whenever it is switched. */
export class SwitchedSource implements ReleaseSource {
  #current: NamedSource | null = null

  switchTo(source: NamedSource | null): void {
    this.#current = source
  }

  fetch(path: string, byteCountMax: number): Promise<Uint8Array | null> {
    if (this.#current === null) throw new BoxError('link.down', 'no source is at hand')
    return this.#current.source.fetch(path, byteCountMax)
  }
}

export interface TourOrdersPorts {
  /** Of `switched`. Its `begin` is done. */
  readonly trust: Pick<TrustClient, 'refresh' | 'find' | 'read'>
  readonly switched: SwitchedSource
  readonly files: Files
  readonly keys: Pick<Keys, 'sha256Hex'>
}

export interface TourOrdersOptions {
  readonly tour: string
  readonly architecture: Architecture
  /** The board, null while the box has not said it; null altogether: no operating system is looked for. */
  readonly board: (() => string | null) | null
  /** Asked each time: a stick comes and goes. */
  readonly sources: () => Promise<readonly NamedSource[]>
}

/** What was signed for cannot be had, or is not what it should be; in words. */
class Missing extends Error {}
class NotSigned extends Missing {}

export class TourOrders implements Orders {
  readonly #ports: TourOrdersPorts
  readonly #options: TourOrdersOptions

  constructor(ports: TourOrdersPorts, options: TourOrdersOptions) {
    this.#ports = ports
    this.#options = options
  }

  async look(): Promise<OrderLook> {
    let told: readonly string[] = []
    let beside: Pick<OrderLook, 'os'> = {}
    try {
      const { believed, words } = await this.#refresh()
      told = words
      beside = await this.#lookForOs()
      return { ...(await this.#read(believed, words)), ...beside }
    } catch (error) {
      if (!(error instanceof Missing) && !(error instanceof BoxError)) throw error
      return { isFresh: false, words: joined(told, messageOf(error)), order: null, ...beside }
    } finally {
      this.#ports.switched.switchTo(null)
    }
  }

  /** Neither an order for releases nor one for systems stands in the way of the other. */
  async #lookForOs(): Promise<Pick<OrderLook, 'os'>> {
    const { board, ...options } = this.#options
    if (board === null) return {}
    const targets: SignedTargets = {
      read: async ({ path, ...wanted }) => {
        const found = await this.#target(path, wanted).catch((error: unknown) => {
          if (error instanceof NotSigned) return null
          throw error
        })
        return found && { value: jsonOf(found.bytes), isTimeKnown: found.isTimeKnown }
      },
      isMissing: error => error instanceof Missing,
    }
    return { os: await lookForOs(targets, { ...options, board }) }
  }

  /** Stops at the first source that is believed, and leaves it switched on. */
  async #refresh(): Promise<{ believed: Outcome | null; words: readonly string[] }> {
    const { trust, switched } = this.#ports
    const words: string[] = []
    let unjudged: { source: NamedSource; outcome: Outcome } | null = null
    for (const source of await this.#options.sources()) {
      switched.switchTo(source)
      const outcome = await trust.refresh()
      if (outcome.kind === 'believed') return { believed: outcome, words: [] }
      if (outcome.kind === 'cannot judge yet') unjudged ??= { source, outcome }
      else words.push(`${source.name}: ${outcome.message}`)
    }
    switched.switchTo(unjudged?.source ?? null)
    if (words.length === 0 && unjudged === null) words.push('there is no source to ask')
    return { believed: unjudged?.outcome ?? null, words }
  }

  async #read(believed: Outcome | null, words: readonly string[]): Promise<OrderLook> {
    const { tour, architecture } = this.#options
    const isFresh = believed !== null
    const ordered = await this.#target(`tours/${tour}/order.json`, {
      cache: 'order.json',
      byteCountMax: ORDER_BYTES_MAX,
      what: `order for a tour of the name ${tour}`,
    })
    const order = readOrder(ordered.bytes)
    if (order.tour !== tour) throw new Missing(`the order is for ${order.tour}`)
    const version = order.releases[architecture]
    if (version === undefined) {
      const nothing = `${tour} orders nothing for ${architecture}`
      return { isFresh, words: joined(words, nothing), order: null }
    }
    const described = await this.#target(descriptionTarget(architecture, version), {
      cache: 'description.json',
      byteCountMax: DESCRIPTION_BYTES_MAX,
      what: `description of ${version}`,
    })
    const description = readDescription(described.bytes)
    if (description.version !== version || description.architecture !== architecture)
      throw new Missing(`what is signed as ${version} says that it is ${description.version}`)
    const isTimeKnown = ordered.isTimeKnown && described.isTimeKnown
    return {
      isFresh,
      words: joined(words, `${version} is ordered`),
      order: { description, isTogether: order.activation === 'venue', isTimeKnown },
    }
  }

  async #target(
    path: string,
    { cache, byteCountMax, what }: { cache: string; byteCountMax: number; what: string },
  ): Promise<{ bytes: Uint8Array; isTimeKnown: boolean }> {
    const { target, isTimeKnown } = foundOf(await this.#ports.trust.find(path), what)
    const kept = await this.#kept(cache, target)
    if (kept !== null) return { bytes: kept, isTimeKnown }
    const read = await this.#ports.trust.read(target, byteCountMax)
    if (read.kind !== 'read') throw new Missing(`${what}: ${read.message}`)
    await this.#ports.files.replace(cache, read.bytes)
    return { bytes: read.bytes, isTimeKnown }
  }

  /** What was kept counts only while it is what is signed for. */
  async #kept(cache: string, { length, hashes }: FoundTarget): Promise<Uint8Array | null> {
    const bytes = await this.#ports.files.read(cache)
    if (bytes === null || bytes.length !== length) return null
    return this.#ports.keys.sha256Hex(bytes) === hashes.get('sha256') ? bytes : null
  }
}

function foundOf(finding: Finding, what: string): { target: FoundTarget; isTimeKnown: boolean } {
  switch (finding.kind) {
    case 'found':
      return { target: finding.target, isTimeKnown: true }
    case 'cannot judge yet':
      return { target: finding.target, isTimeKnown: false }
    case 'not there':
      throw new NotSigned(
        `there is no ${what} that somebody who may has signed (${finding.roles.join(', ')})`,
      )
    case 'not reached':
    case 'refused':
      throw new Missing(`${what}: ${finding.message}`)
  }
}

const readOrder = (bytes: Uint8Array): TourOrder => checkOrder(jsonOf(bytes))
const readDescription = (bytes: Uint8Array): ReleaseDescription => checkDescription(jsonOf(bytes))

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    // Not JSON: the schema says what it should be.
    return null
  }
}

const joined = (words: readonly string[], last: string): string =>
  [...words.map(word => word.slice(0, 300)), last].join('; ')
