/**
 * What the tour orders this box to run: asks every source until one is believed, then reads the tour's order and the
 * description of the release that it names. What was read once is kept, so that a box without an uplink still knows.
 */
import { BoxError, ConfigError, messageOf } from '../../runtime/core/errors.js'
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
const ORDER_FILE = 'order.json'

export interface NamedSource {
  /** For people: an address, or a folder. */
  readonly name: string
  readonly source: ReleaseSource
  /** A stick: it may have been forgotten here, and the others have newer things. */
  readonly isCarried?: boolean
}

/** The one source of the trust client, which is another one whenever it is switched. */
export class SwitchedSource implements ReleaseSource {
  #current: NamedSource | null = null

  switchTo(source: NamedSource | null): void {
    this.#current = source
  }

  /** Of the current one, for people. */
  get name(): string {
    return this.#current?.name ?? 'the source'
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
  /** Version of the timestamp that the last look has seen; null: none since the start. */
  #seenTimestamp: number | null = null

  constructor(ports: TourOrdersPorts, options: TourOrdersOptions) {
    this.#ports = ports
    this.#options = options
  }

  async look(): Promise<OrderLook> {
    let told: readonly string[] = []
    let isReached = false
    let beside: Pick<OrderLook, 'os'> = {}
    try {
      const { believed, words } = await this.#refresh()
      told = words
      isReached = believed !== null
      beside = await this.#lookForOs()
      return { ...(await this.#read(believed, words)), ...beside }
    } catch (error) {
      if (!(error instanceof Missing) && !(error instanceof BoxError)) throw error
      // That nothing is signed for this box is an answer, too.
      const isFresh = isReached && error instanceof NotSigned
      const why = isFresh ? messageOf(error) : await this.#overBy(messageOf(error))
      return { isFresh, words: joined(told, why), order: null, ...beside }
    } finally {
      this.#ports.switched.switchTo(null)
    }
  }

  /** Nobody who is asked, so nothing is said of the board either. */
  async recall(): Promise<OrderLook | null> {
    this.#ports.switched.switchTo(null)
    if ((await this.#ports.files.read(ORDER_FILE)) === null) return null
    try {
      return await this.#read(null, [])
    } catch (error) {
      if (!(error instanceof Missing)) throw error
      return { isFresh: false, words: await this.#overBy(messageOf(error)), order: null }
    }
  }

  /** What counted before, for people: nobody acts on it. */
  async #overBy(why: string): Promise<string> {
    const bytes = await this.#ports.files.read(ORDER_FILE)
    const version = bytes && versionIn(bytes, this.#options.architecture)
    return version ? `${why}; ${version} was ordered, which does not count any more` : why
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

  /** Leaves the one with the newest switched on. */
  async #refresh(): Promise<{ believed: Outcome | null; words: readonly string[] }> {
    const { best, words } = await this.#ask()
    this.#ports.switched.switchTo(best?.source ?? null)
    if (best === null)
      return { believed: null, words: words.length === 0 ? ['there is no source to ask'] : words }
    const { outcome } = best
    this.#seenTimestamp = outcome.versions.timestamp
    return { believed: outcome, words: outcome.kind === 'believed' ? [] : words }
  }

  /**
   * Stops at the first source that is believed, unless it is a stick that brings nothing new. Where the date is not known,
   * all are asked: one of them may be believed all the same.
   */
  async #ask(): Promise<{ best: Answered | null; words: readonly string[] }> {
    const { trust, switched } = this.#ports
    const words: string[] = []
    let best: Answered | null = null
    for (const source of await this.#options.sources()) {
      switched.switchTo(source)
      const outcome = await trust.refresh()
      if (outcome.kind === 'not reached' || outcome.kind === 'refused') {
        words.push(saidBy(source, pastOr(outcome)))
        continue
      }
      if (best === null || isBetter(outcome, best)) best = { source, outcome }
      if (outcome.kind === 'believed' && !this.#isOld(source, outcome)) break
    }
    return { best, words }
  }

  #isOld({ isCarried = false }: NamedSource, { versions }: Told): boolean {
    return isCarried && (this.#seenTimestamp === null || versions.timestamp <= this.#seenTimestamp)
  }

  async #read(believed: Outcome | null, words: readonly string[]): Promise<OrderLook> {
    const { tour, architecture } = this.#options
    const isFresh = believed !== null
    const ordered = await this.#target(`tours/${tour}/order.json`, {
      cache: ORDER_FILE,
      byteCountMax: ORDER_BYTES_MAX,
      what: `the order of ${tour}`,
      unless: patterns => unordered(tour, patterns),
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
      what: `the description of ${version}`,
      unless: () =>
        `${tour} orders ${version}, and the repository has no such release for ${architecture}`,
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
    { cache, byteCountMax, what, unless = () => what }: Wanted,
  ): Promise<{ bytes: Uint8Array; isTimeKnown: boolean }> {
    const { target, isTimeKnown } = foundOf(await this.#ports.trust.find(path), { what, unless })
    const kept = await this.#kept(cache, target)
    if (kept !== null) return { bytes: kept, isTimeKnown }
    const read = await this.#ports.trust.read(target, byteCountMax)
    if (read.kind === 'refused' && read.reason === 'missing')
      throw new Missing(`${what}: ${this.#lacking(read.message)}`)
    if (read.kind !== 'read') throw new Missing(`${what}: ${read.message}`)
    await this.#ports.files.replace(cache, read.bytes)
    return { bytes: read.bytes, isTimeKnown }
  }

  #lacking(message: string): string {
    const { name } = this.#ports.switched
    return `${message.replace('the source', name)}: it was not copied whole, or is being published`
  }

  /** What was kept counts only while it is what is signed for. */
  async #kept(cache: string, { length, hashes }: FoundTarget): Promise<Uint8Array | null> {
    const bytes = await this.#ports.files.read(cache)
    if (bytes === null || bytes.length !== length) return null
    return this.#ports.keys.sha256Hex(bytes) === hashes.get('sha256') ? bytes : null
  }
}

interface Wanted {
  readonly cache: string
  readonly byteCountMax: number
  /** For people. */
  readonly what: string
  /** What it means that nobody has signed it. @param patterns paths for which `targets` lets others speak */
  readonly unless?: (patterns: readonly string[]) => string
}

function foundOf(
  finding: Finding,
  { what, unless }: Required<Pick<Wanted, 'what' | 'unless'>>,
): { target: FoundTarget; isTimeKnown: boolean } {
  switch (finding.kind) {
    case 'found':
      return { target: finding.target, isTimeKnown: true }
    case 'cannot judge yet':
      return { target: finding.target, isTimeKnown: false }
    case 'not there':
      throw new NotSigned(unless(finding.patterns))
    case 'not reached':
    case 'refused':
      throw new Missing(`${what}: ${finding.message}`)
  }
}

const TOURS_TOLD_MAX = 12

/** The repository is what it should be, and has no order: nobody attacks, and somebody has mistyped a name. */
function unordered(tour: string, patterns: readonly string[]): string {
  const tours = patterns.flatMap(one => /^tours\/([^/*]+)\/\*$/.exec(one)?.[1] ?? [])
  if (tours.includes(tour))
    return `${tour} is a tour of this repository, and has ordered nothing yet`
  const told = tours.slice(0, TOURS_TOLD_MAX).join(', ')
  const more = tours.length > TOURS_TOLD_MAX ? ` and ${tours.length - TOURS_TOLD_MAX} more` : ''
  const known = tours.length === 0 ? 'it knows none yet' : `it knows ${told}${more}`
  return `this repository knows no tour ${tour}; ${known} ("tour" in ota.json)`
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

function versionIn(bytes: Uint8Array, architecture: Architecture): string | null {
  try {
    return readOrder(bytes).releases[architecture] ?? null
  } catch (error) {
    if (error instanceof ConfigError) return null
    throw error
  }
}

type Told = Extract<Outcome, { readonly kind: 'believed' | 'cannot judge yet' }>

interface Answered {
  readonly source: NamedSource
  readonly outcome: Told
}

/** Of a stick perhaps not everything was copied. */
const isBetter = ({ kind, versions }: Told, { source, outcome }: Answered): boolean =>
  source.isCarried === true ||
  versions.timestamp > outcome.versions.timestamp ||
  (kind === 'believed' && outcome.kind !== 'believed')

/** Why it was not believed; of one that shows the past, what that means for who carries it. */
function pastOr(outcome: Exclude<Outcome, Told>): string {
  const isPast = outcome.kind === 'refused' && outcome.reason === 'older than seen'
  return isPast
    ? `older than what this box has seen elsewhere: copy it anew (${outcome.message})`
    : outcome.message
}

/** Some name themselves. */
const saidBy = ({ name }: NamedSource, message: string): string =>
  message.startsWith(name) ? message : `${name}: ${message}`

/** What a source was not believed for is what is not known of the order, too: it is said once. */
function joined(words: readonly string[], last: string): string {
  const isSaid = words.some(word => last.endsWith(word.slice(word.indexOf(': ') + 2)))
  return [...words.map(word => word.slice(0, 300)), ...(isSaid ? [] : [last])].join('; ')
}
