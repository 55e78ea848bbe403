/** The box, as the updater needs it: what it says of itself, its gate, and the time of the venue. */

import type { LinuxClock } from '../../drivers/linux/clock.js'
import { BoxError } from '../../runtime/core/errors.js'
import { boolean, check, list, literal, object, string } from '../../runtime/core/schema.js'
import { wallTimeMs } from '../../runtime/core/time.js'
import type { OtaAnswer } from '../../runtime/gateways/page/api.js'
import type { BoxReport } from '../../runtime/ports/box-api.js'
import type { MonotonicMs } from '../../runtime/ports/clock.js'
import type { Files } from '../../runtime/ports/files.js'
import { type GateNeeds, judge, nothingMore, unmet, usualGate } from '../slots/gate.js'
import type { BoxView } from '../updater/criteria.js'
import type { BoxLink as BoxLinkPart, OtaState } from '../updater/parts.js'
import type { UpdaterConfig } from '../updater/updater-config.js'
import { type BoxDoor, viewOf } from './box-door.js'

const TELL_MS = 1_000
const QUIET_TELL_MS = 5_000
/** The box answers at least every five seconds. */
const FRESH_MS = 8_500
/** The box counts on its own time scale, which is this process's too. */
const SHOW_FRESH_MS = 15_000
const REMEMBERED = 'before-trial.json'

/** How the box was under the release before, so that the next one is not judged by what was broken already. */
const remembered = object({
  format: literal(1),
  faulty: list(string({ max: 64 }), { max: 256 }),
  isClockSound: boolean,
})

export class BoxLink implements BoxLinkPart {
  readonly #clock: LinuxClock
  readonly #door: BoxDoor
  readonly #gate: UpdaterConfig['gate']
  readonly #files: Files
  #toldMs = Number.NEGATIVE_INFINITY
  #told = ''
  #state: OtaState | null = null
  #wellSince: MonotonicMs | null = null
  #needs: GateNeeds | null = null
  #gatedMs = Number.NEGATIVE_INFINITY
  #gated: readonly string[] = ['the gate has not looked yet']

  constructor(
    clock: LinuxClock,
    door: BoxDoor,
    options: { readonly gate: UpdaterConfig['gate']; readonly files: Files },
  ) {
    this.#clock = clock
    this.#door = door
    this.#gate = options.gate
    this.#files = options.files
  }

  async view(): Promise<BoxView | null> {
    const answer = this.#door.answer(FRESH_MS)
    return answer && viewOf(answer)
  }

  async look(): Promise<BoxView | null> {
    if (this.#state === null) return null
    this.#learn(await this.#door.tell(this.#state))
    return this.view()
  }

  isUtcKnown(): boolean {
    return this.#door.answer(SHOW_FRESH_MS)?.isUtcKnown ?? false
  }

  async showTime(): ReturnType<BoxLinkPart['showTime']> {
    const answer = this.#door.answer(SHOW_FRESH_MS)
    if (answer === null) return null
    const nowMs = answer.showTimeMs + (this.#clock.monotonicMs() - answer.monotonicMs)
    return { nowMs, errorMs: answer.showErrorMs }
  }

  async tell(state: OtaState): Promise<void> {
    const text = JSON.stringify(state)
    const isQuiet = text === this.#told && state.phase === 'idle'
    const nowMs = this.#clock.monotonicMs()
    if (nowMs - this.#toldMs < (isQuiet ? QUIET_TELL_MS : TELL_MS)) return
    this.#toldMs = nowMs
    this.#told = text
    this.#state = state
    this.#learn(await this.#door.tell(state))
  }

  async gate(isHubSeen: boolean | null): Promise<readonly string[]> {
    const nowMs = this.#clock.monotonicMs()
    if (nowMs - this.#gatedMs < usualGate.everyMs) return this.#gated
    this.#gatedMs = nowMs
    this.#gated = await this.#judge(isHubSeen, nowMs)
    return this.#gated
  }

  async #judge(isHubSeen: boolean | null, nowMs: MonotonicMs): Promise<readonly string[]> {
    this.#needs ??= await this.#readNeeds()
    const missing = await this.#look(this.#needs, isHubSeen)
    if (missing.length > 0) {
      this.#wellSince = null
      return missing
    }
    this.#wellSince ??= nowMs
    if (nowMs - this.#wellSince >= usualGate.steadyMs) return []
    return [`steady: all is well, for ${usualGate.steadyMs / 1000} s on end yet`]
  }

  silence(): string | null {
    return this.#door.silence()
  }

  /** To be called before the switch. */
  async remember(): Promise<void> {
    const report = await this.#door.report().catch(nothingIfDown)
    if (report === null) return
    const faulty = report.devices.filter(({ isAnswering }) => !isAnswering).map(({ name }) => name)
    const isClockSound = report.clock?.isSound ?? false
    const text = JSON.stringify({ format: 1, faulty, isClockSound })
    await this.#files.replace(REMEMBERED, new TextEncoder().encode(text))
  }

  /** The date, as the box has it: it asks time servers and the venue, and sets nobody's clock. */
  #learn(answer: OtaAnswer | null): void {
    if (answer === null) return
    const { wallMs, monotonicMs } = answer
    this.#clock.followWall({ wallAt: at => wallTimeMs(wallMs + (at - monotonicMs)) })
  }

  async #look(needs: GateNeeds, isHubSeen: boolean | null): Promise<readonly string[]> {
    const report = await this.#door.report().catch(nothingIfDown)
    if (report === null) return ['ready: the box does not answer']
    return unmet(judge({ ...report, isHubSeen }, needs))
  }

  async #readNeeds(): Promise<GateNeeds> {
    const { needsPeers, needsHub } = this.#gate
    const wanted = { ...nothingMore, peersMin: needsPeers ? 1 : 0, isHubNeeded: needsHub }
    const bytes = await this.#files.read(REMEMBERED)
    if (bytes === null) return wanted
    try {
      const { faulty, isClockSound } = check(
        remembered,
        JSON.parse(new TextDecoder().decode(bytes)),
        REMEMBERED,
      )
      return { ...wanted, faultyBefore: faulty, isClockNeeded: isClockSound }
    } catch {
      // Rotten: the release is judged as if all had been well.
      return wanted
    }
  }
}

function nothingIfDown(error: unknown): BoxReport | null {
  if (error instanceof BoxError) return null
  throw error
}
