/**
 * Takes requests to print. A key stands for one ticket: the same request again, whenever it comes and whatever has become
 * of its ticket, is answered with the same job and the same serial.
 */
import { BoxError } from '../../core/errors.js'
import { suggestionOrAll } from '../../core/nearest.js'
import type { TicketDocument } from '../../core/ticket-document.js'
import type { Clock } from '../../ports/clock.js'
import type { Keys } from '../../ports/keys.js'
import type { Payload } from '../../topics.js'
import type { Job } from './job.js'
import { serialOf, serialPrefix } from './serials.js'
import type { Spool } from './spool.js'
import { fillTemplate, type TicketTemplate } from './template.js'
import { withSerial } from './ticket-making.js'

type Request = Payload<'print/requested'>
export type Answer = Omit<Payload<'print/answered'>, 'id' | 'origin'>

/** Requests whose tickets are not on disk yet. */
const UNDERWAY_MAX = 2_048
/** As it is kept. */
const DOCUMENT_CHARACTERS_MAX = 256 * 1024
/** Somebody may have given a serial that the box would have made. */
const SERIAL_TRIES = 8

/** They are kept until somebody decides; a printer that makes so many is broken. */
const UNKNOWN_MAX = 1_000

export interface IntakeOptions {
  readonly tour: string
  readonly box: string
  /** Jobs that wait, of all printers together. */
  readonly queuedMax: number
  /** In order: the first one prints what names none. */
  readonly printers: readonly string[]
  readonly templates: ReadonlyMap<string, TicketTemplate>
}

export class Intake {
  readonly #clock: Clock
  readonly #keys: Keys
  readonly #spool: Spool
  readonly #options: IntakeOptions
  /** No new tickets: the power is low. */
  isRefusing = false
  #underway = 0

  constructor(clock: Clock, keys: Keys, spool: Spool, options: IntakeOptions) {
    this.#clock = clock
    this.#keys = keys
    this.#spool = spool
    this.#options = options
  }

  /** Never rejects with a BoxError: what goes wrong is the answer. */
  async take(request: Request): Promise<Answer> {
    if (this.#underway >= UNDERWAY_MAX)
      return refused(new BoxError('print.limit', 'too many tickets wait for the disk: try again'))
    this.#underway++
    try {
      return await this.#answer(request)
    } catch (error) {
      if (error instanceof BoxError) return refused(error)
      throw error
    } finally {
      this.#underway--
    }
  }

  async #answer(request: Request): Promise<Answer> {
    const digest = this.#digestOf(request)
    try {
      return await this.#accept(request, digest)
    } catch (error) {
      if (!(error instanceof BoxError)) throw error
      // Whatever speaks against a new ticket does not against one that was taken already.
      const known = await this.#known(request, digest)
      if (known === null) throw error
      return known
    }
  }

  async #accept(request: Request, digest: string): Promise<Answer> {
    this.#requireRoom()
    // A serial that was given is not replaced by the next one.
    for (let tries = request.serial === undefined ? 1 : SERIAL_TRIES; ; tries++) {
      const { job, document } = this.#draft(request)
      if (await this.#isKept(job, document, digest)) return accepted(job, false)
      const known = await this.#met(request, digest, tries < SERIAL_TRIES ? null : job.serial)
      if (known !== null) return known
    }
  }

