/**
 * A client of the Network UPS Tools protocol that asks one thing, what a UPS says of itself: `LIST VAR`
 * (docs/net-protocol.txt of NUT 2.8, RFC 9271). NUT's own server asks nobody for a name to read; where somebody gives
 * one, it is told before, and then `LOGIN`, since no server looks at name and password earlier.
 */
import { DeviceError, type ErrorCode } from '../runtime/core/errors.js'
import { LineBuffer } from '../runtime/core/line-buffer.js'
import { nutQuoted, nutWords } from '../runtime/core/nut-line.js'
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

/** What is in upsd.users, of somebody who may watch (`upsmon secondary`). Printable ASCII. */
export interface NutLogin {
  readonly username: string
  readonly password: string
}

interface Question {
  readonly ups: string
  /** How an answer begins that means: done. */
  readonly end: 'OK' | 'END'
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
  readonly #login: NutLogin | null
  #isLoggedIn = false

  /** @param login null: reads without */
  constructor(stream: ByteStream, clock: Clock, login: NutLogin | null) {
    this.#stream = stream
    this.#clock = clock
    this.#login = login
  }

  /** Throws DeviceError; `device.denied` for a name or a password that the server refuses to hear. */
  async open(): Promise<void> {
    await this.#stream.open()
    this.#isOpen = true
    this.#isLoggedIn = false
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
   * One question at a time. Throws DeviceError: `device.absent` for a UPS that the server does not have, `device.denied`
   * for one that it does not show, or not to whom it is told, `device.timeout` for no answer.
   * @returns null when the server does not know how the UPS is
   */
  variables(ups: string): Promise<UpsVariables | null> {
    const login = this.#login
    if (login === null || this.#isLoggedIn) return this.#ask(`LIST VAR ${ups}`, ups, 'END')
    return this.#variablesAfter(login, ups)
  }

  /** A server that has lost the UPS logs nobody in: that is tried again with the next question. */
  async #variablesAfter(login: NutLogin, ups: string): Promise<UpsVariables | null> {
    await this.#introduce(`USERNAME ${wordOf(login.username)}`, ups)
    await this.#introduce(`PASSWORD ${wordOf(login.password)}`, ups)
    if ((await this.#introduce(`LOGIN ${ups}`, ups)) === null) return null
    this.#isLoggedIn = true
    return this.#ask(`LIST VAR ${ups}`, ups, 'END')
  }

  /** Some servers know no `LOGIN`, and some remember the name of the last try. */
  async #introduce(line: string, ups: string): Promise<UpsVariables | null> {
    try {
      return await this.#ask(line, ups, 'OK')
    } catch (error) {
      if (error instanceof NutRefusal && TOLERATED.includes(error.refusal)) return new Map()
      throw error
    }
  }

  #ask(line: string, ups: string, end: 'OK' | 'END'): Promise<UpsVariables | null> {
    if (!this.#isOpen)
      return Promise.reject(new DeviceError('device.absent', `${this.#stream.name} is not open`))
    if (this.#question !== null)
      return Promise.reject(
        new DeviceError('device.busy', `${this.#stream.name} was asked already`),
      )
    return new Promise((resolve, reject) => {
      this.#question = { ups, end, variables: new Map(), resolve, reject }
      this.#cancelLimit = this.#clock.runAt(after(this.#clock.monotonicMs(), ANSWER_MS_MAX), () =>
        this.#lose('device.timeout', 'does not answer'),
      )
      this.#stream
        .write(new TextEncoder().encode(`${line}\n`))
        .catch((why: unknown) => this.#fail(faultOf(why)))
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
    if (kind === 'ERR') this.#refused(question, first)
    else if (kind === question.end) this.#settle(() => question.resolve(question.variables))
    else if (kind === 'VAR' && question.end === 'END') this.#note(question, second, third)
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
    this.#settle(() => reject(new NutRefusal(this.#stream.name, ups, code)))
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

/** Bare where it can be: small servers, unlike NUT's own, do not take quotes away. */
const wordOf = (text: string): string => (/^[\w.@+-]+$/.test(text) ? text : nutQuoted(text))

interface Meaning {
  readonly code: ErrorCode
  readonly means: string
}

const DENIED = 'its name or password is wrong, or it may not read this UPS (upsd.users: upsmon)'
const refusals: ReadonlyMap<string, Meaning> = new Map([
  ['UNKNOWN-UPS', { code: 'device.absent', means: 'the server has no UPS of that name' }],
  ['ACCESS-DENIED', { code: 'device.denied', means: DENIED }],
  ['INVALID-USERNAME', { code: 'device.denied', means: DENIED }],
  ['INVALID-PASSWORD', { code: 'device.denied', means: DENIED }],
  ['USERNAME-REQUIRED', { code: 'device.denied', means: 'the server wants a name' }],
  ['PASSWORD-REQUIRED', { code: 'device.denied', means: 'the server wants a password' }],
])
/** Of a server that knows no log-in, and of one that has the name already. */
const TOLERATED: readonly string[] = [
  'UNKNOWN-COMMAND',
  'FEATURE-NOT-SUPPORTED',
  'ALREADY-SET-USERNAME',
  'ALREADY-SET-PASSWORD',
  'ALREADY-LOGGED-IN',
]

/** The server has answered with an error. What was sent is no part of it: that may have been a password. */
class NutRefusal extends DeviceError {
  readonly refusal: string

  constructor(server: string, ups: string, refusal: string) {
    const { code, means } = refusals.get(refusal) ?? { code: 'device.io', means: null }
    super(code, `${server}: ${ups}: ${refusal}${means === null ? '' : `, ${means}`}`)
    this.name = 'DeviceError'
    this.refusal = refusal
  }
}

/** Anything else is a bug, and must stop the process. */
function faultOf(why: unknown): DeviceError {
  if (why instanceof DeviceError) return why
  throw why
}
