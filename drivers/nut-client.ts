/**
 * A client of the Network UPS Tools protocol that asks one thing, what a UPS says of itself: `LIST VAR`
 * (docs/net-protocol.txt of NUT 2.8). Reading needs no log-in.
 */
import { DeviceError, type ErrorCode } from '../runtime/core/errors.js'
import { LineBuffer } from '../runtime/core/line-buffer.js'
import { nutWords } from '../runtime/core/nut-line.js'
import { Signal } from '../runtime/core/signal.js'
import { after } from '../runtime/core/time.js'
import type { Cancel, Clock } from '../runtime/ports/clock.js'
import type { ByteStream } from '../runtime/ports/host.js'

/** Null: the server has nothing fresh of it, or has lost it. */
export type UpsVariables = ReadonlyMap<string, string>

const LINE_BYTES_MAX = 1024
const VARIABLES_MAX = 1000
const ANSWER_MS_MAX = 5_000
/** The server is well, and knows of the UPS, but not how it is. */
const NOT_READY: readonly string[] = ['DATA-STALE', 'DRIVER-NOT-CONNECTED']

interface Question {
  readonly ups: string
  readonly variables: Map<string, string>
  readonly resolve: (variables: UpsVariables | null) => void
  readonly reject: (fault: DeviceError) => void
}

export class NutClient {
  readonly #stream: ByteStream
  readonly #clock: Clock
  readonly #faults = new Signal<DeviceError>()
  #lines = new LineBuffer(LINE_BYTES_MAX)
  #question: Question | null = null
  #cancels: readonly Cancel[] = []
  #cancelLimit: Cancel = () => {}
  #isOpen = false

  constructor(stream: ByteStream, clock: Clock) {
    this.#stream = stream
    this.#clock = clock
  }

  /** Throws DeviceError. */
  async open(): Promise<void> {
    await this.#stream.open()
    this.#isOpen = true
    this.#lines = new LineBuffer(LINE_BYTES_MAX)
    this.#cancels = [
      this.#stream.onBytes(bytes => this.#hear(bytes)),
      this.#stream.onLost(why => this.#fail(faultOf(why))),
    ]
  }

  async close(): Promise<void> {
    this.#giveUp(new DeviceError('device.absent', `${this.#stream.name} is closed`))
    for (const cancel of this.#cancels) cancel()
    this.#cancels = []
    await this.#stream.close()
  }

  /** The connection cannot be used any more: told once, and not after `close`. */
  onFault(listener: (fault: DeviceError) => void): Cancel {
    return this.#faults.listen(listener)
  }

  /**
   * One question at a time. Throws DeviceError: `device.absent` for a UPS that the server does not have, `device.timeout`
   * for no answer.
   * @returns null when the server does not know how the UPS is
   */
  variables(ups: string): Promise<UpsVariables | null> {
    if (!this.#isOpen)
      return Promise.reject(new DeviceError('device.absent', `${this.#stream.name} is not open`))
    if (this.#question !== null)
      return Promise.reject(
        new DeviceError('device.busy', `${this.#stream.name} was asked already`),
      )
    return new Promise((resolve, reject) => {
      this.#question = { ups, variables: new Map(), resolve, reject }
      this.#cancelLimit = this.#clock.runAt(after(this.#clock.monotonicMs(), ANSWER_MS_MAX), () =>
        this.#lose('device.timeout', 'does not answer'),
      )
      const question = new TextEncoder().encode(`LIST VAR ${ups}\n`)
      this.#stream.write(question).catch((why: unknown) => this.#fail(faultOf(why)))
    })
  }

  #hear(bytes: Uint8Array): void {
    if (!this.#isOpen) return
    const lines = this.#lines.add(bytes)
    if (lines === null) this.#lose('device.io', 'sends lines without an end')
    else for (const line of lines) this.#hearLine(line)
  }

  #hearLine(line: string): void {
    const question = this.#question
    const words = nutWords(line)
    // A server that speaks unasked is none, or answers what was given up.
    if (!this.#isOpen) return
    if (question === null || words === null) {
      this.#lose('device.io', 'does not speak the protocol of NUT')
      return
    }
    const [kind = '', first = '', second = '', third = ''] = words
    if (kind === 'VAR') this.#note(question, second, third)
    else if (kind === 'ERR') this.#refused(question, first)
    else if (kind === 'END') this.#settle(() => question.resolve(question.variables))
    else if (kind !== 'BEGIN') this.#lose('device.io', 'does not speak the protocol of NUT')
  }

  #note({ variables }: Question, name: string, value: string): void {
    variables.set(name, value)
    if (variables.size > VARIABLES_MAX) this.#lose('device.io', 'sends variables without an end')
  }

  #refused({ ups, resolve, reject }: Question, code: string): void {
    if (NOT_READY.includes(code)) {
      this.#settle(() => resolve(null))
      return
    }
    const refusal = refusals[code] ?? 'device.io'
    this.#settle(() => reject(new DeviceError(refusal, `${this.#stream.name}: ${ups}: ${code}`)))
  }

  #settle(tell: () => void): void {
    this.#cancelLimit()
    this.#question = null
    tell()
  }

  #lose(code: ErrorCode, what: string): void {
    this.#fail(new DeviceError(code, `${this.#stream.name} ${what}`))
  }

  #fail(fault: DeviceError): void {
    if (!this.#isOpen) return
    this.#giveUp(fault)
    this.#faults.emit(fault)
  }

  /** Nothing more is asked or heard, and what was asked has failed. */
  #giveUp(fault: DeviceError): void {
    this.#isOpen = false
    const question = this.#question
    this.#settle(() => question?.reject(fault))
  }
}

const refusals: Readonly<Record<string, ErrorCode>> = {
  'UNKNOWN-UPS': 'device.absent',
  'ACCESS-DENIED': 'device.denied',
}

/** Anything else is a bug, and must stop the process. */
function faultOf(why: unknown): DeviceError {
  if (why instanceof DeviceError) return why
  throw why
}