  /** False when its key or its serial is there already. */
  async #isKept(job: Job, document: TicketDocument, digest: string): Promise<boolean> {
    try {
      await this.#spool.accept(job, document, digest)
      return true
    } catch (error) {
      if (error instanceof BoxError && error.code === 'storage.conflict') return false
      throw error
    }
  }

  /** Its key was there, or its serial. Null: try again with the next one. @throws BoxError `print.conflict` */
  async #met(request: Request, digest: string, serial: string | null): Promise<Answer | null> {
    const known = await this.#known(request, digest)
    if (known !== null || serial === null) return known
    const sequence = await this.#spool.tables.bySerial(serial)
    const other = sequence === null ? null : await this.#spool.tables.job(sequence)
    const whose = other === null ? '' : ` by job ${other.id}`
    throw new BoxError('print.conflict', `the serial ${serial} is taken${whose}`)
  }

  #requireRoom(): void {
    if (this.isRefusing)
      throw new BoxError('power.low', 'the power is low: no new tickets until it is back')
    const { queuedMax } = this.#options
    // Those underway count as well, this one among them: many may come while the disk is at work.
    if (this.#spool.waitingCount + this.#underway > queuedMax)
      throw new BoxError('print.limit', `${queuedMax} tickets wait already, which is the limit`)
    if (this.#spool.unknownCount >= UNKNOWN_MAX)
      throw new BoxError('print.limit', `${UNKNOWN_MAX} tickets wait for a person to look at them`)
  }

  #draft(request: Request): { readonly job: Job; readonly document: TicketDocument } {
    const printer = this.#printerOf(request)
    const template = this.#templateOf(request)
    const sequence = this.#spool.takeSequence()
    const serial = request.serial ?? this.#serialOf(sequence)
    const wallMs = this.#clock.wallTimeMs()
    const job: Job = {
      sequence,
      id: request.key ?? request.id,
      printer,
      kind: request.kind ?? template?.kind ?? 'receipt',
      serial,
      origin: request.origin,
      state: 'queued',
      expiresAtWallMs: request.expiresAtWallMs ?? null,
      expiresAfterMs: request.expiresAfterMs ?? null,
      askedWallMs: wallMs,
      wallMs,
      reprint: 0,
      retries: 0,
      sentBytes: 0,
      totalBytes: null,
      millimetres: null,
      code: null,
      message: null,
      decisions: [],
    }
    return { job, document: this.#documentOf(request, template, job) }
  }

  #printerOf({ printer }: Request): string {
    const { printers } = this.#options
    const [first] = printers
    if (first === undefined) throw new BoxError('command.invalid', 'this box has no printer')
    if (printer === undefined) return first
    if (printers.includes(printer)) return printer
    const problem = `${printer} is not a printer of this box${suggestionOrAll(printer, printers)}`
    throw new BoxError('command.invalid', problem)
  }

  #templateOf({ template: name, ticket }: Request): TicketTemplate | null {
    if ((name === undefined) === (ticket === undefined))
      throw new BoxError('ticket.invalid', 'give either a template or a ticket')
    if (name === undefined) return null
    const { templates } = this.#options
    const template = templates.get(name)
    if (template) return template
    const problem = `${name} is not a template of this box${suggestionOrAll(name, templates.keys())}`
    throw new BoxError('ticket.invalid', problem)
  }

  #serialOf(sequence: number): string {
    return serialOf(serialPrefix(this.#keys, this.#options, this.#spool.book), sequence)
  }

  /** What is printed is fixed when it is asked for: a template that changes later does not change it. */
  #documentOf(
    { ticket, fields = {} }: Request,
    template: TicketTemplate | null,
    { serial, wallMs }: Job,
  ): TicketDocument {
    const { tour, box } = this.#options
    const printedAt = timeOfDay.format(wallMs)
    const filled =
      template === null
        ? ticket
        : fillTemplate(template, fields, { serial, box, tour, printedAt, reprint: 0 })
    const document = withSerial(filled ?? { blocks: [] }, serial)
    if (JSON.stringify(document).length > DOCUMENT_CHARACTERS_MAX)
      throw new BoxError(
        'ticket.invalid',
        `a ticket has at most ${DOCUMENT_CHARACTERS_MAX} characters`,
      )
    return document
  }

  /** The answer that this key has got already; null when it is new. */
  async #known(request: Request, digest: string): Promise<Answer | null> {
    const row = await this.#spool.tables.key(request.key ?? request.id)
    if (row === null) return null
    const job = await this.#spool.tables.job(row.sequence)
    if (job === null || job.id !== (request.key ?? request.id))
      return refused(new BoxError('storage.rotten', 'what was kept of this ticket is gone'))
    if (row.digest === digest) return accepted(job, true)
    const problem = `this key was used for another ticket, ${job.serial}: take a new key`
    return { ...refused(new BoxError('print.conflict', problem)), job: job.id, serial: job.serial }
  }

  /** Of what would be printed, as it was asked for. Until when is not part of it: who asks again may count anew. */
  #digestOf({ printer, kind, template, fields, ticket, serial }: Request): string {
    const sortedFields = Object.entries(fields ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1))
    const content = [printer, kind, template, sortedFields, ticket, serial].map(
      part => part ?? null,
    )
    return this.#keys.sha256Hex(new TextEncoder().encode(JSON.stringify(content)))
  }
}

/** `2027-03-01 20:15`, by the clock of the venue. */
const timeOfDay = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'short' })

export const accepted = (job: Job, isRepeated: boolean): Answer => ({
  isAccepted: true,
  job: job.id,
  serial: job.serial,
  isRepeated,
  code: null,
  message: null,
})

export const refused = ({ code, message }: BoxError): Answer => ({
  isAccepted: false,
  job: null,
  serial: null,
  isRepeated: false,
  code,
  message: message.slice(0, 1024),
})
